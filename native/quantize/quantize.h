// Quantising floats to the block formats of GGUF: what the kernels are asked, and the paths that this processor has.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace snug {

enum class BlockType { q4_0, q4_1, q5_0, q5_1, q8_0, q2_k, q3_k, q4_k, q5_k, q6_k, iq4_nl, iq4_xs, count };

// How many values a block of each type holds, and in how many bytes.
struct BlockShape {
    const char *name;
    int values;
    int bytes;
};
const BlockShape &block_shape(BlockType type);

// Blocks first .. first + count - 1 of a tensor whose rows hold `per_row` blocks. `importance`: one figure above zero
// for each column, or null. `x` and `out` are the tensor's beginning.
using Kernel = void (*)(const float *x, const float *importance, std::int64_t first, std::int64_t count,
                        std::int64_t per_row, std::uint8_t *out);

class FeedbackTables;
struct FeedbackJob;
struct FeedbackSpace;

// Error feedback on rows first .. first + count - 1, at most kPanel of them (feedback.h).
using FeedbackPanel = void (*)(const FeedbackTables &tables, const FeedbackJob &job, std::int64_t first, int count,
                               FeedbackSpace &space);

struct KernelTable {
    const char *path;
    Kernel kernels[static_cast<int>(BlockType::count)];
    FeedbackPanel feedback;
};

// Defined for the instruction sets of the processor family that this was built for.
const KernelTable *portable_kernels();
const KernelTable *avx2_kernels();
const KernelTable *avx512_kernels();
const KernelTable *neon_kernels();

// The paths that this processor can run, slowest first: "portable", then "avx2", "avx512" or "neon".
std::vector<std::string> simd_paths();

// The table of that path, of the environment variable SNUG_SIMD where `path` is empty, or else the fastest.
// Throws std::invalid_argument where the processor does not have it.
const KernelTable &kernels_for(const std::string &path);

// Index of the first value that is infinite or not a number; -1 where there is none.
std::int64_t first_not_finite(const float *x, std::int64_t count);

// The whole tensor, in that many threads; `out` has room for all blocks. The bytes do not depend on `threads`.
void quantize_tensor(const KernelTable &table, BlockType type, const float *x, const float *importance,
                     std::int64_t rows, std::int64_t columns, int threads, std::uint8_t *out);

}  // namespace snug
