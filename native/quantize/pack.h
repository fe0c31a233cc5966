// The bytes of each block, from whole numbers: the layouts that llama.cpp reads (its ggml-common.h describes them).
#pragma once

#include "steps.h"

namespace snug {
namespace {

using Byte = std::uint8_t;

inline Byte *put_half(Byte *to, std::uint16_t bits) {
    to[0] = static_cast<Byte>(bits & 255);
    to[1] = static_cast<Byte>(bits >> 8);
    return to + 2;
}

// The codes of kSub sub-blocks, one sub-block after the other.
template <int kSize, int kSub>
inline void gather_codes(const Batch<kSize> &batch, int first, Byte *codes) {
    alignas(64) float rows[kSub * kSize];
    if constexpr (kSub % 8 == 0) {
        for (int lane = 0; lane < kSub; lane += 8) {
            for (int i = 0; i < kSize; i += 8) {
                transpose_tile(batch.code + i * kBatch + first + lane, kBatch, rows + lane * kSize + i, kSize);
            }
        }
    } else {
        for (int i = 0; i < kSub * kSize; ++i) rows[i] = batch.code[i % kSize * kBatch + first + i / kSize];
    }
    for (int i = 0; i < kSub * kSize; i += 32) store_bytes(codes + i, rows + i);
}

// Low halves of 32 codes: code i with code i + 16 (blocks of 32).
inline void pack_pairs(const Byte *codes, Byte *to) {
    for (int i = 0; i < 16; ++i) to[i] = static_cast<Byte>((codes[i] & 15) | (codes[i + 16] & 15) << 4);
}

// The fifth bits of 32 codes, bit i of a little-endian word.
inline void pack_fifth_bits(const Byte *codes, Byte *to) {
    for (int byte = 0; byte < 4; ++byte) {
        int bits = 0;
        for (int i = 0; i < 8; ++i) bits |= (codes[byte * 8 + i] >> 4 & 1) << i;
        to[byte] = static_cast<Byte>(bits);
    }
}

// Two bits of 256 codes: 32 bytes hold codes l, l + 32, l + 64, l + 96 of each half.
inline void pack_two_bits(const Byte *codes, int shift, Byte *to) {
    for (int half = 0; half < 2; ++half) {
        const Byte *c = codes + half * 128;
        for (int l = 0; l < 32; ++l) {
            to[half * 32 + l] = static_cast<Byte>((c[l] >> shift & 3) | (c[l + 32] >> shift & 3) << 2 |
                                                  (c[l + 64] >> shift & 3) << 4 | (c[l + 96] >> shift & 3) << 6);
        }
    }
}

// Of 256 codes the bit above `shift`: bit j of byte l is that of code 32 j + l.
inline void pack_top_bits(const Byte *codes, int shift, Byte *to) {
    for (int l = 0; l < 32; ++l) {
        int bits = 0;
        for (int j = 0; j < 8; ++j) bits |= (codes[j * 32 + l] >> shift) << j;
        to[l] = static_cast<Byte>(bits);
    }
}

// The lower four bits of 256 codes: 32 bytes hold codes l and l + 32 of 64.
inline void pack_lower_halves(const Byte *codes, Byte *to) {
    for (int j = 0; j < 4; ++j) {
        const Byte *c = codes + j * 64;
        for (int l = 0; l < 32; ++l) to[j * 32 + l] = static_cast<Byte>((c[l] & 15) | (c[l + 32] & 15) << 4);
    }
}

// The codes of Q6_K: lower four bits, then upper two.
inline void pack_six_bit_codes(const Byte *codes, Byte *to) {
    for (int half = 0; half < 2; ++half) {
        const Byte *c = codes + half * 128;
        for (int l = 0; l < 64; ++l) to[half * 64 + l] = static_cast<Byte>((c[l] & 15) | (c[l + 64] & 15) << 4);
    }
    pack_two_bits(codes, 4, to + 128);
}

// Eight 6-bit scales and eight 6-bit lows in 12 bytes (Q4_K, Q5_K).
inline void pack_six_bits(const float *scales, const float *lows, Byte *to) {
    for (int j = 0; j < 4; ++j) {
        const int scale = static_cast<int>(scales[j]), low = static_cast<int>(lows[j]);
        const int far_scale = static_cast<int>(scales[j + 4]), far_low = static_cast<int>(lows[j + 4]);
        to[j] = static_cast<Byte>(scale | (far_scale >> 4) << 6);
        to[j + 4] = static_cast<Byte>(low | (far_low >> 4) << 6);
        to[j + 8] = static_cast<Byte>((far_scale & 15) | (far_low & 15) << 4);
    }
}

inline void pack_q4_k(const Byte *codes, const AffineBlocks &n, int first, Byte *to) {
    to = put_half(put_half(to, n.scale_step[first]), n.low_step[first]);
    pack_six_bits(n.scale + first, n.low + first, to);
    pack_lower_halves(codes, to + 12);
}

inline void pack_q5_k(const Byte *codes, const AffineBlocks &n, int first, Byte *to) {
    to = put_half(put_half(to, n.scale_step[first]), n.low_step[first]);
    pack_six_bits(n.scale + first, n.low + first, to);
    pack_top_bits(codes, 4, to + 12);
    pack_lower_halves(codes, to + 44);
}

inline void pack_q2_k(const Byte *codes, const AffineBlocks &n, int first, Byte *to) {
    for (int j = 0; j < 16; ++j) {
        to[j] = static_cast<Byte>(static_cast<int>(n.scale[first + j]) | static_cast<int>(n.low[first + j]) << 4);
    }
    pack_two_bits(codes, 0, to + 16);
    put_half(put_half(to + 80, n.scale_step[first]), n.low_step[first]);
}

inline void pack_q3_k(const Byte *codes, const SymmetricBlocks &n, int first, Byte *to) {
    pack_top_bits(codes, 2, to);
    pack_two_bits(codes, 0, to + 32);
    Byte *scales = to + 96;
    int whole[16];
    for (int j = 0; j < 16; ++j) whole[j] = static_cast<int>(n.scale[first + j]) + 32;
    for (int j = 0; j < 8; ++j) scales[j] = static_cast<Byte>((whole[j] & 15) | (whole[j + 8] & 15) << 4);
    for (int j = 0; j < 4; ++j) {
        scales[8 + j] = static_cast<Byte>((whole[j] >> 4) | (whole[j + 4] >> 4) << 2 | (whole[j + 8] >> 4) << 4 |
                                          (whole[j + 12] >> 4) << 6);
    }
    put_half(to + 108, n.step[first]);
}

inline void pack_q6_k(const Byte *codes, const SymmetricBlocks &n, int first, Byte *to) {
    pack_six_bit_codes(codes, to);
    for (int j = 0; j < 16; ++j) to[192 + j] = static_cast<Byte>(static_cast<int>(n.scale[first + j]) & 255);
    put_half(to + 208, n.step[first]);
}

inline void pack_iq4_xs(const Byte *codes, const SymmetricBlocks &n, int first, Byte *to) {
    int high = 0;
    for (int j = 0; j < 8; ++j) high |= (static_cast<int>(n.scale[first + j]) + 32) >> 4 << (2 * j);
    to = put_half(put_half(to, n.step[first]), static_cast<std::uint16_t>(high));
    for (int j = 0; j < 4; ++j) {
        const int one = static_cast<int>(n.scale[first + 2 * j]) + 32;
        const int two = static_cast<int>(n.scale[first + 2 * j + 1]) + 32;
        to[j] = static_cast<Byte>((one & 15) | (two & 15) << 4);
    }
    for (int j = 0; j < 8; ++j) pack_pairs(codes + j * 32, to + 4 + j * 16);
}

}  // namespace
}  // namespace snug
