// Attention over expanded keys and values in tiles (arXiv 2205.14135). A block takes 64 tokens of one pair, 16 to a warp, and passes over
// the columns that they see, 64 at a time.
#include "latent_attention.cuh"

namespace latentmoe::cuda {

constexpr int32_t threads = 128, tile_tokens = 64, tile_columns = 64;

/// Rows first to first + 63 of [.., width], which is a multiple of 16, to rows at distance width + 8; zero from `end` on.
template <typename T>
DEVICE void load_rows(const T* rows, int64_t stride, int32_t first, int32_t end, int32_t width, T* to) {
    share(64, width / 8, [&](int32_t row, int32_t unit) {
        const bool within = first + row < end;
        copy_async16(to + row * (width + 8) + unit * 8, rows + (within ? first + row : 0) * stride + unit * 8, within ? 16 : 0);
    });
}

/// scores [16, 64] of a warp = queries [16, width] · keysᵀ.
template <typename T>
DEVICE void score_tile(const T* queries, const T* keys, int32_t width, float (&scores)[8][4]) {
    const auto lane = int32_t(lane_index());
    const int32_t pitch = width + 8;
    const T* a_rows = queries + lane % 16 * pitch + lane / 16 * 8;
    const T* b_rows = keys + (lane / 16 * 8 + lane % 8) * pitch + lane / 8 % 2 * 8;
    UNROLL(8)
    for (int n = 0; n < 8; n++) {
        UNROLL(4)
        for (int i = 0; i < 4; i++) {
            scores[n][i] = 0;
        }
    }
    for (int32_t k = 0; k < width; k += 16) {
        uint32_t a[4];
        load_matrices(a, a_rows + k);
        UNROLL(4)
        for (int n = 0; n < 4; n++) {
            uint32_t b[4];
            load_matrices(b, b_rows + n * 16 * pitch + k);
            multiply_accumulate<T>(scores[2 * n], a, {b[0], b[1]});
            multiply_accumulate<T>(scores[2 * n + 1], a, {b[2], b[3]});
        }
    }
}

/// What the two tokens of a lane have seen: 8 apart, with four lanes to each. The sum is of the lane's own columns.
struct Running {
    float maximum[2], sum[2];
};

/// Makes weights of scores, of columns below seen[0] and seen[1] from the tile's first on; factors are for the sums so far.
DEVICE void weigh_tile(const int32_t (&seen)[2], Running& running, float (&scores)[8][4], float (&factors)[2]) {
    const auto lane = int32_t(lane_index());
    UNROLL(2)
    for (int half = 0; half < 2; half++) {
        float maximum = running.maximum[half];
        UNROLL(16)
        for (int i = 0; i < 16; i++) {
            float& score = scores[i / 2][2 * half + i % 2];
            score = i / 2 * 8 + lane % 4 * 2 + i % 2 < seen[half] ? score : minus_infinity;
            maximum = score > maximum ? score : maximum;
        }
        UNROLL(2)
        for (uint32_t other = 1; other < 4; other *= 2) {
            const float theirs = shuffle_xor(maximum, other);
            maximum = theirs > maximum ? theirs : maximum;
        }
        // With scores that are all −infinity, subtracting them would give NaN.
        const float shift = maximum == minus_infinity ? 0 : maximum;
        factors[half] = exp2_of(running.maximum[half] - shift);
        running.maximum[half] = maximum;
        float sum = 0;
        UNROLL(16)
        for (int i = 0; i < 16; i++) {
            float& score = scores[i / 2][2 * half + i % 2];
            score = exp2_of(score - shift);
            sum += score;
        }
        running.sum[half] = fma_of(running.sum[half], factors[half], sum);
    }
}

/// sums [16, 8 · parts] of a warp = factors · sums + weights · values.
template <int parts, typename T>
DEVICE void add_tile(const float (&weights)[8][4], const float (&factors)[2], const T* values, int32_t width, float (&sums)[parts][4]) {
    const auto lane = int32_t(lane_index());
    const int32_t pitch = width + 8;
    const T* rows = values + (lane / 8 % 2 * 8 + lane % 8) * pitch + lane / 16 * 8;
    UNROLL(32)
    for (int n = 0; n < parts; n++) {
        UNROLL(4)
        for (int i = 0; i < 4; i++) {
            sums[n][i] *= factors[i / 2];
        }
    }
    UNROLL(4)
    for (int k = 0; k < 4; k++) {
        const float(&low)[4] = weights[2 * k], (&high)[4] = weights[2 * k + 1];
        const uint32_t a[4] = {pack<T>(low[0], low[1]), pack<T>(low[2], low[3]), pack<T>(high[0], high[1]), pack<T>(high[2], high[3])};
        UNROLL(16)
        for (int n = 0; n < parts / 2; n++) {
            if (n * 16 < width) {
                uint32_t b[4];
                load_matrices_transposed(b, rows + k * 16 * pitch + n * 16);
                multiply_accumulate<T>(sums[2 * n], a, {b[0], b[1]});
                multiply_accumulate<T>(sums[2 * n + 1], a, {b[2], b[3]});
            }
        }
    }
}

#define PARAMETERS(T)                                                                                                                     \
    (const T* queries, const T* keys, const T* values, const int32_t* sights, int64_t first_pair, int32_t tokens, int32_t columns,        \
     int32_t heads, int32_t key_width, int32_t value_width, int32_t stages, T* out)

/// Shared memory: queries [64, key_width + 8], keys [stages, 64, key_width + 8], values [stages, 64, padded value + 8]. The last tokens
/// see the most, and come first. Values are at most 8 · parts wide.
template <int parts, typename T>
DEVICE void attend PARAMETERS(T) {
    const auto lane = int32_t(lane_index());
    const int64_t pair = first_pair + block_y(), row = pair / heads, head = pair % heads;
    const int32_t first = int32_t(grid_x() - 1 - block_x()) * tile_tokens, padded = (value_width + 15) / 16 * 16;
    auto* query_tile = reinterpret_cast<T*>(shared_memory());
    T* key_tiles = query_tile + tile_tokens * (key_width + 8);
    T* value_tiles = key_tiles + stages * tile_columns * (key_width + 8);
    sights += row * tokens;
    keys += int64_t(block_y()) * columns * key_width;
    values += int64_t(block_y()) * columns * padded;
    // Of all tokens of the block, two to a lane; and of the two whose numbers the lane holds.
    const int32_t all[2] = {first + lane < tokens ? sights[first + lane] : 0, first + 32 + lane < tokens ? sights[first + 32 + lane] : 0};
    const int32_t token = first + int32_t(warp_index()) * 16 + lane / 4;
    const int32_t mine[2] = {token < tokens ? sights[token] : 0, token + 8 < tokens ? sights[token + 8] : 0};
    T* to = out + ((row * tokens + token) * heads + head) * value_width;
    const auto put = [&](int half, int32_t i, float number) {
        if (i < value_width && token + 8 * half < tokens) {
            to[int64_t(8 * half) * heads * value_width + i] = rounded<T>(number);
        }
    };
    load_rows(queries + (row * tokens * heads + head) * key_width, int64_t(heads) * key_width, first, tokens, key_width, query_tile);
    UNROLL(2)
    for (int half = 0; half < 2; half++) {
        // Of a token that sees nothing, or whose position is bad.
        const float nothing = mine[half] < 0 ? float_of(0x7FC00000) : 0;
        for (int32_t i = lane % 4; mine[half] < 2 && i < value_width; i += 4) {
            put(half, i, nothing);
        }
    }
    for (uint32_t pass = 0; pass < 2; pass++) {
        const auto end = int32_t(warp_largest(uint32_t(largest(columns_in_pass(all[0], pass), columns_in_pass(all[1], pass)))));
        const int32_t tiles = (end + tile_columns - 1) / tile_columns;
        const int32_t seen[2] = {columns_in_pass(mine[0], pass), columns_in_pass(mine[1], pass)};
        Running running{{minus_infinity, minus_infinity}, {0, 0}};
        float sums[parts][4] = {};
        const auto load = [&](int32_t tile) {
            if (tile < tiles) {
                const int32_t stage = tile % stages;
                load_rows(keys, key_width, tile * tile_columns, end, key_width, key_tiles + stage * tile_columns * (key_width + 8));
                load_rows(values, padded, tile * tile_columns, end, padded, value_tiles + stage * tile_columns * (padded + 8));
            }
            copy_async_commit();
        };
        block_barrier();
        if (stages > 1) {
            load(0);
        }
        for (int32_t tile = 0; tile < tiles; tile++) {
            if (stages == 1) {
                block_barrier();
                load(tile);
            }
            copy_async_wait<0>();
            block_barrier();
            if (stages > 1) {
                load(tile + 1);
            }
            const int32_t stage = tile % stages;
            float scores[8][4], factors[2];
            const int32_t pitch = key_width + 8;
            score_tile(query_tile + warp_index() * 16 * pitch, key_tiles + stage * tile_columns * pitch, key_width, scores);
            const int32_t here[2] = {seen[0] - tile * tile_columns, seen[1] - tile * tile_columns};
            weigh_tile(here, running, scores, factors);
            add_tile<parts>(scores, factors, value_tiles + stage * tile_columns * (padded + 8), padded, sums);
        }
        UNROLL(2)
        for (int half = 0; half < 2; half++) {
            float sum = running.sum[half];
            sum += shuffle_xor(sum, 1);
            sum += shuffle_xor(sum, 2);
            if (seen[half] > 0) {
                const float factor = 1 / sum;
                UNROLL(32)
                for (int n = 0; n < parts; n++) {
                    put(half, n * 8 + lane % 4 * 2, sums[n][2 * half] * factor);
                    put(half, n * 8 + lane % 4 * 2 + 1, sums[n][2 * half + 1] * factor);
                }
            }
        }
    }
}

#define ENTRY(parts, suffix, T)                                                                                                           \
    KERNEL(latent_attention_full##parts##_##suffix, threads, PARAMETERS(T)) {                                                             \
        attend<parts, T>(queries, keys, values, sights, first_pair, tokens, columns, heads, key_width, value_width, stages, out);         \
    }
#define ENTRIES(suffix, T) ENTRY(8, suffix, T) ENTRY(16, suffix, T) ENTRY(32, suffix, T)
ENTRIES(f16, f16)
ENTRIES(bf16, bf16)
#undef ENTRIES
#undef ENTRY
#undef PARAMETERS

}  // namespace latentmoe::cuda
