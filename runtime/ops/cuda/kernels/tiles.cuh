// Products of activations and weights with tensor cores, a tile for each block. Both are copied to shared memory as they are stored, and
// weights widened to the activations' type in registers. Where the rows of the two come from is the caller's business, so that dense,
// grouped and gathered products share this loop.
#pragma once
#include "tile_shape.h"
#include "weights.cuh"

namespace latentmoe::cuda {

/// Buffers of rows of `depth` numbers of `bits`, so ordered that neither copies of 16 bytes nor reads meet in one bank: eight lanes, or as
/// many as take 128 bytes, read the same unit of neighbouring rows.
template <int depth, int bits, int unit>
struct TileRows {
    static constexpr int stride = depth * bits / 8;
    static constexpr int rows_a_line = stride < 128 ? 128 / stride : 1;
    static constexpr int units_a_line = 128 / unit, units_a_row = stride / unit;
    static constexpr int mask = (units_a_line < units_a_row ? units_a_line : units_a_row) - 1;
    static constexpr int period = rows_a_line * (mask + 1);  // rows so far apart have the same order
    static_assert((mask & (mask + 1)) == 0 && 8 % period == 0);

    DEVICE static int32_t offset(int32_t row, int32_t byte) {
        const int32_t place = byte / unit ^ (row / rows_a_line & mask);
        return row * stride + place * unit + byte % unit;
    }
};

/// The copies that a thread makes for one matrix of a tile: 16 bytes of each of `count` rows.
template <typename Rows, int rows, int bits, int threads>
struct TileCopies {
    static constexpr int chunks = Rows::stride / 16, count = rows * chunks / threads, step = threads / chunks;
    static_assert(rows * chunks % threads == 0 && threads % chunks == 0 && count <= 32);
    const unsigned char* sources[count];
    uint32_t missing = 0;  // rows, of which zeros are copied

    DEVICE static int32_t chunk() { return int32_t(thread_index()) % chunks; }
    DEVICE static int32_t row(int i) { return int32_t(thread_index()) / chunks + i * step; }
    DEVICE static int32_t offset(int i) {
        return step % Rows::period == 0 ? Rows::offset(row(0), chunk() * 16) + i * step * Rows::stride : Rows::offset(row(i), chunk() * 16);
    }

    /// Null for none.
    DEVICE void set(int i, const void* source) {
        sources[i] = static_cast<const unsigned char*>(source);
        missing |= uint32_t(source == nullptr) << i;
    }

    /// Of a buffer's columns from `first` on; those from `columns` on are zeros. The latter is a multiple of 16 bytes.
    DEVICE void start(unsigned char* buffer, int32_t first, int32_t columns) const {
        const int32_t column = first + chunk() * (128 / bits);
        const uint32_t none = column < columns ? missing : 0xFFFFFFFF;
        const int64_t skip = int64_t(column) * bits / 8;
        UNROLL(16)
        for (int i = 0; i < count; i++) {
            copy_async16(buffer + offset(i), sources[i] + skip, (none >> i & 1) != 0 ? 0 : 16);
        }
    }
};

/// T is f16 or bf16; W is T or quantised in blocks of 32, with columns and pitch multiples of 64; otherwise of 8. Rows of both matrices
/// begin at multiples of 16 bytes.
template <typename T, typename W, typename Shape>
class TiledProduct {
public:
    static constexpr int shared_bytes = Shape::shared_bytes(Format<W>::bits);

    /// Sums over the columns of a token's activations by a weights' row, for the whole tile, to be read with `sum` or `sums`. `token(i)`
    /// gives a const T* to the activations of token i of the tile, `row(i)` the index of weight row i as int64_t; null and −1 stand for
    /// none, of which the sums may be anything. All threads of the block come here, and may read all sums behind it; before shared memory
    /// is used again they meet at a barrier.
    template <typename Tokens, typename Rows>
    DEVICE static void run(const WeightRows<W>& weights, int32_t columns, Tokens token, Rows row) {
        Copies copies;
        UNROLL(16)
        for (int i = 0; i < copies.x.count; i++) {
            copies.x.set(i, token(copies.x.row(i)));
        }
        UNROLL(16)
        for (int i = 0; i < copies.w.count; i++) {
            const int64_t index = row(copies.w.row(i));
            copies.w.set(i, index >= 0 ? weights.row(index) : nullptr);
        }
        if constexpr (Format<W>::quantised) {
            const int64_t index = int32_t(thread_index()) < scale_copies ? row(int32_t(thread_index()) / scale_chunks) : -1;
            copies.scales = index >= 0 ? weights.row_scales(index) : nullptr;
        }

        const int32_t steps = (columns + Shape::depth - 1) / Shape::depth;
        UNROLL(1)
        for (int32_t i = 0; i < Shape::stages - 1; i++) {
            copies.start(i, i, steps, columns);
        }
        float sums[row_parts][token_parts][4] = {};
        int32_t stage = 0;
        for (int32_t i = 0; i < steps; i++) {
            copy_async_wait<Shape::stages - 2>();
            block_barrier();
            copies.start(stage == 0 ? Shape::stages - 1 : stage - 1, i + Shape::stages - 1, steps, columns);
            multiply(shared_memory() + stage * stage_bytes, sums);
            stage = stage + 1 == Shape::stages ? 0 : stage + 1;
        }
        copy_async_wait<0>();
        block_barrier();
        store(sums);
        block_barrier();
    }

