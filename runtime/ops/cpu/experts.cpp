// Mixture of experts in two steps, with a barrier between: the hidden rows of every (token, slot), then the output.
// Tokens are grouped by expert, so that an expert's weights are read once, and those of experts that nobody chose never.
#include "operators.h"
#include "products.h"

#include <cstring>

namespace latentmoe {
namespace {

// Panels of rows that are streamed together, at most.
constexpr int64_t kMostPanels = 4;

// The tokens of one expert. A shared expert serves all tokens, with a share of one.
struct Group {
    Weights gate_up, down;      // [2 · hidden, d], [d, hidden]
    const int32_t* entries;     // (token, slot) as token · slots + slot; null for all tokens in order
    int64_t count, hidden;
    float* rows;                // gate and up of entry i at rows[i · 2 · hidden], then the hidden row in the gate's place
    TokenBlocks tokens, middle; // the tokens and their hidden rows for a matrix unit
};

class Mixture {
public:
    Mixture(const Kernels& kernels, const ExpertWeights& w, const float* x, const float* shares, int64_t slots, float* y)
        : kernels(kernels), x(x), shares(shares), slots(slots), y(y), width(w.down.rows / std::max<int64_t>(w.experts, 1)) {}

    const float* token(const Group& group, int64_t i) const { return x + index(group, i) * width; }
    int64_t index(const Group& group, int64_t i) const { return group.entries != nullptr ? group.entries[i] / slots : i; }
    const float* middle(const Group& group, int64_t i) const { return group.rows + i * 2 * group.hidden; }
    float share(const Group& group, int64_t i) const { return group.entries != nullptr ? shares[group.entries[i]] : 1.0f; }

    /// One block of the group's tokens.
    void arrange(const Group& group, int64_t block) const {
        group.tokens.arrange(block, 0, width, [&](int64_t i) { return token(group, i); });
    }

    /// Hidden columns [first, last) of all the group's tokens.
    void hidden(const Group& group, int64_t first, int64_t last) const {
        auto a = [&](int64_t i) { return token(group, i); };
        if (!many(kernels, group.count)) {
            fetch(group.gate_up, group.hidden + first, last - first);
        }
        for (int64_t half : {int64_t{0}, group.hidden}) {
            auto c = [&](int64_t i) { return group.rows + i * 2 * group.hidden + half + first; };
            if (many(kernels, group.count)) {
                panel_rows(kernels, group.gate_up, half + first, last - first, group.count, true, a, group.tokens, c, [](int64_t, int64_t) {});
            } else {
                stream_rows(kernels, group.gate_up, half + first, half + last, group.count, a, c);
            }
        }
        for (int64_t i = 0; i < group.count; i++) {
            float* gate = group.rows + i * 2 * group.hidden + first;
            kernels.swiglu(gate, gate + group.hidden, gate, last - first);
        }
        for (int64_t block = 0; block < group.middle.count(); block++) {
            group.middle.arrange(block, first, last, [&](int64_t i) { return middle(group, i); });
        }
    }

