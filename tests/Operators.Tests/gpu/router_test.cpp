// `route` of every activation type, against double precision and the rules of MoERouter.
#include "../native/check.h"
#include "tensors.h"

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
    std::ranges::stable_sort(candidates, [&](int32_t a, int32_t b) { return scores[size_t(a)] > scores[size_t(b)]; });
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
            score += choice[size_t(e)];
        }
        groups.push_back(score);
    }
    std::vector<int32_t> kept = best(groups, range(0, s.n_group), s.topk_group), result;
    std::ranges::sort(kept);
    for (const int32_t g : kept) {
        const std::vector<int32_t> members = range(g * size, (g + 1) * size);
        result.insert(result.end(), members.begin(), members.end());
    }
    return result;
}

/// What the router is given for some tokens, on the host.
struct Case {
    RouterSettings settings;
    Type type;
    int64_t experts, width;
    std::vector<float> x, gate, bias;
    std::vector<int64_t> positions;
    int64_t lead = 0;  // numbers between an aligned address and the first

    int64_t tokens() const { return static_cast<int64_t>(positions.size()); }
};

Case random_case(const RouterSettings& settings, Type type, int64_t experts, int64_t tokens, int64_t width, uint64_t seed) {
    Random random(seed);
    Case c{settings, type, experts, width, random.normal(tokens * width), random.normal(experts * width, 1.5 / std::sqrt(double(width))),
           random.normal(experts, 0.2), {}};
    for (int64_t t = 0; t < tokens; t++) {
        c.positions.push_back(t % 4 == 3 ? -1 : t);
    }
    return c;
}

Choice reference(const Case& c, int64_t token, const std::vector<float>& x) {
    const RouterSettings& s = c.settings;
    if (c.positions[size_t(token)] < 0) {
        return {std::vector<int32_t>(size_t(s.top_k), -1), std::vector<double>(size_t(s.top_k))};
    }
    std::vector<double> scores, choice;
    for (int64_t e = 0; e < c.experts; e++) {
        double logit = 0;
        for (int64_t i = 0; i < c.width; i++) {
            logit += double(x[size_t(token * c.width + i)]) * c.gate[size_t(e * c.width + i)];
        }
        scores.push_back(logit);
    }
    const double largest = *std::ranges::max_element(scores);
    double sum = 0;
    for (double& z : scores) {
        z = s.softmax ? std::exp(z - largest) : 1 / (1 + std::exp(-z));
        sum += z;
    }
    for (size_t e = 0; e < scores.size(); e++) {
        scores[e] /= s.softmax ? sum : 1;
        choice.push_back(scores[e] + c.bias[e]);
    }
    Choice result{best(choice, candidates(s, choice), s.top_k), {}};
    double total = 0;
    for (const int32_t e : result.experts) {
        result.shares.push_back(scores[size_t(e)]);
        total += result.shares.back();
    }
    for (double& share : result.shares) {
        share *= s.routed_scaling_factor / (s.norm_topk_prob ? total + 1e-20 : 1);
    }
    return result;
}

struct Routed {
    std::vector<int32_t> chosen;
    std::vector<float> shares;
};

Routed run(const Case& c) {
    const auto device = open_test_device(c.experts + c.tokens());
    const Tensor x(*device, c.type, c.x, c.lead);
    const Buffer<float> gate(*device, c.gate, c.lead), bias(*device, c.bias, c.lead);
    const Buffer<int64_t> positions(*device, c.positions);
    const Buffer<int32_t> chosen(*device, c.tokens() * c.settings.top_k);
    const Buffer<float> shares(*device, c.tokens() * c.settings.top_k);
    route(device->device(), c.type, c.settings, x.data(), gate.data(), c.experts, c.width, bias.data(), positions.data(), c.tokens(),
          chosen.data(), shares.data());
    device->end_call();
    return {chosen.values(), shares.values()};
}

void check(const Case& c) {
    std::vector<float> x = c.x;
    for (float& number : x) {
        number = rounded(c.type, number);
    }
    std::vector<int32_t> experts;
    std::vector<double> shares;
    for (int64_t t = 0; t < c.tokens(); t++) {
        const Choice choice = reference(c, t, x);
        experts.insert(experts.end(), choice.experts.begin(), choice.experts.end());
        shares.insert(shares.end(), choice.shares.begin(), choice.shares.end());
    }
    const Routed routed = run(c);
    const std::string name = text(" of ", name_of(c.type), ", ", c.experts, " experts, width ", c.width, ", top ", c.settings.top_k,
                                  ", tokens ", c.tokens(), ", groups ", c.settings.n_group, c.settings.softmax ? ", softmax" : ", sigmoid");
    same("experts" + name, experts, routed.chosen.data());
    close("weights" + name, shares, routed.shares.data());
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

}  // namespace

TEST(router_every_method) {
    for (const RouterSettings& settings : methods) {
        for (const int64_t tokens : {1, 5}) {
            check(random_case(settings, Type::F32, 24, tokens, 20, 41));
        }
    }
}

