// Float16 and bfloat16 without the help of an instruction set.
#pragma once
#include "weights.h"

#include <cstdint>
#include <cstring>

namespace latentmoe {

LATENTMOE_INLINE float float_of_bits(uint32_t bits) {
    float value;
    std::memcpy(&value, &bits, sizeof value);
    return value;
}

LATENTMOE_INLINE uint32_t bits_of_float(float value) {
    uint32_t bits;
    std::memcpy(&bits, &value, sizeof bits);
    return bits;
}

LATENTMOE_INLINE float float_of_bf16(uint16_t value) { return float_of_bits(static_cast<uint32_t>(value) << 16); }

LATENTMOE_INLINE float float_of_f16(uint16_t value) {
    uint32_t sign = static_cast<uint32_t>(value & 0x8000) << 16, rest = value & 0x7fff;
    if (rest >= 0x7c00) {
        return float_of_bits(sign | 0x7f800000 | (rest & 0x3ff) << 13);
    }
    // As a float with the exponent's bias corrected, which makes subnormals normal.
    return float_of_bits(sign | bits_of_float(float_of_bits(rest << 13) * 0x1p112f));
}

/// To nearest, ties to even; too large ones become infinite.
LATENTMOE_INLINE uint16_t f16_of_float(float value) {
    uint32_t bits = bits_of_float(value), sign = bits >> 16 & 0x8000, rest = bits & 0x7fffffff;
    if (rest > 0x7f800000) {
        return static_cast<uint16_t>(sign | 0x7e00);
    }
    if (rest >= 0x477ff000) {
        return static_cast<uint16_t>(sign | 0x7c00);
    }
    if (rest < 0x38800000) {
        // The addition rounds at the last bit of a subnormal half.
        return static_cast<uint16_t>(sign | (bits_of_float(float_of_bits(rest) + 0.5f) - bits_of_float(0.5f)));
    }
    return static_cast<uint16_t>(sign | (rest - 0x38000000 + 0xfff + (rest >> 13 & 1)) >> 13);
}

}  // namespace latentmoe
