// Absorbed form (arXiv 2405.04434, section 2.1.2): the expansion of keys moves into the query and that of values behind the sum, so that
// all heads attend over the cached rows themselves, and a row is read once for all of them.
#include "latent_attention_softmax.h"
#include "latent_attention_waves.h"
#include "latent_attention_workers.h"
#include "products.h"

#include <algorithm>

namespace latentmoe::attention {

namespace {

constexpr int64_t tile_columns = 64;    // cached rows that are taken at a time; a multiple of 16, as `advance` asks
constexpr int64_t expand_rows = 32;     // rows of kv_b widened, and queries expanded, at a time
constexpr int64_t from_multiply = 24;   // tokens from which packing kv_b pays
constexpr int64_t from_turned = 12;     // lines from which a product of matrices gives scores faster than dot products
constexpr int64_t asked_rows = 8;       // of kv_b that are asked for before they are needed
constexpr int64_t neighbours = 8;       // chunks of a context that a worker takes one after the other: their rows are asked for ahead
constexpr int64_t few_columns = 128;    // that heads attend over one by one, all of a head's work in one unit
constexpr double reading = 8;           // cost of a weight's way from memory, in multiplications

class Absorbed {
public:
    explicit Absorbed(const Call& call, const std::vector<Wave>& waves)
        : call_(call), s_(call.settings), k_(call.kernels), workers_(call.host, scratch()) {
        int64_t queries = 0, partials = 0;
        for (const Wave& wave : waves) {
            queries = std::max(queries, wave.count());
            partials = std::max(partials, wave.partials);
        }
        queries_ = call.host.array<float>(queries * s_.heads * call.width());
        sums_ = call.host.array<float>(partials * s_.heads * s_.rank);
        running_ = call.host.array<Running>(partials * s_.heads);
    }

    void run(const Wave& wave) {
        const int64_t blocks = (wave.count() + expand_rows - 1) / expand_rows;
        const auto lines = static_cast<double>(s_.heads), rank = static_cast<double>(s_.rank), width = static_cast<double>(call_.width());
        const double expansion = lines * rank * (static_cast<double>(wave.count()) + reading * static_cast<double>(blocks));
        if (wave.lines <= few_columns && wave.partials == static_cast<int64_t>(wave.tiles.size())) {
            workers_.run(s_.heads, expansion * static_cast<double>(s_.nope + s_.value), [&](int64_t head, float* scratch) {
                for (int64_t first = 0; first < wave.count(); first += expand_rows) {
                    absorb(wave, head, first, scratch);
                }
                for (const Tile& tile : wave.tiles) {
                    attend(tile, 0, head, 1, scratch);
                }
                for (int64_t first = 0; first < wave.count(); first += expand_rows) {
                    expand(wave, head, first, scratch);
                }
            });
            return;
        }
        workers_.run(s_.heads * blocks, expansion * static_cast<double>(s_.nope), [&](int64_t unit, float* scratch) {
            absorb(wave, unit / blocks, unit % blocks * expand_rows, scratch);
        });
        workers_.run(static_cast<int64_t>(wave.units.size()), wave.lines * lines * (rank + width), [&](int64_t unit, float* scratch) {
            attend(wave.tiles[wave.units[unit].tile], wave.units[unit].chunk, 0, s_.heads, scratch);
        }, neighbours);
        workers_.run(s_.heads * blocks, expansion * static_cast<double>(s_.value), [&](int64_t unit, float* scratch) {
            expand(wave, unit / blocks, unit % blocks * expand_rows, scratch);
        });
    }

private:
    /// Floats that a worker needs.
    int64_t scratch() const {
        const int64_t absorb = expand_rows * (s_.nope + s_.rank);
        const int64_t attend = tile_columns * call_.width() + most_lines() * (2 * tile_columns + k_.panel + call_.width());
        const int64_t expand = expand_rows * s_.rank + s_.rank * k_.panel;
        return std::max({absorb, attend, expand});
    }

    /// Lines of scores in a tile, in whole vectors and whole panels.
    int64_t most_lines() const { return (vectors(std::max(tile_lines, s_.heads)) + k_.panel - 1) / k_.panel * k_.panel; }

    static int64_t vectors(int64_t count) { return (count + 15) / 16 * 16; }