    /// Adds the group's part to output columns [first, last): at most a panel of them, or of kMostPanels where it has few tokens.
    void output(const Group& group, int64_t first, int64_t last) const {
        alignas(64) float part[kUnitTokens * kMostPanel];
        static_assert(kMostFew * kMostPanels <= kUnitTokens);
        int64_t columns = last - first, pass = pass_tokens(kernels);
        auto a = [&](int64_t i) { return middle(group, i); };
        auto add = [&](int64_t begin, int64_t end) {
            for (int64_t i = begin; i < end; i++) {
                kernels.accumulate(y + index(group, i) * width + first, part + (i - begin) * columns, columns, share(group, i));
            }
        };
        if (many(kernels, group.count)) {
            auto c = [&](int64_t i) { return part + i % pass * columns; };
            panel_rows(kernels, group.down, first, columns, group.count, false, a, group.middle, c, add);
            return;
        }
        stream_rows(kernels, group.down, first, last, group.count, a, [&](int64_t i) { return part + i * columns; });
        add(0, group.count);
    }

private:
    const Kernels& kernels;
    const float *x, *shares;
    int64_t slots;
    float* y;
    int64_t width;
};

struct Part {
    int64_t group, first, last;
};

/// Rows of a group of few tokens that are taken together: as many as memory likes, while every core has parts enough to choose from.
int64_t streamed_rows(const Kernels& kernels, int64_t panels) { return kernels.panel * std::clamp<int64_t>(panels / (4 * cores()), 1, kMostPanels); }

// Brings the tokens of the groups that have many into a matrix unit's order, and makes room for their hidden rows.
void arrange(Host& host, const Kernels& kernels, const Mixture& mixture, Group* groups, int64_t used, int64_t width) {
    int64_t count = 0;
    for (int64_t g = 0; g < used; g++) {
        if (Group& group = groups[g]; many(kernels, group.count)) {
            group.tokens = TokenBlocks(host, kernels, group.count, width);
            group.middle = TokenBlocks(host, kernels, group.count, group.hidden);
            count += group.tokens.count();
        }
    }
    auto* parts = host.array<Part>(std::max<int64_t>(count, 1));
    count = 0;
    for (int64_t g = 0; g < used; g++) {
        for (int64_t block = 0; block < groups[g].tokens.count(); block++) {
            parts[count++] = {g, block, block + 1};
        }
    }
    host.parallel(count, [&](int64_t i) { mixture.arrange(groups[parts[i].group], parts[i].first); });
}

}  // namespace

void mix_experts(Host& host, const Kernels& kernels, const ExpertWeights& w, const float* x, const int32_t* chosen, const float* shares,
                 int64_t tokens, int64_t slots, float* y) {
    int64_t width = w.gate_up.columns, hidden = w.down.columns, shared = w.shared_down.columns, entries = tokens * slots;
    std::memset(y, 0, static_cast<size_t>(tokens * width) * sizeof(float));

    // Entries sorted by expert; within one, in the order of the tokens.
    auto* start = host.array<int32_t>(w.experts + 2);
    auto* sorted = host.array<int32_t>(std::max<int64_t>(entries, 1));
    std::fill_n(start, w.experts + 2, 0);
    for (int64_t i = 0; i < entries; i++) {
        if (chosen[i] >= 0) {
            start[chosen[i] + 2]++;
        }
    }
    for (int64_t e = 0; e < w.experts; e++) {
        start[e + 2] += start[e + 1];
    }
    for (int64_t i = 0; i < entries; i++) {
        if (chosen[i] >= 0) {
            sorted[start[chosen[i] + 1]++] = static_cast<int32_t>(i);
        }
    }
    int64_t live = start[w.experts];  // start[e] … start[e + 1] now bound expert e

    auto* groups = host.array<Group>(w.experts + 1);
    int64_t used = 0;
    if (w.shared_down.rows > 0) {
        groups[used++] = {w.shared_gate_up, w.shared_down, nullptr, tokens, shared, host.array<float>(tokens * 2 * shared), {}, {}};
    }
    float* rows = host.array<float>(std::max<int64_t>(live, 1) * 2 * hidden);
    for (int64_t e = 0; e < w.experts; e++) {
        if (int64_t count = start[e + 1] - start[e]; count > 0) {
            groups[used++] = {w.gate_up.slice(e * 2 * hidden, 2 * hidden), w.down.slice(e * width, width), sorted + start[e], count, hidden,
                              rows + start[e] * 2 * hidden, {}, {}};
        }
    }

    int64_t panels = 0;
    bool all_few = true;
    for (int64_t g = 0; g < used; g++) {
        panels += (groups[g].hidden + kernels.panel - 1) / kernels.panel;
        all_few = all_few && !many(kernels, groups[g].count);
    }
    auto* parts = host.array<Part>(std::max<int64_t>(panels, 1));
    int64_t count = 0;
    for (int64_t g = 0; g < used; g++) {
        int64_t rows = many(kernels, groups[g].count) ? kernels.panel : streamed_rows(kernels, panels);
        for (int64_t first = 0; first < groups[g].hidden; first += rows) {
            parts[count++] = {g, first, std::min(first + rows, groups[g].hidden)};
        }
    }
    Mixture mixture(kernels, w, x, shares, slots, y);
    arrange(host, kernels, mixture, groups, used, width);
    auto ask = [&](const Group& group, const Weights& w, int64_t first, int64_t last) {
        if (!many(kernels, group.count)) {
            fetch(w, first, last - first);
        }
    };
    host.parallel(count, [&](int64_t i) {
        if (i + 1 < count) {
            const Group& next = groups[parts[i + 1].group];
            ask(next, next.gate_up, parts[i + 1].first, parts[i + 1].last);
        }
        mixture.hidden(groups[parts[i].group], parts[i].first, parts[i].last);
    });
    int64_t step = all_few ? streamed_rows(kernels, 2 * (width / kernels.panel)) : kernels.panel;
    host.parallel((width + step - 1) / step, [&](int64_t i) {
        int64_t first = i * step, last = std::min(first + step, width);
        for (int64_t g = 0; g < used; g++) {
            if (g + 1 < used) {
                ask(groups[g + 1], groups[g + 1].down, first, last);
            } else if (last < width) {
                ask(groups[0], groups[0].down, last, std::min(last + step, width));
            }
            mixture.output(groups[g], first, last);
        }
    });
}

}  // namespace latentmoe
