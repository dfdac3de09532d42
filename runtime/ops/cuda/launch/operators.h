// The operators on a GPU. Shapes are checked by the caller; ids, positions and masks lie in device memory, and the kernels check them.
#pragma once
#include "../../cpu/operators.h"
#include "device.h"

namespace latentmoe::cuda {

/// Of activations, and so of x, y, q, kv and logits. Products are summed in float32 whatever it is.
enum class Type { F32, F16, BF16 };

/// y [tokens, w.rows] = x [tokens, w.columns] · wᵀ.
void linear(Device& device, Type type, const Weights& w, const void* x, int64_t tokens, void* y);

/// x [tokens, d] of the given type, gate [experts, d] and bias [experts] f32, positions [tokens] → chosen and shares [tokens, top_k].
void route(Device& device, Type type, const RouterSettings& settings, const void* x, const float* gate, int64_t experts, int64_t width,
           const float* bias, const int64_t* positions, int64_t tokens, int32_t* chosen, float* shares);

/// y [tokens, d]. An expert id that is out of range gives its token a row of NaN.
void mix_experts(Device& device, Type type, const ExpertWeights& w, const void* x, const int32_t* chosen, const float* shares, int64_t tokens,
                 int64_t slots, void* y);

/// sum = residual + x, and y = sum / sqrt(mean(sum²) + epsilon) · gain; all but gain [width], which is f32, are [rows, width].
void add_rms_norm(Device& device, Type type, const void* x, const void* residual, const float* gain, float epsilon, int64_t rows, int64_t width,
                  void* y, void* sum);

/// As AttentionTensors, with q, kv and out of the activations' type, and the cache in a type of its own.
struct LatentAttentionTensors {
    const void *q, *kv;
    const float* kv_norm;
    Weights kv_b;
    const float *cos, *sin;    // [max_positions, dr/2]
    int64_t max_positions;
    const int64_t *positions, *mask;
    const void *past_key, *past_value;
    void *out, *present_key, *present_value;
    Type cache;
    int64_t batch, tokens, past, total;  // B, S, P, T
};

/// A token at a position beyond the rotary tables or the cache is not written, and gets a row of NaN.
void latent_attention(Device& device, Type type, const AttentionSettings& settings, const LatentAttentionTensors& tensors);

using latentmoe::Selection;

/// logits [rows, vocabulary] → token [rows], −1 where the largest is not finite; next_positions = positions + 1, negative ones as they are.
void select_token(Device& device, Type type, const Selection& selection, const void* logits, int64_t rows, int64_t vocabulary,
                  const int64_t* positions, int64_t* token, int64_t* next_positions);

}  // namespace latentmoe::cuda
