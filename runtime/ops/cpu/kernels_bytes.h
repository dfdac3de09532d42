// Rows of quantised weights times few tokens, in whole numbers. A token becomes three planes of signed bytes, x = scale · (2¹⁶ p₂ + 2⁸ p₁ + p₀),
// 23 bits of its largest element: about what float32 holds. A weight becomes an unsigned byte, and what that adds is taken off again.
// Sums within a block of weights are exact.
#pragma once
#include "kernels_bytes_weights.h"
#include "kernels_rows.h"

namespace latentmoe {

extern const Kernels avx512_kernels;

namespace {

constexpr int kPlanes = 3;
constexpr int64_t kPass = 1024;  // columns of which tokens lie on the stack

/// Products of four columns with weights of up to 128 add up to less than 2³¹.
constexpr float kLargest = (1 << 22) - 2;

/// Columns of one token.
template <WeightType type>
struct alignas(64) Planes {
    using Format = ByteWeights<type>;

    int8_t x[kPlanes][kPass];                    // the highest first, columns in the order of the weights
    int32_t start[kPass / Format::columns][16];  // −offset · x, summed as products are

    /// factor · from, rounded, and zeros up to a whole number of vectors. count is a multiple of 16.
    void set(const float* from, int64_t count, float factor) {
        for (int64_t k = 0; k < count; k += Format::columns) {
            __m512i bytes[kPlanes][Format::operands];
            for (int i = 0; i < Format::operands; i++) {
                __m512i column[kPlanes];
                cut(from + k + 64 * i, count - k - 64 * i, factor, column);
                for (int p = 0; p < kPlanes; p++) {
                    bytes[p][i] = column[p];
                }
            }
            __m512i offset[Format::operands], sum = _mm512_setzero_si512();
            for (int i = 0; i < Format::operands; i++) {
                offset[i] = _mm512_set1_epi8(static_cast<char>(Format::offset));
            }
            for (int p = 0; p < kPlanes; p++) {
                Format::order(bytes[p]);
                for (int i = 0; i < Format::operands; i++) {
                    _mm512_store_si512(x[p] + k + 64 * i, bytes[p][i]);
                }
            }
            add(offset, k, sum);
            _mm512_store_si512(start[k / Format::columns], _mm512_sub_epi32(_mm512_setzero_si512(), sum));
        }
    }

    /// sum = Σ weight · x over the columns from k on, four or eight in a lane.
    [[gnu::always_inline]] void add(const __m512i (&weights)[Format::operands], int64_t k, __m512i& sum) const {
#pragma GCC unroll 3
        for (int p = 0; p < kPlanes; p++) {
            sum = p > 0 ? _mm512_slli_epi32(sum, 8) : sum;
#pragma GCC unroll 2
            for (int i = 0; i < Format::operands; i++) {
                sum = _mm512_dpbusd_epi32(sum, weights[i], _mm512_load_si512(x[p] + k + 64 * i));
            }
        }
    }

private:
    /// 64 columns of each plane.
    static void cut(const float* from, int64_t count, float factor, __m512i (&out)[kPlanes]) {
        __m128i part[kPlanes][4];
#pragma GCC unroll 4
        for (int i = 0; i < 4; i++) {
            const auto mask = static_cast<__mmask16>(16 * i < count ? 0xffff : 0);
            __m512i whole = _mm512_cvtps_epi32(_mm512_mul_ps(_mm512_maskz_loadu_ps(mask, from + 16 * i), _mm512_set1_ps(factor)));
#pragma GCC unroll 3
            for (int p = kPlanes - 1; p >= 0; p--) {
                part[p][i] = _mm512_cvtepi32_epi8(whole);
                whole = _mm512_srai_epi32(_mm512_add_epi32(whole, _mm512_set1_epi32(128)), 8);
            }
        }
#pragma GCC unroll 3
        for (int p = 0; p < kPlanes; p++) {
            const __m256i low = _mm256_inserti128_si256(_mm256_castsi128_si256(part[p][0]), part[p][1], 1);
            const __m256i high = _mm256_inserti128_si256(_mm256_castsi128_si256(part[p][2]), part[p][3], 1);
            out[p] = _mm512_inserti64x4(_mm512_castsi256_si512(low), high, 1);
        }
    }
};

template <WeightType type>
class ByteDot {
    using Format = ByteWeights<type>;
    static constexpr int64_t cached = 16 << 10;  // bytes of weights that tokens take turns at: half of a small first-level cache
    static constexpr int64_t ahead = 4096;       // bytes between what is read and what is asked for: so long is memory's answer
    static constexpr int together = 4;           // tokens whose sums fit the registers, and rows
    static constexpr int64_t most = Avx512::few;  // tokens

