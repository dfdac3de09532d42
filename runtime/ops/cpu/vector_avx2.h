// Eight floats: AVX2, FMA and F16C.
#pragma once
#include <immintrin.h>

#include <cstdint>

namespace latentmoe {
namespace {

struct Avx2 {
    using Floats = __m256;
    using Words = __m256i;
    static constexpr int width = 8;
    static constexpr int tile = 2;
    static constexpr int registers = 8;
    static constexpr int few = 20;  // tokens: with more, packing costs less than the sums over each row

    static Floats zero() { return _mm256_setzero_ps(); }
    static Floats all(float x) { return _mm256_set1_ps(x); }
    static Floats load(const float* p) { return _mm256_loadu_ps(p); }
    /// Holds x in a register: else each of its uses may load it again.
    static void hold(Floats& x) { asm("" : "+x"(x)); }
    static void store(float* p, Floats x) { _mm256_storeu_ps(p, x); }
    static Floats load_bf16(const uint16_t* p) {
        return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_cvtepu16_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p))), 16));
    }
    static Floats load_f16(const uint16_t* p) { return _mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p))); }
    static float half(uint16_t x) { return _cvtsh_ss(x); }
    static void store_f16(uint16_t* p, Floats x) {
        _mm_storeu_si128(reinterpret_cast<__m128i*>(p), _mm256_cvtps_ph(x, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC));
    }
    static Floats load_int8(const int8_t* p) {
        return _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(p))));
    }
    static Floats load_int4(const uint8_t* p) {
        __m128i bytes = _mm_cvtepu8_epi16(_mm_loadu_si32(p));
        __m128i nibbles = _mm_and_si128(_mm_or_si128(bytes, _mm_slli_epi16(bytes, 4)), _mm_set1_epi8(15));
        return _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(_mm_sub_epi8(nibbles, _mm_set1_epi8(8))));
    }

    static Words load_words(const void* p) { return _mm256_loadu_si256(static_cast<const __m256i*>(p)); }
    template <int shift>
    static Floats nibbles(Words words) {
        __m256i values = _mm256_and_si256(_mm256_srli_epi32(words, shift), _mm256_set1_epi32(15));
        return _mm256_cvtepi32_ps(_mm256_sub_epi32(values, _mm256_set1_epi32(8)));
    }
    static Floats spread_scales(const uint16_t* scales, int64_t block) {
        if (block == 16) {
            __m128 x = _mm_cvtph_ps(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(scales)));
            return _mm256_permutevar8x32_ps(_mm256_castps128_ps256(x), _mm256_setr_epi32(0, 0, 1, 1, 2, 2, 3, 3));
        }
        __m128 x = _mm_cvtph_ps(_mm_loadu_si32(scales));
        return _mm256_permutevar8x32_ps(_mm256_castps128_ps256(x), _mm256_setr_epi32(0, 0, 0, 0, 1, 1, 1, 1));
    }

    static Floats add(Floats a, Floats b) { return _mm256_add_ps(a, b); }
    static Floats sub(Floats a, Floats b) { return _mm256_sub_ps(a, b); }
    static Floats mul(Floats a, Floats b) { return _mm256_mul_ps(a, b); }
    static Floats div(Floats a, Floats b) { return _mm256_div_ps(a, b); }
    static Floats fma(Floats a, Floats b, Floats c) { return _mm256_fmadd_ps(a, b, c); }
    static Floats max(Floats a, Floats b) { return _mm256_max_ps(a, b); }
    static Floats min(Floats a, Floats b) { return _mm256_min_ps(a, b); }
    static Floats round(Floats x) { return _mm256_round_ps(x, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC); }
    /// In two factors, so that every float result is reached: n = −127 … 128 and below.
    static Floats ldexp(Floats x, Floats n) {
        __m256i whole = _mm256_cvtps_epi32(n), half = _mm256_srai_epi32(whole, 1);
        auto power = [](__m256i e) { return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_add_epi32(e, _mm256_set1_epi32(127)), 23)); };
        return mul(mul(x, power(half)), power(_mm256_sub_epi32(whole, half)));
    }
    /// In the order of sum4.
    static float sum(Floats x) {
        float sums[4];
        sum4(x, x, x, x, sums);
        return sums[0];
    }
    static float largest(Floats x) {
        __m128 y = _mm_max_ps(_mm256_castps256_ps128(x), _mm256_extractf128_ps(x, 1));
        y = _mm_max_ps(y, _mm_movehl_ps(y, y));
        return _mm_cvtss_f32(_mm_max_ss(y, _mm_movehdup_ps(y)));
    }
    static void sum4(Floats a, Floats b, Floats c, Floats d, float* out) {
        __m256 all = _mm256_hadd_ps(_mm256_hadd_ps(a, b), _mm256_hadd_ps(c, d));
        _mm_storeu_ps(out, _mm_add_ps(_mm256_castps256_ps128(all), _mm256_extractf128_ps(all, 1)));
    }

    static void transpose(Floats (&x)[8]) {
        Floats y[8];
        for (int i = 0; i < 8; i += 4) {
            Floats a = _mm256_unpacklo_ps(x[i], x[i + 1]), b = _mm256_unpackhi_ps(x[i], x[i + 1]);
            Floats c = _mm256_unpacklo_ps(x[i + 2], x[i + 3]), d = _mm256_unpackhi_ps(x[i + 2], x[i + 3]);
            y[i] = _mm256_shuffle_ps(a, c, 0x44);
            y[i + 1] = _mm256_shuffle_ps(a, c, 0xee);
            y[i + 2] = _mm256_shuffle_ps(b, d, 0x44);
            y[i + 3] = _mm256_shuffle_ps(b, d, 0xee);
        }
        for (int c = 0; c < 4; c++) {
            x[c] = _mm256_permute2f128_ps(y[c], y[4 + c], 0x20);
            x[4 + c] = _mm256_permute2f128_ps(y[c], y[4 + c], 0x31);
        }
    }

    static void deinterleave(Floats a, Floats b, Floats& even, Floats& odd) {
        // The shuffles keep to 128-bit lanes; the permutation puts their pairs in order.
        auto ordered = [](Floats x) { return _mm256_castpd_ps(_mm256_permute4x64_pd(_mm256_castps_pd(x), 0xd8)); };
        even = ordered(_mm256_shuffle_ps(a, b, 0x88));
        odd = ordered(_mm256_shuffle_ps(a, b, 0xdd));
    }
};

}  // namespace
}  // namespace latentmoe
