#include "kernels_avx512vnni.h"

#include "kernels_bytes.h"

namespace latentmoe {

namespace {

template <auto Kernels::*of_floats>
void dot(const Weights& w, int64_t first, int64_t last, const float* const* x, int64_t tokens, float* const* y) {
    switch (w.type) {
        case WeightType::Int8: return ByteDot<WeightType::Int8>::run(w, first, last, x, tokens, y);
        case WeightType::Int4: return ByteDot<WeightType::Int4>::run(w, first, last, x, tokens, y);
        default: return (avx512_kernels.*of_floats)(w, first, last, x, tokens, y);
    }
}

}  // namespace

void use_byte_products(Kernels& kernels) {
    kernels.dot = dot<&Kernels::dot>;
    kernels.dot_near = dot<&Kernels::dot_near>;
}

}  // namespace latentmoe
