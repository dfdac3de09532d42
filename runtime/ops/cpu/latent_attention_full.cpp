// Full form: keys and values of every head are expanded from the latents, a block of the context at a time, and queries pass over them in
// tiles (arXiv 2205.14135). Sums that a later block goes on with lie in the output.
#include "latent_attention.h"
#include "latent_attention_softmax.h"
#include "latent_attention_workers.h"

#include <algorithm>

namespace latentmoe::attention {

namespace {

constexpr int64_t tile_queries = 60;          // a multiple of the rows of a kernel's tile
constexpr int64_t tile_columns = 256;         // about the columns that are weighed together, in whole panels
constexpr int64_t most_columns = 1024;        // of a block
constexpr int64_t budget = int64_t{4} << 20;  // floats of expanded keys and values, about

class Full {
public:
    Full(const Call& call, const std::vector<const Group*>& groups)
        : call_(call), s_(call.settings), k_(call.kernels), panel_(k_.panel), step_((tile_columns + panel_ - 1) / panel_ * panel_),
          workers_(call.host, scratch()) {
        int64_t columns = 0, queries = 0;
        for (const Group* group : groups) {
            columns = std::max(columns, group->columns());
            queries = std::max(queries, group->count());
        }
        const int64_t fit = budget / (s_.heads * (call.head_width() + s_.value));
        columns = std::min(columns, std::clamp(fit, step_, most_columns));
        block_ = (columns + panel_ - 1) / panel_ * panel_;
        rows_ = call.host.array<float>(block_ * call.width());
        packed_ = call.host.array<float>(block_ * call.width());
        keys_ = call.host.array<float>(s_.heads * block_ * call.head_width());
        values_ = call.host.array<float>(s_.heads * block_ * s_.value);
        running_ = call.host.array<Running>(s_.heads * queries);
    }

    void run(const Group& group) {
        const auto heads = static_cast<double>(s_.heads);
        const int64_t tiles = (group.count() + tile_queries - 1) / tile_queries;
        std::fill_n(running_, s_.heads * group.count(), Running{});
        for (int64_t first = 0; first < group.columns(); first += block_) {
            const Block block{group, first, std::min(block_, group.columns() - first)};
            const int64_t panels = (block.columns + panel_ - 1) / panel_;
            const double columns = static_cast<double>(block.columns), scores = columns * static_cast<double>(group.count()) * heads;
            workers_.run(panels, 8 * columns * static_cast<double>(call_.width()), [&](int64_t panel, float*) { gather(block, panel); });
            workers_.run(2 * s_.heads, columns * heads * static_cast<double>(s_.rank * (s_.nope + s_.value)), [&](int64_t unit, float* scratch) {
                unit % 2 == 0 ? expand_keys(block, unit / 2, scratch) : expand_values(block, unit / 2, scratch);
            });
            // The longest first: later queries see more.
            workers_.run(s_.heads * tiles, scores * static_cast<double>(call_.head_width() + s_.value), [&](int64_t unit, float* scratch) {
                attend(block, unit % s_.heads, (tiles - 1 - unit / s_.heads) * tile_queries, scratch);
            });
        }
    }

private:
    /// Columns first to first + columns − 1 of a group's context.
    struct Block {
        const Group& group;
        int64_t first, columns;
    };

    /// Floats that a worker needs.
    int64_t scratch() const {
        return std::max(s_.rank * std::max(panel_, s_.nope), tile_queries * (call_.head_width() + line()));
    }

    /// Cached rows of a panel, and their transpose [w, panel].
    void gather(const Block& block, int64_t panel) {
        const int64_t width = call_.width(), first = panel * panel_, count = std::min(panel_, block.columns - first);
        read_cache(call_, block.group.row, block.first + first, count, rows_ + first * width);
        const Weights rows{.type = WeightType::F32, .data = rows_ + first * width, .rows = count, .columns = width};
        k_.pack(rows, 0, count, packed_ + first * width);
    }

    /// Keys of a head, transposed: [dn+dr, panel] for every panel of columns.
    void expand_keys(const Block& block, int64_t head, float* scratch) {
        const int64_t width = call_.width(), rank = s_.rank, nope = s_.nope, rope = s_.rope;
        for (int64_t row = 0; row < nope; row++) {
            k_.widen(call_.tensors.kv_b, call_.key_row(head) + row, scratch + row * rank);
        }
        for (int64_t first = 0; first < block.columns; first += panel_) {
            const float* packed = packed_ + first * width;
            float* out = keys(head, first);
            multiply(k_, scratch, rank, nope, rank, packed, panel_, out, panel_, panel_, false);
            std::copy_n(packed + rank * panel_, rope * panel_, out + nope * panel_);
        }
    }

