// Products of activations and weights in float32 arithmetic, a tile for each block, for any shape and alignment.
#pragma once
#include "plain_tile.h"
#include "weights.cuh"

namespace latentmoe::cuda {

/// A thread's part of a tile on its way to shared memory: one column of every 16th row, or token.
template <typename Source, int count, int pitch>
class PlainColumn {
public:
    /// `start(i)` gives the source of line i.
    template <typename Start>
    DEVICE explicit PlainColumn(Start start) {
        UNROLL(4)
        for (int i = 0; i < count; i++) {
            sources[i] = start(line() + 16 * i);
        }
    }

    /// Column `first` and the thread's place behind it; 0 from `columns` on.
    DEVICE void read(int32_t first, int32_t columns) {
        const int32_t column = first + place();
        UNROLL(4)
        for (int i = 0; i < count; i++) {
            numbers[i] = column < columns ? sources[i].at(column) : 0;
        }
    }

    DEVICE void write(float* buffer) const {
        UNROLL(4)
        for (int i = 0; i < count; i++) {
            buffer[place() * pitch + line() + 16 * i] = numbers[i];
        }
    }

private:
    DEVICE static int32_t place() { return int32_t(thread_index()) % 16; }
    DEVICE static int32_t line() { return int32_t(thread_index()) / 16; }

    Source sources[count];
    float numbers[count];
};

/// As TiledProduct, but for the conditions.
template <typename T, typename W, typename Tile>
class PlainProduct {
public:
    template <typename Tokens, typename Rows>
    DEVICE static void run(const WeightRows<W>& weights, int32_t columns, Tokens token, Rows row) {
        PlainColumn<WeightsRow, Tile::rows / 16, Tile::row_pitch> w([&](int32_t i) { return WeightsRow{weights, row(i)}; });
        PlainColumn<TokenRow, Tile::own, Tile::token_pitch> x([&](int32_t i) { return TokenRow{token(i)}; });
        float sums[Tile::own][4] = {};
        w.read(0, columns);
        x.read(0, columns);
        for (int32_t first = 0; first < columns; first += Tile::depth) {
            float* buffer = memory() + first / Tile::depth % 2 * Tile::buffer;
            w.write(buffer);
            x.write(buffer + tokens_at);
            block_barrier();
            w.read(first + Tile::depth, columns);
            x.read(first + Tile::depth, columns);
            add(buffer, sums);
        }
        block_barrier();
        UNROLL(4)
        for (int t = 0; t < Tile::own; t++) {
            UNROLL(4)
            for (int r = 0; r < 4; r++) {
                memory()[(own_token() + t) * Tile::row_pitch + own_row() + r] = sums[t][r];
            }
        }
        block_barrier();
    }

    DEVICE static void sums(int32_t token, int32_t row, float (&totals)[4]) {
        UNROLL(4)
        for (int i = 0; i < 4; i++) {
            totals[i] = memory()[token * Tile::row_pitch + row + i];
        }
    }

private:
    static_assert(Tile::tokens * Tile::row_pitch * 4 <= Tile::shared_bytes && Tile::depth == 16);
    static constexpr int tokens_at = Tile::depth * Tile::row_pitch;

    /// A row of weights; −1 stands for none.
    struct WeightsRow {
        WeightRows<W> weights;
        int64_t row;
        DEVICE float at(int32_t column) const { return row >= 0 ? weights.at(row, column) : 0; }
    };
    struct TokenRow {
        const T* numbers;  // null: none
        DEVICE float at(int32_t column) const { return numbers != nullptr ? to_float(numbers[column]) : 0; }
    };

    DEVICE static float* memory() { return reinterpret_cast<float*>(shared_memory()); }
    DEVICE static int32_t own_row() { return int32_t(thread_index()) % 16 * 4; }
    DEVICE static int32_t own_token() { return int32_t(thread_index()) / 16 * Tile::own; }

    DEVICE static void add(const float* buffer, float (&sums)[Tile::own][4]) {
        UNROLL(16)
        for (int k = 0; k < Tile::depth; k++) {
            const auto four = *reinterpret_cast<const u32x4*>(buffer + k * Tile::row_pitch + own_row());
            const float numbers[4] = {float_of(four.x), float_of(four.y), float_of(four.z), float_of(four.w)};
            UNROLL(4)
            for (int t = 0; t < Tile::own; t++) {
                const float activation = buffer[tokens_at + k * Tile::token_pitch + own_token() + t];
                UNROLL(4)
                for (int r = 0; r < 4; r++) {
                    sums[t][r] = fma_of(numbers[r], activation, sums[t][r]);
                }
            }
        }
    }
};

}  // namespace latentmoe::cuda
