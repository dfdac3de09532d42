// Before attention: the tokens' sights and cached rows, and the queries that meet the cached rows, absorbed (arXiv 2405.04434, section
// 2.1.2): [W_kᵀ · nope ; turned rope], scaled, [line, w] with rows of a multiple of 16 numbers. A block takes `count` tokens: one head's
// queries by 128 columns of the rank, or, the last ones in y, what all heads share.
#include "latent_attention_plan.cuh"

namespace latentmoe::cuda {

constexpr int32_t threads = 256;
constexpr int32_t slice = 128, groups = slice / 8, parts = threads / groups;  // columns of a block; of 8 columns; threads to each
constexpr int ahead = 4;  // rows of weights that a thread reads before it uses them

/// sums [count, 8] += x [count] · numbersᵀ.
template <int count>
DEVICE void add(const float* x, const float (&numbers)[8], float (&sums)[count][8]) {
    UNROLL(4)
    for (int t = 0; t < count; t++) {
        UNROLL(8)
        for (int i = 0; i < 8; i++) {
            sums[t][i] = fma_of(x[t], numbers[i], sums[t][i]);
        }
    }
}

/// out [count, columns first to first + slice − 1 of the rank] = scaled q [count, nope] · w [nope, rank]; shared
/// [(8 · threads + nope) · count].
template <int count, typename T, typename W>
DEVICE void absorb(const T* q, int64_t q_stride, int32_t tokens, const W* w, int32_t nope, int32_t rank, int32_t first, float factor,
                   float* shared, T* out, int64_t out_stride) {
    float *scaled = shared, *sums = shared + (nope * count + 3) / 4 * 4;  // [nope, count], [parts, count, slice]
    for (int32_t i = int32_t(thread_index()); i < nope * count; i += threads) {
        const int32_t token = i % count, d = i / count;
        scaled[i] = token < tokens ? to_float(q[token * q_stride + d]) * factor : 0;
    }
    block_barrier();
    const int32_t part = int32_t(thread_index()) / groups, c = int32_t(thread_index()) % groups * 8;
    const bool fast = rank % 8 == 0 && aligned16(w);
    if (first + c < rank) {
        float mine[count][8] = {};
        for (int32_t d = part; d < nope; d += ahead * parts) {
            float numbers[ahead][8];
            UNROLL(4)
            for (int k = 0; k < ahead; k++) {
                read8(w + int64_t(least(d + k * parts, nope - 1)) * rank, first + c, rank, fast, numbers[k]);
            }
            UNROLL(4)
            for (int k = 0; k < ahead; k++) {
                if (d + k * parts < nope) {
                    add<count>(scaled + (d + k * parts) * count, numbers[k], mine);
                }
            }
        }
        UNROLL(4)
        for (int t = 0; t < count; t++) {
            auto* to = reinterpret_cast<u32x4*>(sums + (part * count + t) * slice + c);
            to[0] = {bits_of(mine[t][0]), bits_of(mine[t][1]), bits_of(mine[t][2]), bits_of(mine[t][3])};
            to[1] = {bits_of(mine[t][4]), bits_of(mine[t][5]), bits_of(mine[t][6]), bits_of(mine[t][7])};
        }
    }
    block_barrier();
    for (int32_t i = int32_t(thread_index()); i < tokens * slice; i += threads) {
        const int32_t token = i / slice, column = i % slice;
        if (first + column < rank) {
            float sum = 0;
            UNROLL(16)
            for (int32_t k = 0; k < parts; k++) {
                sum += sums[(k * count + token) * slice + column];
            }
            out[token * out_stride + first + column] = rounded<T>(sum);
        }
    }
}

#define PARAMETERS(T, W, C)                                                                                                               \
    (const T* q, const T* kv, const float* gain, const W* kv_b, const float* cos, const float* sin, const int64_t* positions,             \
     const int64_t* mask, const int32_t* found, int64_t most_positions, int32_t rows, int32_t tokens, int32_t total, int32_t columns,     \
     int32_t heads, int32_t nope, int32_t rope, int32_t value_width, int32_t rank, int32_t interleave, float factor, float epsilon,       \
     C* key, C* value, int32_t* sights, T* queries)

template <int count, typename T, typename W, typename C>
DEVICE void prepare PARAMETERS(T, W, C) {
    const int64_t first = int64_t(block_x()) * count, rest = int64_t(rows) * tokens - first;
    const int32_t here = rest < count ? int32_t(rest) : count, half = (rank + rope) / 2, head = int32_t(block_y());
    if (head == heads) {
        if (block_z() > 0) {
            return;
        }
        Plan plan{positions, mask, rows, tokens, total, columns, most_positions, 0};
        find_sights(plan, found, first, here, reinterpret_cast<int32_t*>(shared_memory()), sights);
        const int64_t token = first + warp_index();
        if (int32_t(warp_index()) < here && plan.lives(token) && !plan.bad(token)) {
            const int64_t slot = (token / tokens * columns + positions[token]) * half;
            write_row(kv + token * (rank + rope), gain, epsilon, rank, rope, interleave != 0, cos, sin, positions[token], key + slot,
                      value + slot);
        }
        return;
    }
    const int64_t head_width = nope + rope, query_width = (rank + rope + 15) / 16 * 16;
    const T* x = q + (first * heads + head) * head_width;
    T* out = queries + (first * heads + head) * query_width;
    for (int32_t t = int32_t(warp_index()); block_z() == 0 && t < here; t += threads / 32) {
        const int64_t position = positions[first + t];
        T* row = out + t * heads * query_width + rank;
        for (int32_t i = int32_t(lane_index()); i < rope / 2; i += 32) {
            float pair[2] = {0, 0};
            if (position >= 0 && position < most_positions) {
                turn(x + t * heads * head_width + nope, i, rope, interleave != 0, cos, sin, position, pair);
            }
            row[i] = rounded<T>(pair[0] * factor);
            row[rope / 2 + i] = rounded<T>(pair[1] * factor);
        }
        for (int32_t i = rope + int32_t(lane_index()); i < query_width - rank; i += 32) {
            row[i] = rounded<T>(0);
        }
    }
    const W* w = kv_b + int64_t(head) * (nope + value_width) * rank;
    absorb<count>(x, heads * head_width, here, w, nope, rank, int32_t(block_z()) * slice, factor, reinterpret_cast<float*>(shared_memory()),
                  out, heads * query_width);
}

#define ENTRY(count, suffix, T, W, C)                                                                                                     \
    KERNEL(latent_attention_prepare##count##_##suffix, threads, PARAMETERS(T, W, C)) {                                                    \
        prepare<count, T, W, C>(q, kv, gain, kv_b, cos, sin, positions, mask, found, most_positions, rows, tokens, total, columns, heads, \
                                nope, rope, value_width, rank, interleave, factor, epsilon, key, value, sights, queries);                 \
    }
#define ENTRIES(suffix, T, W, C) ENTRY(1, suffix, T, W, C) ENTRY(4, suffix, T, W, C)
ENTRIES(f32_f32_f32, float, float, float)
ENTRIES(f32_f16_f32, float, f16, float)
ENTRIES(f32_bf16_f32, float, bf16, float)
ENTRIES(f32_f32_f16, float, float, f16)
ENTRIES(f32_f16_f16, float, f16, f16)
ENTRIES(f32_bf16_f16, float, bf16, f16)
ENTRIES(f16_f16_f16, f16, f16, f16)
ENTRIES(bf16_bf16_bf16, bf16, bf16, bf16)
ENTRIES(bf16_f16_bf16, bf16, f16, bf16)
#undef ENTRIES
#undef ENTRY
#undef PARAMETERS

}  // namespace latentmoe::cuda
