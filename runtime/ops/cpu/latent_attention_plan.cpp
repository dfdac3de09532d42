// Which tokens live, and what each of them sees.
#include "latent_attention.h"

#include <algorithm>
#include <stdexcept>
#include <string>

namespace latentmoe::attention {

namespace {

/// 1 + the last column of the mask that any row uses.
int64_t used_columns(const AttentionTensors& t) {
    int64_t used = 0;
    for (int64_t b = 0; b < t.batch; b++) {
        const int64_t* row = t.mask + b * t.total;
        int64_t last = t.total;
        while (last > used && row[last - 1] == 0) {
            last--;
        }
        used = std::max(used, last);
    }
    return used;
}

void add(Group& group, int64_t token, int64_t columns) {
    if (columns > 0) {
        group.queries.push_back({token, columns});
    }
}

}  // namespace

std::vector<Group> plan(const Call& call) {
    const AttentionTensors& t = call.tensors;
    // The tokens lie under the last columns of the mask that any row uses.
    const int64_t offset = std::max<int64_t>(used_columns(t) - t.tokens, 0), present = call.present();
    const auto lives = [&](int64_t b, int64_t s) {
        return t.positions[b * t.tokens + s] >= 0 && offset + s < t.total && t.mask[b * t.total + offset + s] != 0;
    };
    int64_t seen = 1;  // Nobody sees beyond the last column that this call writes.
    for (int64_t token = 0; token < t.batch * t.tokens; token++) {
        if (lives(token / t.tokens, token % t.tokens)) {
            const int64_t position = t.positions[token];
            if (position >= present) {
                throw std::invalid_argument("position_ids holds " + std::to_string(position) + " for token " + std::to_string(token % t.tokens) +
                                            " of row " + std::to_string(token / t.tokens) + ", but the cache has " + std::to_string(present) +
                                            " columns: pass a longer attention_mask or past");
            }
            seen = std::max(seen, position + 1);
        }
    }
    std::vector<Group> groups;
    for (int64_t b = 0; b < t.batch; b++) {
        Group live{b, true, {}}, dead{b, false, {}};
        for (int64_t s = 0; s < t.tokens; s++) {
            const int64_t token = b * t.tokens + s;
            add(lives(b, s) ? live : dead, token, std::min({t.positions[token] + 1, seen, present}));
            if (std::min(t.positions[token] + 1, present) <= 0) {
                std::fill_n(call.out(token, 0), call.settings.heads * call.settings.value, 0.0f);
            }
        }
        for (Group* group : {&live, &dead}) {
            std::stable_sort(group->queries.begin(), group->queries.end(), [](const Query& a, const Query& b) { return a.columns < b.columns; });
            if (!group->queries.empty()) {
                groups.push_back(std::move(*group));
            }
        }
    }
    return groups;
}

}  // namespace latentmoe::attention
