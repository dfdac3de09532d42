// `select_token` of every activation type. Where logits are whole numbers and the temperature is log2(e), weights are powers of two: the
// choice is then exact.
#include "../native/check.h"
#include "tensors.h"

#include <algorithm>
#include <numeric>

using namespace latentmoe;
using namespace latentmoe::test;

namespace {

constexpr float log2_of_e = 1.44269504f;

struct Rule {
    float temperature = log2_of_e;
    int32_t top_k = 0;
    float top_p = 1, min_p = 0, uniform = 0;
};

struct Result {
    std::vector<int64_t> token, next_positions;
};

/// One rule and one position for each row of logits.
Result run(Type type, const std::vector<float>& logits, const std::vector<Rule>& rules, const std::vector<int64_t>& positions,
           uint64_t seed = 1) {
    const auto device = open_test_device(seed);
    const auto rows = static_cast<int64_t>(rules.size());
    const auto column = [&](auto member) {
        std::vector<std::decay_t<decltype(rules[0].*member)>> values;
        for (const Rule& rule : rules) {
            values.push_back(rule.*member);
        }
        return Buffer<std::decay_t<decltype(rules[0].*member)>>(*device, values);
    };
    const auto temperature = column(&Rule::temperature), top_p = column(&Rule::top_p), min_p = column(&Rule::min_p);
    const auto uniform = column(&Rule::uniform);
    const auto top_k = column(&Rule::top_k);
    const Tensor x(*device, type, logits);
    const Buffer<int64_t> held(*device, positions), token(*device, rows), next(*device, rows);
    select_token(device->device(), type, {temperature.data(), top_k.data(), top_p.data(), min_p.data(), uniform.data()}, x.data(), rows,
                 x.size() / rows, held.data(), token.data(), next.data());
    device->end_call();
    return {token.values(), next.values()};
}

/// Weights in id order after truncation, in double precision.
std::vector<double> weights_of(const std::vector<float>& logits, const Rule& rule) {
    const double largest = *std::ranges::max_element(logits);
    std::vector<size_t> order(logits.size());
    std::iota(order.begin(), order.end(), 0);
    std::ranges::stable_sort(order, [&](size_t a, size_t b) { return logits[a] > logits[b]; });
    std::vector<double> weights;
    for (const float logit : logits) {
        weights.push_back(std::exp2((logit - largest) * (log2_of_e / static_cast<double>(rule.temperature))));
    }
    if (rule.top_k > 0 && static_cast<size_t>(rule.top_k) < order.size()) {
        order.resize(static_cast<size_t>(rule.top_k));
    }
    if (rule.top_p < 1) {
        double mass = 0, sum = 0;
        for (const size_t id : order) {
            mass += weights[id];
        }
        size_t count = 0;
        while (sum < static_cast<double>(rule.top_p) * mass) {
            sum += weights[order[count++]];
        }
        order.resize(std::max<size_t>(count, 1));
    }
    std::vector<double> left(logits.size());
    for (const size_t id : order) {
        left[id] = weights[id] < rule.min_p ? 0 : weights[id];
    }
    return left;
}

int64_t drawn(const std::vector<double>& weights, float uniform) {
    double rest = uniform * std::accumulate(weights.begin(), weights.end(), 0.0);
    size_t id = 0;
    while (rest >= weights[id]) {
        rest -= weights[id++];
    }
    return static_cast<int64_t>(id);
}

std::string name(Type type, size_t row, const Rule& r) {
    return text("token of ", name_of(type), ", row ", row, ", top_k ", r.top_k, ", top_p ", r.top_p, ", min_p ", r.min_p, ", uniform ",
                r.uniform);
}

std::vector<float> whole_logits(Random& random, int64_t count, int64_t low) {
    std::vector<float> logits;
    for (int64_t i = 0; i < count; i++) {
        logits.push_back(static_cast<float>(random.between(low, 0)));
    }
    return logits;
}

/// The rules' tokens for logits [rules, vocabulary], of which many are equal.
void check_exactly(Type type, const std::vector<Rule>& rules, int64_t vocabulary, int64_t low, uint64_t seed) {
    Random random(seed);
    const auto rows = static_cast<int64_t>(rules.size());
    const std::vector<float> logits = whole_logits(random, rows * vocabulary, low);
    const Result result = run(type, logits, rules, std::vector<int64_t>(rules.size(), 5), seed);
    for (size_t row = 0; row < rules.size(); row++) {
        const auto start = logits.begin() + static_cast<int64_t>(row) * vocabulary;
        const std::vector<float> own(start, start + vocabulary);
        const int64_t expected = drawn(weights_of(own, rules[row]), rules[row].uniform);
        require(result.token[row] == expected, name(type, row, rules[row]), ", vocabulary ", vocabulary, " is ", result.token[row],
                ", expected ", expected);
        require(result.next_positions[row] == 6, "next position of row ", row, " is ", result.next_positions[row], ", expected 6");
    }
}

}  // namespace

TEST(select_token_greedy) {
    for (const Type type : activation_types) {
        const Rule greedy{.temperature = 0, .top_k = 3, .top_p = 0.5f, .uniform = 0.9f};
        for (const int64_t vocabulary : {1, 7, 64, 600, 5003}) {
            Random random(static_cast<uint64_t>(vocabulary));
            const std::vector<float> logits = whole_logits(random, 3 * vocabulary, -3);
            const Result result = run(type, logits, {greedy, greedy, greedy}, {7, -1, 0});
            for (int64_t row = 0; row < 3; row++) {
                const auto start = logits.begin() + row * vocabulary;
                const int64_t first = std::max_element(start, start + vocabulary) - start;
                require(result.token[size_t(row)] == first, name_of(type), ": token of row ", row, " of ", vocabulary, " is ",
                        result.token[size_t(row)], ", expected ", first);
            }
            same("next positions", std::vector<int64_t>{8, -1, 1}, result.next_positions.data());
        }
    }
}

