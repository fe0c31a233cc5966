// Vectors of floats for the kernels, one set of operations for each instruction set.
//
// The including file defines SNUG_PATH_AVX512, SNUG_PATH_AVX2, SNUG_PATH_NEON or none (portable arrays). Everything is
// in an unnamed namespace: no function compiled for one instruction set may be merged with that of another.
#pragma once

#include <cstdint>

#if defined(SNUG_PATH_AVX512) || defined(SNUG_PATH_AVX2)
#include <immintrin.h>
#elif defined(SNUG_PATH_NEON)
#include <arm_neon.h>
#endif

namespace snug {
namespace {

// The values that IQ4_NL and IQ4_XS choose from (part of the file format), and the midpoints between them.
alignas(64) constexpr float kCodebook[16] = {-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113};
alignas(64) constexpr float kMidpoints[16] = {-115.5f, -93.5f, -74, -57, -42, -28.5f, -16, -4.5f,
                                              7,       19,     31.5f, 45.5f, 61, 79, 101, 1e30f};

#if defined(SNUG_PATH_AVX512)

constexpr int kLanes = 16;
using Mask = __mmask16;
struct Vec {
    __m512 v;
};
inline Vec load(const float *p) { return {_mm512_loadu_ps(p)}; }
inline void store(float *p, Vec a) { _mm512_storeu_ps(p, a.v); }
inline Vec all(float a) { return {_mm512_set1_ps(a)}; }
inline Vec operator+(Vec a, Vec b) { return {_mm512_add_ps(a.v, b.v)}; }
inline Vec operator-(Vec a, Vec b) { return {_mm512_sub_ps(a.v, b.v)}; }
inline Vec operator*(Vec a, Vec b) { return {_mm512_mul_ps(a.v, b.v)}; }
inline Vec operator/(Vec a, Vec b) { return {_mm512_div_ps(a.v, b.v)}; }
inline Vec multiply_add(Vec a, Vec b, Vec c) { return {_mm512_fmadd_ps(a.v, b.v, c.v)}; }
inline Vec smaller(Vec a, Vec b) { return {_mm512_min_ps(a.v, b.v)}; }
inline Vec larger(Vec a, Vec b) { return {_mm512_max_ps(a.v, b.v)}; }
inline Vec nearest(Vec a) { return {_mm512_roundscale_ps(a.v, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC)}; }
inline Mask operator>(Vec a, Vec b) { return _mm512_cmp_ps_mask(a.v, b.v, _CMP_GT_OQ); }
inline Vec choose(Mask m, Vec yes, Vec no) { return {_mm512_mask_blend_ps(m, no.v, yes.v)}; }
inline bool is_zero(Vec a) { return _mm512_cmp_ps_mask(a.v, _mm512_setzero_ps(), _CMP_NEQ_UQ) == 0; }
inline __m512i codebook_index(Vec a) {
    const __m512 midpoints = _mm512_load_ps(kMidpoints);
    __m512i index = _mm512_setzero_si512();
    for (int step = 8; step >= 1; step /= 2) {
        const __m512i at = _mm512_add_epi32(index, _mm512_set1_epi32(step - 1));
        const Mask above = _mm512_cmp_ps_mask(a.v, _mm512_permutexvar_ps(at, midpoints), _CMP_GT_OQ);
        index = _mm512_mask_add_epi32(index, above, index, _mm512_set1_epi32(step));
    }
    return index;
}
inline Vec codebook_nearest(Vec a) { return {_mm512_permutexvar_ps(codebook_index(a), _mm512_load_ps(kCodebook))}; }
inline Vec codebook_number(Vec a) { return {_mm512_cvtepi32_ps(codebook_index(a))}; }

#elif defined(SNUG_PATH_AVX2)

constexpr int kLanes = 8;
struct Mask {
    __m256 m;
};
struct Vec {
    __m256 v;
};
inline Vec load(const float *p) { return {_mm256_loadu_ps(p)}; }
inline void store(float *p, Vec a) { _mm256_storeu_ps(p, a.v); }
inline Vec all(float a) { return {_mm256_set1_ps(a)}; }
inline Vec operator+(Vec a, Vec b) { return {_mm256_add_ps(a.v, b.v)}; }
inline Vec operator-(Vec a, Vec b) { return {_mm256_sub_ps(a.v, b.v)}; }
inline Vec operator*(Vec a, Vec b) { return {_mm256_mul_ps(a.v, b.v)}; }
inline Vec operator/(Vec a, Vec b) { return {_mm256_div_ps(a.v, b.v)}; }
inline Vec multiply_add(Vec a, Vec b, Vec c) { return {_mm256_fmadd_ps(a.v, b.v, c.v)}; }
inline Vec smaller(Vec a, Vec b) { return {_mm256_min_ps(a.v, b.v)}; }
inline Vec larger(Vec a, Vec b) { return {_mm256_max_ps(a.v, b.v)}; }
inline Vec nearest(Vec a) { return {_mm256_round_ps(a.v, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC)}; }
inline Mask operator>(Vec a, Vec b) { return {_mm256_cmp_ps(a.v, b.v, _CMP_GT_OQ)}; }
inline Vec choose(Mask m, Vec yes, Vec no) { return {_mm256_blendv_ps(no.v, yes.v, m.m)}; }
inline bool is_zero(Vec a) {
    return _mm256_movemask_ps(_mm256_cmp_ps(a.v, _mm256_setzero_ps(), _CMP_NEQ_UQ)) == 0;
}

// A binary search of the midpoints: each level's threshold comes from a table of at most eight, indexed by the bits
// found so far.
inline __m256i codebook_index(Vec a) {
    const __m256 level2 = _mm256_setr_ps(-57, 45.5f, -57, 45.5f, -57, 45.5f, -57, 45.5f);
    const __m256 level3 = _mm256_setr_ps(-93.5f, -28.5f, 19, 79, -93.5f, -28.5f, 19, 79);
    const __m256 level4 = _mm256_setr_ps(-115.5f, -74, -42, -16, 7, 31.5f, 61, 101);
    const auto bit = [](__m256 above) { return _mm256_srli_epi32(_mm256_castps_si256(above), 31); };
    __m256i index = bit(_mm256_cmp_ps(a.v, _mm256_set1_ps(-4.5f), _CMP_GT_OQ));
    const auto deeper = [&](__m256 table) {
        const __m256 above = _mm256_cmp_ps(a.v, _mm256_permutevar8x32_ps(table, index), _CMP_GT_OQ);
        index = _mm256_sub_epi32(_mm256_add_epi32(index, index), _mm256_castps_si256(above));
    };
    deeper(level2);
    deeper(level3);
    deeper(level4);
    return index;
}
inline Vec codebook_nearest(Vec a) {
    const __m256i index = codebook_index(a);
    const __m256 low = _mm256_permutevar8x32_ps(_mm256_load_ps(kCodebook), index);
    const __m256 high = _mm256_permutevar8x32_ps(_mm256_load_ps(kCodebook + 8), index);
    return {_mm256_blendv_ps(low, high, _mm256_castsi256_ps(_mm256_slli_epi32(index, 28)))};
}
inline Vec codebook_number(Vec a) { return {_mm256_cvtepi32_ps(codebook_index(a))}; }

#elif defined(SNUG_PATH_NEON)

constexpr int kLanes = 4;
using Mask = uint32x4_t;
struct Vec {
    float32x4_t v;
};
inline Vec load(const float *p) { return {vld1q_f32(p)}; }
inline void store(float *p, Vec a) { vst1q_f32(p, a.v); }
inline Vec all(float a) { return {vdupq_n_f32(a)}; }
inline Vec operator+(Vec a, Vec b) { return {vaddq_f32(a.v, b.v)}; }
inline Vec operator-(Vec a, Vec b) { return {vsubq_f32(a.v, b.v)}; }
inline Vec operator*(Vec a, Vec b) { return {vmulq_f32(a.v, b.v)}; }
inline Vec operator/(Vec a, Vec b) { return {vdivq_f32(a.v, b.v)}; }
inline Vec multiply_add(Vec a, Vec b, Vec c) { return {vfmaq_f32(c.v, a.v, b.v)}; }
inline Vec smaller(Vec a, Vec b) { return {vminq_f32(a.v, b.v)}; }
inline Vec larger(Vec a, Vec b) { return {vmaxq_f32(a.v, b.v)}; }
inline Vec nearest(Vec a) { return {vrndnq_f32(a.v)}; }
inline Vec choose(Mask m, Vec yes, Vec no) { return {vbslq_f32(m, yes.v, no.v)}; }
inline Mask operator>(Vec a, Vec b) { return vcgtq_f32(a.v, b.v); }
inline bool is_zero(Vec a) { return vminvq_u32(vceqzq_f32(a.v)) != 0; }

#else

constexpr int kLanes = 8;
struct Mask {
    bool m[kLanes];
};
struct Vec {
    float v[kLanes];
};
template <class Operation>
inline Vec each(Operation operation) {
    Vec r;
    for (int i = 0; i < kLanes; ++i) r.v[i] = operation(i);
    return r;
}
inline Vec load(const float *p) {
    return each([=](int i) { return p[i]; });
}
inline void store(float *p, const Vec &a) {
    for (int i = 0; i < kLanes; ++i) p[i] = a.v[i];
}
inline Vec all(float a) {
    return each([=](int) { return a; });
}
inline Vec operator+(const Vec &a, const Vec &b) {
    return each([&](int i) { return a.v[i] + b.v[i]; });
}
inline Vec operator-(const Vec &a, const Vec &b) {
    return each([&](int i) { return a.v[i] - b.v[i]; });
}
inline Vec operator*(const Vec &a, const Vec &b) {
    return each([&](int i) { return a.v[i] * b.v[i]; });
}
inline Vec operator/(const Vec &a, const Vec &b) {
    return each([&](int i) { return a.v[i] / b.v[i]; });
}
inline Vec multiply_add(const Vec &a, const Vec &b, const Vec &c) {
    return each([&](int i) { return a.v[i] * b.v[i] + c.v[i]; });
}
inline Vec smaller(const Vec &a, const Vec &b) {
    return each([&](int i) { return a.v[i] < b.v[i] ? a.v[i] : b.v[i]; });
}
inline Vec larger(const Vec &a, const Vec &b) {
    return each([&](int i) { return a.v[i] > b.v[i] ? a.v[i] : b.v[i]; });
}
// Adding 1.5 * 2^23 leaves no bits below one: exact for every |a| < 2^22, and callers clamp first.
inline Vec nearest(const Vec &a) {
    return each([&](int i) { return (a.v[i] + 12582912.0f) - 12582912.0f; });
}
inline Mask operator>(const Vec &a, const Vec &b) {
    Mask r;
    for (int i = 0; i < kLanes; ++i) r.m[i] = a.v[i] > b.v[i];
    return r;
}
inline bool is_zero(const Vec &a) {
    for (const float value : a.v) {
        if (value != 0) return false;
    }
    return true;
}
inline Vec choose(const Mask &m, const Vec &yes, const Vec &no) {
    return each([&](int i) { return m.m[i] ? yes.v[i] : no.v[i]; });
}

#endif

#if !defined(SNUG_PATH_AVX512) && !defined(SNUG_PATH_AVX2)
inline Vec codebook_nearest(Vec a) {
    Vec value = all(kCodebook[0]);
    for (int k = 0; k < 15; ++k) value = choose(a > all(kMidpoints[k]), all(kCodebook[k + 1]), value);
    return value;
}
inline Vec codebook_number(Vec a) {
    Vec number = all(0);
    for (int k = 0; k < 15; ++k) number = choose(a > all(kMidpoints[k]), all(static_cast<float>(k + 1)), number);
    return number;
}
#endif

// Eight rows of eight become eight columns; strides in floats.
inline void transpose_tile(const float *from, int from_stride, float *to, int to_stride) {
#if defined(SNUG_PATH_AVX512) || defined(SNUG_PATH_AVX2)
    __m256 pair[8], quad[8];
    for (int i = 0; i < 8; i += 2) {
        const __m256 one = _mm256_loadu_ps(from + i * from_stride), two = _mm256_loadu_ps(from + (i + 1) * from_stride);
        pair[i] = _mm256_unpacklo_ps(one, two);
        pair[i + 1] = _mm256_unpackhi_ps(one, two);
    }
    for (int i = 0; i < 8; i += 4) {
        quad[i] = _mm256_shuffle_ps(pair[i], pair[i + 2], 0x44);
        quad[i + 1] = _mm256_shuffle_ps(pair[i], pair[i + 2], 0xee);
        quad[i + 2] = _mm256_shuffle_ps(pair[i + 1], pair[i + 3], 0x44);
        quad[i + 3] = _mm256_shuffle_ps(pair[i + 1], pair[i + 3], 0xee);
    }
    for (int i = 0; i < 4; ++i) {
        _mm256_storeu_ps(to + i * to_stride, _mm256_permute2f128_ps(quad[i], quad[i + 4], 0x20));
        _mm256_storeu_ps(to + (i + 4) * to_stride, _mm256_permute2f128_ps(quad[i], quad[i + 4], 0x31));
    }
#else
    for (int i = 0; i < 8; ++i) {
        for (int k = 0; k < 8; ++k) to[k * to_stride + i] = from[i * from_stride + k];
    }
#endif
}

// Thirty-two whole numbers 0..255 as bytes.
inline void store_bytes(std::uint8_t *to, const float *from) {
#if defined(SNUG_PATH_AVX512) || defined(SNUG_PATH_AVX2)
    const auto whole = [&](int i) { return _mm256_cvttps_epi32(_mm256_loadu_ps(from + i * 8)); };
    const __m256i low = _mm256_packs_epi32(whole(0), whole(1)), high = _mm256_packs_epi32(whole(2), whole(3));
    const __m256i order = _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7);
    const __m256i bytes = _mm256_permutevar8x32_epi32(_mm256_packus_epi16(low, high), order);
    _mm256_storeu_si256(reinterpret_cast<__m256i *>(to), bytes);
#else
    for (int i = 0; i < 32; ++i) to[i] = static_cast<std::uint8_t>(static_cast<int>(from[i]));
#endif
}

inline Vec clamp(Vec a, float low, float high) { return smaller(larger(a, all(low)), all(high)); }
inline Vec divide_or_zero(Vec a, Vec b) {
    const Mask positive = b > all(0);
    return choose(positive, a / choose(positive, b, all(1)), all(0));
}
inline Vec size_of(Vec a) { return larger(a, all(0) - a); }

}  // namespace
}  // namespace snug
