// Absorbed attention with tensor cores. Cached rows are the 16-row operand of both products, as rows of scores and, transposed, as columns
// of the sums: lines, its 8-column operand, cost no more than they are. Four warps; each product's tile is read from shared memory once.
#include "latent_attention_split.cuh"

namespace latentmoe::cuda {

constexpr int32_t threads = 128, warps = threads / 32;
constexpr int32_t score_pitch = 36, weight_pitch = 40;  // of lines: no two lanes that store or load together meet in a bank

/// Shared memory, in this order: queries [lines, pitch], tiles [stages, tile_columns, pitch], scores [2, lines, score_pitch] in float32,
/// weights [lines, weight_pitch], factors [lines] in float32.
template <int groups, typename T>
struct Room {
    static constexpr int32_t lines = 8 * groups;
    T *queries, *tiles;
    float* scores;
    T* weights;
    float* factors;
    int32_t pitch;  // 16 bytes more than a row, which is a multiple of 32: rows begin in different banks

    DEVICE Room(int32_t width, int32_t stages) : pitch(width + 8) {
        queries = reinterpret_cast<T*>(shared_memory());
        tiles = queries + lines * pitch;
        scores = reinterpret_cast<float*>(tiles + stages * tile_columns * pitch);
        weights = reinterpret_cast<T*>(scores + 2 * lines * score_pitch);
        factors = reinterpret_cast<float*>(weights + lines * weight_pitch);
    }
};

/// What a line has seen so far; a warp holds every fourth line, and a lane its columns' part of the sums.
template <int groups>
struct Softmax {
    static constexpr int count = 2 * groups;
    float maximum[count], sum[count];
    int32_t seen[count];  // columns, from the span's first on
};

/// Scores of 16 columns by half of the width, for all lines: scores[half][line][column].
template <int groups, typename T>
DEVICE void score(const Room<groups, T>& room, const T* tile, int32_t width) {
    const auto lane = int32_t(lane_index()), columns = int32_t(warp_index() % 2) * 16, part = int32_t(warp_index() / 2);
    const int32_t steps = width / 16, middle = (steps + 1) / 2, last = part == 0 ? middle : steps;
    const T* rows = tile + (columns + lane % 16) * room.pitch + lane / 16 * 8;
    const T* queries = room.queries + lane % 8 * room.pitch + lane / 8 * 8;
    constexpr int chains = groups == 1 ? 2 : 1;  // of even and odd steps, which need not wait for each other
    float sums[chains][groups][4] = {};
    for (int32_t step = part == 0 ? 0 : middle; step < last; step += 2) {
        // Two steps of the depth: what is read for a second that there is not stays unused, and lies in shared memory still.
        const bool two = step + 1 < last;
        uint32_t a[2][4], b[groups][4];
        load_matrices(a[0], rows + step * 16);
        load_matrices(a[1], rows + (step + 1) * 16);
        UNROLL(4)
        for (int n = 0; n < groups; n++) {
            load_matrices(b[n], queries + n * 8 * room.pitch + step * 16);
        }
        UNROLL(4)
        for (int n = 0; n < groups; n++) {
            multiply_accumulate<T>(sums[0][n], a[0], {b[n][0], b[n][1]});
            if (two) {
                multiply_accumulate<T>(sums[chains - 1][n], a[1], {b[n][2], b[n][3]});
            }
        }
    }
    float* to = room.scores + (part * Room<groups, T>::lines + lane % 4 * 2) * score_pitch + columns + lane / 4;
    UNROLL(4)
    for (int n = 0; n < groups; n++) {
        float* group = to + n * 8 * score_pitch;
        UNROLL(4)
        for (int i = 0; i < 4; i++) {
            group[i % 2 * score_pitch + i / 2 * 8] = chains == 2 ? sums[0][n][i] + sums[chains - 1][n][i] : sums[0][n][i];
        }
    }
}

/// Weights of a tile's columns, the first of which is number `done` of the span, and the factors for the sums so far.
template <int groups, typename T>
DEVICE void weigh(const Room<groups, T>& room, Softmax<groups>& softmax, int32_t done) {
    const auto lane = int32_t(lane_index());
    UNROLL(8)
    for (int i = 0; i < Softmax<groups>::count; i++) {
        const int32_t line = int32_t(warp_index()) + warps * i;
        const float* scores = room.scores + line * score_pitch + lane;
        const float sum = scores[0] + scores[Room<groups, T>::lines * score_pitch];
        const float score = done + lane < softmax.seen[i] ? sum : minus_infinity;
        const float tile_maximum = warp_max(score);
        const float maximum = tile_maximum > softmax.maximum[i] ? tile_maximum : softmax.maximum[i];
        // With scores that are all −infinity, subtracting them would give NaN.
        const float shift = maximum == minus_infinity ? 0 : maximum;
        const float factor = exp2_of(softmax.maximum[i] - shift);
        const T weight = rounded<T>(exp2_of(score - shift));
        softmax.maximum[i] = maximum;
        softmax.sum[i] = fma_of(softmax.sum[i], factor, to_float(weight));
        room.weights[line * weight_pitch + lane] = weight;
        if (lane == 0) {
            room.factors[line] = factor;
        }
    }
}

/// sums [rank, lines] = factors · sums + tileᵀ · weightsᵀ; a warp holds every fourth 16 of the rank.
template <int groups, int parts, typename T>
DEVICE void accumulate(const Room<groups, T>& room, const T* tile, int32_t rank, float (&sums)[parts][groups][4]) {
    const auto lane = int32_t(lane_index());
    uint32_t b[groups][4];
    UNROLL(4)
    for (int n = 0; n < groups; n++) {
        load_matrices(b[n], room.weights + (n * 8 + lane % 8) * weight_pitch + lane / 8 * 8);
    }
    UNROLL(4)
    for (int n = 0; n < groups; n++) {
        const float factors[2] = {room.factors[n * 8 + lane % 4 * 2], room.factors[n * 8 + lane % 4 * 2 + 1]};
        UNROLL(8)
        for (int m = 0; m < parts; m++) {
            UNROLL(4)
            for (int i = 0; i < 4; i++) {
                sums[m][n][i] *= factors[i % 2];
            }
        }
    }
    const T* rows = tile + (lane / 16 * 8 + lane % 8) * room.pitch + lane / 8 % 2 * 8;
    UNROLL(8)
    for (int m = 0; m < parts; m++) {
        const int32_t first = (int32_t(warp_index()) + warps * m) * 16;
        if (first < rank) {
            uint32_t a[2][4];
            load_matrices_transposed(a[0], rows + first);
            load_matrices_transposed(a[1], rows + 16 * room.pitch + first);
            UNROLL(4)
            for (int n = 0; n < groups; n++) {
                multiply_accumulate<T>(sums[m][n], a[0], {b[n][0], b[n][1]});
                multiply_accumulate<T>(sums[m][n], a[1], {b[n][2], b[n][3]});
            }
        }
    }
}

/// To partial sums [line, split, padded rank] and running [line, split, 2], of the lines that see any of the span.
template <int groups, int parts>
DEVICE void store(const Place& place, const Span& span, const Softmax<groups>& softmax, const float (&sums)[parts][groups][4], int32_t rank,
                  float* partial, float* running) {
    const auto lane = int32_t(lane_index());
    const int32_t padded = (rank + 15) / 16 * 16;
    UNROLL(4)
    for (int n = 0; n < groups; n++) {
        UNROLL(2)
        for (int j = 0; j < 2; j++) {
            const int32_t line = n * 8 + lane % 4 * 2 + j;
            const bool seeing = int32_t(shuffle(uint32_t(span.mine), uint32_t(line))) > 0;
            float* to = partial + place.partial(line) * padded + lane / 4;
            UNROLL(8)
            for (int m = 0; m < parts; m++) {
                const int32_t first = (int32_t(warp_index()) + warps * m) * 16;
                if (first < rank && seeing) {
                    to[first] = sums[m][n][j];
                    to[first + 8] = sums[m][n][j + 2];
                }
            }
        }
    }
    UNROLL(8)
    for (int i = 0; i < Softmax<groups>::count; i++) {
        const int32_t line = int32_t(warp_index()) + warps * i;
        const float sum = warp_sum(softmax.sum[i]);
        if (lane == 0 && softmax.seen[i] > 0) {
            running[2 * place.partial(line)] = softmax.maximum[i];
            running[2 * place.partial(line) + 1] = sum;
        }
    }
}

#define PARAMETERS(T)                                                                                                                     \
    (const T* queries, const T* key, const T* value, const int32_t* sights, int32_t heads, int32_t tokens, int32_t columns, int32_t rank, \
     int32_t half, int32_t splits, int32_t split_columns, int32_t stages, float* partial, float* running)

/// Lines are taken 8 · groups at a time; the rank is at most 64 · parts.
template <int groups, int parts, typename T>
DEVICE void split PARAMETERS(T) {
    constexpr int32_t lines = 8 * groups;
    const auto lane = int32_t(lane_index());
    const Place place(heads * tokens, lines, splits);
    const int32_t sight = lane < place.count ? sights[(place.first + lane) / heads] : 0;
    const int32_t width = (2 * half + 15) / 16 * 16;
    const Room<groups, T> room(width, stages);
    const T *keys = key + place.row * columns * half, *values = value + place.row * columns * half;
    const bool fast = half % 8 == 0 && aligned16(keys) && aligned16(values);
    bool first_pass = true;
    for (uint32_t pass = 0; pass < 2; pass++) {
        const Span span(sight, pass, place.split, split_columns);
        const int32_t tiles = (span.end - span.begin + tile_columns - 1) / tile_columns;
        if (tiles <= 0) {
            continue;
        }
        if (first_pass) {
            share(lines, width / 8, [&](int32_t line, int32_t unit) {
                const bool within = line < place.count;
                copy_async16(room.queries + line * room.pitch + unit * 8, queries + (place.first + (within ? line : 0)) * width + unit * 8,
                             within ? 16 : 0);
            });
        } else {
            block_barrier();
        }
        first_pass = false;
        const auto load = [&](int32_t tile) {
            if (tile < tiles) {
                load_tile(keys, values, half, span.begin + tile * tile_columns, span.end, fast,
                          room.tiles + tile % stages * tile_columns * room.pitch, room.pitch);
            }
            copy_async_commit();
        };
        for (int32_t tile = 0; tile < stages - 1; tile++) {
            load(tile);
        }
        float sums[parts][groups][4] = {};
        Softmax<groups> softmax;
        UNROLL(8)
        for (int i = 0; i < Softmax<groups>::count; i++) {
            softmax.maximum[i] = minus_infinity;
            softmax.sum[i] = 0;
            softmax.seen[i] = int32_t(shuffle(uint32_t(span.mine), warp_index() + uint32_t(warps * i)));
        }
        for (int32_t tile = 0; tile < tiles; tile++) {
            if (stages == 3) {
                copy_async_wait<1>();
            } else {
                copy_async_wait<0>();
            }
            block_barrier();
            load(tile + stages - 1);
            const T* rows = room.tiles + tile % stages * tile_columns * room.pitch;
            score<groups>(room, rows, width);
            block_barrier();
            weigh(room, softmax, tile * tile_columns);
            block_barrier();
            accumulate<groups, parts>(room, rows, rank, sums);
        }
        store<groups, parts>(place, span, softmax, sums, rank, partial, running);
    }
}

#define ENTRY(groups, parts, suffix, T)                                                                                                   \
    KERNEL(latent_attention_split##groups##_##parts##_##suffix, threads, PARAMETERS(T)) {                                                 \
        split<groups, parts, T>(queries, key, value, sights, heads, tokens, columns, rank, half, splits, split_columns, stages, partial,  \
                                running);                                                                                                 \
    }
#define ENTRIES(suffix, T)                                                          \
    ENTRY(1, 4, suffix, T) ENTRY(2, 4, suffix, T) ENTRY(4, 4, suffix, T)            \
    ENTRY(1, 8, suffix, T) ENTRY(2, 8, suffix, T) ENTRY(4, 8, suffix, T)
ENTRIES(f16, f16)
ENTRIES(bf16, bf16)
#undef ENTRIES
#undef ENTRY
#undef PARAMETERS

}  // namespace latentmoe::cuda
