// The experts of many tokens: tiled products over each expert's tokens. The shared experts' blocks come first, then those of the list of
// tiles; the blocks of a tile, which take one part of the rows each, follow each other.
#pragma once
#include "experts_plain.cuh"
#include "experts_tile_list.cuh"
#include "tiles.cuh"

namespace latentmoe::cuda {

/// One matrix of the routed experts and that of the shared ones, and how the blocks share them out.
template <typename W>
struct ExpertMatrices {
    WeightRows<W> routed, shared;
    int32_t routed_rows, shared_rows;  // of an expert that the blocks share out
    int32_t stack_rows;                // from one routed expert to the next
};

/// A block's work: rows `row` on of `weights`, for `count` sorted pairs, or tokens, from `first` on.
template <typename W>
struct ExpertBlock {
    WeightRows<W> weights;
    bool is_shared;
    int32_t rows, row, first, count;
};

template <typename W>
DEVICE ExpertBlock<W> expert_block(const ExpertMatrices<W>& matrices, int32_t rows, int32_t tile_tokens, int32_t tokens,
                                   const int32_t* tiles) {
    const uint32_t of_shared = uint32_t(matrices.shared_rows + rows - 1) / uint32_t(rows);
    const uint32_t shared_blocks = of_shared * (uint32_t(tokens + tile_tokens - 1) / uint32_t(tile_tokens));
    if (block_x() < shared_blocks) {
        const int32_t first = int32_t(block_x() / of_shared) * tile_tokens, left = tokens - first;
        const int32_t row = int32_t(block_x() % of_shared) * rows;
        return {matrices.shared, true, matrices.shared_rows, row, first, left < tile_tokens ? left : tile_tokens};
    }
    const uint32_t of_tile = uint32_t(matrices.routed_rows + rows - 1) / uint32_t(rows), block = block_x() - shared_blocks;
    const ExpertTile tile = read_tile(tiles, int32_t(block / of_tile));
    return {matrices.routed.from(int64_t(tile.expert) * matrices.stack_rows), false, matrices.routed_rows, int32_t(block % of_tile) * rows,
            tile.first, tile.count};
}

/// Four numbers to a row, as many of them as are left there; at once where rows are `fours`.
template <bool fours, typename T>
DEVICE void store_four(T* target, const float (&values)[4], int32_t left) {
    if constexpr (fours) {
        *reinterpret_cast<u32x2*>(target) = {pack<T>(values[0], values[1]), pack<T>(values[2], values[3])};
    } else {
        UNROLL(4)
        for (int i = 0; i < 4; i++) {
            if (i < left) {
                target[i] = rounded<T>(values[i]);
            }
        }
    }
}

/// middle [pairs, hidden] in sorted order, and shared_middle [tokens, shared]. A block takes as many gate rows as up rows.
template <typename Product, typename Shape, bool fours, typename T, typename W>
DEVICE void experts_hidden_tile(const ExpertMatrices<W>& gate_up, int32_t slots, int32_t width, int32_t tokens, const T* x,
                                const int32_t* order, const int32_t* tiles, T* middle, T* shared_middle) {
    constexpr int32_t half = Shape::rows / 2;
    const ExpertBlock<W> block = expert_block(gate_up, half, Shape::tokens, tokens, tiles);
    if (block.count == 0) {
        return;
    }
    const auto token = [=](int32_t i) -> const T* {
        return i < block.count ? x + int64_t(block.is_shared ? block.first + i : order[block.first + i] / slots) * width : nullptr;
    };
    const auto row = [=](int32_t i) -> int64_t {
        const int32_t index = block.row + i % half;
        return index < block.rows ? index + (i < half ? 0 : block.rows) : -1;
    };
    Product::run(block.weights, width, token, row);
    T* target = (block.is_shared ? shared_middle : middle) + int64_t(block.first) * block.rows + block.row;
    for (int32_t i = int32_t(thread_index()); i < Shape::tokens * half / 4; i += Shape::threads) {
        const int32_t pair = i / (half / 4), column = i % (half / 4) * 4;
        if (pair < block.count && block.row + column < block.rows) {
            float gates[4], ups[4];
            Product::sums(pair, column, gates);
            Product::sums(pair, half + column, ups);
            UNROLL(4)
            for (int j = 0; j < 4; j++) {
                gates[j] = swiglu(gates[j], ups[j]);
            }
            store_four<fours>(target + int64_t(pair) * block.rows + column, gates, block.rows - block.row - column);
        }
    }
}

/// parts [tokens · slots, width] of the routed experts, without their share, and shared_part [tokens, width].
template <typename Product, typename Shape, bool fours, typename T, typename W>
DEVICE void experts_output_tile(const ExpertMatrices<W>& down, int32_t hidden, int32_t shared, int32_t tokens, const T* middle,
                                const T* shared_middle, const int32_t* order, const int32_t* tiles, T* parts, T* shared_part) {
    const ExpertBlock<W> block = expert_block(down, Shape::rows, Shape::tokens, tokens, tiles);
    if (block.count == 0) {
        return;
    }
    const int32_t columns = block.is_shared ? shared : hidden;
    const T* source = (block.is_shared ? shared_middle : middle) + int64_t(block.first) * columns;
    Product::run(
        block.weights, columns, [=](int32_t i) -> const T* { return i < block.count ? source + int64_t(i) * columns : nullptr; },
        [=](int32_t i) -> int64_t { return block.row + i < block.rows ? block.row + i : -1; });
    for (int32_t i = int32_t(thread_index()); i < Shape::tokens * Shape::rows / 4; i += Shape::threads) {
        const int32_t pair = i / (Shape::rows / 4), column = i % (Shape::rows / 4) * 4;
        if (pair < block.count && block.row + column < block.rows) {
            float sums[4];
            Product::sums(pair, column, sums);
            T* target = block.is_shared ? shared_part + int64_t(block.first + pair) * block.rows
                                        : parts + int64_t(order[block.first + pair]) * block.rows;
            store_four<fours>(target + block.row + column, sums, block.rows - block.row - column);
        }
    }
}

#define EXPERTS_TILE(tile, Product, Shape, fours, T, W)                                                                                   \
    KERNEL(experts_hidden_##tile##_##T##_##W, Shape::threads,                                                                             \
           (const void* gate_up, const f16* scales, const void* shared_gate_up, const f16* shared_scales, int32_t block, int32_t slots,   \
            int32_t width, int32_t hidden, int32_t shared, int32_t tokens, const T* x, const int32_t* order, const int32_t* tiles,        \
            T* middle, T* shared_middle)) {                                                                                               \
        const WeightRows<W> routed_rows{static_cast<const unsigned char*>(gate_up), scales, width, block};                                \
        const WeightRows<W> shared_rows{static_cast<const unsigned char*>(shared_gate_up), shared_scales, width, block};                  \
        const ExpertMatrices<W> matrices{routed_rows, shared_rows, hidden, shared, 2 * hidden};                                           \
        experts_hidden_tile<Product<T, W, Shape>, Shape, fours, T, W>(matrices, slots, width, tokens, x, order, tiles, middle,            \
                                                                      shared_middle);                                                     \
    }                                                                                                                                     \
    KERNEL(experts_output_##tile##_##T##_##W, Shape::threads,                                                                             \
           (const void* down, const f16* scales, const void* shared_down, const f16* shared_scales, int32_t block, int32_t width,         \
            int32_t hidden, int32_t shared, int32_t tokens, const T* middle, const T* shared_middle, const int32_t* order,                \
            const int32_t* tiles, T* parts, T* shared_part)) {                                                                            \
        const WeightRows<W> routed_rows{static_cast<const unsigned char*>(down), scales, hidden, block};                                  \
        const WeightRows<W> shared_rows{static_cast<const unsigned char*>(shared_down), shared_scales, shared, block};                    \
        const ExpertMatrices<W> matrices{routed_rows, shared_rows, width, shared > 0 ? width : 0, width};                                 \
        experts_output_tile<Product<T, W, Shape>, Shape, fours, T, W>(matrices, hidden, shared, tokens, middle, shared_middle, order,     \
                                                                      tiles, parts, shared_part);                                         \
    }
#define EXPERTS_TILES(T, W, Largest)                           \
    EXPERTS_TILE(tile8, TiledProduct, Tile8, true, T, W)       \
    EXPERTS_TILE(tile16, TiledProduct, Tile16, true, T, W)     \
    EXPERTS_TILE(tile32, TiledProduct, Tile32, true, T, W)     \
    EXPERTS_TILE(tile64, TiledProduct, Tile64, true, T, W)     \
    EXPERTS_TILE(tile128, TiledProduct, Largest, true, T, W)

}  // namespace latentmoe::cuda