    DEVICE static float sum(int32_t token, int32_t row) {
        float total = result()[token * Shape::result_pitch + row];
        UNROLL(8)
        for (int i = 1; i < Shape::depth_warps; i++) {
            total += result()[i * Shape::result_size + token * Shape::result_pitch + row];
        }
        return total;
    }

    /// Of four rows, the first a multiple of 4.
    DEVICE static void sums(int32_t token, int32_t row, float (&totals)[4]) {
        UNROLL(8)
        for (int i = 0; i < Shape::depth_warps; i++) {
            const auto part = *reinterpret_cast<const u32x4*>(result() + i * Shape::result_size + token * Shape::result_pitch + row);
            const float parts[4] = {float_of(part.x), float_of(part.y), float_of(part.z), float_of(part.w)};
            UNROLL(4)
            for (int j = 0; j < 4; j++) {
                totals[j] = i == 0 ? parts[j] : totals[j] + parts[j];
            }
        }
    }

private:
    static constexpr int stage_bytes = Shape::stage_bytes(Format<W>::bits);
    static constexpr int weights_at = Shape::tokens * Shape::depth * 2;
    static constexpr int scales_at = weights_at + Shape::rows * Shape::depth * Format<W>::bits / 8;
    static constexpr int groups = Shape::depth / 32;  // of 32 columns: a unit of the buffers, a block of quantised weights
    static constexpr int scale_chunks = groups / 2, scale_copies = Shape::rows * scale_chunks;
    static constexpr int warp_rows = Shape::rows / Shape::row_warps, row_parts = warp_rows / 16;
    static constexpr int warp_tokens = Shape::tokens / Shape::token_warps, token_parts = warp_tokens / 8;
    static_assert(scale_copies <= Shape::threads && weights_at % 128 == 0 && stage_bytes % 128 == 0);

    // Fragments of 32 columns: by load_matrices, eight rows and a chunk of 16 bytes at once. Of quantised weights a lane holds the eight
    // columns from 8 · (lane % 4) on, and so of the activations too: products of 16 columns take any, if both matrices take the same.
    using XRows = TileRows<Shape::depth, 16, Format<W>::quantised ? 64 : 16>;
    using WRows = TileRows<Shape::depth, Format<W>::bits, Format<W>::quantised ? 4 * Format<W>::bits : 16>;

    struct Copies {
        TileCopies<XRows, Shape::tokens, 16, Shape::threads> x;
        TileCopies<WRows, Shape::rows, Format<W>::bits, Shape::threads> w;
        const f16* scales = nullptr;

        /// Of one step to a buffer; past the last step an empty group, which keeps the count of groups.
        DEVICE void start(int32_t stage, int32_t step, int32_t steps, int32_t columns) const {
            if (step < steps) {
                unsigned char* buffer = shared_memory() + stage * stage_bytes;
                const int32_t first = step * Shape::depth;
                x.start(buffer, first, columns);
                w.start(buffer + weights_at, first, columns);
                if constexpr (Format<W>::quantised) {
                    if (scales != nullptr) {
                        const int32_t thread = int32_t(thread_index()), block = first / 32 + thread % scale_chunks * 2;
                        const bool inside = block * 32 < columns;
                        copy_async4(buffer + scales_at + thread * 4, scales + (inside ? block : 0), inside ? 4 : 0);
                    }
                }
            }
            copy_async_commit();
        }
    };

    DEVICE static float* result() { return reinterpret_cast<float*>(shared_memory()); }

    // The warp's place: its first row and token, and which part of the depth it sums.
    DEVICE static int32_t first_row() { return int32_t(warp_index()) % Shape::row_warps * warp_rows; }
    DEVICE static int32_t first_token() { return int32_t(warp_index()) / Shape::row_warps % Shape::token_warps * warp_tokens; }
    DEVICE static int32_t depth_part() { return int32_t(warp_index()) / (Shape::row_warps * Shape::token_warps); }

