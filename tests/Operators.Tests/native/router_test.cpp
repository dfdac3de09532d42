// `route` over every instruction set of this machine, against double precision and the rules of MoERouter.
#include "../../../runtime/ops/cpu/operators.h"
#include "check.h"
#include "matrix.h"
#include "thread_host.h"

#include <algorithm>
#include <numeric>

using namespace latentmoe;
using namespace latentmoe::test;

namespace {

struct Choice {
    std::vector<int32_t> experts;
    std::vector<double> shares;
};

// The best `count` of `candidates`, the lower index first among equals.
std::vector<int32_t> best(const std::vector<double>& scores, std::vector<int32_t> candidates, int64_t count) {
    std::stable_sort(candidates.begin(), candidates.end(),
                     [&](int32_t a, int32_t b) { return scores[static_cast<size_t>(a)] > scores[static_cast<size_t>(b)]; });
    candidates.resize(static_cast<size_t>(count));
    return candidates;
}

std::vector<int32_t> range(int64_t first, int64_t last) {
    std::vector<int32_t> numbers(static_cast<size_t>(last - first));
    std::iota(numbers.begin(), numbers.end(), static_cast<int32_t>(first));
    return numbers;
}

std::vector<int32_t> candidates(const RouterSettings& s, const std::vector<double>& choice) {
    const int64_t experts = static_cast<int64_t>(choice.size()), size = experts / s.n_group;
    if (!s.limit_groups) {
        return range(0, experts);
    }
    std::vector<double> groups;
    for (int64_t g = 0; g < s.n_group; g++) {
        double score = 0;
        for (const int32_t e : best(choice, range(g * size, (g + 1) * size), s.sum_of_two ? 2 : 1)) {
            score += choice[static_cast<size_t>(e)];
        }
        groups.push_back(score);
    }
    std::vector<int32_t> kept = best(groups, range(0, s.n_group), s.topk_group), result;
    std::sort(kept.begin(), kept.end());
    for (const int32_t g : kept) {
        const std::vector<int32_t> members = range(g * size, (g + 1) * size);
        result.insert(result.end(), members.begin(), members.end());
    }
    return result;
}

Choice reference(const RouterSettings& s, const float* x, const Matrix& gate, const Exact<float>& bias, int64_t position) {
    if (position < 0) {
        return {std::vector<int32_t>(static_cast<size_t>(s.top_k), -1), std::vector<double>(static_cast<size_t>(s.top_k))};
    }
    std::vector<double> scores = product({x}, gate, 0, gate.rows()).values;
    const double largest = *std::max_element(scores.begin(), scores.end());
    double sum = 0;
    for (double& z : scores) {
        z = s.softmax ? std::exp(z - largest) : 1 / (1 + std::exp(-z));
        sum += z;
    }
    std::vector<double> choice;
    for (size_t e = 0; e < scores.size(); e++) {
        scores[e] /= s.softmax ? sum : 1;
        choice.push_back(scores[e] + bias[static_cast<int64_t>(e)]);
    }
    Choice result{best(choice, candidates(s, choice), s.top_k), {}};
    double total = 0;
    for (const int32_t e : result.experts) {
        result.shares.push_back(scores[static_cast<size_t>(e)]);
        total += result.shares.back();
    }
    for (double& share : result.shares) {
        share *= s.routed_scaling_factor / (s.norm_topk_prob ? total + 1e-20 : 1);
    }
    return result;
}

struct Routed {
    Exact<int32_t> chosen;
    Exact<float> shares;
};

Routed run(const Kernels& kernels, const RouterSettings& s, const Exact<float>& x, const Matrix& gate, const Exact<float>& bias,
           const Exact<int64_t>& positions) {
    const int64_t tokens = positions.size();
    Routed routed{Exact<int32_t>(tokens * s.top_k, -7), Exact<float>(tokens * s.top_k, NAN)};
    ThreadHost host;
    route(host, kernels, s, x.data(), gate.weights(), bias.data(), positions.data(), tokens, routed.chosen.data(), routed.shares.data());
    return routed;
}

void check(const Kernels& kernels, const RouterSettings& s, const Exact<float>& x, const Matrix& gate, const Exact<float>& bias,
           const Exact<int64_t>& positions) {
    std::vector<int32_t> experts;
    std::vector<double> shares;
    for (int64_t t = 0; t < positions.size(); t++) {
        const Choice choice = reference(s, x.data() + t * gate.columns(), gate, bias, positions[t]);
        experts.insert(experts.end(), choice.experts.begin(), choice.experts.end());
        shares.insert(shares.end(), choice.shares.begin(), choice.shares.end());
    }
    const Routed routed = run(kernels, s, x, gate, bias, positions);
    const std::string name =
        text(" of ", kernels.name, ", ", gate.rows(), " experts, top ", s.top_k, ", tokens ", positions.size(), ", groups ", s.n_group);
    same("experts" + name, experts, routed.chosen.data());
    close("weights" + name, shares, routed.shares.data());
}

void check_random(const Kernels& kernels, const RouterSettings& s, int64_t experts, int64_t tokens, int64_t width, uint64_t seed) {
    Random random(seed);
    const Matrix gate(WeightType::F32, experts, width, random, 1.5 / std::sqrt(static_cast<double>(width)));
    const Exact<float> x(random.normal(tokens * width)), bias(random.normal(experts, 0.2));
    Exact<int64_t> positions(tokens);
    for (int64_t t = 0; t < tokens; t++) {
        positions[t] = t % 4 == 3 ? -1 : t;
    }
    check(kernels, s, x, gate, bias, positions);
}

Matrix equal_rows(int64_t experts, int64_t width, Random& random) {
    Matrix gate(WeightType::F32, experts, width, random);
    const Weights w = gate.weights();
    for (int64_t i = width; i < experts * width; i++) {
        static_cast<float*>(const_cast<void*>(w.data))[i] = static_cast<const float*>(w.data)[i - width];
    }
    return gate;
}

constexpr RouterSettings plain{.top_k = 6};
constexpr RouterSettings methods[] = {
    plain,
    {.top_k = 1, .norm_topk_prob = false, .routed_scaling_factor = 2.5f},
    {.top_k = 5, .routed_scaling_factor = 2.5f, .n_group = 4, .topk_group = 2, .sum_of_two = true, .limit_groups = true},
    {.top_k = 4, .norm_topk_prob = false, .n_group = 3, .topk_group = 1, .sum_of_two = true, .limit_groups = true},
    {.top_k = 6, .softmax = true, .norm_topk_prob = false, .routed_scaling_factor = 16, .n_group = 4, .topk_group = 3, .limit_groups = true},
    {.top_k = 6, .softmax = true},
};

} // namespace

