// `mix_experts` over every instruction set of this machine and every type of weights, against double precision. Matrices of
// experts that nobody chose are NaN, and so are the shares of empty slots: neither may count.
#include "../../../runtime/ops/cpu/operators.h"
#include "check.h"
#include "matrix.h"
#include "thread_host.h"

#include <algorithm>
#include <numeric>

using namespace latentmoe;
using namespace latentmoe::test;

namespace {

struct Shape {
    int64_t width, hidden, experts, shared;
};

struct Layer {
    Shape shape;
    Matrix gate_up, down, shared_gate_up, shared_down;

    Layer(WeightType type, Shape s, Random& random)
        : shape(s),
          gate_up(type, s.experts * 2 * s.hidden, s.width, random, 1 / std::sqrt(s.width)),
          down(type, s.experts * s.width, s.hidden, random, 1 / std::sqrt(s.hidden)),
          shared_gate_up(type, 2 * s.shared, s.width, random, 1 / std::sqrt(s.width)),
          shared_down(type, s.width, s.shared, random, 1 / std::sqrt(s.shared + 1)) {}

    ExpertWeights weights() const {
        ExpertWeights w{gate_up.weights(), down.weights(), {}, {}, shape.experts};
        if (shape.shared > 0) {
            w.shared_gate_up = shared_gate_up.weights();
            w.shared_down = shared_down.weights();
        }
        return w;
    }

    void spoil_all_but(const std::vector<int32_t>& chosen) {
        for (int64_t e = 0; e < shape.experts; e++) {
            if (std::find(chosen.begin(), chosen.end(), e) == chosen.end()) {
                gate_up.spoil(e * 2 * shape.hidden, 2 * shape.hidden);
                down.spoil(e * shape.width, shape.width);
            }
        }
    }
};

// y += share · down · (silu(gate · x) ∘ up · x), the matrices beginning at the given rows.
void add_expert(const float* x, double share, const Matrix& gate_up, int64_t up_row, const Matrix& down, int64_t down_row, int64_t hidden,
                double* y) {
    const Product projected = product({x}, gate_up, up_row, up_row + 2 * hidden);
    for (int64_t i = 0; i < hidden; i++) {
        const double gate = projected.values[static_cast<size_t>(i)], up = projected.values[static_cast<size_t>(hidden + i)];
        const double middle = share * gate / (1 + std::exp(-gate)) * up;
        for (int64_t k = 0; k < gate_up.columns(); k++) {
            y[k] += middle * down.at(down_row + k, i);
        }
    }
}

std::vector<double> reference(const Layer& layer, const Exact<float>& x, const Exact<int32_t>& chosen, const Exact<float>& shares) {
    const auto [width, hidden, experts, shared] = layer.shape;
    const int64_t tokens = x.size() / width, slots = chosen.size() / tokens;
    std::vector<double> y(static_cast<size_t>(x.size()));
    for (int64_t t = 0; t < tokens; t++) {
        double* row = y.data() + t * width;
        for (int64_t s = t * slots; s < (t + 1) * slots; s++) {
            if (chosen[s] >= 0) {
                add_expert(x.data() + t * width, shares[s], layer.gate_up, chosen[s] * 2 * hidden, layer.down, chosen[s] * width, hidden, row);
            }
        }
        if (shared > 0) {
            add_expert(x.data() + t * width, 1, layer.shared_gate_up, 0, layer.shared_down, 0, shared, row);
        }
    }
    return y;
}

/// choose(token, slot) is an expert or −1.
template <typename Choose>
void check(const Kernels& kernels, WeightType type, Shape shape, int64_t tokens, int64_t slots, uint64_t seed, Choose choose) {
    Random random(seed);
    Layer layer(type, shape, random);
    const Exact<float> x(random.normal(tokens * shape.width));
    std::vector<int32_t> ids;
    std::vector<float> parts = random.normal(tokens * slots);
    for (int64_t i = 0; i < tokens * slots; i++) {
        ids.push_back(static_cast<int32_t>(choose(i / slots, i % slots)));
        parts[static_cast<size_t>(i)] = ids.back() < 0 ? NAN : parts[static_cast<size_t>(i)];
    }
    layer.spoil_all_but(ids);
    const Exact<int32_t> chosen(ids);
    const Exact<float> shares(parts);
    Exact<float> y(tokens * shape.width, NAN);
    ThreadHost host;
    mix_experts(host, kernels, layer.weights(), x.data(), chosen.data(), shares.data(), tokens, slots, y.data());
    const std::string name = text("y of ", kernels.name, ", ", name_of(type), ", width ", shape.width, ", hidden ", shape.hidden, ", experts ",
                                  shape.experts, ", shared ", shape.shared, ", tokens ", tokens, ", slots ", slots);
    close(name, reference(layer, x, chosen, shares), y.data(), 3e-6, 0.1);
}

template <typename Body>
void for_each_case(Body body) {
    for (const Kernels* kernels : instruction_sets()) {
        for (const WeightType type : all_types) {
            body(*kernels, type);
        }
    }
}

Shape shape_for(WeightType type, Random& random, int64_t experts) {
    if (type >= WeightType::Int8) {
        return {16 * random.between(1, 5), 16 * random.between(1, 3), experts, random.between(0, 2) * 32};
    }
    return {random.between(1, 70), random.between(1, 40), experts, random.between(0, 1) * random.between(1, 60)};
}

} // namespace

