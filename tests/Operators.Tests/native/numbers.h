// Seeded numbers, the same on every machine, and the half-precision formats in plain arithmetic.
#pragma once
#include <cmath>
#include <cstdint>
#include <cstring>
#include <random>
#include <vector>

namespace latentmoe::test {

class Random {
public:
    explicit Random(uint64_t seed) : engine(seed) {}

    /// In [0, 1).
    double uniform() { return static_cast<double>(engine() >> 11) * 0x1p-53; }

    /// From low to high, both included.
    int64_t between(int64_t low, int64_t high) { return low + static_cast<int64_t>(engine() % static_cast<uint64_t>(high - low + 1)); }

    double normal() { return std::sqrt(-2 * std::log(1 - uniform())) * std::cos(6.283185307179586 * uniform()); }

    std::vector<float> normal(int64_t count, double deviation = 1, double mean = 0) {
        std::vector<float> values(static_cast<size_t>(count));
        for (float& value : values) {
            value = static_cast<float>(mean + deviation * normal());
        }
        return values;
    }

private:
    std::mt19937_64 engine;
};

inline float from_bf16(uint16_t bits) {
    const uint32_t wide = static_cast<uint32_t>(bits) << 16;
    float value;
    std::memcpy(&value, &wide, sizeof value);
    return value;
}

/// Rounds to nearest even; a NaN stays one.
inline uint16_t to_bf16(float value) {
    uint32_t bits;
    std::memcpy(&bits, &value, sizeof bits);
    if (std::isnan(value)) {
        return static_cast<uint16_t>(bits >> 16 | 0x40);
    }
    return static_cast<uint16_t>((bits + 0x7FFF + (bits >> 16 & 1)) >> 16);
}

inline double from_f16(uint16_t bits) {
    const int exponent = bits >> 10 & 31, fraction = bits & 1023;
    const double sign = bits & 0x8000 ? -1 : 1;
    if (exponent == 31) {
        return fraction ? NAN : sign * INFINITY;
    }
    return sign * (exponent ? std::ldexp(1024 + fraction, exponent - 25) : std::ldexp(fraction, -24));
}

/// Rounds to nearest even; beyond 65,504 by half a step or more, infinity.
inline uint16_t to_f16(double value) {
    const uint16_t sign = std::signbit(value) ? 0x8000 : 0;
    if (std::isnan(value)) {
        return sign | 0x7E00;
    }
    const double size = std::abs(value);
    if (size >= 65520) {
        return sign | 0x7C00;
    }
    // One step of the format here; nearbyint rounds halves to even.
    int exponent = 0;
    std::frexp(size, &exponent);
    const int step = size < 0x1p-14 ? -24 : exponent - 11;
    const auto steps = static_cast<uint32_t>(std::nearbyint(std::ldexp(size, -step)));
    // Adding the exponent field lets a carry out of the fraction raise it.
    return static_cast<uint16_t>(sign | (steps + (static_cast<uint32_t>(step + 24) << 10)));
}

} // namespace latentmoe::test
