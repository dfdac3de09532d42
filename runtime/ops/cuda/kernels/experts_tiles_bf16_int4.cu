// MoEExperts for many tokens of bf16, with int4 weights.
#include "experts_tiles.cuh"

namespace latentmoe::cuda {

EXPERTS_TILES(bf16, int4, QuantisedTile128)

}  // namespace latentmoe::cuda
