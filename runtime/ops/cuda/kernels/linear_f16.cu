// Linear on f16 activations.
#include "linear_plain.cuh"
#include "linear_rows.cuh"
#include "linear_tiles.cuh"

namespace latentmoe::cuda {

#define LINEAR(W, Largest)          \
    LINEAR_ROWS(f16, W, 1, 1)      \
    LINEAR_ROWS(f16, W, 4, 1)      \
    LINEAR_ROWS(f16, W, 1, 2)      \
    LINEAR_ROWS(f16, W, 4, 2)      \
    LINEAR_TILES(f16, W, Largest)   \
    LINEAR_PLAIN(f16, W)
LINEAR(f16, Tile128)
LINEAR(int8, QuantisedTile128)
LINEAR(int4, QuantisedTile128)
#undef LINEAR

}  // namespace latentmoe::cuda
