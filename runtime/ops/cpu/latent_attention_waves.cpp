#include "latent_attention_waves.h"

#include <algorithm>

namespace latentmoe::attention {

namespace {

constexpr int64_t chunk_columns = 128;        // about the fewest columns that are worth a unit
constexpr int64_t most_chunks = 16;
constexpr int64_t budget = int64_t{1} << 20;  // floats of partial sums in a wave

int64_t divide_up(int64_t a, int64_t b) { return (a + b - 1) / b; }

/// Chunks of equal length, so that no thread is left with a long rest.
void cut_context(Tile& tile) {
    const int64_t chunks = std::clamp<int64_t>(divide_up(tile.columns(), chunk_columns), 1, most_chunks);
    tile.length = divide_up(divide_up(tile.columns(), chunks), 16) * 16;
    tile.chunks = divide_up(tile.columns(), tile.length);
}

void append(Wave& wave, Tile tile) {
    tile.first = wave.count();
    tile.partial = wave.partials;
    const auto index = static_cast<int64_t>(wave.tiles.size());
    wave.partials += tile.chunks * tile.count;
    wave.owner.insert(wave.owner.end(), tile.count, index);
    for (int64_t chunk = 0; chunk < tile.chunks; chunk++) {
        wave.units.push_back({index, chunk});
    }
    wave.lines += static_cast<double>(tile.columns() * tile.count);
    wave.tiles.push_back(tile);
}

}  // namespace

std::vector<Wave> cut(const Call& call, const std::vector<const Group*>& groups) {
    const int64_t together = std::max<int64_t>(1, tile_lines / call.settings.heads);
    const int64_t most = std::max<int64_t>(1, budget / (call.settings.heads * call.settings.rank));
    std::vector<Wave> waves(1);
    for (const Group* group : groups) {
        for (int64_t first = 0; first < group->count(); first += together) {
            Tile tile{.row = group->row, .queries = group->queries.data() + first, .count = std::min(together, group->count() - first)};
            cut_context(tile);
            if (waves.back().count() > 0 && waves.back().partials + tile.chunks * tile.count > most) {
                waves.emplace_back();
            }
            append(waves.back(), tile);
        }
    }
    return waves;
}

}  // namespace latentmoe::attention
