// MoEExperts for many tokens of f16, with int8 weights.
#include "experts_tiles.cuh"

namespace latentmoe::cuda {

EXPERTS_TILES(f16, int8, QuantisedTile128)

}  // namespace latentmoe::cuda
