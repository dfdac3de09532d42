// What the parts of latent attention share. A cached row is [latent ; rotated key], w = r + dr numbers, and lies as two halves in the key
// and the value buffer. Queries of a batch row are independent of the other rows: every choice made for them depends on their row alone.
#pragma once
#include "operators.h"

#include <vector>

namespace latentmoe::attention {

/// One call, as all its parts see it.
struct Call {
    Host& host;
    const Kernels& kernels;
    const AttentionSettings& settings;
    const AttentionTensors& tensors;

    int64_t width() const { return settings.rank + settings.rope; }
    int64_t head_width() const { return settings.nope + settings.rope; }
    int64_t present() const { return tensors.past > tensors.total ? tensors.past : tensors.total; }

    const float* query(int64_t token, int64_t head) const { return tensors.q + (token * settings.heads + head) * head_width(); }
    float* out(int64_t token, int64_t head) const { return tensors.out + (token * settings.heads + head) * settings.value; }

    /// Rows of kv_b that expand the latent to a head's keys; its values follow.
    int64_t key_row(int64_t head) const { return head * (settings.nope + settings.value); }
    int64_t value_row(int64_t head) const { return key_row(head) + settings.nope; }
};

/// A token (b · S + s) and how many cached columns of its batch row it sees: 0 to columns − 1.
struct Query {
    int64_t token, columns;
};

/// Queries of one batch row, in order of columns. Those of dead tokens form a group of their own: they may see columns that nobody
/// wrote, and these must not meet the live ones in one product.
struct Group {
    int64_t row;
    bool live;
    std::vector<Query> queries;

    int64_t count() const { return static_cast<int64_t>(queries.size()); }
    int64_t columns() const { return queries.back().columns; }
};

/// Groups with at least one query that sees at least one column; the outputs of all other tokens are set to zero. Throws where a live
/// token's position has no column.
std::vector<Group> plan(const Call& call);

/// Brings the past to present, where they are not the same memory, and the tokens of live groups to their columns.
void write_cache(const Call& call, const std::vector<Group>& groups);

/// The cached rows of a batch row from column first on.
CachedRows cached_rows(const Call& call, int64_t row, int64_t first);

/// out = columns first to first + count − 1 of a batch row, [count, w].
void read_cache(const Call& call, int64_t row, int64_t first, int64_t count, float* out);

/// The rotary part of a query or a key at a token's position, times factor: all first members of the pairs, then all second ones.
void rotate(const Call& call, int64_t token, const float* x, float factor, float* out);

/// The two forms of the same sum; each takes the groups that it is given.
void attend_absorbed(const Call& call, const std::vector<const Group*>& groups);
void attend_full(const Call& call, const std::vector<const Group*>& groups);

}  // namespace latentmoe::attention