    /// Values of a head: [columns, dv].
    void expand_values(const Block& block, int64_t head, float* scratch) {
        for (int64_t i = 0; i < s_.value; i += panel_) {
            const int64_t count = std::min(panel_, s_.value - i);
            k_.pack(call_.tensors.kv_b, call_.value_row(head) + i, count, scratch);
            multiply(k_, rows_, call_.width(), block.columns, s_.rank, scratch, panel_, values(head, 0) + i, s_.value, count, false);
        }
    }

    /// A tile of queries of one head over the block.
    void attend(const Block& block, int64_t head, int64_t first, float* scratch) {
        const int64_t count = std::min(tile_queries, block.group.count() - first), depth = call_.head_width(), line = this->line();
        const Query* queries = block.group.queries.data() + first;
        const int64_t last = block.first + block.columns, end = std::min(queries[count - 1].columns, last);
        if (end <= block.first) {
            return;
        }
        float *turned = scratch, *scores = scratch + tile_queries * depth;  // [count, dn+dr], [count, line]
        Running* running = running_ + head * block.group.count() + first;
        std::array<const float*, tile_queries> weights;
        std::array<float*, tile_queries> sums;
        for (int64_t i = 0; i < count; i++) {
            turn(head, queries[i].token, turned + i * depth);
            weights[i] = scores + i * line;
            sums[i] = call_.out(queries[i].token, head);
        }
        int64_t skip = 0;  // The queries before it see none of the columns: they are in order.
        for (int64_t column = block.first; column < end; column += step_) {
            const int64_t columns = std::min(step_, end - column), at = column - block.first;
            while (queries[skip].columns <= column) {
                skip++;
            }
            for (int64_t i = 0; i < columns; i += panel_) {
                multiply(k_, turned + skip * depth, depth, count - skip, depth, keys(head, at + i), panel_, scores + skip * line + i, line,
                         panel_, false);
            }
            for (int64_t i = skip; i < count; i++) {
                const float factor = advance(k_, running[i], scores + i * line, std::min(queries[i].columns - column, columns), columns);
                if (factor != 1 && column > 0) {
                    k_.scale(sums[i], s_.value, factor);
                }
            }
            k_.multiply(weights.data() + skip, count - skip, columns, values(head, at), s_.value, sums.data() + skip, s_.value, column > 0);
        }
        for (int64_t i = 0; i < count; i++) {
            if (queries[i].columns > block.first && queries[i].columns <= last) {
                k_.scale(sums[i], s_.value, 1 / running[i].sum);
            }
        }
    }

    /// A token's query, scaled, its rotary part turned.
    void turn(int64_t head, int64_t token, float* out) {
        const float* query = call_.query(token, head);
        std::transform(query, query + s_.nope, out, [&](float x) { return x * s_.scale; });
        rotate(call_, token, query + s_.nope, s_.scale, out + s_.nope);
    }

    /// Distance of scores' lines: a multiple of 16, as `advance` asks.
    int64_t line() const { return (step_ + 15) / 16 * 16; }

    /// From a column of the block on; for keys the first of a panel.
    float* keys(int64_t head, int64_t column) const { return keys_ + (head * block_ + column) * call_.head_width(); }
    float* values(int64_t head, int64_t column) const { return values_ + (head * block_ + column) * s_.value; }

    const Call& call_;
    const AttentionSettings& s_;
    const Kernels& k_;
    const int64_t panel_, step_;
    int64_t block_;  // columns
    Workers workers_;
    float *rows_, *packed_;  // [block, w], and transposed in panels
    float *keys_, *values_;  // [H, block, dn+dr] in panels, [H, block, dv]
    Running* running_;       // [H, count]
};

}  // namespace

void attend_full(const Call& call, const std::vector<const Group*>& groups) {
    if (groups.empty()) {
        return;
    }
    Full full(call, groups);
    for (const Group* group : groups) {
        full.run(*group);
    }
}

}  // namespace latentmoe::attention
