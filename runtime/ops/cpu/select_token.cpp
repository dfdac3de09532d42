// The choice of the next token from its logits, row by row. The order of tokens is by logit, then by lower id.
#include "operators.h"

#include <algorithm>
#include <cmath>

namespace latentmoe {

namespace {

struct Limits {
    float temperature;
    int32_t top_k;
    float top_p, min_p, uniform;
};

/// A row's working memory, [vocabulary] each: what tokens weigh in the draw, the likeliest one 1, and some of their ids.
struct Room {
    float* weights;
    int32_t* ids;
};

double mass(const Room& room, int64_t count) {
    double sum = 0;
    for (int64_t i = 0; i < count; ++i) {
        sum += room.weights[room.ids[i]];
    }
    return sum;
}

// The first of the largest; −1 where it is not finite or any logit is NaN.
int64_t likeliest(const float* logits, int64_t vocabulary) {
    int64_t best = 0;
    for (int64_t id = 0; id < vocabulary; ++id) {
        if (std::isnan(logits[id])) {
            return -1;
        }
        best = logits[id] > logits[best] ? id : best;
    }
    return std::isfinite(logits[best]) ? best : -1;
}

// Takes the weight from all but the tokens that top-k and top-p leave.
void truncate(const float* logits, int64_t vocabulary, const Limits& limits, const Room& room) {
    const bool by_count = limits.top_k > 0 && limits.top_k < vocabulary, by_mass = limits.top_p < 1;
    if (!by_count && !by_mass) {
        return;
    }
    const auto before = [&](int32_t a, int32_t b) { return logits[a] > logits[b] || (logits[a] == logits[b] && a < b); };
    for (int64_t i = 0; i < vocabulary; ++i) {
        room.ids[i] = static_cast<int32_t>(i);
    }
    int64_t kept = vocabulary;
    if (by_count) {
        kept = limits.top_k;
        std::nth_element(room.ids, room.ids + kept - 1, room.ids + vocabulary, before);
    }
    if (by_mass) {
        const double need = limits.top_p * mass(room, kept);
        std::sort(room.ids, room.ids + kept, before);
        double held = 0;
        int64_t most = kept;
        for (kept = 0; kept < most && held < need; ++kept) {
            held += room.weights[room.ids[kept]];
        }
    }
    std::for_each(room.ids + kept, room.ids + vocabulary, [&](int32_t id) { room.weights[id] = 0; });
}

int64_t draw(const float* logits, int64_t vocabulary, const Limits& limits, int64_t best, const Room& room) {
    for (int64_t id = 0; id < vocabulary; ++id) {
        room.weights[id] = std::exp((logits[id] - logits[best]) / limits.temperature);
    }
    truncate(logits, vocabulary, limits, room);
    double total = 0;
    for (int64_t id = 0; id < vocabulary; ++id) {
        room.weights[id] = room.weights[id] < limits.min_p ? 0 : room.weights[id];
        total += room.weights[id];
    }
    double rest = limits.uniform * total;
    for (int64_t id = 0; id < vocabulary; ++id) {
        if (rest < room.weights[id]) {
            return id;
        }
        rest -= room.weights[id];
    }
    return best;  // rounding left a remainder behind the last token
}

}  // namespace

void select_token(Host& host, const Selection& selection, const float* logits, int64_t rows, int64_t vocabulary, const int64_t* positions,
                  int64_t* token, int64_t* next_positions) {
    auto* weights = host.array<float>(rows * vocabulary);
    auto* ids = host.array<int32_t>(rows * vocabulary);
    host.parallel(rows, [&](int64_t row) {
        const float* of_row = logits + row * vocabulary;
        const Limits limits{selection.temperature[row], selection.top_k[row], selection.top_p[row], selection.min_p[row], selection.uniform[row]};
        const int64_t best = likeliest(of_row, vocabulary);
        const bool greedy = best < 0 || !(limits.temperature > 0);
        token[row] = greedy ? best : draw(of_row, vocabulary, limits, best, {weights + row * vocabulary, ids + row * vocabulary});
        next_positions[row] = positions[row] >= 0 ? positions[row] + 1 : positions[row];
    });
}

}  // namespace latentmoe
