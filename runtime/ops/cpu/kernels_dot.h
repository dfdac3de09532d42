// Rows of weights times few tokens: every weight is read and widened once.
#pragma once
#include "kernels_rows.h"
#include "kernels_weights.h"

namespace latentmoe {
namespace {

template <class V>
struct Dot {
    using F = typename V::Floats;
    static constexpr int64_t few = V::few;
    // Columns of a pass: so many floats of every token lie on the stack, in the order of the nibbles.
    static constexpr int64_t pass = 1024;
    // Bytes of weights that tokens take turns at: half of a small first-level cache.
    static constexpr int64_t cached = 16 << 10;

    /// `near` says that the weights are in a cache already.
    template <bool near>
    static void run(const Weights& w, int64_t first, int64_t last, const float* const* x, int64_t tokens, float* const* y) {
        with_type(w.type, [&]<WeightType type>() {
            switch (tokens) {
                case 1: return rows<type, 1, false>(w, first, last, x, y);
                case 2: return rows<type, 2, false>(w, first, last, x, y);
                case 3: return rows<type, 3, near>(w, first, last, x, y);
                case 4: return rows<type, 4, near>(w, first, last, x, y);
            }
            // More tokens take turns at as many rows as stay in the first-level cache.
            const int64_t row = w.bytes(w.columns < pass ? w.columns : pass), fit = cached / (row > 0 ? row : 1) / 4 * 4;
            const int64_t block = fit > 4 ? fit : 4;
            for (int64_t i = first; i < last; i += block) {
                const int64_t end = last - i < block ? last : i + block;
                int64_t begin = 0;
                float* out[4];
                for (; begin + 4 <= tokens; begin += 4) {
                    for (int64_t t = 0; t < 4; t++) {
                        out[t] = y[begin + t] + (i - first);
                    }
                    begin == 0 ? rows<type, 4, near>(w, i, end, x, out) : rows<type, 4, true>(w, i, end, x + begin, out);
                }
                for (; begin < tokens; begin++) {
                    out[0] = y[begin] + (i - first);
                    rows<type, 1, false>(w, i, end, x + begin, out);
                }
            }
        });
    }

private:
    // Bytes between what is read and what is asked for: so long is memory's answer. Only quantised weights need it; the longer rows
    // of the others are foreseen by the machine itself, and asking costs more than it brings.
    static constexpr int64_t ahead = 4096;

    // Rows at a time, so that rows · tokens sums fit the registers.
    template <int tokens>
    static constexpr int height = V::registers / tokens >= 4 ? 4 : V::registers / tokens >= 2 ? 2 : 1;

    template <WeightType type, int tokens, bool near>
    static void rows(const Weights& w, int64_t first, int64_t last, const float* const* x, float* const* y) {
        alignas(64) float ordered[type == WeightType::Int4 ? tokens * pass : 1];
        for (int64_t begin = 0; begin == 0 || begin < w.columns; begin += pass) {
            Weights part = w.band(begin, w.columns - begin < pass ? w.columns - begin : pass);
            const float* source[tokens];
            for (int t = 0; t < tokens; t++) {
                source[t] = x[t] + begin;
                if constexpr (type == WeightType::Int4) {
                    order(source[t], part.columns, ordered + t * pass);
                    source[t] = ordered + t * pass;
                }
            }
            int64_t i = first;
            for (; i + height<tokens> <= last; i += height<tokens>) {
                sums<type, height<tokens>, tokens, near>(part, i, source, y, i - first, begin > 0);
            }
            for (; i < last; i++) {
                sums<type, 1, tokens, near>(part, i, source, y, i - first, begin > 0);
            }
        }
    }

