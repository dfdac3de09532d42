// The emulation's arithmetic on 16-bit floats and on bits.
#include "../../../runtime/ops/cuda/kernels/portable.cuh"
#include "../native/check.h"
#include "../native/numbers.h"

using namespace latentmoe;
using namespace latentmoe::cuda;
using namespace latentmoe::test;

namespace {

/// a · b + c without rounding, as integer multiples of 2^-48, which f16's products are; rounded once.
uint16_t fma_f16(uint16_t a, uint16_t b, uint16_t c) {
    using Wide = __int128;
    const double x = from_f16(a), y = from_f16(b), z = from_f16(c);
    if (!std::isfinite(x) || !std::isfinite(y) || !std::isfinite(z)) {
        return to_f16(x * y + z);
    }
    const Wide units = static_cast<Wide>(std::ldexp(x, 24)) * static_cast<Wide>(std::ldexp(y, 24)) + (static_cast<Wide>(std::ldexp(z, 24)) << 24);
    if (units == 0) {
        return to_f16(x * y + z);
    }
    // The first 50 bits, the last of which says whether others follow.
    Wide size = units < 0 ? -units : units;
    int shift = 0;
    bool more = false;
    while (size >> 50 != 0) {
        more |= (size & 1) != 0;
        size >>= 1;
        shift++;
    }
    const double whole = std::ldexp(static_cast<double>(static_cast<int64_t>(size | more)), shift - 48);
    return to_f16(units < 0 ? -whole : whole);
}

bool nan(uint16_t bits) { return (bits & 0x7C00) == 0x7C00 && (bits & 0x3FF) != 0; }

}  // namespace

TEST(emulation_rounds_to_nearest) {
    for (uint32_t i = 0; i < 0xFFFF; i++) {
        const auto bits = static_cast<uint16_t>(i);
        const float here = from_f16(bits), next = from_f16(static_cast<uint16_t>(i + 1));
        for (const float value : {here, (here + next) / 2, std::nextafter((here + next) / 2, here), std::nextafter((here + next) / 2, next)}) {
            f16 half;
            from_float(value, half);
            require(half.bits == to_f16(value) || (nan(half.bits) && std::isnan(value)), value, " is rounded to ", half.bits);
        }
        const float wide = from_bf16(bits);
        for (const float value : {wide, float_of(i << 16 | 0x7FFF), float_of(i << 16 | 0x8000), float_of(i << 16 | 0x8001)}) {
            bf16 half;
            from_float(value, half);
            require(half.bits == to_bf16(value) || std::isnan(value), value, " is rounded to bf16 ", half.bits, ", expected ", to_bf16(value));
        }
    }
}

TEST(emulation_packs_the_first_number_low) {
    require(pack<f16>(1.5f, -2.0f) == (0x3E00u | 0xC000u << 16), "pack<f16> is ", pack<f16>(1.5f, -2.0f));
    require(low_of<f16>(0xC0003E00) == 1.5f && high_of<f16>(0xC0003E00) == -2.0f, "low and high of f16 are wrong");
    require(pack<bf16>(1.5f, -2.0f) == (0x3FC0u | 0xC000u << 16), "pack<bf16> is ", pack<bf16>(1.5f, -2.0f));
    require(low_of<bf16>(0xC0003FC0) == 1.5f && high_of<bf16>(0xC0003FC0) == -2.0f, "low and high of bf16 are wrong");
}

TEST(emulation_fma_rounds_once) {
    Random random(4);
    for (int i = 0; i < 300000; i++) {
        // Any numbers, and those whose sum lies close to the middle of two.
        auto a = static_cast<uint16_t>(random.between(0, 0xFFFF)), b = static_cast<uint16_t>(random.between(0, 0xFFFF)),
             c = static_cast<uint16_t>(random.between(0, 0xFFFF));
        if (i % 2 == 1) {
            a = static_cast<uint16_t>(random.between(0, 0x400) | (i & 2 ? 0x8000 : 0));
            c = static_cast<uint16_t>(random.between(0x3C00, 0x7BFF));
            b = static_cast<uint16_t>(random.between(0x3C00, 0x7BFF));
        }
        const uint32_t pair = fma_pair<f16>(uint32_t{a} << 16 | b, uint32_t{b} << 16 | a, uint32_t{c} << 16 | c);
        const uint16_t expected = fma_f16(a, b, c);
        for (const uint16_t actual : {static_cast<uint16_t>(pair), static_cast<uint16_t>(pair >> 16)}) {
            require(actual == expected || (nan(actual) && nan(expected)), a, " * ", b, " + ", c, " is ", actual, ", expected ", expected);
        }
    }
    // 1 + 2^-8 is the middle of two bf16; a little more than that is nearer to the upper one.
    const auto bf16_of = [](float value) { return uint32_t{to_bf16(value)}; };
    require(fma_pair<bf16>(bf16_of(0x1p-8f), bf16_of(1), bf16_of(1)) == bf16_of(1), "a tie is not rounded to even");
    require(fma_pair<bf16>(bf16_of(0x1p-8f), bf16_of(0x1.02p0f), bf16_of(1)) == bf16_of(0x1.02p0f), "more than the middle is rounded down");
    require(fma_pair<bf16>(bf16_of(0x1p-60f), bf16_of(0x1p-40f), bf16_of(0x1.02p0f)) == bf16_of(0x1.02p0f), "a small product counts");
}

TEST(emulation_bits_are_chosen_by_table_and_selector) {
    Random random(5);
    for (int i = 0; i < 1000; i++) {
        const auto a = static_cast<uint32_t>(random.between(0, 0xFFFFFFFF)), b = static_cast<uint32_t>(random.between(0, 0xFFFFFFFF)),
                   c = static_cast<uint32_t>(random.between(0, 0xFFFFFFFF));
        // The manual's tables: a is 0xF0, b is 0xCC, c is 0xAA.
        require(lop3<0xEA>(a, b, c) == ((a & b) | c) && lop3<0x96>(a, b, c) == (a ^ b ^ c) && lop3<(0xF0 & 0xCC & ~0xAA) & 0xFF>(a, b, c) == (a & b & ~c),
                "lop3 of ", a, ", ", b, ", ", c);
    }
    require(byte_permute(0x33221100, 0x77665544, 0x7250) == 0x77225500, "byte_permute by places");
    require(byte_permute(0x00008100, 0x0000007F, 0xC9A9) == 0x00FF00FF, "byte_permute by signs");
}
