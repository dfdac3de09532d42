// Before attention in its full form: the tokens' sights and cached rows, how many columns each row has come to, and the queries
// [nope ; turned rope], scaled, [line, dn + dr] with rows of a multiple of 16 numbers. A block takes eight tokens: one head's queries, or,
// the last ones in y, what all heads share.
#include "latent_attention_plan.cuh"

namespace latentmoe::cuda {

constexpr int32_t threads = 256, count = threads / 32;

#define PARAMETERS(T)                                                                                                                     \
    (const T* q, const T* kv, const float* gain, const float* cos, const float* sin, const int64_t* positions, const int64_t* mask,       \
     const int32_t* found, int64_t most_positions, int32_t rows, int32_t tokens, int32_t total, int32_t columns, int32_t heads,           \
     int32_t nope, int32_t rope, int32_t rank, int32_t interleave, float factor, float epsilon, T* key, T* value, int32_t* sights,        \
     int32_t* row_columns, T* queries)

template <typename T>
DEVICE void turn_queries PARAMETERS(T) {
    const int64_t first = int64_t(block_x()) * count, rest = int64_t(rows) * tokens - first, token = first + warp_index();
    const int32_t here = rest < count ? int32_t(rest) : count, half = (rank + rope) / 2, head = int32_t(block_y());
    const bool mine = int32_t(warp_index()) < here;
    if (head == heads) {
        Plan plan{positions, mask, rows, tokens, total, columns, most_positions, 0};
        find_sights(plan, found, first, here, reinterpret_cast<int32_t*>(shared_memory()), sights);
        if (mine && plan.lives(token) && !plan.bad(token)) {
            const int64_t slot = (token / tokens * columns + positions[token]) * half;
            write_row(kv + token * (rank + rope), gain, epsilon, rank, rope, interleave != 0, cos, sin, positions[token], key + slot,
                      value + slot);
        }
        block_barrier();
        if (int32_t(thread_index()) < here) {
            const int64_t token = first + thread_index();
            atomic_max(row_columns + token / tokens, sights[token] >> 1);
        }
    } else if (mine) {
        const int32_t width = (nope + rope + 15) / 16 * 16;
        const T* x = q + (token * heads + head) * (nope + rope);
        T* row = queries + (token * heads + head) * width;
        const int64_t position = positions[token];
        for (int32_t i = int32_t(lane_index()); i < nope; i += 32) {
            row[i] = rounded<T>(to_float(x[i]) * factor);
        }
        for (int32_t i = int32_t(lane_index()); i < rope / 2; i += 32) {
            float pair[2] = {0, 0};
            if (position >= 0 && position < most_positions) {
                turn(x + nope, i, rope, interleave != 0, cos, sin, position, pair);
            }
            row[nope + i] = rounded<T>(pair[0] * factor);
            row[nope + rope / 2 + i] = rounded<T>(pair[1] * factor);
        }
        for (int32_t i = nope + rope + int32_t(lane_index()); i < width; i += 32) {
            row[i] = rounded<T>(0);
        }
    }
}

#define ENTRY(suffix, T)                                                                                                                  \
    KERNEL(latent_attention_turn_##suffix, threads, PARAMETERS(T)) {                                                                      \
        turn_queries<T>(q, kv, gain, cos, sin, positions, mask, found, most_positions, rows, tokens, total, columns, heads, nope, rope,   \
                        rank, interleave, factor, epsilon, key, value, sights, row_columns, queries);                                     \
    }
ENTRY(f16, f16)
ENTRY(bf16, bf16)
#undef ENTRY
#undef PARAMETERS

}  // namespace latentmoe::cuda
