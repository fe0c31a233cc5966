#include "quantize.h"

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <cstring>
#include <stdexcept>
#include <thread>

#if defined(_MSC_VER) && defined(_M_X64)
#include <intrin.h>
#endif

namespace snug {
namespace {

constexpr BlockShape kShapes[] = {
    {"Q4_0", 32, 18},   {"Q4_1", 32, 20},   {"Q5_0", 32, 22},   {"Q5_1", 32, 24},
    {"Q8_0", 32, 34},   {"Q2_K", 256, 84},  {"Q3_K", 256, 110}, {"Q4_K", 256, 144},
    {"Q5_K", 256, 176}, {"Q6_K", 256, 210}, {"IQ4_NL", 32, 18}, {"IQ4_XS", 256, 136},
};
static_assert(sizeof(kShapes) / sizeof(kShapes[0]) == static_cast<int>(BlockType::count));

#if defined(SNUG_X86)
#if defined(_MSC_VER)
// Bits of leaf 7's EBX; the operating system must also save the wide registers (XCR0).
bool leaf_seven(int mask, unsigned long long saved) {
    int words[4];
    __cpuid(words, 1);
    if (!(words[2] & (1 << 27)) || !(words[2] & (1 << 12)) || (_xgetbv(0) & saved) != saved) return false;
    __cpuidex(words, 7, 0);
    return (words[1] & mask) == mask;
}
bool has_avx2() { return leaf_seven(1 << 5, 6); }
bool has_avx512() { return leaf_seven(1 << 16 | 1 << 17 | 1 << 30 | static_cast<int>(1u << 31), 0xe6); }
#else
bool has_avx2() { return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"); }
bool has_avx512() {
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
           __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
}
#endif
#endif

std::vector<const KernelTable *> tables() {
    std::vector<const KernelTable *> found{portable_kernels()};
#if defined(SNUG_X86)
    if (has_avx2()) found.push_back(avx2_kernels());
    if (has_avx2() && has_avx512()) found.push_back(avx512_kernels());
#elif defined(SNUG_ARM64)
    found.push_back(neon_kernels());
#endif
    return found;
}

}  // namespace

const BlockShape &block_shape(BlockType type) { return kShapes[static_cast<int>(type)]; }

std::vector<std::string> simd_paths() {
    std::vector<std::string> names;
    for (const KernelTable *table : tables()) names.emplace_back(table->path);
    return names;
}

const KernelTable &kernels_for(const std::string &path) {
    std::string wanted = path;
    if (wanted.empty()) {
        if (const char *forced = std::getenv("SNUG_SIMD")) wanted = forced;
    }
    const auto found = tables();
    if (wanted.empty()) return *found.back();
    for (const KernelTable *table : found) {
        if (wanted == table->path) return *table;
    }
    throw std::invalid_argument("this processor has no path named " + wanted);
}

std::int64_t first_not_finite(const float *x, std::int64_t count) {
    constexpr std::int64_t kStretch = 4096;
    for (std::int64_t start = 0; start < count; start += kStretch) {
        const std::int64_t end = std::min(count, start + kStretch);
        std::uint32_t any = 0;
        const auto *words = reinterpret_cast<const unsigned char *>(x);
        for (std::int64_t i = start; i < end; ++i) {
            std::uint32_t word;
            std::memcpy(&word, words + i * 4, 4);
            any |= (word & 0x7f800000u) == 0x7f800000u ? 1u : 0u;
        }
        if (!any) continue;
        for (std::int64_t i = start; i < end; ++i) {
            if (!(x[i] - x[i] == 0)) return i;
        }
    }
    return -1;
}

void quantize_tensor(const KernelTable &table, BlockType type, const float *x, const float *importance,
                     std::int64_t rows, std::int64_t columns, int threads, std::uint8_t *out) {
    const BlockShape &shape = block_shape(type);
    const std::int64_t per_row = columns / shape.values;
    const std::int64_t blocks = rows * per_row;
    const Kernel kernel = table.kernels[static_cast<int>(type)];
    // A piece is a few milliseconds of work, in whole batches, so that threads on busy cores are not waited for.
    const std::int64_t piece = std::max<std::int64_t>(65536 / shape.values, 16);
    std::atomic<std::int64_t> next{0};
    const auto work = [&] {
        for (std::int64_t first = next.fetch_add(piece); first < blocks; first = next.fetch_add(piece)) {
            kernel(x, importance, first, std::min(piece, blocks - first), per_row, out);
        }
    };
    const auto helpers = static_cast<int>(std::min<std::int64_t>(threads, (blocks + piece - 1) / piece)) - 1;
    std::vector<std::thread> started;
    for (int i = 0; i < helpers; ++i) started.emplace_back(work);
    work();
    for (std::thread &thread : started) thread.join();
}

}  // namespace snug
