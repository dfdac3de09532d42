// A gate's products with tokens, in float32 by fused multiply-adds alone: the choice of experts hangs on their last bits.
#pragma once
#include "portable.cuh"

namespace latentmoe::cuda {

constexpr int gate_rows = 4;  // that a warp multiplies at a time

DEVICE void load_four(const float* x, float (&values)[4]) {
    const u32x4 bits = *reinterpret_cast<const u32x4*>(x);
    values[0] = float_of(bits.x);
    values[1] = float_of(bits.y);
    values[2] = float_of(bits.z);
    values[3] = float_of(bits.w);
}
template <typename T>
DEVICE void load_four(const T* x, float (&values)[4]) {
    const u32x2 bits = *reinterpret_cast<const u32x2*>(x);
    values[0] = low_of<T>(bits.x);
    values[1] = high_of<T>(bits.x);
    values[2] = low_of<T>(bits.y);
    values[3] = high_of<T>(bits.y);
}

/// Sums each of `count` numbers, a power of 2 up to 32, over the warp: lane l gets that of number l / (32 / count). A number's sum
/// is the same bits whatever the count.
template <int count, int size, uint32_t mask = 16>
DEVICE float warp_sums(float (&values)[size]) {
    if constexpr (count > 1) {
        const bool upper = (lane_index() & mask) != 0;
        UNROLL(16)
        for (int i = 0; i < count / 2; i++) {
            const float low = values[i], high = values[i + count / 2];
            values[i] = (upper ? high : low) + shuffle_xor(upper ? low : high, mask);
        }
    } else {
        values[0] += shuffle_xor(values[0], mask);
    }
    if constexpr (mask > 1) {
        return warp_sums<(count > 1 ? count / 2 : 1), size, mask / 2>(values);
    } else {
        return values[0];
    }
}

/// Neighbouring rows of a matrix, so many of them that exist; the last one stands for those beyond.
template <typename T, int count>
struct RowsOf {
    const T* first;
    int32_t starts[count];

    DEVICE RowsOf(const T* matrix, int64_t row, int64_t rows, int32_t width) : first(matrix + row * width) {
        UNROLL(8)
        for (int i = 0; i < count; i++) {
            starts[i] = int32_t(row + i < rows ? i : rows - 1 - row) * width;
        }
    }
    DEVICE const T* at(int i, int32_t column) const { return first + starts[i] + column; }
};

/// sums[r · tokens + t] += gate row r · token t, over four columns.
template <typename T, int tokens>
DEVICE void add_four(const RowsOf<float, gate_rows>& gate, const RowsOf<T, tokens>& x, int32_t column, float (&sums)[gate_rows * tokens]) {
    float rows[gate_rows][4];
    UNROLL(4)
    for (int r = 0; r < gate_rows; r++) {
        load_four(gate.at(r, column), rows[r]);
    }
    UNROLL(8)
    for (int t = 0; t < tokens; t++) {
        float token[4];
        load_four(x.at(t, column), token);
        UNROLL(4)
        for (int r = 0; r < gate_rows; r++) {
            UNROLL(4)
            for (int j = 0; j < 4; j++) {
                sums[r * tokens + t] = fma_of(rows[r][j], token[j], sums[r * tokens + t]);
            }
        }
    }
}

/// The warp's part of gate row r · token t in sums[r · tokens + t]: columns 4 · lane + first and then every `step`. `quads`: rows and
/// tokens lie where four numbers can be loaded at once.
template <typename T, int tokens>
DEVICE void gate_sums(const RowsOf<float, gate_rows>& gate, const RowsOf<T, tokens>& x, int32_t width, int32_t first, int32_t step,
                      bool quads, float (&sums)[gate_rows * tokens]) {
    UNROLL(32)
    for (float& sum : sums) {
        sum = 0;
    }
    int32_t i = first + 4 * int32_t(lane_index());
    if (quads) {
        constexpr int turns = tokens == 1 ? 3 : 1;  // so many loads are under way at once
        for (; i < width - (turns - 1) * step; i += turns * step) {
            UNROLL(4)
            for (int turn = 0; turn < turns; turn++) {
                add_four<T, tokens>(gate, x, i + turn * step, sums);
            }
        }
        for (; i < width; i += step) {
            add_four<T, tokens>(gate, x, i, sums);
        }
        return;
    }
    for (; i < width; i += step) {
        for (int32_t j = i; j < i + 4 && j < width; j++) {
            UNROLL(8)
            for (int t = 0; t < tokens; t++) {
                const float token = to_float(*x.at(t, j));
                UNROLL(4)
                for (int r = 0; r < gate_rows; r++) {
                    sums[r * tokens + t] = fma_of(*gate.at(r, j), token, sums[r * tokens + t]);
                }
            }
        }
    }
}

}  // namespace latentmoe::cuda