    /// The dot products of `height` rows with `tokens` vectors.
    template <WeightType type, int height, int tokens, bool near>
    static void sums(const Weights& w, int64_t row, const float* const* x, float* const* y, int64_t at, bool add) {
        F sum[height * tokens];
        int64_t k;
        if constexpr (!near) {
            k = in_turn<type, height, tokens>(w, row, x, sum);
        } else {
            k = side_by_side<type, height, tokens>(w, row, x, sum);
        }
        // Every index a constant, or the sums would leave the registers.
        constexpr int fours = height * tokens / 4 * 4;
        float total[height * tokens];
#pragma GCC unroll 16
        for (int i = 0; i < fours; i += 4) {
            V::sum4(sum[i], sum[i + 1], sum[i + 2], sum[i + 3], total + i);
        }
#pragma GCC unroll 4
        for (int i = fours; i < height * tokens; i++) {
            total[i] = V::sum(sum[i]);
        }
        for (int t = 0; t < tokens; t++) {
            for (int r = 0; r < height; r++) {
                float value = total[r * tokens + t];
                if constexpr (is_float<type>) {
                    const Row<V, type> source(w, row + r);
                    for (int64_t tail = k; tail < w.columns; tail++) {
                        value += source.element(tail) * x[t][tail];
                    }
                }
                y[t][at + r] = add ? y[t][at + r] + value : value;
            }
        }
    }

    /// One row after the other: memory is read in its own order, which is what its speed hangs on where arithmetic is little.
    template <WeightType type, int height, int tokens>
    [[gnu::always_inline]] static inline int64_t in_turn(const Weights& w, int64_t row, const float* const* x, F* sum) {
        // Sums that do not wait for each other.
        constexpr int ways = type == WeightType::Int4 || 4 * tokens > V::registers ? 1 : 4;
        int64_t k = 0;
#pragma GCC unroll 4
        for (int r = 0; r < height; r++) {
            F part[ways][tokens];
#pragma GCC unroll 16
            for (int i = 0; i < ways * tokens; i++) {
                part[i / tokens][i % tokens] = V::zero();
            }
            k = type == WeightType::Int4 ? nibbles<1, tokens>(w, row + r, x, part[0]) : 0;
            Row<V, type> source(w, row + r);
            alignas(64) float scale[is_float<type> ? 1 : pass / 16];
            widen_scales(w, source, scale, k);
            for (; k + ways * V::width <= w.columns; k += ways * V::width) {
                if constexpr (type == WeightType::Int8) {
                    __builtin_prefetch(source.data + k + ahead);
                }
                step<type, 1, tokens, ways>(w, &source, x, part, k);
            }
            for (; k + V::width <= w.columns; k += V::width) {
                step<type, 1, tokens, 1>(w, &source, x, part, k);
            }
#pragma GCC unroll 4
            for (int t = 0; t < tokens; t++) {
                if constexpr (ways == 4) {
                    sum[r * tokens + t] = V::add(V::add(part[0][t], part[1][t]), V::add(part[2][t], part[3][t]));
                } else {
                    sum[r * tokens + t] = part[0][t];
                }
            }
        }
        return k;
    }

    /// All rows at once, so that a token's vector serves each of them.
    template <WeightType type, int height, int tokens>
    [[gnu::always_inline]] static inline int64_t side_by_side(const Weights& w, int64_t row, const float* const* x, F* sum) {
#pragma GCC unroll 16
        for (int i = 0; i < height * tokens; i++) {
            sum[i] = V::zero();
        }
        int64_t k = 0;
        if constexpr (type == WeightType::Int4) {
            k = nibbles<height, tokens>(w, row, x, sum);
        }
        Row<V, type> source[height];
        alignas(64) float scale[height][is_float<type> ? 1 : pass / 16];
#pragma GCC unroll 4
        for (int r = 0; r < height; r++) {
            source[r] = Row<V, type>(w, row + r);
            widen_scales(w, source[r], scale[r], k);
        }
        F(&all)[1][height * tokens] = reinterpret_cast<F(&)[1][height * tokens]>(*sum);
        for (; k + V::width <= w.columns; k += V::width) {
            step<type, height, tokens, 1>(w, source, x, all, k);
        }
        return k;
    }

    // For the columns from k on.
    template <WeightType type>
    [[gnu::always_inline]] static inline void widen_scales(const Weights& w, Row<V, type>& source, float* scale, int64_t k) {
        if constexpr (!is_float<type>) {
            if (k < w.columns) {
                Rows<V>::widen16(source.scales, scale, w.columns / w.block);
                source.wide = scale;
            }
        }
    }

