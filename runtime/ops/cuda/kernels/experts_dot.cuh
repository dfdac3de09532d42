// A lane's part of the product of a row of weights and one of numbers: what 16 bytes of weights hold, in float32.
#pragma once
#include "numbers.cuh"

namespace latentmoe::cuda {

/// Columns in 16 bytes of weights.
template <typename W>
constexpr int32_t dot_columns = 128 / Format<W>::bits;

template <typename W>
DEVICE void widen_16(const u32x4& words, float (&numbers)[dot_columns<W>]) {
    const uint32_t all[4] = {words.x, words.y, words.z, words.w};
    constexpr int of_word = dot_columns<W> / 4;
    UNROLL(4)
    for (int i = 0; i < 4; i++) {
        float part[of_word];
        widen<W>(all[i], part);
        UNROLL(8)
        for (int j = 0; j < of_word; j++) {
            numbers[i * of_word + j] = part[j];
        }
    }
}

/// 16 bytes of weights, their scales, and the numbers that they are multiplied by.
template <typename T, typename W>
struct DotPart {
    static constexpr int columns = dot_columns<W>, halves = columns / 16;
    u32x4 words;
    float scales[halves > 0 ? halves : 1];  // of 16 columns each, which a block holds one or two times
    const T* x;

    DEVICE void load(const WeightRows<W>& weights, int64_t row, int32_t column, const T* numbers) {
        words = load_once(weights.row(row) + bytes_of<W>(column));
        if constexpr (Format<W>::quantised) {
            const f16* row_scales = weights.row_scales(row);
            UNROLL(2)
            for (int half = 0; half < halves; half++) {
                scales[half] = to_float(row_scales[(column + half * 16) / weights.block]);
            }
        }
        x = numbers + column;
    }

    DEVICE float sum() const {
        float weights[columns], sums[2] = {};
        widen_16<W>(words, weights);
        constexpr int together = 16 / int(sizeof(T));
        UNROLL(8)
        for (int i = 0; i < columns; i += together) {
            float numbers[together];
            read_numbers(x + i, numbers);
            UNROLL(8)
            for (int j = 0; j < together; j++) {
                const int half = (i + j) / (columns / 2);
                sums[half] = fma_of(weights[i + j], numbers[j], sums[half]);
            }
        }
        if constexpr (Format<W>::quantised) {
            return fma_of(sums[0], scales[0], sums[1] * scales[halves - 1]);
        } else {
            return sums[0] + sums[1];
        }
    }
};

}  // namespace latentmoe::cuda
