#include "operators.h"

#include <algorithm>
#include <cmath>

namespace latentmoe {
namespace {

constexpr float kExcluded = -3e38f;         // takes the place of a choice outside the best groups
constexpr float kLeastDivisor = 1e-20f;     // added to the sum that normalises
constexpr int64_t kScoresOfPart = 1 << 12;  // enough to outweigh the start of a parallel part

// NaN is below everything, so that the choice is defined: ONNX Runtime's TopK gives a NaN any rank.
bool above(float a, float b) { return a > b || (std::isnan(b) && !std::isnan(a)); }

// The k best, best first; equal ones in the order of their indices.
void select(const float* values, int64_t count, int64_t k, int32_t* best) {
    int64_t held = 0;
    for (int64_t i = 0; i < count; ++i) {
        if (held == k && !above(values[i], values[best[k - 1]])) {
            continue;
        }
        int64_t place = held < k ? held++ : k - 1;
        for (; place > 0 && above(values[i], values[best[place - 1]]); --place) {
            best[place] = best[place - 1];
        }
        best[place] = static_cast<int32_t>(i);
    }
}

/// The routing of one token after the other, in working memory of its own.
class Router {
public:
    Router(const Kernels& kernels, const RouterSettings& settings, const float* bias, int64_t experts)
        : kernels_(kernels), settings_(settings), bias_(bias), experts_(experts) {}

    /// Numbers of working memory.
    static int64_t room(const RouterSettings& settings, int64_t experts) { return experts + 2 * settings.n_group; }

    /// Logits become scores.
    void route(float* logits, float* room, int32_t* chosen, float* shares) const {
        score(logits);
        float* choice = room;
        for (int64_t e = 0; e < experts_; ++e) {
            choice[e] = logits[e] + bias_[e];
        }
        if (settings_.limit_groups) {
            limit_groups(choice, room + experts_, reinterpret_cast<int32_t*>(room + experts_ + settings_.n_group));
        }
        select(choice, experts_, settings_.top_k, chosen);
        share(logits, chosen, shares);
    }

private:
    void score(float* x) const {
        if (settings_.softmax) {
            float sum = kernels_.exponentials(x, experts_, kernels_.maximum(x, experts_));
            kernels_.scale(x, experts_, 1 / sum);
            return;
        }
        kernels_.scale(x, experts_, -1);
        kernels_.exponentials(x, experts_, 0);
        for (int64_t e = 0; e < experts_; ++e) {
            x[e] = 1 / (1 + x[e]);
        }
    }

    // Only the experts of the best groups keep their values.
    void limit_groups(float* choice, float* scores, int32_t* best) const {
        int64_t size = experts_ / settings_.n_group;
        for (int64_t g = 0; g < settings_.n_group; ++g) {
            const float* group = choice + g * size;
            int32_t top[2];
            int64_t count = settings_.sum_of_two ? 2 : 1;
            select(group, size, count, top);
            scores[g] = count == 2 ? group[top[0]] + group[top[1]] : group[top[0]];
        }
        select(scores, settings_.n_group, settings_.topk_group, best);
        std::sort(best, best + settings_.topk_group);
        const int32_t* next = best;
        for (int64_t g = 0; g < settings_.n_group; ++g) {
            if (next < best + settings_.topk_group && *next == g) {
                ++next;
            } else {
                std::fill_n(choice + g * size, size, kExcluded);
            }
        }
    }

    void share(const float* scores, const int32_t* chosen, float* shares) const {
        float sum = 0;
        for (int64_t k = 0; k < settings_.top_k; ++k) {
            shares[k] = scores[chosen[k]];
            sum += shares[k];
        }
        for (int64_t k = 0; k < settings_.top_k; ++k) {
            shares[k] = settings_.norm_topk_prob ? shares[k] / (sum + kLeastDivisor) : shares[k];
            shares[k] *= settings_.routed_scaling_factor;
        }
    }

    const Kernels& kernels_;
    const RouterSettings& settings_;
    const float* bias_;
    int64_t experts_;
};

}  // namespace

void route(Host& host, const Kernels& kernels, const RouterSettings& settings, const float* x, const Weights& gate, const float* bias,
           const int64_t* positions, int64_t tokens, int32_t* chosen, float* shares) {
    int64_t experts = gate.rows, k = settings.top_k, room = Router::room(settings, experts);
    float* logits = host.array<float>(tokens * experts);  // (N, E)
    // The choice of experts hangs on the last bits of the scores, which a matrix unit does not have.
    Kernels exact = kernels;
    exact.unit = nullptr;
    linear(host, exact, gate, x, tokens, logits);
    int64_t of_part = std::max<int64_t>(kScoresOfPart / experts, 1), parts = (tokens + of_part - 1) / of_part;
    float* rooms = host.array<float>(parts * room);
    Router router(kernels, settings, bias, experts);
    host.parallel(parts, [&](int64_t part) {
        for (int64_t t = part * of_part; t < std::min(tokens, (part + 1) * of_part); ++t) {
            if (positions[t] >= 0) {
                router.route(logits + t * experts, rooms + part * room, chosen + t * k, shares + t * k);
            } else {
                std::fill_n(chosen + t * k, k, -1);
                std::fill_n(shares + t * k, k, 0.0f);
            }
        }
    });
}

}  // namespace latentmoe
