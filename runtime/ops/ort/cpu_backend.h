// The operators on the CPU, in float32 whatever the activations are stored in.
#pragma once
#include "backend.h"

namespace latentmoe {

class CpuBackend final : public Backend {
public:
    CpuBackend(Host& host, const Kernels& kernels) : host_(host), kernels_(kernels) {}

    void linear(Type type, const Weights& w, const void* x, int64_t tokens, void* y) override;
    void route(Type type, const RouterSettings& settings, const void* x, const float* gate, int64_t experts, int64_t width, const float* bias,
               const int64_t* positions, int64_t tokens, int32_t* chosen, float* shares) override;
    void mix_experts(Type type, const ExpertWeights& w, const void* x, const int32_t* chosen, const float* shares, int64_t tokens, int64_t slots,
                     void* y) override;
    void add_rms_norm(Type type, const void* x, const void* residual, const float* gain, float epsilon, int64_t rows, int64_t width, void* y,
                      void* sum) override;
    void latent_attention(Type type, const AttentionSettings& settings, const LatentAttentionTensors& tensors) override;
    void select_token(Type type, const Selection& selection, const void* logits, int64_t rows, int64_t vocabulary, const int64_t* positions,
                      int64_t* token, int64_t* next_positions) override;

private:
    Host& host_;
    const Kernels& kernels_;
};

}  // namespace latentmoe
