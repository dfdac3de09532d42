// The list of tiles that grouped products are made of, one for some tokens of one expert. A tile's place follows from how many pairs lower
// experts have, not from their tiles, so that each expert writes its own: hence some tiles are empty.
#pragma once
#include "experts_part.cuh"

namespace latentmoe::cuda {

struct ExpertTile {
    int32_t expert, first, count;  // first and count among the sorted pairs; the count may be 0
};

/// Where the tiles of an expert begin whose pairs begin at `start`. Tiles that take ceil(count / tokens) places end before the next one's.
DEVICE int32_t tile_place(int32_t expert, int32_t start, int32_t tile_tokens) { return start / tile_tokens + expert; }

DEVICE void write_tile(int32_t* tiles, int32_t place, const ExpertTile& tile) {
    tiles[3 * place] = tile.expert;
    tiles[3 * place + 1] = tile.first;
    tiles[3 * place + 2] = tile.count;
}
DEVICE ExpertTile read_tile(const int32_t* tiles, int32_t place) { return {tiles[3 * place], tiles[3 * place + 1], tiles[3 * place + 2]}; }

}  // namespace latentmoe::cuda