TEST(select_token_zeros_are_equal) {
    for (const Type type : activation_types) {
        const std::vector<float> logits = {-5, -0.0f, 0.0f, -1, -1, 0.0f, -0.0f, -3};
        const Result result = run(type, logits, {Rule{.temperature = 0}, Rule{.temperature = 0}}, {0, 0});
        same("tokens", std::vector<int64_t>{1, 1}, result.token.data());
        const Rule second{.top_k = 2, .uniform = 0.75f};
        same("second of two", std::vector<int64_t>{2}, run(type, {-5, -0.0f, 0.0f, -0.0f}, {second}, {0}).token.data());
    }
}

TEST(select_token_damaged_logits) {
    for (const Type type : activation_types) {
        const Rule draw{.uniform = 0.999f}, greedy{.temperature = 0};
        const std::vector<float> logits = {1, NAN, 3,  1, INFINITY, 3,  -INFINITY, -INFINITY, -INFINITY,  -INFINITY, -2, -INFINITY};
        for (const Rule& rule : {draw, greedy, Rule{.temperature = 0.5f, .top_k = 2, .top_p = 0.9f, .min_p = 0.1f}}) {
            const Result result = run(type, logits, {rule, rule, rule, rule}, {0, 1, 2, 3});
            same("tokens", std::vector<int64_t>{-1, -1, -1, 1}, result.token.data());
            same("next positions", std::vector<int64_t>{1, 2, 3, 4}, result.next_positions.data());
        }
    }
}

TEST(select_token_draws) {
    for (const Type type : activation_types) {
        for (const int64_t vocabulary : {1, 5, 255, 1024, 4801}) {
            const std::vector<Rule> rules = {
                {.uniform = 0}, {.uniform = 0.25f}, {.uniform = 0.5f}, {.uniform = 0.71f}, {.uniform = 0x0.FFFFFFp0f}};
            check_exactly(type, rules, vocabulary, -8, static_cast<uint64_t>(vocabulary));
        }
    }
}

TEST(select_token_truncates) {
    for (const Type type : activation_types) {
        for (const int64_t vocabulary : {3, 100, 777, 4352}) {
            std::vector<Rule> rules;
            for (const float uniform : {0.0f, 0.4f, 0x0.FFFFFFp0f}) {
                for (const int32_t top_k : {1, 2, 40, 4352}) {
                    rules.push_back({.top_k = top_k, .uniform = uniform});
                }
                for (const float top_p : {0.0f, 0.125f, 0.5f, 0.9f, 0.999f}) {
                    rules.push_back({.top_p = top_p, .uniform = uniform});
                }
                rules.push_back({.top_k = 50, .top_p = 0.75f, .uniform = uniform});
                rules.push_back({.min_p = 0.25f, .uniform = uniform});
                rules.push_back({.top_k = 60, .top_p = 0.98f, .min_p = 0.5f, .uniform = uniform});
            }
            check_exactly(type, rules, vocabulary, -12, static_cast<uint64_t>(vocabulary));
        }
    }
}

// Among equals the first ids are kept, and as few as make up the mass.
TEST(select_token_keeps_the_first_of_equals) {
    for (const Type type : activation_types) {
        const std::vector<float> logits(16, 2.5f);
        for (const auto& [rule, last] : {std::pair{Rule{.top_k = 3}, 2}, {Rule{.top_p = 0.5f}, 7}, {Rule{.top_p = 0.5001f}, 8},
                                         {Rule{.top_k = 8, .top_p = 0.25f}, 1}, {Rule{.top_p = 0.9999f}, 15}}) {
            Rule highest = rule;
            highest.uniform = 0x0.FFFFFFp0f;
            require(run(type, logits, {highest}, {0}).token[0] == last, name(type, 0, highest), ": expected ", last);
        }
    }
}

// A token may be drawn whose stretch of the mass the number misses by what the logits' rounding allows.
TEST(select_token_temperature) {
    for (const Type type : activation_types) {
        Random random(9);
        const std::vector<float> sampled = random.normal(400, 3);
        for (const float temperature : {0.3f, 1.0f, 2.5f}) {
            for (int i = 0; i < 12; i++) {
                const Rule rule{.temperature = temperature, .top_k = i % 2 ? 25 : 0, .uniform = static_cast<float>(i) / 12};
                std::vector<float> logits;
                for (const float logit : sampled) {
                    logits.push_back(rounded(type, logit));
                }
                const auto token = static_cast<size_t>(run(type, logits, {rule}, {0}).token[0]);
                const std::vector<double> weights = weights_of(logits, rule);
                const double mass = std::accumulate(weights.begin(), weights.end(), 0.0);
                const double before = std::accumulate(weights.begin(), weights.begin() + static_cast<int64_t>(token), 0.0);
                const bool drawn = before <= (rule.uniform + 1e-5) * mass && before + weights[token] >= (rule.uniform - 1e-5) * mass;
                require(weights[token] > 0 && drawn, name(type, 0, rule), ", temperature ", temperature, " is ", token,
                        ", which stands for ", before / mass, " to ", (before + weights[token]) / mass);
            }
        }
    }
}

TEST(select_token_nothing) {
    for (const Type type : activation_types) {
        const Rule rule;
        same("token of no vocabulary", std::vector<int64_t>{-1}, run(type, {}, {rule}, {3}).token.data());
    }
}
