// Attention of few queries over cached rows where they lie, in halves and in their own precision: a row's number is widened in a register.
#pragma once
#include "half.h"
#include "kernels.h"

namespace latentmoe {
namespace {

template <class V, typename E>
struct CachedAttention {
    using F = typename V::Floats;

    static void score(const CachedRows& rows, const CachedRows& next, int64_t count, const float* q, int64_t lines, float* scores,
                      int64_t stride) {
        const int64_t width = 2 * rows.half;
        for_lines(lines, [&]<int height>(int64_t line) {
            // Only the first lines ask for what comes next.
            score_lines<height>(rows, line == 0 ? next : rows, count, q + line * width, scores + line * stride, stride);
        });
    }

    static void weigh(const CachedRows& rows, int64_t count, const float* weights, int64_t stride, int64_t lines, float* sums, int64_t width,
                      bool add) {
        for_lines(lines, [&]<int height>(int64_t line) {
            weigh_lines<height>(rows, count, weights + line * stride, stride, sums + line * width, width, add);
        });
    }

private:
    /// Lines that are taken together: each vector of a row serves all of them.
    template <typename Body>
    static void for_lines(int64_t lines, Body body) {
        int64_t line = 0;
        for (; line + 8 <= lines; line += 8) {
            body.template operator()<8>(line);
        }
        for (; line + 4 <= lines; line += 4) {
            body.template operator()<4>(line);
        }
        for (; line < lines; line++) {
            body.template operator()<1>(line);
        }
    }

    /// So many vectors of sums of each line fit the registers.
    template <int lines>
    static constexpr int beside = V::registers / lines >= 4 ? 4 : V::registers / lines >= 2 ? 2 : 1;

    template <int lines>
    static void score_lines(const CachedRows& rows, const CachedRows& next, int64_t count, const float* q, float* scores, int64_t stride) {
        int64_t i = 0;
        for (; i + beside<lines> <= count; i += beside<lines>) {
            score_rows<lines, beside<lines>>(rows, next, i, q, scores + i, stride);
        }
        for (; i < count; i++) {
            score_rows<lines, 1>(rows, next, i, q, scores + i, stride);
        }
    }

    template <int lines, int height>
    [[gnu::always_inline]] static inline void score_rows(const CachedRows& rows, const CachedRows& next, int64_t row, const float* q,
                                                         float* scores, int64_t stride) {
        const int64_t half = rows.half;
        F sum[height * lines];
#pragma GCC unroll 16
        for (F& part : sum) {
            part = V::zero();
        }
        for (int64_t side = 0; side < 2; side++) {
            const E *from = rows.template side<E>(side) + row * half, *then = next.template side<E>(side) + row * half;
            const float* to = q + side * half;
            for (int64_t k = 0; k + V::width <= half; k += V::width) {
                F x[height];
#pragma GCC unroll 4
                for (int r = 0; r < height; r++) {
                    __builtin_prefetch(then + r * half + k);
                    x[r] = load(from + r * half + k);
                }
#pragma GCC unroll 8
                for (int l = 0; l < lines; l++) {
                    F y = V::load(to + l * 2 * half + k);
                    V::hold(y);
#pragma GCC unroll 4
                    for (int r = 0; r < height; r++) {
                        sum[r * lines + l] = V::fma(x[r], y, sum[r * lines + l]);
                    }
                }
            }
        }
        float total[height * lines];
        constexpr int fours = height * lines / 4 * 4;
#pragma GCC unroll 4
        for (int i = 0; i < fours; i += 4) {
            V::sum4(sum[i], sum[i + 1], sum[i + 2], sum[i + 3], total + i);
        }
#pragma GCC unroll 4
        for (int i = fours; i < height * lines; i++) {
            total[i] = V::sum(sum[i]);
        }
        for (int l = 0; l < lines; l++) {
            for (int r = 0; r < height; r++) {
                scores[l * stride + r] = total[r * lines + l] + rest(rows, row + r, q + l * 2 * half);
            }
        }
    }

