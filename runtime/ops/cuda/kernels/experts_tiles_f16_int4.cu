// MoEExperts for many tokens of f16, with int4 weights.
#include "experts_tiles.cuh"

namespace latentmoe::cuda {

EXPERTS_TILES(f16, int4, QuantisedTile128)

}  // namespace latentmoe::cuda
