// Floats as sums of three bfloat16, which hold all 24 bits, in the order in which tiles take them.
#pragma once
#include "kernels_weights.h"
#include "vector_avx512.h"

namespace latentmoe {
namespace {

/// Rows and bytes of a tile, and the columns of a matrix that one step takes: 32 bfloat16 are a row of a tile.
constexpr int64_t kTileRows = 16, kTileBytes = 1024, kStep = 32;

/// kStep columns of up to 16 tokens: pairs of columns below each other, (kStep / 2, 16 tokens, 2).
struct alignas(64) TokenStep {
    uint16_t part[3][kTileRows][kStep];
    uint32_t wild;  // a bit for each token with a number that has no such sum
};

/// kStep columns of 16 rows of weights, in as many parts as they need.
struct alignas(64) RowStep {
    uint16_t part[3][kTileRows][kStep];
};

/// A float16 has 11 bits; times an integer of four bits 15, of eight at most 18, which lose no more than the last.
template <WeightType type>
constexpr int kRowParts = type == WeightType::BF16 ? 1 : type == WeightType::F32 ? 3 : 2;

struct Split {
    __m512i part[3];  // 32 bfloat16 each, the greatest first
    bool wild;        // infinite, NaN, or so large that rounding makes it infinite
};

LATENTMOE_INLINE __m512 cut(__m512i bits) { return _mm512_castsi512_ps(_mm512_and_si512(bits, _mm512_set1_epi32(static_cast<int>(0xffff0000)))); }

/// Not finite remains not finite, and what is merely large is cut off in place of rounded.
LATENTMOE_INLINE Split split(__m512 first, __m512 second) {
    const __m512i half = _mm512_set1_epi32(0x8000);
    __m512 x[2] = {first, second}, high[2], middle[2], low[2];
    __mmask16 tame[2];
    for (int i = 0; i < 2; i++) {
        __m512i bits = _mm512_castps_si512(x[i]);
        tame[i] = _mm512_cmplt_epu32_mask(_mm512_slli_epi32(bits, 1), _mm512_set1_epi32(static_cast<int>(0xfeff0000)));
        high[i] = cut(_mm512_mask_add_epi32(bits, tame[i], bits, half));
        __m512 rest = _mm512_sub_ps(x[i], high[i]);
        middle[i] = cut(_mm512_add_epi32(_mm512_castps_si512(rest), half));
        low[i] = _mm512_sub_ps(rest, middle[i]);
    }
    return {{(__m512i)_mm512_cvtne2ps_pbh(high[1], high[0]), (__m512i)_mm512_cvtne2ps_pbh(middle[1], middle[0]),
             (__m512i)_mm512_cvtne2ps_pbh(low[1], low[0])},
            (tame[0] & tame[1]) != 0xffff};
}

/// The first columns of a step, at most kStep; the others are 0.
LATENTMOE_INLINE Split split_tail(const float* x, int64_t columns) {
    auto some = [](const float* start, int64_t count) {
        auto mask = static_cast<__mmask16>(count >= 16 ? 0xffff : (1 << count) - 1);
        return _mm512_maskz_loadu_ps(mask, start);
    };
    return split(some(x, columns), columns > 16 ? some(x + 16, columns - 16) : _mm512_setzero_ps());
}

/// Columns [first, last) of up to 16 tokens; first is a multiple of kStep, and out is the step that it begins.
inline void split_tokens(const float* const* x, int64_t tokens, int64_t first, int64_t last, TokenStep* out) {
    for (int64_t k = first; k < last; k += kStep, out++) {
        __m512 turned[3][16];
        out->wild = 0;
        for (int64_t t = 0; t < 16; t++) {
            Split x32 = {};
            if (t < tokens) {
                x32 = last - k >= kStep ? split(_mm512_loadu_ps(x[t] + k), _mm512_loadu_ps(x[t] + k + 16)) : split_tail(x[t] + k, last - k);
            }
            for (int p = 0; p < 3; p++) {
                turned[p][t] = _mm512_castsi512_ps(x32.part[p]);
            }
            out->wild |= static_cast<uint32_t>(x32.wild) << t;
        }
        for (int p = 0; p < 3; p++) {
            Avx512::transpose(turned[p]);
            for (int i = 0; i < 16; i++) {
                _mm512_store_si512(out->part[p][i], _mm512_castps_si512(turned[p][i]));
            }
        }
    }
}

/// Columns [k, k + columns) of a row.
template <WeightType type>
LATENTMOE_INLINE Split split_row(const Row<Avx512, type>& row, int64_t k, int64_t columns, int64_t block) {
    if (columns == kStep) {
        return split(row.load(k, block), row.load(k + 16, block));
    }
    float tail[kStep];
    int64_t i = 0;
    if (columns >= 16) {
        _mm512_storeu_ps(tail, row.load(k, block));
        i = 16;
    }
    if constexpr (is_float<type>) {
        for (; i < columns; i++) {
            tail[i] = row.element(k + i);
        }
    }
    return split_tail(tail, columns);
}

/// Columns [from, columns) of rows [first, first + count), count ≤ 16; rows beyond are 0.
template <WeightType type>
void split_rows(const Weights& w, int64_t first, int64_t count, int64_t from, RowStep* out) {
    for (int64_t i = 0; i < kTileRows; i++) {
        Row<Avx512, type> row = i < count ? Row<Avx512, type>(w, first + i) : Row<Avx512, type>();
        RowStep* step = out;
        for (int64_t k = from; k < w.columns; k += kStep, step++) {
            Split w32 = {};
            if (i < count) {
                w32 = split_row<type>(row, k, w.columns - k < kStep ? w.columns - k : kStep, w.block);
            }
            for (int p = 0; p < kRowParts<type>; p++) {
                _mm512_store_si512(step->part[p][i], w32.part[p]);
            }
        }
    }
}

}  // namespace
}  // namespace latentmoe
