// The work of the absorbed form, cut: queries of a group into tiles that share a pass over the cache, a tile's context into chunks, and
// all of it into waves, whose partial sums fit the memory set aside for them.
#pragma once
#include "latent_attention.h"

namespace latentmoe::attention {

constexpr int64_t tile_lines = 64;  // about the queries · heads of a tile

/// Consecutive queries of one group. Chunk c covers columns c · length to (c + 1) · length − 1.
struct Tile {
    int64_t row;
    const Query* queries;
    int64_t count;
    int64_t first = 0;    // index of its first query in the wave
    int64_t partial = 0;  // index of its partial sums in the wave: [chunks, count]
    int64_t chunks = 0, length = 0;

    int64_t columns() const { return queries[count - 1].columns; }
};

struct Unit {
    int64_t tile, chunk;
};

struct Wave {
    std::vector<Tile> tiles;
    std::vector<Unit> units;
    std::vector<int64_t> owner;  // a query's tile
    int64_t partials = 0;        // partial sums of all tiles, each of all heads
    double lines = 0;            // scores to compute

    int64_t count() const { return static_cast<int64_t>(owner.size()); }
    const Query& query(int64_t index) const { return tiles[owner[index]].queries[index - tiles[owner[index]].first]; }
};

std::vector<Wave> cut(const Call& call, const std::vector<const Group*>& groups);

}  // namespace latentmoe::attention
