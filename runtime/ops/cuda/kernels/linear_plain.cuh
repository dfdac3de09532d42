// Linear for any shape and alignment, in float32 arithmetic: for several tokens of float32, and for widths that the fast kernels do not
// take.
#pragma once
#include "plain_tile.h"
#include "weights.cuh"

namespace latentmoe::cuda {

template <typename T, typename W, int tile>
class LinearPlain {
public:
    DEVICE static void run(const WeightRows<W>& w, int64_t rows, int32_t columns, const T* x, int64_t tokens, T* y) {
        const auto row_tiles = uint32_t((rows + Tile::rows - 1) / Tile::rows);
        const int64_t first_row = int64_t(block_x() % row_tiles) * Tile::rows, first_token = int64_t(block_x() / row_tiles) * Tile::tokens;
        auto* shared = reinterpret_cast<float*>(shared_memory());
        const int32_t own_row = int32_t(thread_index()) % 16 * 4, own_token = int32_t(thread_index()) / 16 * Tile::own;
        float sums[Tile::own][4] = {}, next_w[4], next_x[Tile::own];

        // The next numbers are on their way to registers while the present ones are summed from shared memory.
        read(w, rows - first_row, first_row, columns, x + first_token * columns, tokens - first_token, 0, next_w, next_x);
        for (int32_t column = 0; column < columns; column += Tile::depth) {
            float* buffer = shared + column / Tile::depth % 2 * Tile::buffer;
            write(buffer, next_w, next_x);
            block_barrier();
            if (column + Tile::depth < columns) {
                read(w, rows - first_row, first_row, columns, x + first_token * columns, tokens - first_token, column + Tile::depth, next_w,
                     next_x);
            }
            add(buffer, own_row, own_token, sums);
        }
        UNROLL(4)
        for (int t = 0; t < Tile::own; t++) {
            UNROLL(4)
            for (int r = 0; r < 4; r++) {
                if (first_token + own_token + t < tokens && first_row + own_row + r < rows) {
                    y[(first_token + own_token + t) * rows + first_row + own_row + r] = rounded<T>(sums[t][r]);
                }
            }
        }
    }

private:
    using Tile = PlainTile<tile>;

    // A thread's column of the tile, and the first of its rows, or tokens, which are 16 apart.
    DEVICE static int32_t own_column() { return int32_t(thread_index()) % Tile::depth; }
    DEVICE static int32_t own_line() { return int32_t(thread_index()) / Tile::depth; }

    /// Numbers of the tile, 0 where there are none.
    DEVICE static void read(const WeightRows<W>& w, int64_t rows, int64_t first_row, int32_t columns, const T* x, int64_t tokens,
                            int32_t first, float (&next_w)[4], float (&next_x)[Tile::own]) {
        const int32_t column = first + own_column();
        UNROLL(4)
        for (int i = 0; i < 4; i++) {
            const int32_t row = own_line() + 16 * i;
            next_w[i] = row < rows && column < columns ? w.at(first_row + row, column) : 0;
        }
        UNROLL(4)
        for (int i = 0; i < Tile::own; i++) {
            const int32_t token = own_line() + 16 * i;
            next_x[i] = token < tokens && column < columns ? to_float(x[int64_t(token) * columns + column]) : 0;
        }
    }

    DEVICE static void write(float* buffer, const float (&next_w)[4], const float (&next_x)[Tile::own]) {
        UNROLL(4)
        for (int i = 0; i < 4; i++) {
            buffer[own_column() * Tile::row_pitch + own_line() + 16 * i] = next_w[i];
        }
        UNROLL(4)
        for (int i = 0; i < Tile::own; i++) {
            buffer[Tile::depth * Tile::row_pitch + own_column() * Tile::token_pitch + own_line() + 16 * i] = next_x[i];
        }
    }

    DEVICE static void add(const float* buffer, int32_t own_row, int32_t own_token, float (&sums)[Tile::own][4]) {
        UNROLL(16)
        for (int k = 0; k < Tile::depth; k++) {
            const auto four = *reinterpret_cast<const u32x4*>(buffer + k * Tile::row_pitch + own_row);
            const float numbers[4] = {float_of(four.x), float_of(four.y), float_of(four.z), float_of(four.w)};
            UNROLL(4)
            for (int t = 0; t < Tile::own; t++) {
                const float activation = buffer[Tile::depth * Tile::row_pitch + k * Tile::token_pitch + own_token + t];
                UNROLL(4)
                for (int r = 0; r < 4; r++) {
                    sums[t][r] = fma_of(numbers[r], activation, sums[t][r]);
                }
            }
        }
    }
};

#define LINEAR_PLAIN_TILE(tile, T, W)                                                                                                     \
    KERNEL(linear_plain##tile##_##T##_##W, PlainTile<tile>::threads,                                                                      \
           (const void* data, const f16* scales, int64_t pitch, int32_t block, int64_t rows, int32_t columns, const T* x, int64_t tokens,  \
            T* y)) {                                                                                                                      \
        LinearPlain<T, W, tile>::run({static_cast<const unsigned char*>(data), scales, pitch, block}, rows, columns, x, tokens, y);        \
    }
#define LINEAR_PLAIN(T, W)      \
    LINEAR_PLAIN_TILE(16, T, W) \
    LINEAR_PLAIN_TILE(64, T, W)

}  // namespace latentmoe::cuda
