// Sub-blocks stored as scale * code (Q4_0, Q5_0, Q8_0, Q3_K, Q6_K, IQ4_NL, IQ4_XS): finding the scale of each.
//
// For given codes the best scale is sum w x q / sum w q^2 and explains (sum w x q)^2 / sum w q^2 of the squares, so a
// start costs one pass; the best start is refined by rounding to its scale, and fitting again.
#pragma once

#include "batch.h"

namespace snug {
namespace {

// Codes -kHalf .. kHalf - 1.
template <int kHalf>
struct EvenGrid {
    static constexpr float lowest = -kHalf, highest = kHalf - 1;
    static Vec value(Vec scaled) { return nearest(clamp(scaled, lowest, highest)); }
    static Vec number(Vec scaled) { return value(scaled) + all(kHalf); }
};

// The sixteen uneven values of IQ4_NL and IQ4_XS.
struct CodebookGrid {
    static constexpr float lowest = -127, highest = 113;
    static Vec value(Vec scaled) { return codebook_nearest(scaled); }
    static Vec number(Vec scaled) { return codebook_number(scaled); }
};

struct SymmetricFit {
    Vec scale, gain, qq, xq;
};

template <class Grid, int kSize>
inline SymmetricFit symmetric_fit(const float *x, const float *w, Vec inverse) {
    Vec qq = all(0), xq = all(0);
    for (int i = 0; i < kSize; ++i) {
        const Vec value = load(x + i * kBatch);
        const Vec q = Grid::value(value * inverse);
        const Vec wq = load(w + i * kBatch) * q;
        qq = multiply_add(wq, q, qq);
        xq = multiply_add(wq, value, xq);
    }
    const Vec scale = divide_or_zero(xq, qq);
    return {scale, scale * xq, qq, xq};
}

inline Vec inverse_or_zero(Vec a) {
    const Mask some = size_of(a) > all(0);
    return choose(some, all(1) / choose(some, a, all(1)), all(0));
}

// `starts` are the codes (not whole numbers) that the value of largest size is mapped to, one after the other.
template <class Grid, int kSize>
inline SymmetricFit symmetric_search(const float *x, const float *w, const float *starts, int start_count,
                                     int refinements) {
    Vec largest = all(0), size = all(0);
    for (int i = 0; i < kSize; ++i) {
        const Vec value = load(x + i * kBatch);
        const Vec s = size_of(value);
        const Mask above = s > size;
        size = choose(above, s, size);
        largest = choose(above, value, largest);
    }
    const Vec inverse = inverse_or_zero(largest);
    SymmetricFit best{all(0), all(0), all(0), all(0)};
    const auto keep_better = [&](const SymmetricFit &fit) {
        const Mask better = fit.gain > best.gain;
        best.scale = choose(better, fit.scale, best.scale);
        best.gain = choose(better, fit.gain, best.gain);
        best.qq = choose(better, fit.qq, best.qq);
        best.xq = choose(better, fit.xq, best.xq);
    };
    for (int k = 0; k < start_count; ++k) keep_better(symmetric_fit<Grid, kSize>(x, w, all(starts[k]) * inverse));
    for (int k = 0; k < refinements; ++k) {
        keep_better(symmetric_fit<Grid, kSize>(x, w, inverse_or_zero(best.scale)));
    }
    return best;
}

// Weighted squared error with this scale as the file will hold it, codes rounded anew.
template <class Grid, int kSize>
inline Vec symmetric_error(const float *x, const float *w, Vec scale, Vec &qq, Vec &xq) {
    const Vec inverse = inverse_or_zero(scale);
    Vec error = all(0);
    qq = xq = all(0);
    for (int i = 0; i < kSize; ++i) {
        const Vec value = load(x + i * kBatch);
        const Vec weight = load(w + i * kBatch);
        const Vec q = Grid::value(value * inverse);
        const Vec difference = value - scale * q;
        const Vec wq = weight * q;
        error = multiply_add(weight * difference, difference, error);
        qq = multiply_add(wq, q, qq);
        xq = multiply_add(wq, value, xq);
    }
    return error;
}

template <class Grid, int kSize>
inline void symmetric_numbers(const float *x, float *code, Vec scale) {
    const Vec inverse = inverse_or_zero(scale);
    for (int i = 0; i < kSize; ++i) store(code + i * kBatch, Grid::number(load(x + i * kBatch) * inverse));
}

}  // namespace
}  // namespace snug