TEST(router_any_shape) {
    for (const Type type : activation_types) {
        for (const auto [experts, top_k, tokens, width] :
             {std::array<int64_t, 4>{4, 1, 1, 1}, {4, 4, 3, 7}, {62, 6, 2, 512}, {62, 6, 3, 100}, {33, 33, 2, 65}, {100, 40, 1, 132}}) {
            RouterSettings settings = plain;
            settings.top_k = top_k;
            check(random_case(settings, type, experts, tokens, width, 42));
            settings.softmax = true;
            check(random_case(settings, type, experts, tokens, width, 43));
        }
    }
}

TEST(router_many_tokens) {
    for (const Type type : activation_types) {
        for (const int64_t width : {20, 7}) {
            check(random_case(methods[2], type, 24, 203, width, 44));
        }
    }
    check(random_case(methods[5], Type::F32, 6, 400, 36, 45));
}

TEST(router_large_gate) {
    for (const Type type : activation_types) {
        for (const int64_t tokens : {1, 3, 9}) {
            check(random_case(methods[4], type, 68, tokens, 2048, 46));
        }
        check(random_case(plain, type, 131, 4, 1023, 47));
    }
}

TEST(router_thousands_of_experts) {
    RouterSettings settings{.top_k = 64};
    check(random_case(settings, Type::F16, 4096, 2, 8, 48));
    settings = {.top_k = 3, .n_group = 2048, .topk_group = 40, .sum_of_two = true, .limit_groups = true};
    check(random_case(settings, Type::F32, 4096, 1, 8, 49));
}

TEST(router_beyond_shared_memory) {
    const Case c = random_case(plain, Type::F32, 40000, 1, 1, 50);
    try {
        run(c);
    } catch (const std::exception& error) {
        require(std::string(error.what()).find("40000 experts") != std::string::npos, "the message is ", error.what());
        return;
    }
    throw Failure("40,000 experts were routed in shared memory");
}

TEST(router_unaligned) {
    for (const Type type : activation_types) {
        for (const int64_t lead : {1, 2, 3, 4}) {
            Case c = random_case(plain, type, 30, 2, 64, 51);
            c.lead = lead;
            check(c);
        }
    }
}

TEST(router_no_tokens) {
    require(run(random_case(plain, Type::F16, 24, 0, 16, 52)).chosen.empty(), "tokens out of nothing");
}

TEST(router_equal_scores_go_to_the_lower_index) {
    for (const int64_t tokens : {1, 130}) {
        Case c = random_case(plain, Type::F32, 40, tokens, 24, 53);
        for (size_t i = 24; i < c.gate.size(); i++) {
            c.gate[i] = c.gate[i - 24];
        }
        c.bias.assign(40, 0);
        check(c);
        c.settings = {.top_k = 12, .n_group = 4, .topk_group = 2, .sum_of_two = true, .limit_groups = true};
        check(c);
        c.settings = plain;
        c.bias[39] = c.bias[17] = 0.5f;
        check(c);
    }
}

TEST(router_negative_choices_stay_in_their_groups) {
    Case c = random_case({.top_k = 8, .n_group = 4, .topk_group = 2, .sum_of_two = true, .limit_groups = true}, Type::F32, 16, 5, 12, 55);
    c.bias.assign(16, -50);
    check(c);
}

TEST(router_nan_gives_experts_in_range_and_stays_with_its_token) {
    for (const RouterSettings& settings : methods) {
        for (const int64_t tokens : {2, 120}) {
            Case c = random_case(settings, Type::BF16, 24, tokens, 20, 56);
            const Routed clean = run(c);
            c.x[2] = NAN;
            const Routed routed = run(c);
            const int64_t k = settings.top_k;
            for (int64_t i = 0; i < k; i++) {
                const int32_t expert = routed.chosen[size_t(i)];
                require(expert >= 0 && expert < 24, "expert ", expert, " for a token of NaN");
            }
            same("experts", std::vector<int32_t>(clean.chosen.begin() + k, clean.chosen.end()), routed.chosen.data() + k);
            same("weights", std::vector<float>(clean.shares.begin() + k, clean.shares.end()), routed.shares.data() + k);
        }
    }
}

// NaN of a bias makes a choice of NaN, which comes last, behind those of excluded groups.
TEST(router_nan_choice_comes_last) {
    Case c = random_case({.top_k = 4}, Type::F32, 5, 1, 12, 57);
    c.bias[1] = NAN;
    std::vector<int32_t> chosen = run(c).chosen;
    std::ranges::sort(chosen);
    same("experts", {0, 2, 3, 4}, chosen.data());
    c.settings.top_k = 5;
    require(run(c).chosen[4] == 1, "expert 1 has a choice of NaN and is not the last");
}

TEST(router_token_alone_and_among_others_is_the_same) {
    const Case all = random_case(plain, Type::F16, 62, 150, 64, 58);
    const Routed together = run(all);
    for (const size_t token : {size_t(0), size_t(149)}) {
        Case one = all;
        one.x.assign(all.x.begin() + long(token * 64), all.x.begin() + long((token + 1) * 64));
        one.positions = {all.positions[token]};
        const Routed alone = run(one);
        same("experts", alone.chosen, together.chosen.data() + token * 6);
        same("weights", alone.shares, together.shares.data() + token * 6);
    }
}
