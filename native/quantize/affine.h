// Sub-blocks stored as scale * code - low (Q4_1, Q5_1, Q2_K, Q4_K, Q5_K): finding scale and low for each.
//
// For given codes the best scale and low are a weighted least-squares line (two normal equations), whose error needs
// no second pass: sum w x^2 - scale * sum w x q + low * sum w x. So a start (a slightly narrowed range) costs one pass
// over the values; the best start is then refined by rounding to the new line, and fitting again.
#pragma once

#include "batch.h"

namespace snug {
namespace {

// How much of the range [smallest, largest] a start leaves out at either end, in steps of the grid.
struct Narrowing {
    float below, above;
};

struct AffineSums {
    Vec q, qq, xq;
};

struct AffineFit {
    Vec scale, low, gain;  // x is about scale * code - low; gain: weighted squares explained
    AffineSums sums;
};

template <int kSize>
inline AffineSums affine_sums(const float *x, const float *w, Vec inverse, Vec offset, float top) {
    AffineSums s{all(0), all(0), all(0)};
    for (int i = 0; i < kSize; ++i) {
        const Vec value = load(x + i * kBatch);
        const Vec weight = load(w + i * kBatch);
        const Vec q = nearest(clamp(multiply_add(value, inverse, offset), 0, top));
        const Vec wq = weight * q;
        s.q = s.q + wq;
        s.qq = multiply_add(wq, q, s.qq);
        s.xq = multiply_add(wq, value, s.xq);
    }
    return s;
}

inline AffineFit affine_line(const AffineSums &s, Vec sum_w, Vec sum_x, bool signed_low) {
    const Vec determinant = sum_w * s.qq - s.q * s.q;
    const Mask is_line = determinant > all(1e-6f) * sum_w * s.qq;  // else all codes are equal
    const Vec safe = choose(is_line, determinant, all(1));
    const Vec through_zero = divide_or_zero(s.xq, s.qq);
    Vec scale = choose(is_line, (sum_w * s.xq - sum_x * s.q) / safe, through_zero);
    Vec low = choose(is_line, (s.q * s.xq - s.qq * sum_x) / safe, all(0));
    if (!signed_low) {
        const Mask below = all(0) > low;
        scale = choose(below, through_zero, scale);
        low = choose(below, all(0), low);
    }
    return {scale, low, scale * s.xq - low * sum_x, s};
}

// The best line of the kLanes sub-blocks at x; `sum_w` and `sum_x` come back for what follows.
template <int kSize>
inline AffineFit affine_search(const float *x, const float *w, float top, const Narrowing *starts, int start_count,
                               int refinements, bool signed_low, Vec &sum_w, Vec &sum_x) {
    Vec smallest = load(x), largest = smallest;
    sum_w = all(0);
    sum_x = all(0);
    for (int i = 0; i < kSize; ++i) {
        const Vec value = load(x + i * kBatch);
        const Vec weight = load(w + i * kBatch);
        smallest = smaller(smallest, value);
        largest = larger(largest, value);
        sum_w = sum_w + weight;
        sum_x = multiply_add(weight, value, sum_x);
    }
    if (!signed_low) smallest = smaller(smallest, all(0));
    const Vec range = larger(largest - smallest, all(0));
    const Vec inverse_range = divide_or_zero(all(1), range);
    const Vec flat_low = signed_low ? all(0) - sum_x / sum_w : larger(all(0) - sum_x / sum_w, all(0));
    AffineFit best{all(0), flat_low, all(0) - flat_low * sum_x, {all(0), all(0), all(0)}};
    const auto keep_better = [&](const AffineFit &fit) {
        const Mask better = fit.gain > best.gain;
        best.scale = choose(better, fit.scale, best.scale);
        best.low = choose(better, fit.low, best.low);
        best.gain = choose(better, fit.gain, best.gain);
        best.sums.q = choose(better, fit.sums.q, best.sums.q);
        best.sums.qq = choose(better, fit.sums.qq, best.sums.qq);
        best.sums.xq = choose(better, fit.sums.xq, best.sums.xq);
    };
    for (int k = 0; k < start_count; ++k) {
        const Vec inverse = all(top + starts[k].below + starts[k].above) * inverse_range;
        const Vec offset = all(0 - starts[k].below) - smallest * inverse;
        keep_better(affine_line(affine_sums<kSize>(x, w, inverse, offset, top), sum_w, sum_x, signed_low));
    }
    for (int k = 0; k < refinements; ++k) {
        const Vec inverse = divide_or_zero(all(1), best.scale);
        const AffineSums sums = affine_sums<kSize>(x, w, inverse, best.low * inverse, top);
        keep_better(affine_line(sums, sum_w, sum_x, signed_low));
    }
    return best;
}

// Weighted squared error with these numbers as the file will hold them, codes rounded anew.
template <int kSize>
inline Vec affine_error(const float *x, const float *w, Vec scale, Vec low, float top, AffineSums &s) {
    const Vec inverse = divide_or_zero(all(1), scale);
    const Vec offset = low * inverse;
    Vec error = all(0);
    s = {all(0), all(0), all(0)};
    for (int i = 0; i < kSize; ++i) {
        const Vec value = load(x + i * kBatch);
        const Vec weight = load(w + i * kBatch);
        const Vec q = nearest(clamp(multiply_add(value, inverse, offset), 0, top));
        const Vec difference = value + low - scale * q;
        const Vec wq = weight * q;
        error = multiply_add(weight * difference, difference, error);
        s.q = s.q + wq;
        s.qq = multiply_add(wq, q, s.qq);
        s.xq = multiply_add(wq, value, s.xq);
    }
    return error;
}

template <int kSize>
inline void affine_codes(const float *x, float *code, Vec scale, Vec low, float top) {
    const Vec inverse = divide_or_zero(all(1), scale);
    const Vec offset = low * inverse;
    for (int i = 0; i < kSize; ++i) {
        store(code + i * kBatch, nearest(clamp(multiply_add(load(x + i * kBatch), inverse, offset), 0, top)));
    }
}

}  // namespace
}  // namespace snug