    // Below it, the factor of a token is no longer finite.
    static constexpr float smallest = 1e-30f;

public:
    static void run(const Weights& w, int64_t first, int64_t last, const float* const* x, int64_t tokens, float* const* y) {
        const float* from[most];
        float* to[most];
        float scales[most];
        int64_t count = 0;
        for (int64_t t = 0; t < tokens; t++) {
            const float size = largest(x[t], w.columns);
            if (size >= smallest && size <= std::numeric_limits<float>::max()) {
                from[count] = x[t];
                to[count] = y[t];
                scales[count++] = size / kLargest;
            } else {
                avx512_kernels.dot(w, first, last, x + t, 1, y + t);
            }
        }
        Planes<type> planes[most];
        for (int64_t begin = 0; begin < w.columns; begin += kPass) {
            const Weights part = w.band(begin, w.columns - begin < kPass ? w.columns - begin : kPass);
            for (int64_t t = 0; t < count; t++) {
                planes[t].set(from[t] + begin, part.columns, 1 / scales[t]);
            }
            const int64_t fit = cached / part.bytes(part.columns) / together * together;
            const int64_t block = count > together ? (fit > together ? fit : together) : last - first;
            for (int64_t row = first; row < last; row += block) {
                const int64_t end = last - row < block ? last : row + block;
                for (int64_t t = 0; t < count; t += together) {
                    float* out[together];
                    const int64_t size = count - t < together ? count - t : together;
                    for (int64_t i = 0; i < size; i++) {
                        out[i] = to[t + i] + (row - first);
                    }
                    const int64_t fetched = t == 0 ? last : 0;
                    switch (size) {
                        case 1: rows<1>(part, row, end, fetched, planes + t, scales + t, out, begin > 0); break;
                        case 2: rows<2>(part, row, end, fetched, planes + t, scales + t, out, begin > 0); break;
                        case 3: rows<3>(part, row, end, fetched, planes + t, scales + t, out, begin > 0); break;
                        default: rows<4>(part, row, end, fetched, planes + t, scales + t, out, begin > 0);
                    }
                }
            }
        }
    }

private:
    /// NaN and infinity come out as such.
    static float largest(const float* x, int64_t count) {
        // As bits: a NaN is above all numbers.
        __m512i most = _mm512_setzero_si512();
        for (int64_t k = 0; k < count; k += 16) {
            most = _mm512_max_epi32(most, _mm512_and_si512(_mm512_loadu_si512(x + k), _mm512_set1_epi32(0x7fffffff)));
        }
        return float_of_bits(static_cast<uint32_t>(_mm512_reduce_max_epi32(most)));
    }

    /// Rows before `fetched` are asked for ahead.
    template <int tokens>
    static void rows(const Weights& w, int64_t first, int64_t last, int64_t fetched, const Planes<type>* x, const float* scales, float* const* y,
                     bool add) {
        const std::byte* end = w.row(fetched);
        int64_t row = first;
        for (; row + together <= last; row += together) {
            sums<together, tokens>(w, row, end, x, scales, y, row - first, add);
        }
        for (; row < last; row++) {
            sums<1, tokens>(w, row, end, x, scales, y, row - first, add);
        }
    }

    template <int height, int tokens>
    [[gnu::always_inline]] static inline void sums(const Weights& w, int64_t row, const std::byte* end, const Planes<type>* x,
                                                   const float* scales, float* const* y, int64_t at, bool add) {
        const int64_t whole = w.columns / Format::columns, rest = w.columns % Format::columns;
        const int64_t block = w.block == 16 ? 16 : 32, blocks = Format::columns / block;
        const __m512i places = Format::places(block);
        const std::byte *data[height], *next = w.row(row) + ahead;
        const uint16_t* factors[height];
#pragma GCC unroll 4
        for (int r = 0; r < height; r++) {
            data[r] = w.row(row + r);
            factors[r] = w.row_scales(row + r);
        }
        __m512 sum[tokens * height];
#pragma GCC unroll 16
        for (__m512& part : sum) {
            part = _mm512_setzero_ps();
        }
        for (int64_t i = 0; i < whole; i++) {
            if (next < end) {
#pragma GCC unroll 4
                for (int r = 0; r < height; r++) {
                    __builtin_prefetch(next + r * 64);
                }
                next += height * 64;
            }
            chunk<height, tokens>(data, i * 64, ~uint64_t{0}, factors, i * blocks, static_cast<__mmask8>((1 << blocks) - 1), places, x, i, sum);
        }
        if (rest > 0) {
            chunk<height, tokens>(data, whole * 64, ~uint64_t{0} >> (64 - rest / Format::operands), factors, whole * blocks,
                                  static_cast<__mmask8>((1 << rest / block) - 1), places, x, whole, sum);
        }
#pragma GCC unroll 4
        for (int t = 0; t < tokens; t++) {
            float total[height];
            if constexpr (height == 4) {
                Avx512::sum4(sum[4 * t], sum[4 * t + 1], sum[4 * t + 2], sum[4 * t + 3], total);
            } else {
                total[0] = Avx512::sum(sum[t]);
            }
            for (int r = 0; r < height; r++) {
                y[t][at + r] = (add ? y[t][at + r] : 0) + total[r] * scales[t];
            }
        }
    }

    /// 64 bytes of each row, or the first ones of them.
    template <int height, int tokens>
    [[gnu::always_inline]] static inline void chunk(const std::byte* const* data, int64_t byte, __mmask64 bytes, const uint16_t* const* factors,
                                                    int64_t block, __mmask8 blocks, __m512i places, const Planes<type>* x, int64_t index,
                                                    __m512* sum) {
        __m512i weights[height][Format::operands];
        __m512 factor[height];
#pragma GCC unroll 4
        for (int r = 0; r < height; r++) {
            Format::load(data[r] + byte, bytes, weights[r]);
            const __m256 wide = _mm256_cvtph_ps(_mm_maskz_loadu_epi16(blocks, factors[r] + block));
            factor[r] = _mm512_permutexvar_ps(places, _mm512_castps256_ps512(wide));
        }
#pragma GCC unroll 4
        for (int t = 0; t < tokens; t++) {
            const __m512i start = _mm512_load_si512(x[t].start[index]);
#pragma GCC unroll 4
            for (int r = 0; r < height; r++) {
                __m512i whole = _mm512_setzero_si512();
                x[t].add(weights[r], index * Format::columns, whole);
                sum[t * height + r] = _mm512_fmadd_ps(_mm512_cvtepi32_ps(_mm512_add_epi32(whole, start)), factor[r], sum[t * height + r]);
            }
        }
    }
};

}  // namespace
}  // namespace latentmoe
