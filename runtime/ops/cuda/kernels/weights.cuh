// Weights as a model file holds them: where their rows lie, and their numbers widened in registers.
#pragma once
#include "portable.cuh"

namespace latentmoe::cuda {

/// Storage of quantised weights, beside float, f16 and bf16: signed bytes; and two numbers a byte, the even column in the low four bits,
/// as value + 8.
struct int8 {};
struct int4 {};

template <typename W>
struct Format;
template <>
struct Format<float> {
    static constexpr int bits = 32;
    static constexpr bool quantised = false;
};
template <>
struct Format<f16> {
    static constexpr int bits = 16;
    static constexpr bool quantised = false;
};
template <>
struct Format<bf16> {
    static constexpr int bits = 16;
    static constexpr bool quantised = false;
};
template <>
struct Format<int8> {
    static constexpr int bits = 8;
    static constexpr bool quantised = true;
};
template <>
struct Format<int4> {
    static constexpr int bits = 4;
    static constexpr bool quantised = true;
};

/// Of so many columns of a row.
template <typename W>
DEVICE int64_t bytes_of(int64_t columns) { return columns * Format<W>::bits / 8; }

/// A matrix in global memory. Quantised ones have f16 scales [rows, pitch / block].
template <typename W>
struct WeightRows {
    const unsigned char* data;
    const f16* scales;
    int64_t pitch;  // columns from one row to the next
    int32_t block;  // of quantised ones 16 or 32

