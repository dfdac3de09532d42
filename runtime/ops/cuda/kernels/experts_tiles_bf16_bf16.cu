// MoEExperts for many tokens of bf16, with bf16 weights.
#include "experts_tiles.cuh"

namespace latentmoe::cuda {

EXPERTS_TILES(bf16, bf16, Tile128)

}  // namespace latentmoe::cuda
