// Sixteen floats: AVX-512 F, BW, DQ and VL.
#pragma once
#include <immintrin.h>

#include <cstdint>

// GCC 12 takes the undefined pass-through operands inside its own intrinsics for a mistake.
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif

namespace latentmoe {
namespace {

struct Avx512 {
    using Floats = __m512;
    using Words = __m512i;
    static constexpr int width = 16;
    static constexpr int tile = 4;       // vectors side by side in a tile of `multiply`
    static constexpr int registers = 16; // sums that `dot` keeps
    static constexpr int few = 24;  // tokens: with more, packing costs less than the sums over each row

    static Floats zero() { return _mm512_setzero_ps(); }
    static Floats all(float x) { return _mm512_set1_ps(x); }
    static Floats load(const float* p) { return _mm512_loadu_ps(p); }
    /// Holds x in a register: else each of its uses may load it again.
    static void hold(Floats& x) { asm("" : "+v"(x)); }
    static void store(float* p, Floats x) { _mm512_storeu_ps(p, x); }
    static Floats load_bf16(const uint16_t* p) {
        return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p))), 16));
    }
    static Floats load_f16(const uint16_t* p) { return _mm512_cvtph_ps(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p))); }
    static float half(uint16_t x) { return _cvtsh_ss(x); }
    static void store_f16(uint16_t* p, Floats x) {
        _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), _mm512_cvtps_ph(x, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC));
    }
    static Floats load_int8(const int8_t* p) {
        return _mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p))));
    }
    static Floats load_int4(const uint8_t* p) {
        __m128i bytes = _mm_cvtepu8_epi16(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(p)));
        __m128i nibbles = _mm_and_si128(_mm_or_si128(bytes, _mm_slli_epi16(bytes, 4)), _mm_set1_epi8(15));
        return _mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(_mm_sub_epi8(nibbles, _mm_set1_epi8(8))));
    }

    static Words load_words(const void* p) { return _mm512_loadu_si512(p); }
    /// Four bits of every word from `shift` on, less 8.
    template <int shift>
    static Floats nibbles(Words words) {
        const __m512 values = _mm512_setr_ps(-8, -7, -6, -5, -4, -3, -2, -1, 0, 1, 2, 3, 4, 5, 6, 7);
        return _mm512_permutexvar_ps(_mm512_srli_epi32(words, shift), values);
    }
    /// The scales of 8 · width columns, each in the lanes of its words.
    static Floats spread_scales(const uint16_t* scales, int64_t block) {
        const __m512i halves = _mm512_setr_epi32(0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7);
        const __m512i quarters = _mm512_setr_epi32(0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3);
        if (block == 16) {
            __m256 x = _mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<const __m128i*>(scales)));
            return _mm512_permutexvar_ps(halves, _mm512_castps256_ps512(x));
        }
        __m128 x = _mm_cvtph_ps(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(scales)));
        return _mm512_permutexvar_ps(quarters, _mm512_castps128_ps512(x));
    }

    static Floats add(Floats a, Floats b) { return _mm512_add_ps(a, b); }
    static Floats sub(Floats a, Floats b) { return _mm512_sub_ps(a, b); }
    static Floats mul(Floats a, Floats b) { return _mm512_mul_ps(a, b); }
    static Floats div(Floats a, Floats b) { return _mm512_div_ps(a, b); }
    static Floats fma(Floats a, Floats b, Floats c) { return _mm512_fmadd_ps(a, b, c); }
    /// The second operand where either is NaN.
    static Floats max(Floats a, Floats b) { return _mm512_max_ps(a, b); }
    static Floats min(Floats a, Floats b) { return _mm512_min_ps(a, b); }
    static Floats round(Floats x) { return _mm512_roundscale_ps(x, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC); }
    /// x · 2^n, n whole.
    static Floats ldexp(Floats x, Floats n) { return _mm512_scalef_ps(x, n); }
    /// In the order of sum4.
    static float sum(Floats x) {
        float sums[4];
        sum4(x, x, x, x, sums);
        return sums[0];
    }
    static float largest(Floats x) { return _mm512_reduce_max_ps(x); }

    static void sum4(Floats a, Floats b, Floats c, Floats d, float* out) {
        auto fold = [](Floats x) { return _mm256_add_ps(_mm512_castps512_ps256(x), _mm512_extractf32x8_ps(x, 1)); };
        __m256 all = _mm256_hadd_ps(_mm256_hadd_ps(fold(a), fold(b)), _mm256_hadd_ps(fold(c), fold(d)));
        _mm_storeu_ps(out, _mm_add_ps(_mm256_castps256_ps128(all), _mm256_extractf128_ps(all, 1)));
    }

    /// x[i][j] becomes x[j][i].
    static void transpose(Floats (&x)[16]) {
        Floats y[16];
        for (int i = 0; i < 16; i += 4) {
            Floats a = _mm512_unpacklo_ps(x[i], x[i + 1]), b = _mm512_unpackhi_ps(x[i], x[i + 1]);
            Floats c = _mm512_unpacklo_ps(x[i + 2], x[i + 3]), d = _mm512_unpackhi_ps(x[i + 2], x[i + 3]);
            y[i] = _mm512_shuffle_ps(a, c, 0x44);
            y[i + 1] = _mm512_shuffle_ps(a, c, 0xee);
            y[i + 2] = _mm512_shuffle_ps(b, d, 0x44);
            y[i + 3] = _mm512_shuffle_ps(b, d, 0xee);
        }
        // y[4g + c]: rows 4g … 4g+3 of columns c, c+4, c+8, c+12, a 128-bit lane each.
        for (int c = 0; c < 4; c++) {
            Floats low = _mm512_shuffle_f32x4(y[c], y[4 + c], 0x88), high = _mm512_shuffle_f32x4(y[c], y[4 + c], 0xdd);
            Floats low2 = _mm512_shuffle_f32x4(y[8 + c], y[12 + c], 0x88), high2 = _mm512_shuffle_f32x4(y[8 + c], y[12 + c], 0xdd);
            x[c] = _mm512_shuffle_f32x4(low, low2, 0x88);
            x[8 + c] = _mm512_shuffle_f32x4(low, low2, 0xdd);
            x[4 + c] = _mm512_shuffle_f32x4(high, high2, 0x88);
            x[12 + c] = _mm512_shuffle_f32x4(high, high2, 0xdd);
        }
    }

    /// Even elements of a then b; and the odd ones.
    static void deinterleave(Floats a, Floats b, Floats& even, Floats& odd) {
        const __m512i evens = _mm512_setr_epi32(0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30);
        even = _mm512_permutex2var_ps(a, evens, b);
        odd = _mm512_permutex2var_ps(a, _mm512_add_epi32(evens, _mm512_set1_epi32(1)), b);
    }
};

}  // namespace
}  // namespace latentmoe
