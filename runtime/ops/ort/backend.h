// The operators as nodes call them, on the CPU or on a GPU, for one call. Shapes are checked before; ids and positions are left to the
// backend: the CPU's fails, with a message, where a GPU's kernels give NaN. Arrays lie in memory of the backend's device.
#pragma once
#include "../cuda/launch/operators.h"

namespace latentmoe {

using cuda::LatentAttentionTensors;
using cuda::Type;

/// As the functions of the same names in cuda/launch/operators.h.
class Backend {
public:
    virtual ~Backend() = default;

    virtual void linear(Type type, const Weights& w, const void* x, int64_t tokens, void* y) = 0;
    virtual void route(Type type, const RouterSettings& settings, const void* x, const float* gate, int64_t experts, int64_t width,
                       const float* bias, const int64_t* positions, int64_t tokens, int32_t* chosen, float* shares) = 0;
    virtual void mix_experts(Type type, const ExpertWeights& w, const void* x, const int32_t* chosen, const float* shares, int64_t tokens,
                             int64_t slots, void* y) = 0;
    virtual void add_rms_norm(Type type, const void* x, const void* residual, const float* gain, float epsilon, int64_t rows, int64_t width,
                              void* y, void* sum) = 0;
    virtual void latent_attention(Type type, const AttentionSettings& settings, const LatentAttentionTensors& tensors) = 0;
    virtual void select_token(Type type, const Selection& selection, const void* logits, int64_t rows, int64_t vocabulary,
                              const int64_t* positions, int64_t* token, int64_t* next_positions) = 0;
};

}  // namespace latentmoe
