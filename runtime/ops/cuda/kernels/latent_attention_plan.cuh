// Which tokens live, what each of them sees, and the cached rows of the live ones. plan [2], where given, holds what is found for all
// tokens beforehand: the used columns of the mask, and 1 + the last column that the call writes.
#pragma once
#include "latent_attention.cuh"

namespace latentmoe::cuda {

/// The largest number among the block's threads; shared [32].
DEVICE int32_t block_largest(int32_t value, int32_t* shared) {
    value = int32_t(warp_largest(uint32_t(value)));
    block_barrier();
    if (lane_index() == 0) {
        shared[warp_index()] = value;
    }
    block_barrier();
    const uint32_t warps = block_threads() / 32;
    for (uint32_t i = 0; i < warps; i++) {
        value = largest(value, shared[i]);
    }
    return value;
}

/// 1 + the last column that any of the mask's rows uses, or `tokens` where that is more: what lies before makes no difference.
DEVICE int32_t used_columns(const int64_t* mask, int32_t rows, int32_t tokens, int32_t total, int32_t* shared) {
    const int32_t step = largest(1, 2048 / rows);
    for (int32_t end = total; end > tokens; end -= step) {
        const int32_t first = largest(end - step, tokens), columns = end - first;
        int32_t used = 0;
        for (int64_t i = thread_index(); i < int64_t(rows) * columns; i += block_threads()) {
            const int32_t row = int32_t(i / columns), column = first + int32_t(i % columns);
            if (mask[int64_t(row) * total + column] != 0) {
                used = largest(used, column + 1);
            }
        }
        used = block_largest(used, shared);
        if (used > 0) {
            return used;
        }
    }
    return tokens;
}

struct Plan {
    const int64_t *positions, *mask;
    int32_t rows, tokens, total, columns;  // B, S, T, max(P, T)
    int64_t most_positions;
    int32_t offset;  // the mask's column of a row's first token

    DEVICE bool lives(int64_t token) const {
        return positions[token] >= 0 && mask[token / tokens * total + offset + token % tokens] != 0;
    }
    DEVICE bool bad(int64_t token) const { return positions[token] >= most_positions || (positions[token] >= columns && lives(token)); }

    /// 1 + the last column that is written, and at least 1; by all threads of the block.
    DEVICE int32_t written(int32_t* shared) const {
        int32_t last = 1;
        for (int64_t token = thread_index(); token < int64_t(rows) * tokens; token += block_threads()) {
            if (lives(token) && !bad(token)) {
                last = largest(last, int32_t(positions[token]) + 1);
            }
        }
        return block_largest(last, shared);
    }
};

/// Sights of the tokens first to first + count − 1; by all threads of the block. shared [33].
DEVICE void find_sights(Plan& plan, const int32_t* found, int64_t first, int32_t count, int32_t* shared, int32_t* sights) {
    if (plan.total > plan.tokens) {
        const int32_t used =
            found ? largest(found[0], plan.tokens) : used_columns(plan.mask, plan.rows, plan.tokens, plan.total, shared);
        plan.offset = used - plan.tokens;
    }
    const int64_t token = first + thread_index();
    const bool mine = int32_t(thread_index()) < count;
    const bool dead = mine && plan.positions[token] >= 0 && !plan.lives(token);
    int32_t written = 1;
    if (block_largest(dead ? 1 : 0, shared) != 0) {
        written = found ? found[1] : plan.written(shared);
    }
    if (mine) {
        const int64_t seen = plan.positions[token] + 1;
        if (plan.bad(token)) {
            sights[token] = bad_position;
        } else if (dead) {
            const int32_t most = least(written, plan.columns);
            sights[token] = sight(seen < most ? int32_t(seen) : most, true);
        } else {
            sights[token] = sight(seen > 0 ? int32_t(seen) : 0, false);
        }
    }
}

/// The cached row of a token, by a warp: its latent, normed (RMSNorm, arXiv 1910.07467), and its key, turned.
template <typename T, typename C>
DEVICE void write_row(const T* kv, const float* gain, float epsilon, int32_t rank, int32_t rope, bool interleave, const float* cos,
                      const float* sin, int64_t position, C* key, C* value) {
    const int32_t half = (rank + rope) / 2;
    const auto put = [&](int32_t i, float number) { (i < half ? key[i] : value[i - half]) = rounded<C>(number); };
    float squares = 0;
    for (int32_t i = int32_t(lane_index()); i < rank; i += 32) {
        squares = fma_of(to_float(kv[i]), to_float(kv[i]), squares);
    }
    const float factor = rsqrt_of(warp_sum(squares) / float(rank) + epsilon);
    for (int32_t i = int32_t(lane_index()); i < rank; i += 32) {
        put(i, to_float(kv[i]) * factor * gain[i]);
    }
    for (int32_t i = int32_t(lane_index()); i < rope / 2; i += 32) {
        float pair[2];
        turn(kv + rank, i, rope, interleave, cos, sin, position, pair);
        put(rank + i, pair[0]);
        put(rank + rope / 2 + i, pair[1]);
    }
}

}  // namespace latentmoe::cuda
