// Four floats in the compiler's own vectors: any machine.
#pragma once
#include "half.h"

#include <cmath>
#include <cstdint>
#include <cstring>

namespace latentmoe {
namespace {

struct Plain {
    typedef float Floats __attribute__((vector_size(16)));
    typedef uint32_t Words __attribute__((vector_size(16)));
    typedef int32_t Integers __attribute__((vector_size(16)));
    static constexpr int width = 4;
    static constexpr int tile = 2;
    static constexpr int registers = 8;
    static constexpr int few = 8;  // tokens: with more, packing costs less than the sums over each row

    static Floats zero() { return Floats{}; }
    static Floats all(float x) { return Floats{x, x, x, x}; }
    static Floats load(const float* p) {
        Floats x;
        std::memcpy(&x, p, sizeof x);
        return x;
    }
    static void hold(Floats&) {}
    static void store(float* p, Floats x) { std::memcpy(p, &x, sizeof x); }
    static Floats load_bf16(const uint16_t* p) {
        return Floats{float_of_bf16(p[0]), float_of_bf16(p[1]), float_of_bf16(p[2]), float_of_bf16(p[3])};
    }
    static Floats load_f16(const uint16_t* p) { return Floats{float_of_f16(p[0]), float_of_f16(p[1]), float_of_f16(p[2]), float_of_f16(p[3])}; }
    static float half(uint16_t x) { return float_of_f16(x); }
    static void store_f16(uint16_t* p, Floats x) {
        for (int i = 0; i < width; i++) {
            p[i] = f16_of_float(x[i]);
        }
    }
    static Floats load_int8(const int8_t* p) { return convert(Integers{p[0], p[1], p[2], p[3]}); }
    static Floats load_int4(const uint8_t* p) { return convert(Integers{p[0] & 15, p[0] >> 4, p[1] & 15, p[1] >> 4} - 8); }

    static Words load_words(const void* p) {
        Words x;
        std::memcpy(&x, p, sizeof x);
        return x;
    }
    template <int shift>
    static Floats nibbles(Words words) {
        return convert(reinterpret_cast<Integers>(words >> shift & 15) - 8);
    }
    static Floats spread_scales(const uint16_t* scales, int64_t block) {
        float first = float_of_f16(scales[0]), second = block == 16 ? float_of_f16(scales[1]) : first;
        return Floats{first, first, second, second};
    }

    static Floats add(Floats a, Floats b) { return a + b; }
    static Floats sub(Floats a, Floats b) { return a - b; }
    static Floats mul(Floats a, Floats b) { return a * b; }
    static Floats div(Floats a, Floats b) { return a / b; }
    static Floats fma(Floats a, Floats b, Floats c) { return a * b + c; }
    static Floats max(Floats a, Floats b) { return a > b ? a : b; }
    static Floats min(Floats a, Floats b) { return a < b ? a : b; }
    static Floats round(Floats x) {
        for (int i = 0; i < width; i++) {
            x[i] = std::nearbyint(x[i]);
        }
        return x;
    }
    static Floats ldexp(Floats x, Floats n) {
        for (int i = 0; i < width; i++) {
            x[i] = n[i] == n[i] ? std::ldexp(x[i], static_cast<int>(n[i])) : n[i];
        }
        return x;
    }
    static float sum(Floats x) { return (x[0] + x[2]) + (x[1] + x[3]); }
    static float largest(Floats x) { return std::fmax(std::fmax(x[0], x[2]), std::fmax(x[1], x[3])); }
    static void sum4(Floats a, Floats b, Floats c, Floats d, float* out) { store(out, Floats{sum(a), sum(b), sum(c), sum(d)}); }

    static void transpose(Floats (&x)[4]) {
        Floats y[4] = {x[0], x[1], x[2], x[3]};
        for (int i = 0; i < width; i++) {
            x[i] = Floats{y[0][i], y[1][i], y[2][i], y[3][i]};
        }
    }
    static void deinterleave(Floats a, Floats b, Floats& even, Floats& odd) {
        even = Floats{a[0], a[2], b[0], b[2]};
        odd = Floats{a[1], a[3], b[1], b[3]};
    }

private:
    static Floats convert(Integers x) { return __builtin_convertvector(x, Floats); }
};

}  // namespace
}  // namespace latentmoe
