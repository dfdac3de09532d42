// Quantised weights as unsigned bytes, 64 bytes of a row at a time.
#pragma once
#include "kernels_weights.h"
#include "vector_avx512.h"

namespace latentmoe {
namespace {

/// `operands` vectors of bytes hold `columns` weights, each by `offset` more than it is.
template <WeightType type>
struct ByteWeights;

template <>
struct ByteWeights<WeightType::Int8> {
    static constexpr int operands = 1, columns = 64, offset = 128;

    static void load(const std::byte* p, __mmask64 bytes, __m512i (&out)[operands]) {
        out[0] = _mm512_xor_si512(_mm512_maskz_loadu_epi8(bytes, p), _mm512_set1_epi8(-128));
    }

    /// Columns as they come, 64 in a vector, to the order of the operands.
    static void order(__m512i (&)[operands]) {}

    /// The block of each group of four bytes.
    static __m512i places(int64_t block) {
        const __m512i lanes = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
        return block == 16 ? _mm512_srli_epi32(lanes, 2) : _mm512_srli_epi32(lanes, 3);
    }
};

template <>
struct ByteWeights<WeightType::Int4> {
    static constexpr int operands = 2, columns = 128, offset = 8;

    static void load(const std::byte* p, __mmask64 bytes, __m512i (&out)[operands]) {
        const __m512i pairs = _mm512_maskz_loadu_epi8(bytes, p), low = _mm512_set1_epi8(15);
        out[0] = _mm512_and_si512(pairs, low);
        out[1] = _mm512_and_si512(_mm512_srli_epi16(pairs, 4), low);
    }

    static void order(__m512i (&x)[operands]) {
        const __m256i even[] = {_mm512_cvtepi16_epi8(x[0]), _mm512_cvtepi16_epi8(x[1])};
        const __m256i odd[] = {_mm512_cvtepi16_epi8(_mm512_srli_epi16(x[0], 8)), _mm512_cvtepi16_epi8(_mm512_srli_epi16(x[1], 8))};
        x[0] = _mm512_inserti64x4(_mm512_castsi256_si512(even[0]), even[1], 1);
        x[1] = _mm512_inserti64x4(_mm512_castsi256_si512(odd[0]), odd[1], 1);
    }

    static __m512i places(int64_t block) {
        const __m512i lanes = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
        return block == 16 ? _mm512_srli_epi32(lanes, 1) : _mm512_srli_epi32(lanes, 2);
    }
};

}  // namespace
}  // namespace latentmoe