    /// Queries [nope ; rope] of a head become [nope · W_k ; rotated rope], scaled.
    void absorb(const Wave& wave, int64_t head, int64_t first, float* scratch) {
        const int64_t count = std::min(expand_rows, wave.count() - first), width = call_.width(), stride = s_.heads * width;
        float *scaled = scratch, *widened = scratch + expand_rows * s_.nope;  // [count, dn], [expand_rows, r]
        float* out = queries_ + first * stride + head * width;
        for (int64_t i = 0; i < count; i++) {
            const int64_t token = wave.query(first + i).token;
            const float* query = call_.query(token, head);
            std::transform(query, query + s_.nope, scaled + i * s_.nope, [&](float x) { return x * s_.scale; });
            rotate(call_, token, query + s_.nope, s_.scale, out + i * stride + s_.rank);
        }
        for (int64_t row = 0; row < s_.nope; row += expand_rows) {
            const int64_t depth = std::min(expand_rows, s_.nope - row);
            for (int64_t i = 0; i < depth; i++) {
                fetch(call_.tensors.kv_b, call_.key_row(head) + row + i + asked_rows, 1);
                k_.widen(call_.tensors.kv_b, call_.key_row(head) + row + i, widened + i * s_.rank);
            }
            multiply(k_, scaled + row, s_.nope, count, depth, widened, s_.rank, out, stride, s_.rank, row > 0);
        }
    }

    /// Partial sums of a tile's queries over one chunk, for `heads` heads from the given one on: all of them, or the tile has one query.
    void attend(const Tile& tile, int64_t chunk, int64_t head, int64_t heads, float* scratch) {
        const int64_t width = call_.width(), block = (tile.partial + chunk * tile.count) * s_.heads + head;
        const int64_t begin = chunk * tile.length, end = std::min(begin + tile.length, tile.columns());
        const float* queries = queries_ + (tile.first * s_.heads + head) * width;
        const bool turned = tile.count * heads >= from_turned;
        float *rows = scratch, *scores = rows + tile_columns * width;  // [tile_columns, w], [count · H, tile_columns]
        float* rest = scores + most_lines() * tile_columns;
        if (turned) {
            pack_queries(queries, tile.count * heads, rest);
        }
        std::fill_n(running_ + block, tile.count * heads, Running{});
        int64_t first = 0;  // The queries before it see none of the columns: they are in order.
        for (int64_t column = begin; column < end; column += tile_columns) {
            const int64_t columns = std::min(tile_columns, end - column);
            while (tile.queries[first].columns <= column) {
                first++;
            }
            const int64_t lines = (tile.count - first) * heads, line = block + first * heads;
            float* sums = sums_ + line * s_.rank;
            float* weights = scores + first * heads * tile_columns;
            const CachedRows cached = cached_rows(call_, tile.row, column);
            if (turned) {
                read_cache(call_, tile.row, column, columns, rows);
                score_turned(rest, tile.count * heads, rows, columns, scores);
            } else {
                const CachedRows next = column + columns < tile.columns() ? cached_rows(call_, tile.row, column + columns) : cached;
                k_.score(cached, next, columns, queries + first * heads * width, lines, weights, tile_columns);
            }
            for (int64_t i = 0; i < lines; i++) {
                const int64_t seen = std::min(tile.queries[first + i / heads].columns - column, columns);
                const float factor = advance(k_, running_[line + i], weights + i * tile_columns, seen, columns);
                if (factor != 1 && column > begin) {
                    k_.scale(sums + i * s_.rank, s_.rank, factor);
                }
            }
            if (turned) {
                multiply(k_, weights, tile_columns, lines, columns, rows, width, sums, s_.rank, s_.rank, column > begin);
            } else {
                k_.weigh(cached, columns, weights, tile_columns, lines, sums, s_.rank, column > begin);
            }
        }
    }

    /// Queries, transposed in panels: [w, panel] each.
    void pack_queries(const float* queries, int64_t lines, float* packed) {
        const Weights all{.type = WeightType::F32, .data = queries, .rows = lines, .columns = call_.width()};
        for (int64_t i = 0; i < lines; i += k_.panel) {
            k_.pack(all, i, std::min(k_.panel, lines - i), packed + i * call_.width());
        }
    }

