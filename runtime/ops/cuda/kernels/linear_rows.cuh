// Linear for one token or a few: weights are read once, 16 bytes a lane at a time, and sums kept in float32.
#pragma once
#include "numbers.cuh"

namespace latentmoe::cuda {

/// A group of 2^lanes_log lanes, up to the block's threads, sums `parallel` rows by `count` tokens.
template <typename T, typename W, int parallel, int count>
class LinearRows {
public:
    /// Columns are a multiple of a chunk, 128 / bits; rows of x and of the weights begin at multiples of 16 bytes.
    DEVICE static void run(const WeightRows<W>& w, int64_t rows, int32_t columns, const T* x, int32_t tokens, int32_t lanes_log, T* y) {
        const int32_t thread = int32_t(thread_index()), lanes = 1 << lanes_log;
        const int64_t first = (int64_t(block_x()) * (int32_t(block_threads()) >> lanes_log) + (thread >> lanes_log)) * parallel;
        float sums[parallel][count] = {};
        if (first < rows) {
            Rows held;
            UNROLL(4)
            for (int r = 0; r < parallel; r++) {
                const int64_t row = first + r < rows ? first + r : first;  // in place of a row that is missing
                held.starts[r] = w.row(row);
                if constexpr (Format<W>::quantised) {
                    held.scales[r] = w.row_scales(row);
                }
            }
            for (int32_t column = (thread & (lanes - 1)) * chunk; column < columns; column += lanes * chunk) {
                add(held.read(column, w.block_shift()), x + column, columns, tokens, sums);
            }
        }
        reduce(sums, lanes);
        if (first < rows && (thread & (lanes - 1)) == 0) {
            UNROLL(4)
            for (int t = 0; t < count; t++) {
                UNROLL(4)
                for (int r = 0; r < parallel; r++) {
                    if (t < tokens && first + r < rows) {
                        y[t * rows + first + r] = rounded<T>(sums[r][t]);
                    }
                }
            }
        }
    }

private:
    static constexpr int chunk = 128 / Format<W>::bits, a_word = 32 / Format<W>::bits;
    static constexpr int piece = chunk < 8 ? chunk : 8;  // numbers that are widened at once

    /// 16 bytes of each row, and their scales, one for each 16 columns.
    struct Chunks {
        u32x4 words[parallel];
        f16 scales[parallel][chunk / 16 + 1];
    };

    struct Rows {
        const unsigned char* starts[parallel];
        const f16* scales[parallel];

        DEVICE Chunks read(int32_t column, int32_t shift) const {
            Chunks result;
            UNROLL(4)
            for (int r = 0; r < parallel; r++) {
                result.words[r] = load_once(starts[r] + int64_t(column) * Format<W>::bits / 8);
                if constexpr (Format<W>::quantised) {
                    UNROLL(2)
                    for (int i = 0; i < chunk / 16; i++) {
                        result.scales[r][i] = scales[r][(column + i * 16) >> shift];
                    }
                }
            }
            return result;
        }
    };

    /// x begins at the chunks' column.
    DEVICE static void add(const Chunks& chunks, const T* x, int32_t columns, int32_t tokens, float (&sums)[parallel][count]) {
        UNROLL(4)
        for (int p = 0; p < chunk / piece; p++) {
            float numbers[parallel][piece], scale[parallel];
            UNROLL(4)
            for (int r = 0; r < parallel; r++) {
                const u32x4& words = chunks.words[r];
                const uint32_t parts[4] = {words.x, words.y, words.z, words.w};
                UNROLL(4)
                for (int i = 0; i < piece / a_word; i++) {
                    float widened[a_word];
                    widen<W>(parts[p * (piece / a_word) + i], widened);
                    UNROLL(8)
                    for (int n = 0; n < a_word; n++) {
                        numbers[r][i * a_word + n] = widened[n];
                    }
                }
                if constexpr (Format<W>::quantised) {
                    scale[r] = to_float(chunks.scales[r][p * piece / 16]);
                }
            }
            UNROLL(4)
            for (int t = 0; t < count; t++) {
                float activations[piece];
                read_numbers(x + int64_t(t < tokens ? t : 0) * columns + p * piece, activations);
                UNROLL(4)
                for (int r = 0; r < parallel; r++) {
                    float sum = Format<W>::quantised ? 0 : sums[r][t];
                    UNROLL(8)
                    for (int i = 0; i < piece; i++) {
                        sum = fma_of(numbers[r][i], activations[i], sum);
                    }
                    sums[r][t] = Format<W>::quantised ? fma_of(scale[r], sum, sums[r][t]) : sum;
                }
            }
        }
    }

    /// To the sums of the group's lanes, in its first lane at least.
    DEVICE static void reduce(float (&sums)[parallel][count], int32_t lanes) {
        UNROLL(4)
        for (int r = 0; r < parallel; r++) {
            UNROLL(4)
            for (int t = 0; t < count; t++) {
                UNROLL(5)
                for (int mask = 16; mask > 0; mask /= 2) {
                    if (mask < lanes) {
                        sums[r][t] += shuffle_xor(sums[r][t], uint32_t(mask));
                    }
                }
            }
        }
        if (lanes > 32) {
            const int32_t thread = int32_t(thread_index());
            auto* parts = reinterpret_cast<float*>(shared_memory()) + thread / 32 * parallel * count;  // (warps, parallel, count)
            UNROLL(16)
            for (int i = 0; i < parallel * count; i++) {
                if (thread % 32 == 0) {
                    parts[i] = sums[i / count][i % count];
                }
            }
            block_barrier();
            if ((thread & (lanes - 1)) == 0) {
                UNROLL(1)
                for (int32_t warp = 1; warp < lanes / 32; warp++) {
                    UNROLL(16)
                    for (int i = 0; i < parallel * count; i++) {
                        sums[i / count][i % count] += parts[warp * parallel * count + i];
                    }
                }
            }
        }
    }
};

#define LINEAR_ROWS(T, W, parallel, count)                                                                                                \
    KERNEL(linear_rows##parallel##_tokens##count##_##T##_##W, 128,                                                                        \
           (const void* data, const f16* scales, int64_t pitch, int32_t block, int64_t rows, int32_t columns, const T* x, int32_t tokens,  \
            int32_t lanes_log, T* y)) {                                                                                                   \
        LinearRows<T, W, parallel, count>::run({static_cast<const unsigned char*>(data), scales, pitch, block}, rows, columns, x, tokens,  \
                                               lanes_log, y);                                                                             \
    }

}  // namespace latentmoe::cuda
