// MoEExperts for many tokens of f16, with f16 weights.
#include "experts_tiles.cuh"

namespace latentmoe::cuda {

EXPERTS_TILES(f16, f16, Tile128)

}  // namespace latentmoe::cuda