    /// What is left behind the last whole vectors of the halves.
    [[gnu::always_inline]] static inline float rest(const CachedRows& rows, int64_t row, const float* q) {
        float sum = 0;
        for (int64_t k = rows.half / V::width * V::width; k < rows.half; k++) {
            for (int64_t side = 0; side < 2; side++) {
                sum += widen(rows.template side<E>(side)[row * rows.half + k]) * q[side * rows.half + k];
            }
        }
        return sum;
    }

    template <int lines>
    static void weigh_lines(const CachedRows& rows, int64_t count, const float* weights, int64_t stride, float* sums, int64_t width, bool add) {
        constexpr int vectors = beside<lines>;
        for (int64_t side = 0; side < 2; side++) {
            const int64_t left = width - side * rows.half, columns = left < rows.half ? left : rows.half;
            const E* from = rows.template side<E>(side);
            float* to = sums + side * rows.half;
            int64_t k = 0;
            for (; k + vectors * V::width <= columns; k += vectors * V::width) {
                weigh_columns<lines, vectors>(from + k, rows.half, count, weights, stride, to + k, width, add);
            }
            for (; k + V::width <= columns; k += V::width) {
                weigh_columns<lines, 1>(from + k, rows.half, count, weights, stride, to + k, width, add);
            }
            for (; k < columns; k++) {
                for (int l = 0; l < lines; l++) {
                    float sum = add ? to[l * width + k] : 0;
                    for (int64_t i = 0; i < count; i++) {
                        sum += weights[l * stride + i] * widen(from[i * rows.half + k]);
                    }
                    to[l * width + k] = sum;
                }
            }
        }
    }

    template <int lines, int vectors>
    [[gnu::always_inline]] static inline void weigh_columns(const E* from, int64_t half, int64_t count, const float* weights, int64_t stride,
                                                            float* sums, int64_t width, bool add) {
        F sum[lines][vectors];
#pragma GCC unroll 8
        for (int l = 0; l < lines; l++) {
#pragma GCC unroll 4
            for (int v = 0; v < vectors; v++) {
                sum[l][v] = add ? V::load(sums + l * width + v * V::width) : V::zero();
            }
        }
        for (int64_t i = 0; i < count; i++, from += half) {
            F x[vectors];
#pragma GCC unroll 4
            for (int v = 0; v < vectors; v++) {
                x[v] = load(from + v * V::width);
            }
#pragma GCC unroll 8
            for (int l = 0; l < lines; l++) {
                const F weight = V::all(weights[l * stride + i]);
#pragma GCC unroll 4
                for (int v = 0; v < vectors; v++) {
                    sum[l][v] = V::fma(weight, x[v], sum[l][v]);
                }
            }
        }
#pragma GCC unroll 8
        for (int l = 0; l < lines; l++) {
#pragma GCC unroll 4
            for (int v = 0; v < vectors; v++) {
                V::store(sums + l * width + v * V::width, sum[l][v]);
            }
        }
    }

    static F load(const float* p) { return V::load(p); }
    static F load(const uint16_t* p) { return V::load_f16(p); }
    static float widen(float x) { return x; }
    static float widen(uint16_t x) { return float_of_f16(x); }
};

template <class V>
struct Cached {
    static void score(const CachedRows& rows, const CachedRows& next, int64_t count, const float* q, int64_t lines, float* scores,
                      int64_t stride) {
        (rows.half_precision ? CachedAttention<V, uint16_t>::score : CachedAttention<V, float>::score)(rows, next, count, q, lines, scores, stride);
    }

    static void weigh(const CachedRows& rows, int64_t count, const float* weights, int64_t stride, int64_t lines, float* sums, int64_t width,
                      bool add) {
        (rows.half_precision ? CachedAttention<V, uint16_t>::weigh : CachedAttention<V, float>::weigh)(rows, count, weights, stride, lines, sums,
                                                                                                      width, add);
    }
};

}  // namespace
}  // namespace latentmoe