    /// The same as rows · queriesᵀ, which is turned afterwards: scores are fewer than the elements of the rows.
    void score_turned(float* packed, int64_t lines, const float* rows, int64_t columns, float* scores) {
        const int64_t width = call_.width(), panel = k_.panel;
        float *turned = packed + most_lines() * width, *square = turned + most_lines() * tile_columns;  // [columns, lines], [lines, panel]
        const int64_t padded = vectors(lines);
        for (int64_t i = 0; i < lines; i += panel) {
            multiply(k_, rows, width, columns, width, packed + i * width, panel, turned + i, padded, std::min(panel, padded - i), false);
        }
        const Weights all{.type = WeightType::F32, .data = turned, .rows = columns, .columns = padded};
        for (int64_t i = 0; i < columns; i += panel) {
            const int64_t count = std::min(panel, columns - i);
            k_.pack(all, i, count, square);
            for (int64_t line = 0; line < lines; line++) {
                std::copy_n(square + line * panel, count, scores + line * tile_columns + i);
            }
        }
    }

    /// Merges the chunks of a head's queries and expands the sums to values.
    void expand(const Wave& wave, int64_t head, int64_t first, float* scratch) {
        const int64_t count = std::min(expand_rows, wave.count() - first), row = call_.value_row(head);
        float *context = scratch, *packed = scratch + expand_rows * s_.rank;  // [count, r], [r, panel]
        std::array<const float*, expand_rows> from;
        std::array<float*, expand_rows> to;
        for (int64_t i = 0; i < count; i++) {
            merge(wave, first + i, head, context + i * s_.rank);
            from[i] = context + i * s_.rank;
            to[i] = call_.out(wave.query(first + i).token, head);
        }
        const Weights& w = call_.tensors.kv_b;
        if (call_.tensors.tokens < from_multiply) {
            dot(w, row, row + s_.value, from.data(), count, to.data());
            return;
        }
        for (int64_t i = 0; i < s_.value; i += k_.panel) {
            const int64_t columns = std::min(k_.panel, s_.value - i);
            k_.pack(w, row + i, columns, packed);
            k_.multiply(from.data(), count, s_.rank, packed, k_.panel, to.data(), columns, false);
            std::for_each(to.begin(), to.begin() + count, [&](float*& out) { out += columns; });
        }
    }

    /// The weighted mean of the latents that a query saw.
    void merge(const Wave& wave, int64_t query, int64_t head, float* out) {
        const Tile& tile = wave.tiles[wave.owner[query]];
        const int64_t chunks = (wave.query(query).columns + tile.length - 1) / tile.length;
        const auto line = [&](int64_t chunk) { return (tile.partial + chunk * tile.count + query - tile.first) * s_.heads + head; };
        Running all;
        for (int64_t chunk = 0; chunk < chunks; chunk++) {
            all.maximum = std::max(all.maximum, running_[line(chunk)].maximum);
        }
        std::fill_n(out, s_.rank, 0.0f);
        for (int64_t chunk = 0; chunk < chunks; chunk++) {
            const Running& part = running_[line(chunk)];
            const float factor = std::exp(part.maximum - shift(all.maximum));
            all.sum += factor * part.sum;
            k_.accumulate(out, sums_ + line(chunk) * s_.rank, s_.rank, factor);
        }
        k_.scale(out, s_.rank, 1 / all.sum);
    }

    void dot(const Weights& w, int64_t first, int64_t last, const float* const* x, int64_t count, float* const* y) {
        for (int64_t i = 0; i < count; i += k_.few) {
            k_.dot(w, first, last, x + i, std::min(k_.few, count - i), y + i);
        }
    }

    const Call& call_;
    const AttentionSettings& s_;
    const Kernels& k_;
    Workers workers_;
    float* queries_;    // [query, H, w]
    float* sums_;       // [partial, H, r]
    Running* running_;  // [partial, H]
};

}  // namespace

void attend_absorbed(const Call& call, const std::vector<const Group*>& groups) {
    if (groups.empty()) {
        return;
    }
    const std::vector<Wave> waves = cut(call, groups);
    Absorbed absorbed(call, waves);
    for (const Wave& wave : waves) {
        absorbed.run(wave);
    }
}

}  // namespace latentmoe::attention