    DEVICE const unsigned char* row(int64_t index) const { return data + bytes_of<W>(index * pitch); }
    DEVICE const f16* row_scales(int64_t index) const { return scales + index * (pitch >> block_shift()); }
    DEVICE int32_t block_shift() const { return block == 32 ? 5 : 4; }
    /// The matrix that begins at this row.
    DEVICE WeightRows from(int64_t index) const {
        return {row(index), Format<W>::quantised ? row_scales(index) : scales, pitch, block};
    }
    /// One number, scaled.
    DEVICE float at(int64_t index, int64_t column) const;
};

/// The numbers of 32 bits, 1 to 8 of them in the order of columns, without their scale.
template <typename W>
DEVICE void widen(uint32_t word, float (&numbers)[32 / Format<W>::bits]);
template <>
DEVICE void widen<float>(uint32_t word, float (&numbers)[1]) { numbers[0] = float_of(word); }
template <>
DEVICE void widen<f16>(uint32_t word, float (&numbers)[2]) {
    numbers[0] = low_of<f16>(word);
    numbers[1] = high_of<f16>(word);
}
template <>
DEVICE void widen<bf16>(uint32_t word, float (&numbers)[2]) {
    numbers[0] = low_of<bf16>(word);
    numbers[1] = high_of<bf16>(word);
}
// A byte in the fraction of 2^23 is that number more than 2^23.
DEVICE float fraction_byte(uint32_t word, uint32_t byte) { return float_of(byte_permute(word, 0x4B000000, 0x7440 + byte)); }
template <>
DEVICE void widen<int8>(uint32_t word, float (&numbers)[4]) {
    const uint32_t shifted = word ^ 0x80808080;
    UNROLL(4)
    for (uint32_t i = 0; i < 4; i++) {
        numbers[i] = fraction_byte(shifted, i) - 8388736.0f;
    }
}
template <>
DEVICE void widen<int4>(uint32_t word, float (&numbers)[8]) {
    const uint32_t even = word & 0x0F0F0F0F, odd = word >> 4 & 0x0F0F0F0F;
    UNROLL(4)
    for (uint32_t i = 0; i < 4; i++) {
        numbers[2 * i] = fraction_byte(even, i) - 8388616.0f;
        numbers[2 * i + 1] = fraction_byte(odd, i) - 8388616.0f;
    }
}

template <typename W>
DEVICE float WeightRows<W>::at(int64_t index, int64_t column) const {
    const unsigned char* start = row(index);
    if constexpr (Format<W>::quantised) {
        const float scale = to_float(row_scales(index)[column >> block_shift()]);
        if constexpr (Format<W>::bits == 8) {
            return float(int32_t(start[column] ^ 0x80) - 128) * scale;
        } else {
            return float(int32_t(start[column / 2] >> (column % 2 * 4) & 15) - 8) * scale;
        }
    } else {
        return to_float(reinterpret_cast<const W*>(start)[column]);
    }
}

DEVICE uint32_t masked_or(uint32_t value, uint32_t mask, uint32_t more) { return lop3<0xEA>(value, mask, more); }

// Two numbers as pairs of T, exactly: T has 11 or 8 bits of fraction, and the numbers at most 8.
template <typename T>
DEVICE uint32_t pair_of_bytes(uint32_t word, uint32_t selector);
template <>
DEVICE uint32_t pair_of_bytes<f16>(uint32_t word, uint32_t selector) {
    // 1024 + 128 + value; one in f16 is 0x3C00, and −1152 0xE480.
    return fma_pair<f16>(byte_permute(word ^ 0x80808080, 0x64646464, selector), 0x3C003C00, 0xE480E480);
}
template <>
DEVICE uint32_t pair_of_bytes<bf16>(uint32_t word, uint32_t selector) {
    // 128 + the low seven bits, less 128, or 256 where the sign is set: which is the last bit of the exponent of −128.
    const uint32_t bytes = byte_permute(word, 0, selector);
    return fma_pair<bf16>(masked_or(bytes, 0x007F007F, 0x43004300), 0x3F803F80, masked_or(bytes, 0x00800080, 0xC300C300));
}
template <typename T>
DEVICE uint32_t pair_of_nibbles(uint32_t bytes);
template <>
DEVICE uint32_t pair_of_nibbles<f16>(uint32_t bytes) {
    return fma_pair<f16>(masked_or(bytes, 0x000F000F, 0x64006400), 0x3C003C00, 0xE408E408);  // 1024 + 8 + value
}
template <>
DEVICE uint32_t pair_of_nibbles<bf16>(uint32_t bytes) {
    return fma_pair<bf16>(masked_or(bytes, 0x000F000F, 0x43004300), 0x3F803F80, 0xC308C308);  // 128 + 8 + value
}

/// Eight neighbouring numbers at an address that is a multiple of their size, as pairs of T, without their scale; from shared or global
/// memory. Exact but for float32 and f16 read as bf16.
template <typename T, typename W>
struct Eight {
    DEVICE static u32x4 read(const void* address) {
        const auto* numbers = static_cast<const W*>(address);
        uint32_t pairs[4];
        UNROLL(4)
        for (int i = 0; i < 4; i++) {
            pairs[i] = pack<T>(to_float(numbers[2 * i]), to_float(numbers[2 * i + 1]));
        }
        return {pairs[0], pairs[1], pairs[2], pairs[3]};
    }
};
template <typename T>
struct Eight<T, T> {
    DEVICE static u32x4 read(const void* address) { return *static_cast<const u32x4*>(address); }
};
template <typename T>
struct Eight<T, int8> {
    DEVICE static u32x4 read(const void* address) {
        const u32x2 words = *static_cast<const u32x2*>(address);
        return {pair_of_bytes<T>(words.x, 0x4140), pair_of_bytes<T>(words.x, 0x4342), pair_of_bytes<T>(words.y, 0x4140),
                pair_of_bytes<T>(words.y, 0x4342)};
    }
};
template <typename T>
struct Eight<T, int4> {
    DEVICE static u32x4 read(const void* address) {
        const uint32_t word = *static_cast<const uint32_t*>(address), odd = word >> 4;
        return {pair_of_nibbles<T>(byte_permute(word, odd, 0x0400)), pair_of_nibbles<T>(byte_permute(word, odd, 0x0501)),
                pair_of_nibbles<T>(byte_permute(word, odd, 0x0602)), pair_of_nibbles<T>(byte_permute(word, odd, 0x0703))};
    }
};

}  // namespace latentmoe::cuda
