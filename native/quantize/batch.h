// Sixteen sub-blocks side by side: value i of sub-block b lies at [i * 16 + b], so that each lane is a sub-block.
//
// Every search then runs on as many sub-blocks at once as a vector has lanes, without sums across lanes.
#pragma once

#include "half.h"
#include "simd.h"

namespace snug {
namespace {

constexpr int kBatch = 16;
constexpr float kLargestHalf = 65504.0f;

template <int kSize>
struct Batch {
    alignas(64) float x[kSize * kBatch];
    alignas(64) float weight[kSize * kBatch];  // importance; above zero
    alignas(64) float code[kSize * kBatch];    // the whole numbers that were chosen
    float unit[kBatch];  // the power of two that x was divided by, so that no sum of squares overflows
};

// The power of two just above `size`, within what keeps both it and its inverse ordinary floats.
inline float power_of_two_above(float size) {
    std::uint32_t word;
    std::memcpy(&word, &size, 4);
    std::uint32_t exponent = (word >> 23) + 1;
    if (exponent < 27) exponent = 27;  // 2^-100
    if (exponent > 227) exponent = 227;
    word = exponent << 23;
    float power;
    std::memcpy(&power, &word, 4);
    return power;
}

// `scale` in units of `unit`, as its half is read again; the half goes to `bits`.
inline float rounded_to_half(float scale, float unit, std::uint16_t &bits) {
    bits = float_to_half(scale * unit);
    return half_to_float(bits) / unit;
}

inline float largest_size(const float *x, int count) {
    Vec size = all(0), other = all(0);
    for (int i = 0; i < count; i += 2 * kLanes) {
        size = larger(size, size_of(load(x + i)));
        other = larger(other, size_of(load(x + i + kLanes)));
    }
    alignas(64) float lanes[kLanes];
    store(lanes, larger(size, other));
    float largest = 0;
    for (const float lane : lanes) largest = lane > largest ? lane : largest;
    return largest;
}

// Copies kSub sub-blocks from `x` into the lanes from `first`; the same unit for all of them.
template <int kSize, int kSub>
inline void fill_lanes(Batch<kSize> &batch, int first, const float *x, const float *importance) {
    const float unit = power_of_two_above(largest_size(x, kSub * kSize));
    const Vec inverse = all(1 / unit);
    alignas(64) float scaled[kSub * kSize];
    for (int i = 0; i < kSub * kSize; i += kLanes) store(scaled + i, load(x + i) * inverse);
    for (int lane = 0; lane < kSub; ++lane) batch.unit[first + lane] = unit;
    if constexpr (kSub % 8 == 0) {
        for (int lane = 0; lane < kSub; lane += 8) {
            for (int i = 0; i < kSize; i += 8) {
                const int to = i * kBatch + first + lane;
                transpose_tile(scaled + lane * kSize + i, kSize, batch.x + to, kBatch);
                if (importance) {
                    transpose_tile(importance + lane * kSize + i, kSize, batch.weight + to, kBatch);
                }
            }
        }
    } else {
        for (int i = 0; i < kSub * kSize; ++i) batch.x[i % kSize * kBatch + first + i / kSize] = scaled[i];
        for (int i = 0; importance && i < kSub * kSize; ++i) {
            batch.weight[i % kSize * kBatch + first + i / kSize] = importance[i];
        }
    }
}

// Zeros from lane `first` on: a batch that is not full.
template <int kSize>
inline void clear_lanes(Batch<kSize> &batch, int first) {
    for (int lane = first; lane < kBatch; ++lane) batch.unit[lane] = 1;
    for (int i = 0; i < kSize; ++i) {
        for (int lane = first; lane < kBatch; ++lane) batch.x[i * kBatch + lane] = 0;
    }
}

// Equal weights everywhere; what has importance overwrites them.
template <int kSize>
inline void level_weights(Batch<kSize> &batch) {
    for (float &weight : batch.weight) weight = 1;
}

}  // namespace
}  // namespace snug
