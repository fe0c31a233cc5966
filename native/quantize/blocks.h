// Blocks taken apart: the scales and lows of the sub-blocks from their bytes, and codes put in beside them.
#pragma once

#include "pack.h"

namespace snug {
namespace {

// A weight is scale * (code - middle) - low, or scale * kCodebook[code]; codes go from 0 to `top`.
struct BlockGrid {
    int block, sub;
    float middle, top;
    bool is_codebook;
    void (*read)(const Byte *from, float *scale, float *low);
    void (*put)(Byte *to, const Byte *codes);
};

inline float half_at(const Byte *from) {
    return half_to_float(static_cast<std::uint16_t>(from[0] | from[1] << 8));
}

inline void read_one_scale(const Byte *from, float *scale, float *low) {
    *scale = half_at(from);
    *low = 0;
}

inline void read_scale_and_offset(const Byte *from, float *scale, float *low) {
    *scale = half_at(from);
    *low = -half_at(from + 2);
}

inline void read_q2_k(const Byte *from, float *scale, float *low) {
    const float d = half_at(from + 80), m = half_at(from + 82);
    for (int j = 0; j < 16; ++j) {
        scale[j] = d * static_cast<float>(from[j] & 15);
        low[j] = m * static_cast<float>(from[j] >> 4);
    }
}

inline void read_q3_k(const Byte *from, float *scale, float *low) {
    const float d = half_at(from + 108);
    const Byte *packed = from + 96;
    for (int j = 0; j < 16; ++j) {
        const int lower = j < 8 ? packed[j] & 15 : packed[j - 8] >> 4;
        const int upper = packed[8 + j % 4] >> (j / 4 * 2) & 3;
        scale[j] = d * static_cast<float>((lower | upper << 4) - 32);
        low[j] = 0;
    }
}

inline void read_six_bits(const Byte *from, float *scale, float *low) {
    const float d = half_at(from), m = half_at(from + 2);
    const Byte *scales = from + 4, *lows = from + 8, *far = from + 12;
    for (int j = 0; j < 4; ++j) {
        scale[j] = d * static_cast<float>(scales[j] & 63);
        low[j] = m * static_cast<float>(lows[j] & 63);
        scale[j + 4] = d * static_cast<float>((far[j] & 15) | scales[j] >> 6 << 4);
        low[j + 4] = m * static_cast<float>(far[j] >> 4 | lows[j] >> 6 << 4);
    }
}

inline void read_q6_k(const Byte *from, float *scale, float *low) {
    const float d = half_at(from + 208);
    for (int j = 0; j < 16; ++j) {
        scale[j] = d * static_cast<float>(static_cast<std::int8_t>(from[192 + j]));
        low[j] = 0;
    }
}

inline void read_iq4_xs(const Byte *from, float *scale, float *low) {
    const float d = half_at(from);
    const int high = from[2] | from[3] << 8;
    for (int j = 0; j < 8; ++j) {
        const int lower = j % 2 ? from[4 + j / 2] >> 4 : from[4 + j / 2] & 15;
        scale[j] = d * static_cast<float>((lower | (high >> (2 * j) & 3) << 4) - 32);
        low[j] = 0;
    }
}

template <int kAt>
void put_four_bits(Byte *to, const Byte *codes) {
    pack_pairs(codes, to + kAt);
}

template <int kAt>
void put_five_bits(Byte *to, const Byte *codes) {
    pack_fifth_bits(codes, to + kAt);
    pack_pairs(codes, to + kAt + 4);
}

inline void put_q2_k(Byte *to, const Byte *codes) { pack_two_bits(codes, 0, to + 16); }
inline void put_q3_k(Byte *to, const Byte *codes) {
    pack_top_bits(codes, 2, to);
    pack_two_bits(codes, 0, to + 32);
}
inline void put_q4_k(Byte *to, const Byte *codes) { pack_lower_halves(codes, to + 16); }
inline void put_q5_k(Byte *to, const Byte *codes) {
    pack_top_bits(codes, 4, to + 16);
    pack_lower_halves(codes, to + 48);
}
inline void put_q6_k(Byte *to, const Byte *codes) { pack_six_bit_codes(codes, to); }
inline void put_iq4_xs(Byte *to, const Byte *codes) {
    for (int j = 0; j < 8; ++j) pack_pairs(codes + j * 32, to + 8 + j * 16);
}

// In the order of BlockType; Q8_0 leaves nothing to choose.
constexpr BlockGrid kGrids[] = {
    {32, 32, 8, 15, false, read_one_scale, put_four_bits<2>},
    {32, 32, 0, 15, false, read_scale_and_offset, put_four_bits<4>},
    {32, 32, 16, 31, false, read_one_scale, put_five_bits<2>},
    {32, 32, 0, 31, false, read_scale_and_offset, put_five_bits<4>},
    {32, 32, 0, 0, false, nullptr, nullptr},
    {256, 16, 0, 3, false, read_q2_k, put_q2_k},
    {256, 16, 4, 7, false, read_q3_k, put_q3_k},
    {256, 32, 0, 15, false, read_six_bits, put_q4_k},
    {256, 32, 0, 31, false, read_six_bits, put_q5_k},
    {256, 16, 32, 63, false, read_q6_k, put_q6_k},
    {32, 32, 0, 15, true, read_one_scale, put_four_bits<2>},
    {256, 32, 0, 15, true, read_iq4_xs, put_iq4_xs},
};

}  // namespace
}  // namespace snug
