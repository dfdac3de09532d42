// The tile product: a few rows of a, broadcast, times neighbouring columns of b, with the sums in registers.
#pragma once
#include "kernels.h"

namespace latentmoe {
namespace {

template <class V>
struct Multiply {
    using F = typename V::Floats;
    static constexpr int rows = 6;

    static void run(const float* const* a, int64_t tokens, int64_t depth, const float* b, int64_t stride, float* const* c, int64_t columns,
                    bool add) {
        int64_t j = 0;
        if (tokens <= 2) {
            // One or two rows alone would wait for their own sums.
            j = columns_of<2 * V::tile>(a, tokens, depth, b, stride, c, j, columns, add);
        }
        j = columns_of<V::tile>(a, tokens, depth, b, stride, c, j, columns, add);
        if (j < columns && j + panel <= stride) {
            return rest(a, tokens, depth, b + j, stride, c, j, columns - j, add);
        }
        j = columns_of<1>(a, tokens, depth, b, stride, c, j, columns, add);
        for (; j < columns; j++) {
            for (int64_t t = 0; t < tokens; t++) {
                float sum = add ? c[t][j] : 0.0f;
                for (int64_t k = 0; k < depth; k++) {
                    sum += a[t][k] * b[k * stride + j];
                }
                c[t][j] = sum;
            }
        }
    }

private:
    static constexpr int64_t panel = V::tile * V::width;

    // Fewer columns than a tile, in rows of b that are long enough for one.
    static void rest(const float* const* a, int64_t tokens, int64_t depth, const float* b, int64_t stride, float* const* c, int64_t j,
                     int64_t count, bool add) {
        alignas(64) float sums[rows * panel];
        float* out[rows];
        for (int t = 0; t < rows; t++) {
            out[t] = sums + t * panel;
        }
        for (int64_t begin = 0; begin < tokens; begin += rows) {
            int64_t size = tokens - begin < rows ? tokens - begin : rows;
            columns_of<V::tile>(a + begin, size, depth, b, stride, out, 0, panel, false);
            for (int64_t t = 0; t < size; t++) {
                for (int64_t i = 0; i < count; i++) {
                    c[begin + t][j + i] = add ? c[begin + t][j + i] + out[t][i] : out[t][i];
                }
            }
        }
    }

    template <int vectors>
    static int64_t columns_of(const float* const* a, int64_t tokens, int64_t depth, const float* b, int64_t stride, float* const* c, int64_t j,
                              int64_t columns, bool add) {
        for (; j + vectors * V::width <= columns; j += vectors * V::width) {
            int64_t t = 0;
            if constexpr (vectors <= V::tile) {
                for (; t + rows <= tokens; t += rows) {
                    tile<rows, vectors>(a + t, depth, b + j, stride, c + t, j, add);
                }
                switch (tokens - t) {
                    case 5: tile<5, vectors>(a + t, depth, b + j, stride, c + t, j, add); continue;
                    case 4: tile<4, vectors>(a + t, depth, b + j, stride, c + t, j, add); continue;
                    case 3: tile<3, vectors>(a + t, depth, b + j, stride, c + t, j, add); continue;
                }
            }
            switch (tokens - t) {
                case 2: tile<2, vectors>(a + t, depth, b + j, stride, c + t, j, add); break;
                case 1: tile<1, vectors>(a + t, depth, b + j, stride, c + t, j, add); break;
            }
        }
        return j;
    }

    template <int height, int vectors>
    static void tile(const float* const* a, int64_t depth, const float* b, int64_t stride, float* const* c, int64_t j, bool add) {
        F sum[height][vectors];
#pragma GCC unroll 8
        for (int t = 0; t < height; t++) {
#pragma GCC unroll 8
            for (int v = 0; v < vectors; v++) {
                sum[t][v] = add ? V::load(c[t] + j + v * V::width) : V::zero();
            }
        }
        const float* row[height];
#pragma GCC unroll 8
        for (int t = 0; t < height; t++) {
            row[t] = a[t];
        }
        for (int64_t k = 0; k < depth; k++, b += stride) {
            F right[vectors];
#pragma GCC unroll 8
            for (int v = 0; v < vectors; v++) {
                right[v] = V::load(b + v * V::width);
            }
#pragma GCC unroll 8
            for (int t = 0; t < height; t++) {
                F left = V::all(row[t][k]);
#pragma GCC unroll 8
                for (int v = 0; v < vectors; v++) {
                    sum[t][v] = V::fma(left, right[v], sum[t][v]);
                }
            }
        }
#pragma GCC unroll 8
        for (int t = 0; t < height; t++) {
#pragma GCC unroll 8
            for (int v = 0; v < vectors; v++) {
                V::store(c[t] + j + v * V::width, sum[t][v]);
            }
        }
    }
};

}  // namespace
}  // namespace latentmoe