    template <WeightType type, int height, int tokens, int ways, typename Sums>
    [[gnu::always_inline]] static inline void step(const Weights& w, const Row<V, type>* source, const float* const* x, Sums& sum, int64_t k) {
#pragma GCC unroll 4
        for (int u = 0; u < ways; u++) {
#pragma GCC unroll 4
            for (int r = 0; r < height; r++) {
                F weight = source[r].load_wide(k + u * V::width, w.block);
#pragma GCC unroll 8
                for (int t = 0; t < tokens; t++) {
                    sum[u][r * tokens + t] = V::fma(weight, V::load(x[t] + k + u * V::width), sum[u][r * tokens + t]);
                }
            }
        }
    }

    // Int4: a vector of 32-bit words holds 8 · width columns, the j-th four bits of all words every eighth column from j on.
    // Tokens are put into that order once; what is left behind the last whole vector stays as it was.
    static constexpr int64_t chunk = 8 * V::width;

    static void order(const float* x, int64_t columns, float* out) {
        int64_t k = 0;
        for (; k + chunk <= columns; k += chunk) {
            F a[8], b[8];
            for (int i = 0; i < 8; i++) {
                a[i] = V::load(x + k + i * V::width);
            }
            // Each round parts the columns by one more bit of their number.
            for (int i = 0; i < 4; i++) {
                V::deinterleave(a[2 * i], a[2 * i + 1], b[i], b[4 + i]);
            }
            for (int half = 0; half < 8; half += 4) {
                for (int i = 0; i < 2; i++) {
                    V::deinterleave(b[half + 2 * i], b[half + 2 * i + 1], a[half + i], a[half + 2 + i]);
                }
            }
            for (int pair = 0; pair < 8; pair += 2) {
                V::deinterleave(a[pair], a[pair + 1], b[pair], b[pair + 1]);
            }
            // b[4·bit0 + 2·bit1 + bit2] holds the columns whose number ends in these bits.
            for (int j = 0; j < 8; j++) {
                V::store(out + k + j * V::width, b[(j & 1) * 4 + (j & 2) + (j >> 2)]);
            }
        }
        for (; k < columns; k++) {
            out[k] = x[k];
        }
    }

    template <int height, int tokens>
    [[gnu::always_inline]] static inline int64_t nibbles(const Weights& w, int64_t row, const float* const* x, F* sum) {
        int64_t k = 0;
        for (; k + chunk <= w.columns; k += chunk) {
            typename V::Words words[height];
            F scale[height], part[height];
#pragma GCC unroll 4
            for (int r = 0; r < height; r++) {
                words[r] = V::load_words(w.row(row + r) + k / 2);
                if constexpr (height == 1) {
                    __builtin_prefetch(w.row(row + r) + k / 2 + ahead);
                }
                scale[r] = V::spread_scales(w.row_scales(row + r) + k / w.block, w.block);
                part[r] = V::zero();
            }
            each<height, tokens, 0>(words, scale, x, k, sum, part);
            if constexpr (tokens == 1) {
#pragma GCC unroll 4
                for (int r = 0; r < height; r++) {
                    sum[r] = V::fma(part[r], scale[r], sum[r]);
                }
            }
        }
        return k;
    }

    template <int height, int tokens, int j>
    [[gnu::always_inline]] static inline void each(const typename V::Words* words, const F* scale, const float* const* x, int64_t k, F* sum,
                                                   F* part) {
        if constexpr (j < 8) {
#pragma GCC unroll 4
            for (int r = 0; r < height; r++) {
                F weight = V::template nibbles<4 * j>(words[r]);
                if constexpr (tokens == 1) {
                    part[r] = V::fma(weight, V::load(x[0] + k + j * V::width), part[r]);
                } else {
                    weight = V::mul(weight, scale[r]);
#pragma GCC unroll 8
                    for (int t = 0; t < tokens; t++) {
                        sum[r * tokens + t] = V::fma(weight, V::load(x[t] + k + j * V::width), sum[r * tokens + t]);
                    }
                }
            }
            each<height, tokens, j + 1>(words, scale, x, k, sum, part);
        }
    }
};

}  // namespace
}  // namespace latentmoe
