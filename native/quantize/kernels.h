// The kernels of one instruction set; included once by each kernels_*.cpp, which defines the set.
#pragma once

#include "feedback_panel.h"
#include "pack.h"
#include "quantize.h"

namespace snug {
namespace {

struct StepStarts {
    alignas(64) float v[kStepStarts];
};
constexpr StepStarts unsigned_starts(float limit, float by) {
    StepStarts s{};
    for (int k = 0; k < kStepStarts; ++k) s.v[k] = limit + 0.45f - by * static_cast<float>(k);
    return s;
}
// Half of them map the largest scale to the lower end, half to the upper end: the other way round, all signs change.
constexpr StepStarts signed_starts(float limit, float by) {
    StepStarts s{};
    for (int k = 0; k < kStepStarts / 2; ++k) {
        s.v[2 * k] = -limit - 0.45f + by * static_cast<float>(k);
        s.v[2 * k + 1] = limit - 1 + 0.45f - by * static_cast<float>(k);
    }
    return s;
}
constexpr StepStarts kSteps63 = unsigned_starts(63, 0.4f), kSteps15 = unsigned_starts(15, 0.14f);
constexpr StepStarts kSteps32 = signed_starts(32, 0.5f), kSteps128 = signed_starts(128, 0.75f);

constexpr Narrowing kStarts2[] = {{0, 0},         {0, -0.4f},    {0, -0.8f}, {-0.4f, 0}, {-0.8f, 0},
                                  {-0.4f, -0.4f}, {-0.8f, -0.4f}, {-0.4f, -0.8f}, {0.3f, 0}, {0, 0.3f}};
constexpr Narrowing kStarts4[] = {{0, 0},         {-0.3f, -0.3f}, {0, -0.5f}, {-0.5f, 0}, {-0.6f, -0.6f},
                                  {-1.0f, -0.4f}, {-0.4f, -1.0f}, {-1, -1},   {0.2f, 0.2f}};
constexpr Narrowing kStarts5[] = {{0, 0}, {-0.3f, -0.3f}, {0, -0.5f}, {-0.5f, 0}, {-0.7f, -0.7f}, {0.2f, 0.2f}};

// Where nothing follows the search, it looks further: from 0.3 outside the range to 1.5 steps inside, at both ends.
constexpr int kWideSide = 6;
struct WideStarts {
    Narrowing v[kWideSide * kWideSide];
};
constexpr WideStarts wide_starts() {
    WideStarts s{};
    for (int k = 0; k < kWideSide * kWideSide; ++k) {
        s.v[k] = {0.3f - 0.36f * static_cast<float>(k / kWideSide), 0.3f - 0.36f * static_cast<float>(k % kWideSide)};
    }
    return s;
}
constexpr WideStarts kStartsWide = wide_starts();

// Without importance ggml's search is short, and a short one of ours is already closer than it: here and for Q3_K.
constexpr AffineKind kQ2KPlain{3, 15, kStarts2, 10, 2, 1, kSteps15.v};
constexpr AffineKind kQ2K{3, 15, kStarts2, 10, 2, 2, kSteps15.v};
constexpr AffineKind kQ4K{15, 63, kStarts4, 9, 2, 1, kSteps63.v};
constexpr AffineKind kQ5K{31, 63, kStarts5, 6, 1, 1, kSteps63.v};

constexpr float kHalf4[] = {-4, -3.5f, -3, -4.5f, 3.5f, 3, 2.6f, -3.75f, -4.25f, -2.6f};
// Both ends of the codes -half .. half - 1: the value of largest size goes up to 0.9 outside, and 1.1 inside.
constexpr int kEnds = 30;
struct EndStarts {
    float v[kEnds];
};
constexpr EndStarts end_starts(float half) {
    EndStarts s{};
    for (int k = 0; k < 20; ++k) s.v[k] = -half - 0.85f + 0.1f * static_cast<float>(k);
    for (int k = 20; k < kEnds; ++k) s.v[k] = half - 0.5f - 0.15f * static_cast<float>(k - 20);
    return s;
}
constexpr EndStarts kEnds8 = end_starts(8), kEnds16 = end_starts(16);
constexpr float kHalf32[] = {-32, -31.6f, -31.2f, -30.8f, -32.4f, 31.4f, 31, 30.6f};
constexpr float kHalfCodebook[] = {-127, -122, -117, -112, -107, 113, 110, 106, -130, 116, 100, -102};

// Types without a second level.
struct SmallKind {
    const float *starts;
    int start_count;
};
constexpr SmallKind kQ4Small{kEnds8.v, kEnds}, kQ5Small{kEnds16.v, kEnds}, kIQ4NL{kHalfCodebook, 12};

constexpr SymmetricKind kQ3KPlain{32, kHalf4, 3, 1, 0, kSteps32.v};
constexpr SymmetricKind kQ3K{32, kHalf4, 10, 2, 2, kSteps32.v};
constexpr SymmetricKind kQ6K{128, kHalf32, 8, 1, 1, kSteps128.v};
constexpr SymmetricKind kIQ4XS{32, kHalfCodebook, 12, 2, 1, kSteps32.v};

// Superblocks of 256 values: as many as fill sixteen lanes at a time.
template <int kSize, class Search>
inline void each_superblock(const float *x, const float *importance, std::int64_t first, std::int64_t count,
                            std::int64_t per_row, Search search) {
    constexpr int kPerBlock = 256 / kSize, kTogether = kBatch / kPerBlock;
    Batch<kSize> batch;
    level_weights(batch);
    for (std::int64_t b = first; b < first + count; b += kTogether) {
        const int here = first + count - b < kTogether ? static_cast<int>(first + count - b) : kTogether;
        for (int i = 0; i < here; ++i) {
            const float *weights = importance ? importance + (b + i) % per_row * 256 : nullptr;
            fill_lanes<kSize, kPerBlock>(batch, i * kPerBlock, x + (b + i) * 256, weights);
        }
        clear_lanes(batch, here * kPerBlock);
        search(batch, b, here);
    }
}

template <int kSize, const AffineKind &plain, const AffineKind &weighted,
          void (*pack)(const Byte *, const AffineBlocks &, int, Byte *), int kBytes>
void affine_superblocks(const float *x, const float *importance, std::int64_t first, std::int64_t count,
                        std::int64_t per_row, Byte *out) {
    each_superblock<kSize>(x, importance, first, count, per_row, [&](Batch<kSize> &batch, std::int64_t b, int here) {
        constexpr int kPerBlock = 256 / kSize;
        AffineBlocks numbers;
        affine_blocks<kSize, kPerBlock>(batch, importance ? weighted : plain, numbers);
        for (int i = 0; i < here; ++i) {
            Byte codes[256];
            gather_codes<kSize, kPerBlock>(batch, i * kPerBlock, codes);
            pack(codes, numbers, i * kPerBlock, out + (b + i) * kBytes);
        }
    });
}

template <int kSize, class Grid, const SymmetricKind &plain, const SymmetricKind &weighted,
          void (*pack)(const Byte *, const SymmetricBlocks &, int, Byte *), int kBytes>
void symmetric_superblocks(const float *x, const float *importance, std::int64_t first, std::int64_t count,
                           std::int64_t per_row, Byte *out) {
    each_superblock<kSize>(x, importance, first, count, per_row, [&](Batch<kSize> &batch, std::int64_t b, int here) {
        constexpr int kPerBlock = 256 / kSize;
        SymmetricBlocks numbers;
        symmetric_blocks<Grid, kSize, kPerBlock>(batch, importance ? weighted : plain, numbers);
        for (int i = 0; i < here; ++i) {
            Byte codes[256];
            gather_codes<kSize, kPerBlock>(batch, i * kPerBlock, codes);
            pack(codes, numbers, i * kPerBlock, out + (b + i) * kBytes);
        }
    });
}

// Blocks of 32 values with their own scale: sixteen at a time.
template <class Search>
inline void each_small_block(const float *x, const float *importance, std::int64_t first, std::int64_t count,
                             std::int64_t per_row, Search search) {
    Batch<32> batch;
    level_weights(batch);
    for (std::int64_t b = first; b < first + count; b += kBatch) {
        const int here = first + count - b < kBatch ? static_cast<int>(first + count - b) : kBatch;
        for (int i = 0; i < here; ++i) {
            fill_lanes<32, 1>(batch, i, x + (b + i) * 32, importance ? importance + (b + i) % per_row * 32 : nullptr);
        }
        clear_lanes(batch, here);
        search(batch, b, here);
    }
}

template <int kTop>
void affine_small(const float *x, const float *importance, std::int64_t first, std::int64_t count,
                  std::int64_t per_row, Byte *out) {
    constexpr int kBytes = kTop > 15 ? 24 : 20;
    each_small_block(x, importance, first, count, per_row, [&](Batch<32> &batch, std::int64_t b, int here) {
        alignas(64) float scale[kBatch], low[kBatch];
        for (int g = 0; g < kBatch; g += kLanes) {
            Vec sum_w, sum_x;
            const AffineFit fit = affine_search<32>(batch.x + g, batch.weight + g, kTop, kStartsWide.v,
                                                    kWideSide * kWideSide, 2, true, sum_w, sum_x);
            store(scale + g, fit.scale);
            store(low + g, fit.low);
        }
        std::uint16_t scale_bits[kBatch], low_bits[kBatch];
        for (int i = 0; i < kBatch; ++i) {
            scale[i] = rounded_to_half(scale[i], batch.unit[i], scale_bits[i]);
            low[i] = -rounded_to_half(-low[i], batch.unit[i], low_bits[i]);
        }
        for (int g = 0; g < kBatch; g += kLanes) {
            affine_codes<32>(batch.x + g, batch.code + g, load(scale + g), load(low + g), kTop);
        }
        for (int i = 0; i < here; ++i) {
            Byte codes[32];
            gather_codes<32, 1>(batch, i, codes);
            Byte *to = put_half(put_half(out + (b + i) * kBytes, scale_bits[i]), low_bits[i]);
            if (kTop > 15) {
                pack_fifth_bits(codes, to);
                to += 4;
            }
            pack_pairs(codes, to);
        }
    });
}

template <class Grid, const SmallKind &kind, bool kFifthBits>
void symmetric_small(const float *x, const float *importance, std::int64_t first, std::int64_t count,
                     std::int64_t per_row, Byte *out) {
    constexpr int kBytes = kFifthBits ? 22 : 18;
    each_small_block(x, importance, first, count, per_row, [&](Batch<32> &batch, std::int64_t b, int here) {
        alignas(64) float scale[kBatch];
        for (int g = 0; g < kBatch; g += kLanes) {
            store(scale + g,
                  symmetric_search<Grid, 32>(batch.x + g, batch.weight + g, kind.starts, kind.start_count, 2).scale);
        }
        std::uint16_t bits[kBatch];
        for (int i = 0; i < kBatch; ++i) scale[i] = rounded_to_half(scale[i], batch.unit[i], bits[i]);
        for (int g = 0; g < kBatch; g += kLanes) {
            symmetric_numbers<Grid, 32>(batch.x + g, batch.code + g, load(scale + g));
        }
        for (int i = 0; i < here; ++i) {
            Byte codes[32];
            gather_codes<32, 1>(batch, i, codes);
            Byte *to = put_half(out + (b + i) * kBytes, bits[i]);
            if (kFifthBits) {
                pack_fifth_bits(codes, to);
                to += 4;
            }
            pack_pairs(codes, to);
        }
    });
}

// 8 bits leave nothing to search for: the largest value becomes 127.
void quantize_q8_0(const float *x, const float *, std::int64_t first, std::int64_t count, std::int64_t, Byte *out) {
    for (std::int64_t b = first; b < first + count; ++b) {
        const float *from = x + b * 32;
        Byte *to = out + b * 34;
        alignas(64) float lanes[32];
        const std::uint16_t bits = float_to_half(largest_size(from, 32) / 127);
        const float scale = half_to_float(bits);
        const Vec inverse = all(scale > 0 ? 1 / scale : 0);
        for (int i = 0; i < 32; i += kLanes) {
            store(lanes + i, nearest(clamp(load(from + i) * inverse, -127, 127)));
        }
        to = put_half(to, bits);
        for (int i = 0; i < 32; ++i) to[i] = static_cast<Byte>(static_cast<int>(lanes[i]));
    }
}

constexpr Kernel kKernels[] = {
    symmetric_small<EvenGrid<8>, kQ4Small, false>,
    affine_small<15>,
    symmetric_small<EvenGrid<16>, kQ5Small, true>,
    affine_small<31>,
    quantize_q8_0,
    affine_superblocks<16, kQ2KPlain, kQ2K, pack_q2_k, 84>,
    symmetric_superblocks<16, EvenGrid<4>, kQ3KPlain, kQ3K, pack_q3_k, 110>,
    affine_superblocks<32, kQ4K, kQ4K, pack_q4_k, 144>,
    affine_superblocks<32, kQ5K, kQ5K, pack_q5_k, 176>,
    symmetric_superblocks<16, EvenGrid<32>, kQ6K, kQ6K, pack_q6_k, 210>,
    symmetric_small<CodebookGrid, kIQ4NL, false>,
    symmetric_superblocks<32, CodebookGrid, kIQ4XS, kIQ4XS, pack_iq4_xs, 136>,
};
static_assert(sizeof(kKernels) / sizeof(kKernels[0]) == static_cast<int>(BlockType::count));

inline KernelTable table_of(const char *path) {
    KernelTable table{path, {}, feedback_panel};
    for (int i = 0; i < static_cast<int>(BlockType::count); ++i) table.kernels[i] = kKernels[i];
    return table;
}

}  // namespace
}  // namespace snug
