// Linear on float32 activations.
#include "linear_plain.cuh"
#include "linear_rows.cuh"

namespace latentmoe::cuda {

// Names of kernels say f32.
using f32 = float;

#define LINEAR(W)              \
    LINEAR_ROWS(f32, W, 1, 1)  \
    LINEAR_ROWS(f32, W, 4, 1)  \
    LINEAR_ROWS(f32, W, 1, 4)  \
    LINEAR_PLAIN(f32, W)
LINEAR(f32)
LINEAR(bf16)
LINEAR(f16)
LINEAR(int8)
LINEAR(int4)
#undef LINEAR

}  // namespace latentmoe::cuda
