// Half precision as the blocks store it: IEEE 754 binary16, rounded to nearest even, never infinite.
#pragma once

#include <cstdint>
#include <cstring>

namespace snug {
namespace {

inline float half_to_float(std::uint16_t bits) {
    const std::uint32_t sign = static_cast<std::uint32_t>(bits & 0x8000u) << 16;
    const std::uint32_t exponent = (bits >> 10) & 31u;
    const std::uint32_t fraction = bits & 1023u;
    if (exponent == 0) {
        const float size = static_cast<float>(fraction) * 0x1p-24f;
        return sign ? -size : size;
    }
    const std::uint32_t word = sign | ((exponent + 112u) << 23) | (fraction << 13);
    float value;
    std::memcpy(&value, &word, 4);
    return value;
}

inline std::uint16_t float_to_half(float value) {
    std::uint32_t word;
    std::memcpy(&word, &value, 4);
    const auto sign = static_cast<std::uint16_t>((word >> 16) & 0x8000u);
    word &= 0x7fffffffu;
    if (word >= 0x477fe000u) return sign | 0x7bffu;  // 65504, the largest finite half
    if (word < 0x38800000u) {                        // subnormal: the sum with 0.5 rounds at 2^-24
        float size;
        std::memcpy(&size, &word, 4);
        size += 0.5f;
        std::memcpy(&word, &size, 4);
        return static_cast<std::uint16_t>(sign | (word - 0x3f000000u));
    }
    word += 0xc8000fffu + ((word >> 13) & 1u);
    return static_cast<std::uint16_t>(sign | (word >> 13));
}

}  // namespace
}  // namespace snug
