#include "widening.h"

#include "../cpu/half.h"

#include <algorithm>

namespace latentmoe {

using cuda::Type;

static constexpr int64_t numbers_of_part = 1 << 14;

// To nearest, ties to even.
static uint16_t bf16_of(float value) {
    const uint32_t bits = bits_of_float(value);
    if ((bits & 0x7fffffff) > 0x7f800000) {
        return static_cast<uint16_t>(bits >> 16 | 0x40);
    }
    return static_cast<uint16_t>((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}

void Widening::widen(const void* from, float* to, int64_t count) const {
    const auto* numbers = static_cast<const uint16_t*>(from);
    switch (type_) {
        case Type::F32: std::copy_n(static_cast<const float*>(from), count, to); break;
        case Type::F16: kernels_.widen16(numbers, to, count); break;
        case Type::BF16: std::transform(numbers, numbers + count, to, [](uint16_t value) { return float_of_bf16(value); }); break;
    }
}

void Widening::narrow(const float* from, void* to, int64_t count) const {
    auto* numbers = static_cast<uint16_t*>(to);
    switch (type_) {
        case Type::F32: std::copy_n(from, count, static_cast<float*>(to)); break;
        case Type::F16: kernels_.narrow16(from, numbers, count); break;
        case Type::BF16: std::transform(from, from + count, numbers, bf16_of); break;
    }
}

// body(first, count) over parts of the numbers.
template <typename Body>
static void in_parts(Host& host, int64_t count, Body body) {
    host.parallel((count + numbers_of_part - 1) / numbers_of_part, [&](int64_t part) {
        const int64_t first = part * numbers_of_part;
        body(first, std::min(numbers_of_part, count - first));
    });
}

const float* Widening::read(const void* values, int64_t count) const {
    if (type_ == Type::F32) {
        return static_cast<const float*>(values);
    }
    auto* result = host_.array<float>(count);
    in_parts(host_, count, [&](int64_t first, int64_t part) { widen(static_cast<const uint16_t*>(values) + first, result + first, part); });
    return result;
}

float* Widening::target(void* values, int64_t count) const {
    return type_ == Type::F32 ? static_cast<float*>(values) : host_.array<float>(count);
}

void Widening::write(const float* computed, void* values, int64_t count) const {
    if (type_ != Type::F32) {
        in_parts(host_, count, [&](int64_t first, int64_t part) { narrow(computed + first, static_cast<uint16_t*>(values) + first, part); });
    }
}

}  // namespace latentmoe
