// The operators on a GPU, on the stream on which ONNX Runtime runs the node.
#pragma once
#include "../cuda/driver/provider.h"
#include "api.h"
#include "backend.h"

#include <vector>

namespace latentmoe {

/// ONNX Runtime's device memory, given back when the call ends: what runs on the stream later may have it then.
class GpuScratch final : public cuda::ScratchMemory {
public:
    GpuScratch(const Api& api, const OrtKernelContext* context, int device) : api_(api), context_(context), device_(device) {}
    GpuScratch(const GpuScratch&) = delete;
    GpuScratch& operator=(const GpuScratch&) = delete;
    ~GpuScratch() override;

    void* take(size_t bytes) override;

private:
    void open();

    const Api& api_;
    const OrtKernelContext* context_;
    int device_;
    OrtAllocator* allocator_ = nullptr;
    std::vector<void*> blocks_;
};

class GpuBackend final : public Backend {
public:
    GpuBackend(const Api& api, const OrtKernelContext* context, cuda::Provider& provider);

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
    GpuScratch scratch_;
    std::unique_ptr<cuda::Device> device_;
};

}  // namespace latentmoe