TEST(experts_random_choice) {
    for_each_case([](const Kernels& kernels, WeightType type) {
        Random random(31 + static_cast<uint64_t>(type));
        for (const auto [tokens, experts, slots] :
             {std::array<int64_t, 3>{1, 4, 1}, {1, 62, 6}, {2, 16, 16}, {3, 8, 2}, {5, 33, 4}, {17, 9, 3}, {40, 256, 8}}) {
            std::vector<int64_t> order(static_cast<size_t>(experts));
            const Shape shape = shape_for(type, random, experts);
            check(kernels, type, shape, tokens, slots, 32, [&](int64_t, int64_t slot) {
                if (slot == 0) {
                    std::iota(order.begin(), order.end(), 0);
                    for (size_t i = order.size() - 1; i > 0; i--) {
                        std::swap(order[i], order[static_cast<size_t>(random.between(0, static_cast<int64_t>(i)))]);
                    }
                }
                return order[static_cast<size_t>(slot)];
            });
        }
    });
}

TEST(experts_many_tokens) {
    for_each_case([](const Kernels& kernels, WeightType type) {
        check(kernels, type, {48, 16, 12, 32}, 600, 2, 33, [](int64_t token, int64_t slot) { return (token * 7 + slot * 5) % 12; });
    });
}

// Several panels are streamed together.
TEST(experts_wide) {
    for_each_case([](const Kernels& kernels, WeightType type) {
        for (const int64_t tokens : {1, 4}) {
            check(kernels, type, {1040, 144, 9, 272}, tokens, 7, 40, [](int64_t token, int64_t slot) { return (slot + token) % 9; });
        }
    });
}

TEST(experts_all_tokens_to_one) {
    for_each_case([](const Kernels& kernels, WeightType type) {
        for (const int64_t tokens : {1, 2, 7, 33, 150}) {
            check(kernels, type, {32, 48, 6, 16}, tokens, 3, 34, [](int64_t, int64_t slot) { return slot == 1 ? 4 : -1; });
        }
    });
}

TEST(experts_empty_slots) {
    for_each_case([](const Kernels& kernels, WeightType type) {
        for (const int64_t tokens : {1, 4, 50}) {
            check(kernels, type, {48, 16, 7, 0}, tokens, 3, 35,
                  [](int64_t token, int64_t slot) { return slot == 1 || token % 5 == 3 ? -1 : (token + slot) % 7; });
        }
    });
}

TEST(experts_none_chosen) {
    for_each_case([](const Kernels& kernels, WeightType type) {
        for (const int64_t tokens : {1, 3, 40}) {
            check(kernels, type, {16, 32, 5, 48}, tokens, 2, 36, [](int64_t, int64_t) { return -1; });
            check(kernels, type, {16, 32, 5, 0}, tokens, 2, 37, [](int64_t, int64_t) { return -1; });
        }
    });
}

TEST(experts_one_expert_in_two_slots) {
    for_each_case([](const Kernels& kernels, WeightType type) {
        for (const int64_t tokens : {1, 20}) {
            check(kernels, type, {32, 16, 4, 0}, tokens, 2, 38, [](int64_t token, int64_t) { return token % 4; });
        }
    });
}

TEST(experts_nan_stays_with_its_token) {
    for (const Kernels* kernels : instruction_sets()) {
        for (const int64_t tokens : {2, 30}) {
            Random random(39);
            const Layer layer(WeightType::F32, {20, 12, 3, 5}, random);
            Exact<float> x(random.normal(tokens * 20));
            x[3] = NAN;
            const Exact<int32_t> chosen(tokens, 2);
            const Exact<float> shares(tokens, 0.5f);
            Exact<float> y(tokens * 20, 0);
            ThreadHost host;
            mix_experts(host, *kernels, layer.weights(), x.data(), chosen.data(), shares.data(), tokens, 1, y.data());
            close(text("y of ", kernels->name, ", tokens ", tokens), reference(layer, x, chosen, shares), y.data(), 3e-6, 0.1);
        }
    }
}
