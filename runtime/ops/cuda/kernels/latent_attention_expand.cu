// Keys [pair, column, dn + dr] and values [pair, column, dv] of the full form, from the cached rows; a pair is one head of one batch row,
// and rows are of a multiple of 16 numbers. A block multiplies the latents of 128 columns by 64 rows of one head's kv_b.
#include "latent_attention.cuh"

namespace latentmoe::cuda {

constexpr int32_t threads = 256;
constexpr int32_t tile_columns = 128, tile_rows = 64, depth = 64, pitch = depth + 8;  // pitch: neighbouring rows begin in different banks

/// A stage of shared memory: latents [tile_columns, pitch], weights [tile_rows, pitch].
constexpr int32_t stage = (tile_columns + tile_rows) * pitch;

template <typename T, typename W>
constexpr bool same = false;
template <typename T>
constexpr bool same<T, T> = true;

/// Where a block's numbers come from.
template <typename T, typename W>
struct Source {
    const T *key, *value;  // of the row
    const W* weights;      // of the head
    int32_t first_column, end_column, half, rank, first_row, end_row;
    bool fast_latents, fast_weights;

    /// Columns k to k + depth − 1 of the rank.
    DEVICE void load(int32_t k, T* latents) const {
        T* rows = latents + tile_columns * pitch;
        for (int32_t i = int32_t(thread_index()); i < tile_columns * depth / 8; i += threads) {
            const int32_t column = first_column + i / (depth / 8), c = k + i % (depth / 8) * 8;
            T* to = latents + i / (depth / 8) * pitch + i % (depth / 8) * 8;
            const bool within = column < end_column && c < rank;
            const int64_t start = int64_t(within ? column : first_column) * half;
            if (fast_latents) {
                const int32_t from = within ? c : 0;
                copy_async16(to, from < half ? key + start + from : value + start + from - half, within ? 16 : 0);
            } else {
                for (int32_t j = 0; j < 8; j++) {
                    const int32_t from = c + j;
                    to[j] = !within || from >= rank ? rounded<T>(0) : from < half ? key[start + from] : value[start + from - half];
                }
            }
        }
        for (int32_t i = int32_t(thread_index()); i < tile_rows * depth / 8; i += threads) {
            const int32_t row = first_row + i / (depth / 8), c = k + i % (depth / 8) * 8;
            T* to = rows + i / (depth / 8) * pitch + i % (depth / 8) * 8;
            const bool within = row < end_row && c < rank;
            const W* from = weights + (within ? int64_t(row) * rank + c : 0);
            if (fast_weights) {
                copy_async16(to, from, within ? 16 : 0);
            } else {
                for (int32_t j = 0; j < 8; j++) {
                    to[j] = within && c + j < rank ? rounded<T>(to_float(from[j])) : rounded<T>(0);
                }
            }
        }
    }
};

/// sums [32, 32] of a warp += latents · weightsᵀ over one stage.
template <typename T>
DEVICE void multiply_stage(const T* latents, const T* weights, float (&sums)[2][4][4]) {
    const auto lane = int32_t(lane_index());
    const T* a_rows = latents + lane % 16 * pitch + lane / 16 * 8;
    const T* b_rows = weights + (lane / 16 * 8 + lane % 8) * pitch + lane / 8 % 2 * 8;
    UNROLL(4)
    for (int32_t k = 0; k < depth; k += 16) {
        uint32_t a[2][4], b[2][4];
        UNROLL(2)
        for (int i = 0; i < 2; i++) {
            load_matrices(a[i], a_rows + i * 16 * pitch + k);
            load_matrices(b[i], b_rows + i * 16 * pitch + k);
        }
        UNROLL(2)
        for (int m = 0; m < 2; m++) {
            UNROLL(2)
            for (int n = 0; n < 2; n++) {
                multiply_accumulate<T>(sums[m][2 * n], a[m], {b[n][0], b[n][1]});
                multiply_accumulate<T>(sums[m][2 * n + 1], a[m], {b[n][2], b[n][3]});
            }
        }
    }
}

/// Two numbers to their places, where there is one; at once where they are neighbours.
template <typename T>
DEVICE void put_pair(T* first, T* second, float a, float b) {
    if (first != nullptr && second == first + 1 && reinterpret_cast<uintptr_t>(first) % 4 == 0) {
        *reinterpret_cast<uint32_t*>(first) = pack<T>(a, b);
        return;
    }
    if (first != nullptr) {
        *first = rounded<T>(a);
    }
    if (second != nullptr) {
        *second = rounded<T>(b);
    }
}

#define PARAMETERS(T, W)                                                                                                                  \
    (const T* key, const T* value, const W* kv_b, const int32_t* row_columns, int64_t first_pair, int32_t columns, int32_t heads,         \
     int32_t nope, int32_t rope, int32_t value_width, int32_t rank, T* keys, T* values)

// Blocks in x: columns; in y: rows of kv_b; in z: pairs.
template <typename T, typename W>
DEVICE void expand_latents PARAMETERS(T, W) {
    const int64_t pair = first_pair + block_z(), row = pair / heads, head = pair % heads;
    const int32_t half = (rank + rope) / 2, first = int32_t(block_x()) * tile_columns;
    const int32_t key_width = (nope + rope + 15) / 16 * 16, padded_value = (value_width + 15) / 16 * 16;
    if (first >= row_columns[row]) {
        return;
    }
    const T *key_row = key + row * columns * half, *value_row = value + row * columns * half;
    const W* weights = kv_b + head * (nope + value_width) * rank;
    const Source<T, W> source{key_row, value_row, weights, first, row_columns[row], half, rank, int32_t(block_y()) * tile_rows,
                              nope + value_width, half % 8 == 0 && rank % 8 == 0 && aligned16(key_row) && aligned16(value_row),
                              same<T, W> && rank % 8 == 0 && aligned16(weights)};
    auto* shared = reinterpret_cast<T*>(shared_memory());
    keys += int64_t(block_z()) * columns * key_width;
    values += int64_t(block_z()) * columns * padded_value;
    const int32_t last = least(first + tile_columns, source.end_column);
    if (block_y() == 0) {
        // The rotary part, the same for every head, and zeros behind it.
        const int32_t rest = key_width - nope;
        for (int32_t i = int32_t(thread_index()); i < (last - first) * rest; i += threads) {
            const int64_t column = first + i / rest;
            const int32_t j = i % rest;
            keys[column * key_width + nope + j] = rounded<T>(j < rope ? cached(key_row, value_row, column, half, rank + j) : 0);
        }
    }
    float sums[2][4][4] = {};
    const int32_t steps = (rank + depth - 1) / depth;
    source.load(0, shared);
    copy_async_commit();
    const auto warp = int32_t(warp_index()), lane = int32_t(lane_index());
    const int32_t m_first = warp % 4 * 32, n_first = warp / 4 * 32;
    for (int32_t step = 0; step < steps; step++) {
        copy_async_wait<0>();
        block_barrier();
        if (step + 1 < steps) {
            source.load((step + 1) * depth, shared + (step + 1) % 2 * stage);
        }
        copy_async_commit();
        const T* latents = shared + step % 2 * stage;
        multiply_stage(latents + m_first * pitch, latents + (tile_columns + n_first) * pitch, sums);
    }
    const auto place = [&](int64_t column, int32_t number) -> T* {
        if (column >= last || number >= nope + value_width) {
            return nullptr;
        }
        return number < nope ? keys + column * key_width + number : values + column * padded_value + number - nope;
    };
    UNROLL(2)
    for (int m = 0; m < 2; m++) {
        UNROLL(4)
        for (int n = 0; n < 4; n++) {
            UNROLL(2)
            for (int i = 0; i < 2; i++) {
                const int64_t column = first + m_first + m * 16 + i * 8 + lane / 4;
                const int32_t number = source.first_row + n_first + n * 8 + lane % 4 * 2;
                put_pair(place(column, number), place(column, number + 1), sums[m][n][2 * i], sums[m][n][2 * i + 1]);
            }
        }
    }
}

#define ENTRY(suffix, T, W)                                                                                                               \
    KERNEL(latent_attention_expand_##suffix, threads, PARAMETERS(T, W)) {                                                                 \
        expand_latents<T, W>(key, value, kv_b, row_columns, first_pair, columns, heads, nope, rope, value_width, rank, keys, values);     \
    }
ENTRY(f16_f16, f16, f16)
ENTRY(bf16_bf16, bf16, bf16)
ENTRY(bf16_f16, bf16, f16)
#undef ENTRY
#undef PARAMETERS

}  // namespace latentmoe::cuda
