// The second level of the K and IQ4_XS blocks: whole-number scales of the sub-blocks, in steps of one half.
//
// The step is chosen on a model of the error (each sub-block's curvature at its own best scale); then each sub-block's
// whole number is chosen by the true error, its neighbours tried with codes rounded anew, and the step is fitted once
// more to all codes by least squares.
#pragma once

#include "affine.h"
#include "symmetric.h"

namespace snug {
namespace {

constexpr int kStepStarts = 32;
constexpr float kDeltas[] = {0, -1, 1};
constexpr float kNeighbours[] = {-1, 1};

// The step that loses least when `values` become whole numbers low..high of it. `starts`: what the value of largest
// size becomes.
inline float best_step(const float *values, const float *curvature, int count, const float *starts, float low,
                       float high) {
    float largest = 0, size = 0;
    for (int j = 0; j < count; ++j) {
        const float s = values[j] < 0 ? -values[j] : values[j];
        if (s > size) {
            size = s;
            largest = values[j];
        }
    }
    if (!(size > 1e-30f)) return 0;
    alignas(64) float explained[kStepStarts], steps[kStepStarts];
    for (int k = 0; k < kStepStarts; k += kLanes) {
        const Vec inverse = load(starts + k) / all(largest);
        Vec nn = all(0), vn = all(0);
        for (int j = 0; j < count; ++j) {
            const Vec n = nearest(clamp(all(values[j]) * inverse, low, high));
            const Vec hn = all(curvature[j]) * n;
            nn = multiply_add(hn, n, nn);
            vn = multiply_add(hn, all(values[j]), vn);
        }
        const Vec step = divide_or_zero(vn, nn);
        store(explained + k, step * vn);
        store(steps + k, step);
    }
    int best = 0;
    for (int k = 1; k < kStepStarts; ++k) {
        if (explained[k] > explained[best]) best = k;
    }
    return steps[best] != 0 ? steps[best] : largest / starts[0];
}

// What one kind of block asks for: the largest code, the largest whole-number scale, the starts tried.
struct AffineKind {
    float top;
    float limit;
    const Narrowing *starts;
    int start_count;
    int refinements;
    int rounds;
    const float *step_starts;
};

struct AffineBlocks {
    alignas(64) float scale[kBatch], low[kBatch];  // whole numbers
    std::uint16_t scale_step[kBatch], low_step[kBatch];  // halves, the same for all lanes of a block
};

struct AffineState {
    Vec scale, low, error;
    AffineSums sums;
};

// Tries the neighbours of each sub-block's whole numbers by the true error.
template <int kSize>
inline void improve_affine(const float *x, const float *w, Vec step, Vec low_step, Vec sum_w, Vec sum_x,
                           const AffineKind &kind, AffineState &best) {
    const auto attempt = [&](Vec scale, Vec low) {
        AffineState now{scale, low, all(0), {}};
        now.error = affine_error<kSize>(x, w, scale * step, low * low_step, kind.top, now.sums);
        const Mask better = best.error > now.error;
        best.scale = choose(better, now.scale, best.scale);
        best.low = choose(better, now.low, best.low);
        best.error = choose(better, now.error, best.error);
        best.sums.q = choose(better, now.sums.q, best.sums.q);
        best.sums.qq = choose(better, now.sums.qq, best.sums.qq);
        best.sums.xq = choose(better, now.sums.xq, best.sums.xq);
        return now;
    };
    const Vec start_scale = best.scale, start_low = best.low;
    for (const float delta : kDeltas) {
        const Vec scale = clamp(start_scale + all(delta), 0, kind.limit);
        const AffineState now = attempt(scale, start_low);
        const Vec wanted = divide_or_zero((scale * step * now.sums.q - sum_x) / sum_w, low_step);
        attempt(scale, nearest(clamp(wanted, 0, kind.limit)));
    }
    const Vec scale = best.scale, low = best.low;
    for (const float delta : kNeighbours) attempt(scale, clamp(low + all(delta), 0, kind.limit));
}

// Steps that fit all codes of a block best; false where the equations have no useful answer.
inline bool fit_affine_steps(const float *scale, const float *low, const float *sum_w, const float *sum_x,
                             const float *q, const float *qq, const float *xq, int count, float &step,
                             float &low_step) {
    float aa = 0, ab = 0, bb = 0, xa = 0, xb = 0;
    for (int j = 0; j < count; ++j) {
        aa += scale[j] * scale[j] * qq[j];
        ab += scale[j] * low[j] * q[j];
        bb += low[j] * low[j] * sum_w[j];
        xa += scale[j] * xq[j];
        xb += low[j] * sum_x[j];
    }
    const float determinant = aa * bb - ab * ab;
    if (!(determinant > 1e-6f * aa * bb)) {
        if (!(aa > 0) || bb > 0) return false;
        step = xa / aa;
        return step > 0;
    }
    step = (xa * bb - ab * xb) / determinant;
    low_step = (ab * xa - aa * xb) / determinant;
    return step > 0 && low_step >= 0;
}

template <int kSize, int kPerBlock>
inline void affine_blocks(Batch<kSize> &batch, const AffineKind &kind, AffineBlocks &out) {
    alignas(64) float scale[kBatch], low[kBatch], sum_w[kBatch], sum_x[kBatch], q[kBatch], qq[kBatch], xq[kBatch];
    alignas(64) float curvature[kBatch], step[kBatch], low_step[kBatch], error[kBatch];
    for (int g = 0; g < kBatch; g += kLanes) {
        Vec weights, values;
        const AffineFit fit = affine_search<kSize>(batch.x + g, batch.weight + g, kind.top, kind.starts,
                                                   kind.start_count, kind.refinements, false, weights, values);
        store(scale + g, fit.scale);
        store(low + g, fit.low);
        store(q + g, fit.sums.q);
        store(sum_w + g, weights);
        store(sum_x + g, values);
        // A low above zero moves with the scale and takes up much of the scale's error.
        const Vec followed = larger(fit.sums.qq - fit.sums.q * fit.sums.q / weights, all(0));
        store(curvature + g, choose(fit.low > all(0), followed, fit.sums.qq));
    }
    for (int first = 0; first < kBatch; first += kPerBlock) {
        const float unit = batch.unit[first];
        const float fitted = best_step(scale + first, curvature + first, kPerBlock, kind.step_starts, 0, kind.limit);
        const float d = rounded_to_half(fitted, unit, out.scale_step[first]);
        for (int j = first; j < first + kPerBlock; ++j) {
            const float whole = d > 0 ? scale[j] / d : 0;
            out.scale[j] = static_cast<float>(static_cast<int>((whole < kind.limit ? whole : kind.limit) + 0.5f));
            const float wanted = (out.scale[j] * d * q[j] - sum_x[j]) / sum_w[j];
            low[j] = wanted > 0 ? wanted : 0;
            step[j] = d;
        }
        const float fitted_low = best_step(low + first, sum_w + first, kPerBlock, kind.step_starts, 0, kind.limit);
        const float m = rounded_to_half(fitted_low, unit, out.low_step[first]);
        for (int j = first; j < first + kPerBlock; ++j) {
            const float whole = m > 0 ? low[j] / m : 0;
            out.low[j] = static_cast<float>(static_cast<int>((whole < kind.limit ? whole : kind.limit) + 0.5f));
            low_step[j] = m;
        }
    }
    for (int round = 0; round < kind.rounds; ++round) {
        for (int g = 0; g < kBatch; g += kLanes) {
            AffineState state{load(out.scale + g), load(out.low + g), all(3e38f), {all(0), all(0), all(0)}};
            improve_affine<kSize>(batch.x + g, batch.weight + g, load(step + g), load(low_step + g), load(sum_w + g),
                                  load(sum_x + g), kind, state);
            store(out.scale + g, state.scale);
            store(out.low + g, state.low);
            store(error + g, state.error);
            store(q + g, state.sums.q);
            store(qq + g, state.sums.qq);
            store(xq + g, state.sums.xq);
        }
        alignas(64) float new_step[kBatch], new_low_step[kBatch], new_error[kBatch];
        std::uint16_t bits[kBatch], low_bits[kBatch];
        for (int first = 0; first < kBatch; first += kPerBlock) {
            float d = step[first], m = low_step[first];
            bits[first] = out.scale_step[first];
            low_bits[first] = out.low_step[first];
            if (fit_affine_steps(out.scale + first, out.low + first, sum_w + first, sum_x + first, q + first,
                                 qq + first, xq + first, kPerBlock, d, m)) {
                d = rounded_to_half(d, batch.unit[first], bits[first]);
                m = rounded_to_half(m, batch.unit[first], low_bits[first]);
            }
            for (int j = first; j < first + kPerBlock; ++j) {
                new_step[j] = d;
                new_low_step[j] = m;
            }
        }
        for (int g = 0; g < kBatch; g += kLanes) {
            AffineSums unused;
            store(new_error + g, affine_error<kSize>(batch.x + g, batch.weight + g,
                                                     load(out.scale + g) * load(new_step + g),
                                                     load(out.low + g) * load(new_low_step + g), kind.top, unused));
        }
        for (int first = 0; first < kBatch; first += kPerBlock) {
            float before = 0, after = 0;
            for (int j = first; j < first + kPerBlock; ++j) {
                before += error[j];
                after += new_error[j];
            }
            if (!(after < before)) continue;
            out.scale_step[first] = bits[first];
            out.low_step[first] = low_bits[first];
            for (int j = first; j < first + kPerBlock; ++j) {
                step[j] = new_step[j];
                low_step[j] = new_low_step[j];
            }
        }
    }
    for (int g = 0; g < kBatch; g += kLanes) {
        affine_codes<kSize>(batch.x + g, batch.code + g, load(out.scale + g) * load(step + g),
                            load(out.low + g) * load(low_step + g), kind.top);
    }
}

struct SymmetricKind {
    float limit;  // whole-number scales -limit .. limit - 1
    const float *starts;
    int start_count;
    int refinements;
    int rounds;
    const float *step_starts;
};

struct SymmetricBlocks {
    alignas(64) float scale[kBatch];
    std::uint16_t step[kBatch];
};

template <class Grid, int kSize, int kPerBlock>
inline void symmetric_blocks(Batch<kSize> &batch, const SymmetricKind &kind, SymmetricBlocks &out) {
    alignas(64) float scale[kBatch], qq[kBatch], xq[kBatch], step[kBatch], error[kBatch];
    const float low = -kind.limit, high = kind.limit - 1;
    for (int g = 0; g < kBatch; g += kLanes) {
        const SymmetricFit fit = symmetric_search<Grid, kSize>(batch.x + g, batch.weight + g, kind.starts,
                                                               kind.start_count, kind.refinements);
        store(scale + g, fit.scale);
        store(qq + g, fit.qq);
    }
    for (int first = 0; first < kBatch; first += kPerBlock) {
        const float fitted = best_step(scale + first, qq + first, kPerBlock, kind.step_starts, low, high);
        const float d = rounded_to_half(fitted, batch.unit[first], out.step[first]);
        for (int j = first; j < first + kPerBlock; ++j) step[j] = d;
    }
    for (int g = 0; g < kBatch; g += kLanes) {
        store(out.scale + g, nearest(clamp(load(scale + g) * inverse_or_zero(load(step + g)), low, high)));
    }
    for (int round = 0; round < kind.rounds; ++round) {
        alignas(64) float new_step[kBatch], new_error[kBatch];
        std::uint16_t bits[kBatch];
        for (int g = 0; g < kBatch; g += kLanes) {
            const Vec start = load(out.scale + g);
            Vec best_scale = start, best_error = all(3e38f), best_qq = all(0), best_xq = all(0);
            for (const float delta : kDeltas) {
                const Vec whole = clamp(start + all(delta), low, high);
                Vec now_qq, now_xq;
                const Vec now = symmetric_error<Grid, kSize>(batch.x + g, batch.weight + g, whole * load(step + g),
                                                             now_qq, now_xq);
                const Mask better = best_error > now;
                best_scale = choose(better, whole, best_scale);
                best_error = choose(better, now, best_error);
                best_qq = choose(better, now_qq, best_qq);
                best_xq = choose(better, now_xq, best_xq);
            }
            store(out.scale + g, best_scale);
            store(error + g, best_error);
            store(qq + g, best_qq);
            store(xq + g, best_xq);
        }
        for (int first = 0; first < kBatch; first += kPerBlock) {
            float aa = 0, xa = 0;
            for (int j = first; j < first + kPerBlock; ++j) {
                aa += out.scale[j] * out.scale[j] * qq[j];
                xa += out.scale[j] * xq[j];
            }
            float d = step[first];
            bits[first] = out.step[first];
            if (aa > 0) d = rounded_to_half(xa / aa, batch.unit[first], bits[first]);
            for (int j = first; j < first + kPerBlock; ++j) new_step[j] = d;
        }
        for (int g = 0; g < kBatch; g += kLanes) {
            Vec unused_qq, unused_xq;
            store(new_error + g,
                  symmetric_error<Grid, kSize>(batch.x + g, batch.weight + g,
                                               load(out.scale + g) * load(new_step + g), unused_qq, unused_xq));
        }
        for (int first = 0; first < kBatch; first += kPerBlock) {
            float before = 0, after = 0;
            for (int j = first; j < first + kPerBlock; ++j) {
                before += error[j];
                after += new_error[j];
            }
            if (!(after < before)) continue;
            out.step[first] = bits[first];
            for (int j = first; j < first + kPerBlock; ++j) step[j] = new_step[j];
        }
    }
    for (int g = 0; g < kBatch; g += kLanes) {
        symmetric_numbers<Grid, kSize>(batch.x + g, batch.code + g, load(out.scale + g) * load(step + g));
    }
}

}  // namespace
}  // namespace snug
