// The choice among a token's experts by one warp, in shared memory. Numbers are compared by keys: unsigned, in the order of the numbers,
// NaN below them all, so that the choice is always defined. A negative zero, which no sum here can be, would lie below zero.
#pragma once
#include "portable.cuh"

namespace latentmoe::cuda {

constexpr uint32_t taken_key = 0, nan_key = 1;
constexpr float excluded_choice = -3e38f;  // takes the place of a choice outside the best groups
constexpr float least_divisor = 1e-20f;    // added to the sum that normalises

struct RouterRules {
    int32_t experts, top_k;
    int32_t softmax, normalise;
    float factor;
    int32_t groups, kept_groups;  // groups 0: all experts compete
    int32_t sum_of_two;           // a group scores by its two best experts, else by its best
};

/// A token's working memory: scores [experts], keys [experts], the groups' keys [groups], the chosen experts [top_k].
DEVICE int32_t router_room(const RouterRules& rules) { return 2 * rules.experts + rules.groups + rules.top_k; }

DEVICE uint32_t key_of(float value) {
    const uint32_t bits = bits_of(value);
    return value != value ? nan_key : bits >> 31 ? ~bits : bits | 0x80000000u;
}
DEVICE float number_of(uint32_t key) { return float_of(key >> 31 ? key & 0x7FFFFFFFu : ~key); }

/// Index of the largest key, the lowest among equal ones; the key is taken. Lane l alone reads and writes keys l, l + 32, …
DEVICE int32_t take_largest(uint32_t* keys, int32_t count) {
    uint32_t best = taken_key, place = ~0u;
    for (int32_t i = int32_t(lane_index()); i < count; i += 32) {
        if (keys[i] > best) {
            best = keys[i];
            place = uint32_t(i);
        }
    }
    const int32_t index = int32_t(warp_least(best == warp_largest(best) ? place : ~0u));
    if (index % 32 == int32_t(lane_index())) {
        keys[index] = taken_key;
    }
    return index;
}

/// Logits [experts] become scores.
DEVICE void score(const RouterRules& rules, float* logits) {
    const int32_t lane = int32_t(lane_index());
    if (!rules.softmax) {
        for (int32_t e = lane; e < rules.experts; e += 32) {
            logits[e] = 1 / (1 + exp_of(-logits[e]));
        }
        return;
    }
    float largest = logits[lane < rules.experts ? lane : 0], sum = 0;
    for (int32_t e = lane + 32; e < rules.experts; e += 32) {
        largest = logits[e] > largest || largest != largest ? logits[e] : largest;
    }
    largest = warp_max(largest);
    for (int32_t e = lane; e < rules.experts; e += 32) {
        logits[e] = exp_of(logits[e] - largest);
        sum += logits[e];
    }
    const float part = 1 / warp_sum(sum);
    for (int32_t e = lane; e < rules.experts; e += 32) {
        logits[e] *= part;
    }
}

/// Only the experts of the best groups keep their keys.
DEVICE void limit_groups(const RouterRules& rules, uint32_t* keys, uint32_t* groups) {
    const int32_t lane = int32_t(lane_index()), size = rules.experts / rules.groups;
    for (int32_t g = lane; g < rules.groups; g += 32) {
        uint32_t best = taken_key, second = taken_key;
        for (int32_t e = g * size; e < (g + 1) * size; e++) {
            second = keys[e] > best ? best : keys[e] > second ? keys[e] : second;
            best = keys[e] > best ? keys[e] : best;
        }
        groups[g] = rules.sum_of_two ? key_of(number_of(best) + number_of(second)) : best;
    }
    for (int32_t i = 0; i < rules.kept_groups; i++) {
        take_largest(groups, rules.groups);
    }
    warp_barrier();
    for (int32_t e = lane; e < rules.experts; e += 32) {
        keys[e] = groups[e / size] == taken_key ? keys[e] : key_of(excluded_choice);
    }
}

/// Logits in scores [experts], with working memory for the rest behind them → chosen and shares [top_k].
DEVICE void choose(const RouterRules& rules, float* scores, const float* bias, int32_t* chosen, float* shares) {
    const int32_t lane = int32_t(lane_index());
    uint32_t* keys = reinterpret_cast<uint32_t*>(scores + rules.experts);
    uint32_t* groups = keys + rules.experts;
    int32_t* best = reinterpret_cast<int32_t*>(groups + rules.groups);
    score(rules, scores);
    for (int32_t e = lane; e < rules.experts; e += 32) {
        keys[e] = key_of(scores[e] + bias[e]);
    }
    warp_barrier();
    if (rules.groups > 0) {
        limit_groups(rules, keys, groups);
    }
    float sum = 0;
    for (int32_t k = 0; k < rules.top_k; k++) {
        const int32_t expert = take_largest(keys, rules.experts);
        sum += scores[expert];
        if (lane == 0) {
            best[k] = expert;
        }
    }
    warp_barrier();
    for (int32_t k = lane; k < rules.top_k; k += 32) {
        const float score = scores[best[k]];
        chosen[k] = best[k];
        shares[k] = (rules.normalise ? score / (sum + least_divisor) : score) * rules.factor;
    }
}

}  // namespace latentmoe::cuda
