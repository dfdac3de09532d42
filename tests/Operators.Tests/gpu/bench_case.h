// One point of the benchmark, a decode step or a prefill on a model, and what each operator of a layer does there.
#pragma once
#include "bench_model.h"

#include <functional>
#include <utility>

namespace latentmoe::test {

struct BenchPoint {
    bool prefill;
    int64_t context, batch;  // a prefill's context are its own tokens

    int64_t sequence() const { return prefill ? context : 1; }
    int64_t tokens() const { return batch * sequence(); }
    int64_t start() const { return prefill ? 0 : context; }
    int64_t slots() const { return (start() + sequence() + 127) / 128 * 128; }
};

struct BenchOperator {
    const char* name;
    double bytes, flops;                              // that one call cannot do without
    int64_t layers;                                   // whose tensors differ
    std::function<void(cuda::Device&, int64_t)> run;  // of one layer
};

class BenchCase {
public:
    BenchCase(const BenchModel& model, const BenchPoint& point);

    const BenchPoint point;

    /// In the order of `Place`.
    std::vector<BenchOperator> operators;

    /// A step as a program runs it, but for the embedding: all layers of the shape, the head, the choice of a token. `called` follows each
    /// operator.
    void step(cuda::Device& device, const std::function<void()>& called) const;
    double step_bytes() const;
    double step_flops() const;

    /// What a case allocates.
    static double bytes(const BenchModel& model, const BenchPoint& point);

private:
    enum Place : size_t { norm, q, kv, attention, o, router, experts, head, selection };

    void add_norm();
    void add_linear(const char* name, Weights BenchLayer::*matrix, void* x, void* y);
    void add_attention();
    void add_router();
    void add_experts();
    void add_head();
    void add_selection();
    void* activations(int64_t width);
    std::vector<std::pair<Place, int64_t>> sequence() const;

    const BenchModel& model_;
    BenchMemory memory_;
    std::vector<std::pair<void*, void*>> caches_;
    void *x_, *residual_, *sum_, *q_, *kv_, *attended_, *mixed_, *logits_;
    int32_t* chosen_;
    float *shares_, *cos_, *sin_;
    int64_t *positions_, *mask_, *token_, *next_;
    cuda::Selection selection_;
};

}  // namespace latentmoe::test
