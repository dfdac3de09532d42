// MoEExperts for many tokens in float32 arithmetic: for float32 activations, and for sizes that tensor cores do not take.
#include "experts_tiles.cuh"

namespace latentmoe::cuda {

// Names of kernels say f32.
using f32 = float;
using ExpertsPlainTile = PlainTile<64>;

#define EXPERTS_PLAIN(T, W) EXPERTS_TILE(plain, PlainProduct, ExpertsPlainTile, false, T, W)
EXPERTS_PLAIN(f32, f32)
EXPERTS_PLAIN(f32, bf16)
EXPERTS_PLAIN(f32, f16)
EXPERTS_PLAIN(f32, int8)
EXPERTS_PLAIN(f32, int4)
EXPERTS_PLAIN(f16, f16)
EXPERTS_PLAIN(f16, int8)
EXPERTS_PLAIN(f16, int4)
EXPERTS_PLAIN(bf16, bf16)
EXPERTS_PLAIN(bf16, int8)
EXPERTS_PLAIN(bf16, int4)
#undef EXPERTS_PLAIN

}  // namespace latentmoe::cuda
