// AdamW in one pass over memory, for contiguous float32 tensors of the CPU. The composed operators read and write each of the
// four tensors several times, which for a model of many experts costs as much as the forward pass.
#include "torchshim.h"
#include "guarded.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include <cmath>

namespace {

constexpr int64_t grain = 1 << 14;

#if defined(__x86_64__)
__attribute__((target_clones("avx512f", "avx2", "default")))
#endif
void update(float* __restrict parameter, const float* __restrict gradient, float* __restrict mean, float* __restrict square,
            int64_t count, const ts_adamw_options& options) {
    // The complements are taken in double: 1 - 0.999f is off by one part in a hundred thousand.
    const auto beta1 = static_cast<float>(options.beta1), rest1 = static_cast<float>(1 - options.beta1);
    const auto beta2 = static_cast<float>(options.beta2), rest2 = static_cast<float>(1 - options.beta2);
    const auto decay = static_cast<float>(options.decay), root_correction = static_cast<float>(options.root_correction);
    const auto epsilon = static_cast<float>(options.epsilon), step = static_cast<float>(options.step);
    for (int64_t i = 0; i < count; i++) {
        const float g = gradient[i];
        const float m = beta1 * mean[i] + rest1 * g;
        const float v = beta2 * square[i] + rest2 * g * g;
        mean[i] = m;
        square[i] = v;
        parameter[i] = decay * parameter[i] - step * m / (std::sqrt(v) / root_correction + epsilon);
    }
}

}  // namespace

int32_t ts_adamw(const int64_t* parameters, const int64_t* gradients, const int64_t* means, const int64_t* squares, int32_t count,
                 const ts_adamw_options* options) {
    return guarded([&] {
        for (int32_t i = 0; i < count; i++) {
            const auto parameter = borrow(parameters[i]), mean = borrow(means[i]), square = borrow(squares[i]);
            const auto gradient = borrow(gradients[i]).contiguous();
            for (const auto& tensor : {gradient, mean, square}) {
                TORCH_CHECK(tensor.numel() == parameter.numel() && tensor.is_contiguous(), "AdamW: a tensor of shape ",
                            tensor.sizes(), " is with a parameter of shape ", parameter.sizes());
            }
            auto* p = parameter.data_ptr<float>();
            const auto* g = gradient.data_ptr<float>();
            auto* m = mean.data_ptr<float>();
            auto* v = square.data_ptr<float>();
            at::parallel_for(0, parameter.numel(), grain, [&](int64_t begin, int64_t end) {
                update(p + begin, g + begin, m + begin, v + begin, end - begin, *options);
            });
            for (const auto& tensor : {parameter, mean, square}) {
                tensor.unsafeGetTensorImpl()->bump_version();
            }
        }
    });
}