    DEVICE static void multiply(const unsigned char* buffer, float (&sums)[row_parts][token_parts][4]) {
        constexpr int part = groups / Shape::depth_warps;
        UNROLL(2)
        for (int i = 0; i < part; i++) {
            const int32_t group = depth_part() * part + i;
            uint32_t a[row_parts][2][4];
            float scales[row_parts][2];
            read_weights(buffer, group, a, scales);
            const int32_t lane = int32_t(lane_index());
            const int32_t token = Format<W>::quantised ? lane / 4 : lane % 8, chunk = Format<W>::quantised ? lane % 4 : lane / 8;
            const unsigned char* x = buffer + first_token() * XRows::stride + XRows::offset(token, group * 64 + chunk * 16);
            UNROLL(16)
            for (int t = 0; t < token_parts; t++) {
                uint32_t b[4];
                if constexpr (Format<W>::quantised) {
                    const u32x4 words = *reinterpret_cast<const u32x4*>(x + t * 8 * XRows::stride);
                    b[0] = words.x, b[1] = words.y, b[2] = words.z, b[3] = words.w;
                } else {
                    load_matrices(b, x + t * 8 * XRows::stride);
                }
                UNROLL(8)
                for (int r = 0; r < row_parts; r++) {
                    if constexpr (Format<W>::quantised) {
                        float block[4] = {};
                        multiply_group(block, a[r], b);
                        UNROLL(4)
                        for (int j = 0; j < 4; j++) {
                            sums[r][t][j] = fma_of(scales[r][j / 2], block[j], sums[r][t][j]);
                        }
                    } else {
                        multiply_group(sums[r][t], a[r], b);
                    }
                }
            }
        }
    }

    DEVICE static void multiply_group(float (&d)[4], const uint32_t (&a)[2][4], const uint32_t (&b)[4]) {
        multiply_accumulate<T>(d, a[0], {b[0], b[1]});
        multiply_accumulate<T>(d, a[1], {b[2], b[3]});
    }

    /// The warp's rows of a group, and of quantised ones the scales of the lane's rows, which are 8 apart.
    DEVICE static void read_weights(const unsigned char* buffer, int32_t group, uint32_t (&a)[row_parts][2][4],
                                    float (&scales)[row_parts][2]) {
        const int32_t lane = int32_t(lane_index());
        const unsigned char* rows = buffer + weights_at + first_row() * WRows::stride;
        UNROLL(8)
        for (int r = 0; r < row_parts; r++) {
            if constexpr (Format<W>::quantised) {
                const int32_t byte = (group * 32 + lane % 4 * 8) * Format<W>::bits / 8;
                const unsigned char* low = rows + WRows::offset(lane / 4, byte) + r * 16 * WRows::stride;
                const u32x4 first = Eight<T, W>::read(low), second = Eight<T, W>::read(low + 8 * WRows::stride);
                a[r][0][0] = first.x, a[r][0][1] = second.x, a[r][0][2] = first.y, a[r][0][3] = second.y;
                a[r][1][0] = first.z, a[r][1][1] = second.z, a[r][1][2] = first.w, a[r][1][3] = second.w;
                UNROLL(2)
                for (int half = 0; half < 2; half++) {
                    const int32_t row = first_row() + r * 16 + half * 8 + lane / 4;
                    scales[r][half] = to_float(reinterpret_cast<const f16*>(buffer + scales_at)[row * groups + group]);
                }
            } else {
                UNROLL(2)
                for (int half = 0; half < 2; half++) {
                    const int32_t byte = group * 64 + half * 32 + lane / 16 * 16;
                    load_matrices(a[r][half], rows + WRows::offset(lane % 16, byte) + r * 16 * WRows::stride);
                }
            }
        }
    }

    DEVICE static void store(const float (&sums)[row_parts][token_parts][4]) {
        float* part = result() + depth_part() * Shape::result_size;
        UNROLL(8)
        for (int r = 0; r < row_parts; r++) {
            UNROLL(16)
            for (int t = 0; t < token_parts; t++) {
                UNROLL(4)
                for (int j = 0; j < 4; j++) {
                    const int32_t row = first_row() + r * 16 + j / 2 * 8 + int32_t(lane_index()) / 4;
                    const int32_t token = first_token() + t * 8 + int32_t(lane_index()) % 4 * 2 + j % 2;
                    part[token * Shape::result_pitch + row] = sums[r][t][j];
                }
            }
        }
    }
};

}  // namespace latentmoe::cuda
