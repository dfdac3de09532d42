// The operators on the CPU. Arguments are checked by the caller: shapes agree, ids and positions are in range.
#pragma once
#include "host.h"
#include "kernels.h"

#include <string_view>

namespace latentmoe {

/// y [tokens, w.rows] = x [tokens, w.columns] · wᵀ.
void linear(Host& host, const Kernels& kernels, const Weights& w, const float* x, int64_t tokens, float* y);

/// Scores of experts and the choice among them; see MoERouter's body.
struct RouterSettings {
    int64_t top_k = 1;
    bool softmax = false;  // else sigmoid
    bool norm_topk_prob = true;
    float routed_scaling_factor = 1;
    int64_t n_group = 1, topk_group = 1;
    bool sum_of_two = false;     // a group scores by its two best experts (noaux_tc), else by its best
    bool limit_groups = false;   // n_group > 1 and the method is not greedy
};

/// x [tokens, d], gate [experts, d], bias [experts], positions [tokens] → chosen and shares [tokens, top_k].
void route(Host& host, const Kernels& kernels, const RouterSettings& settings, const float* x, const Weights& gate, const float* bias,
           const int64_t* positions, int64_t tokens, int32_t* chosen, float* shares);

/// Stacks of expert matrices: gate_up [experts · 2 · hidden, d], the gate's rows first; down [experts · d, hidden].
/// Shared: gate_up [2 · shared, d], down [d, shared]; rows 0 where there are none.
struct ExpertWeights {
    Weights gate_up, down, shared_gate_up, shared_down;
    int64_t experts = 0;
};

/// y [tokens, d]: the chosen experts' sum weighted by shares [tokens, slots], expert −1 skipped, and the shared experts.
void mix_experts(Host& host, const Kernels& kernels, const ExpertWeights& w, const float* x, const int32_t* chosen, const float* shares,
                 int64_t tokens, int64_t slots, float* y);

/// sum = residual + x, and y = sum / sqrt(mean(sum²) + epsilon) · gain, row by row; all but gain [width] are [rows, width].
void add_rms_norm(Host& host, const Kernels& kernels, const float* x, const float* residual, const float* gain, float epsilon, int64_t rows,
                  int64_t width, float* y, float* sum);

struct AttentionSettings {
    int64_t heads, nope, rope, value, rank;  // H, dn, dr, dv, r
    float scale, epsilon;
    bool interleave;
};

/// Cache elements are float32, or float16 where half_cache. past may be present: then it is updated in place.
struct AttentionTensors {
    const float* q;            // [B, S, H(dn+dr)]
    const float* kv;           // [B, S, r+dr]
    const float* kv_norm;      // [r]
    Weights kv_b;              // [H(dn+dv), r], float
    const float *cos, *sin;    // [max, dr/2]
    const int64_t* positions;  // [B, S], below max
    const int64_t* mask;       // [B, T]
    const void *past_key, *past_value;  // [B, 1, P, (r+dr)/2]
    float* out;                         // [B, S, H·dv]
    void *present_key, *present_value;  // [B, 1, max(P, T), (r+dr)/2]
    bool half_cache;
    int64_t batch, tokens, past, total;  // B, S, P, T
};

void latent_attention(Host& host, const Kernels& kernels, const AttentionSettings& settings, const AttentionTensors& tensors);

/// How the next token of each row is chosen; arrays [rows], where the operator runs. Temperature 0: the first of the largest logits. Else
/// top-k (0 for all), then top-p of what is left, then min-p; `uniform`, in [0, 1), draws among the rest in the order of ids.
struct Selection {
    const float* temperature;
    const int32_t* top_k;
    const float *top_p, *min_p, *uniform;
};

/// logits [rows, vocabulary] → token [rows], −1 where the largest is not finite; next_positions = positions + 1, negative ones as they are.
void select_token(Host& host, const Selection& selection, const float* logits, int64_t rows, int64_t vocabulary, const int64_t* positions,
                  int64_t* token, int64_t* next_positions);

}  // namespace latentmoe
