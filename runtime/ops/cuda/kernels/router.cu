// MoERouter: one kernel in which a block makes the logits of its tokens, each warp those of four experts at a time, and a warp chooses
// for each token; or two, where the gate is too much for one block.
#include "router_choice.cuh"
#include "router_logits.cuh"

namespace latentmoe::cuda {

/// What a token gets: its choice, or nothing at a position below 0. scores holds its logits and the room for the choice.
DEVICE void route_token(const RouterRules& rules, float* scores, const float* bias, int64_t position, int32_t* chosen, float* shares) {
    if (position >= 0) {
        choose(rules, scores, bias, chosen, shares);
        return;
    }
    for (int32_t k = int32_t(lane_index()); k < rules.top_k; k += 32) {
        chosen[k] = -1;
        shares[k] = 0;
    }
}

template <typename T, int tokens>
DEVICE void router(const T* x, const float* gate, const float* bias, const int64_t* positions, int64_t count, int32_t width, bool quads,
                   const RouterRules& rules, int32_t* chosen, float* shares) {
    float* rooms = reinterpret_cast<float*>(shared_memory());
    const int32_t warps = int32_t(block_threads() / 32), warp = int32_t(warp_index()), lane = int32_t(lane_index());
    const int64_t first = int64_t(block_x()) * tokens;
    const RowsOf<T, tokens> rows(x, first, count, width);
    for (int32_t e = warp * gate_rows; e < rules.experts; e += warps * gate_rows) {
        float sums[gate_rows * tokens];
        gate_sums<T, tokens>(RowsOf<float, gate_rows>(gate, e, rules.experts, width), rows, width, 0, 128, quads, sums);
        const float sum = warp_sums<gate_rows * tokens>(sums);
        constexpr int32_t lanes = 32 / (gate_rows * tokens);
        const int32_t expert = e + lane / lanes / tokens, token = lane / lanes % tokens;
        if (lane % lanes == 0 && expert < rules.experts) {
            rooms[token * router_room(rules) + expert] = sum;
        }
    }
    block_barrier();
    for (int32_t t = warp; t < tokens && first + t < count; t += warps) {
        const int64_t place = (first + t) * rules.top_k;
        route_token(rules, rooms + t * router_room(rules), bias, positions[first + t], chosen + place, shares + place);
    }
}

// Logits (tokens, experts) of four experts and some tokens: the warps share the width.
template <typename T, int tokens>
DEVICE void router_logits(const T* x, const float* gate, int64_t count, int32_t width, bool quads, int32_t experts, float* logits) {
    float* parts = reinterpret_cast<float*>(shared_memory());  // (warps, 4, tokens)
    const int32_t warps = int32_t(block_threads() / 32), warp = int32_t(warp_index()), lane = int32_t(lane_index());
    const int32_t first_expert = int32_t(block_x()) * gate_rows;
    const int64_t first = int64_t(block_y()) * tokens;
    const RowsOf<float, gate_rows> gate_part(gate, first_expert, experts, width);
    const RowsOf<T, tokens> rows(x, first, count, width);
    float sums[gate_rows * tokens];
    gate_sums<T, tokens>(gate_part, rows, width, warp * 128, warps * 128, quads, sums);
    constexpr int32_t numbers = gate_rows * tokens, lanes = 32 / numbers;
    const float sum = warp_sums<gate_rows * tokens>(sums);
    if (lane % lanes == 0) {
        parts[warp * numbers + lane / lanes] = sum;
    }
    block_barrier();
    const int32_t expert = first_expert + lane / tokens;
    const int64_t token = first + lane % tokens;
    if (warp == 0 && lane < numbers && expert < experts && token < count) {
        float total = 0;
        for (int32_t w = 0; w < warps; w++) {
            total += parts[w * numbers + lane];
        }
        logits[token * experts + expert] = total;
    }
}

#define ROUTER(stem, T, suffix, tokens, threads)                                                                                          \
    KERNEL(stem##_##suffix, threads,                                                                                                      \
           (const T* x, const float* gate, const float* bias, const int64_t* positions, int64_t count, int32_t width, int32_t quads,      \
            int32_t experts, int32_t top_k, int32_t softmax, int32_t normalise, float factor, int32_t groups, int32_t kept_groups,        \
            int32_t sum_of_two, int32_t* chosen, float* shares)) {                                                                        \
        router<T, tokens>(x, gate, bias, positions, count, width, quads != 0,                                                             \
                          RouterRules{experts, top_k, softmax, normalise, factor, groups, kept_groups, sum_of_two}, chosen, shares);      \
    }
#define ROUTER_LOGITS(stem, T, suffix, tokens)                                                                                            \
    KERNEL(stem##_##suffix, 256,                                                                                                          \
           (const T* x, const float* gate, int64_t count, int32_t width, int32_t quads, int32_t experts, float* logits)) {                \
        router_logits<T, tokens>(x, gate, count, width, quads != 0, experts, logits);                                                     \
    }
#define ENTRIES(T, suffix)                           \
    ROUTER(router_token, T, suffix, 1, 256)          \
    ROUTER(router_tokens, T, suffix, 8, 256)         \
    ROUTER_LOGITS(router_logits_token, T, suffix, 1) \
    ROUTER_LOGITS(router_logits_tokens, T, suffix, 8)
ENTRIES(float, f32)
ENTRIES(f16, f16)
ENTRIES(bf16, bf16)
#undef ENTRIES
#undef ROUTER_LOGITS
#undef ROUTER

// A warp for each token's choice among logits (tokens, experts).
KERNEL(router_choice, 128,
       (const float* logits, const float* bias, const int64_t* positions, int64_t count, int32_t experts, int32_t top_k, int32_t softmax,
        int32_t normalise, float factor, int32_t groups, int32_t kept_groups, int32_t sum_of_two, int32_t* chosen, float* shares)) {
    const RouterRules rules{experts, top_k, softmax, normalise, factor, groups, kept_groups, sum_of_two};
    const int64_t token = int64_t(block_x()) * (block_threads() / 32) + warp_index();
    if (token >= count) {
        return;
    }
    float* scores = reinterpret_cast<float*>(shared_memory()) + int32_t(warp_index()) * router_room(rules);
    for (int32_t e = int32_t(lane_index()); e < experts; e += 32) {
        scores[e] = logits[token * experts + e];
    }
    warp_barrier();
    route_token(rules, scores, bias, positions[token], chosen + token * top_k, shares + token * top_k);
}

}  // namespace latentmoe::cuda
