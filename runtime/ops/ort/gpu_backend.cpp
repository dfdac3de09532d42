#include "gpu_backend.h"

namespace latentmoe {

GpuScratch::~GpuScratch() {
    for (void* block : blocks_) {
        api_->ReleaseStatus(api_->AllocatorFree(allocator_, block));
    }
    if (allocator_ != nullptr) {
        api_->ReleaseAllocator(allocator_);
    }
}

void GpuScratch::open() {
    OrtMemoryInfo* memory = nullptr;
    api_.check(api_->CreateMemoryInfo("Cuda", OrtDeviceAllocator, device_, OrtMemTypeDefault, &memory));
    OrtStatus* status = api_->KernelContext_GetAllocator(context_, memory, &allocator_);
    api_->ReleaseMemoryInfo(memory);
    api_.check(status);
}

void* GpuScratch::take(size_t bytes) {
    if (allocator_ == nullptr) {
        open();
    }
    blocks_.reserve(blocks_.size() + 1);
    void* block = nullptr;
    api_.check(api_->AllocatorAlloc(allocator_, bytes, &block));
    if (block == nullptr) {
        throw std::bad_alloc();
    }
    blocks_.push_back(block);
    return block;
}

static void* stream_of(const Api& api, const OrtKernelContext* context) {
    void* stream = nullptr;
    api.check(api->KernelContext_GetGPUComputeStream(context, &stream));
    return stream;
}

GpuBackend::GpuBackend(const Api& api, const OrtKernelContext* context, cuda::Provider& provider)
    : scratch_(api, context, provider.ordinal()), device_(provider.device(stream_of(api, context), scratch_)) {}

void GpuBackend::linear(Type type, const Weights& w, const void* x, int64_t tokens, void* y) { cuda::linear(*device_, type, w, x, tokens, y); }

void GpuBackend::route(Type type, const RouterSettings& settings, const void* x, const float* gate, int64_t experts, int64_t width,
                       const float* bias, const int64_t* positions, int64_t tokens, int32_t* chosen, float* shares) {
    cuda::route(*device_, type, settings, x, gate, experts, width, bias, positions, tokens, chosen, shares);
}

void GpuBackend::mix_experts(Type type, const ExpertWeights& w, const void* x, const int32_t* chosen, const float* shares, int64_t tokens,
                             int64_t slots, void* y) {
    cuda::mix_experts(*device_, type, w, x, chosen, shares, tokens, slots, y);
}

void GpuBackend::add_rms_norm(Type type, const void* x, const void* residual, const float* gain, float epsilon, int64_t rows, int64_t width,
                              void* y, void* sum) {
    cuda::add_rms_norm(*device_, type, x, residual, gain, epsilon, rows, width, y, sum);
}

void GpuBackend::latent_attention(Type type, const AttentionSettings& settings, const LatentAttentionTensors& tensors) {
    cuda::latent_attention(*device_, type, settings, tensors);
}

void GpuBackend::select_token(Type type, const Selection& selection, const void* logits, int64_t rows, int64_t vocabulary,
                              const int64_t* positions, int64_t* token, int64_t* next_positions) {
    cuda::select_token(*device_, type, selection, logits, rows, vocabulary, positions, token, next_positions);
}

}  // namespace latentmoe
