// Rounding to 16-bit floats as the GPU does it: to nearest, ties to even, NaN as 0x7FFF.
#pragma once
#include <bit>
#include <cmath>
#include <cstdint>

namespace latentmoe::emulation {

/// Of a format with so many bits of fraction and of exponent.
template <int fraction, int exponent>
inline uint16_t narrow(double value) {
    constexpr int64_t bias = (1 << (exponent - 1)) - 1, infinity = int64_t{(1 << exponent) - 1} << fraction;
    const uint64_t bits = std::bit_cast<uint64_t>(value);
    const auto sign = static_cast<uint16_t>(bits >> 63 << 15);
    if (value != value) {
        return 0x7FFF;
    }
    const int64_t power = static_cast<int64_t>(bits >> 52 & 0x7FF) - 1023;
    // Fewer bits below the format's smallest normal number.
    int64_t dropped = 52 - fraction, base = power + bias;
    if (base < 1) {
        dropped += 1 - base;
        base = 1;
    }
    if (dropped > 54) {
        return sign;
    }
    if (power == 1024 || base > 2 * bias) {
        return static_cast<uint16_t>(sign | infinity);
    }
    const int64_t whole = static_cast<int64_t>(bits & ((uint64_t{1} << 52) - 1)) | int64_t{1} << 52;
    const int64_t kept = whole >> dropped;
    const int64_t rest = whole & ((int64_t{1} << dropped) - 1), half = int64_t{1} << (dropped - 1);
    // A carry out of the fraction raises the exponent, if need be to infinity.
    const int64_t rounded = kept + (rest > half || (rest == half && kept % 2 != 0));
    return static_cast<uint16_t>(sign | (((base - 1) << fraction) + rounded));
}

inline uint16_t narrow_f16(double value) { return narrow<10, 5>(value); }
inline uint16_t narrow_bf16(double value) { return narrow<7, 8>(value); }

/// a · b + c of 16-bit floats, where a · b is exact: rounded such that rounding it again, to half the bits, rounds the true sum once.
inline double fma_to_odd(double a, double b, double c) {
    const double product = a * b, sum = product + c;
    const double part = sum - product, error = (product - (sum - part)) + (c - part);
    const uint64_t bits = std::bit_cast<uint64_t>(sum);
    if (!(error != 0) || !std::isfinite(sum) || bits % 2 != 0) {
        return sum;
    }
    // Truncated towards zero, the last bit set.
    const bool beyond = (error < 0) == (sum > 0);
    return std::bit_cast<double>(beyond ? bits - 1 : bits + 1);
}

}  // namespace latentmoe::emulation