TEST(router_every_method) {
    for (const Kernels* kernels : instruction_sets()) {
        for (const RouterSettings& settings : methods) {
            for (const int64_t tokens : {1, 5, 33}) {
                check_random(*kernels, settings, 24, tokens, 20, 41);
            }
        }
    }
}

TEST(router_any_shape) {
    for (const Kernels* kernels : instruction_sets()) {
        for (const auto [experts, top_k, tokens, width] : {std::array<int64_t, 4>{4, 1, 1, 1},
                                                           {4, 4, 3, 7},
                                                           {62, 6, 1, 512},
                                                           {62, 6, 17, 100},
                                                           {256, 16, 9, 65},
                                                           {16, 16, 40, 33},
                                                           {33, 8, 600, 24}}) {
            RouterSettings settings = plain;
            settings.top_k = top_k;
            check_random(*kernels, settings, experts, tokens, width, 42);
            settings.softmax = true;
            check_random(*kernels, settings, experts, tokens, width, 43);
        }
    }
}

TEST(router_equal_scores_go_to_the_lower_index) {
    for (const Kernels* kernels : instruction_sets()) {
        for (const int64_t tokens : {1, 21}) {
            Random random(44);
            const Matrix gate = equal_rows(40, 24, random);
            const Exact<float> x(random.normal(tokens * 24));
            const Exact<int64_t> positions(tokens, 0);
            Exact<float> bias(40, 0);
            check(*kernels, plain, x, gate, bias, positions);
            bias[39] = bias[17] = 0.5f;
            check(*kernels, plain, x, gate, bias, positions);
            check(*kernels, {.top_k = 12, .n_group = 4, .topk_group = 2, .sum_of_two = true, .limit_groups = true}, x, gate, Exact<float>(40, 0),
                  positions);
        }
    }
}

TEST(router_negative_choices_stay_in_their_groups) {
    for (const Kernels* kernels : instruction_sets()) {
        Random random(45);
        const Matrix gate(WeightType::F32, 16, 12, random);
        check(*kernels, {.top_k = 8, .n_group = 4, .topk_group = 2, .sum_of_two = true, .limit_groups = true}, Exact<float>(random.normal(60)), gate,
              Exact<float>(16, -50), Exact<int64_t>(5, 3));
    }
}

TEST(router_nan_gives_experts_in_range_and_stays_with_its_token) {
    for (const Kernels* kernels : instruction_sets()) {
        for (const RouterSettings& settings : methods) {
            for (const int64_t tokens : {2, 30}) {
                Random random(46);
                Matrix gate(WeightType::F32, 24, 20, random);
                const Exact<float> bias(random.normal(24));
                const Exact<int64_t> positions(tokens, 0);
                Exact<float> x(random.normal(tokens * 20));
                const Routed clean = run(*kernels, settings, x, gate, bias, positions);
                x[2] = NAN;
                const Routed routed = run(*kernels, settings, x, gate, bias, positions);
                const int64_t k = settings.top_k;
                for (int64_t i = 0; i < k; i++) {
                    require(routed.chosen[i] >= 0 && routed.chosen[i] < 24, "expert ", routed.chosen[i], " of ", kernels->name,
                            " for a token of NaN");
                }
                same(text("experts of ", kernels->name), std::vector<int32_t>(clean.chosen.data() + k, clean.chosen.data() + tokens * k),
                     routed.chosen.data() + k);
                same(text("weights of ", kernels->name), std::vector<float>(clean.shares.data() + k, clean.shares.data() + tokens * k),
                     routed.shares.data() + k);
            }
        }
    }
}
