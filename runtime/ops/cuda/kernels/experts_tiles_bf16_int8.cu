// MoEExperts for many tokens of bf16, with int8 weights.
#include "experts_tiles.cuh"

namespace latentmoe::cuda {

EXPERTS_TILES(bf16, int8, QuantisedTile128)

}  // namespace latentmoe::cuda
