// Linear for several tokens: a block for each tile of the product.
#pragma once
#include "tiles.cuh"

namespace latentmoe::cuda {

/// Four numbers to y, as many of them as `left`; at once where `whole`, which y's address then allows.
template <typename T>
DEVICE void store_four(T* y, const float (&values)[4], int64_t left, bool whole) {
    if (whole && left >= 4) {
        *reinterpret_cast<u32x2*>(y) = {pack<T>(values[0], values[1]), pack<T>(values[2], values[3])};
        return;
    }
    for (int i = 0; i < 4; i++) {
        if (i < left) {
            y[i] = rounded<T>(values[i]);
        }
    }
}

/// y [tokens, rows] = x [tokens, columns] · weightsᵀ. Blocks of one tile of tokens follow each other.
template <typename T, typename W, typename Shape>
DEVICE void linear_tile(const void* data, const f16* scales, int64_t pitch, int64_t rows, int32_t columns, const T* x, int64_t tokens,
                        T* y) {
    const auto row_tiles = uint32_t((rows + Shape::rows - 1) / Shape::rows);
    const int64_t first_row = int64_t(block_x() % row_tiles) * Shape::rows, first_token = int64_t(block_x() / row_tiles) * Shape::tokens;
    using Product = TiledProduct<T, W, Shape>;
    Product::run(
        WeightRows<W>{static_cast<const unsigned char*>(data), scales, pitch, 32}, columns,
        [=](int32_t i) -> const T* { return first_token + i < tokens ? x + (first_token + i) * columns : nullptr; },
        [=](int32_t i) -> int64_t { return first_row + i < rows ? first_row + i : -1; });

    const bool whole = rows % 4 == 0 && reinterpret_cast<uintptr_t>(y) % 8 == 0;
    for (int32_t i = int32_t(thread_index()); i < Shape::tokens * Shape::rows / 4; i += Shape::threads) {
        const int32_t token = i / (Shape::rows / 4), row = i % (Shape::rows / 4) * 4;
        if (first_token + token < tokens && first_row + row < rows) {
            float totals[4];
            Product::sums(token, row, totals);
            store_four(y + (first_token + token) * rows + first_row + row, totals, rows - first_row - row, whole);
        }
    }
}

#define LINEAR_TILE(stem, Shape, T, W)                                                                                                    \
    KERNEL(stem##_##T##_##W, Shape::threads,                                                                                              \
           (const void* data, const f16* scales, int64_t pitch, int64_t rows, int32_t columns, const T* x, int64_t tokens, T* y)) {        \
        linear_tile<T, W, Shape>(data, scales, pitch, rows, columns, x, tokens, y);                                                       \
    }
#define LINEAR_TILES(T, W, Largest)         \
    LINEAR_TILE(linear_tile8, Tile8, T, W)   \
    LINEAR_TILE(linear_tile16, Tile16, T, W) \
    LINEAR_TILE(linear_tile32, Tile32, T, W) \
    LINEAR_TILE(linear_tile64, Tile64, T, W) \
    LINEAR_TILE(linear_tile128, Largest, T, W)

}  // namespace latentmoe::cuda
