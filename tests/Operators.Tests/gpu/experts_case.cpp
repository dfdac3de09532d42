#include "experts_case.h"

#include "../../../runtime/ops/cuda/launch/experts.h"
#include "../native/check.h"

#include <algorithm>
#include <array>
#include <numeric>

namespace latentmoe::test::experts {
namespace {

const char* name_of_way(Way way) {
    constexpr const char* names[] = {"by token",    "tiles of 8",   "tiles of 16", "tiles of 32",
                                     "tiles of 64", "tiles of 128", "plain tiles", "any way"};
    return names[static_cast<int>(way)];
}

// y += share · down · (silu(gate · x) ∘ up · x), the matrices beginning at the given rows.
void add_expert(const float* x, double share, const Matrix& gate_up, int64_t up_row, const Matrix& down, int64_t down_row, double* y) {
    const int64_t hidden = down.columns();
    const Product projected = product({x}, gate_up, up_row, up_row + 2 * hidden);
    for (int64_t i = 0; i < hidden; i++) {
        const double gate = projected.values[size_t(i)], up = projected.values[size_t(hidden + i)];
        const double middle = share * gate / (1 + std::exp(-gate)) * up;
        for (int64_t k = 0; k < gate_up.columns(); k++) {
            y[k] += middle * down.at(down_row + k, i);
        }
    }
}

std::vector<double> reference(const Layer& layer, const Case& c, Type type) {
    const auto [width, hidden, experts, shared] = layer.shape;
    std::vector<double> y(c.x.size());
    std::vector<float> x = c.x;
    for (float& value : x) {
        value = rounded(type, value);
    }
    for (int64_t t = 0; t < c.tokens(); t++) {
        double* row = y.data() + t * width;
        for (int64_t s = t * c.slots; s < (t + 1) * c.slots; s++) {
            const int32_t expert = c.chosen[size_t(s)];
            if (expert >= 0 && expert < experts) {
                add_expert(x.data() + t * width, c.shares[size_t(s)], layer.gate_up, expert * 2 * hidden, layer.down, expert * width, row);
            } else if (expert != -1) {
                std::fill_n(row, width, NAN);
            }
        }
        if (shared > 0) {
            add_expert(x.data() + t * width, 1, layer.shared_gate_up, 0, layer.shared_down, 0, row);
        }
    }
    return y;
}

void mix(const cuda::ExpertsCall& call, Way way) {
    if (way == Way::Any) {
        mix_experts(call.device, call.type, call.w, call.x, call.chosen, call.shares, call.tokens, call.slots, call.y);
        return;
    }
    if (way == Way::ByToken) {
        mix_experts_by_token(call);
        return;
    }
    const auto sizes = expert_tile_sizes(call);
    require(sizes.size() == (way == Way::Plain ? 1 : 5), "the layer has ", sizes.size(), " sizes of tiles");
    mix_experts_by_tile(call, sizes[way == Way::Plain ? 0 : static_cast<size_t>(way) - static_cast<size_t>(Way::Tile8)]);
}

std::vector<float> run(const Layer& layer, const Case& c, Type type, Way way) {
    const auto device = open_test_device(static_cast<uint64_t>(c.tokens()));
    const DeviceMatrix gate_up(*device, layer.gate_up, c.lead), down(*device, layer.down, c.lead),
        shared_gate_up(*device, layer.shared_gate_up, c.lead), shared_down(*device, layer.shared_down, c.lead);
    ExpertWeights w{gate_up.weights(), down.weights(), {}, {}, layer.shape.experts};
    if (layer.shape.shared > 0) {
        w.shared_gate_up = shared_gate_up.weights();
        w.shared_down = shared_down.weights();
    }
    const Tensor x(*device, type, c.x, c.lead), y(*device, type, static_cast<int64_t>(c.x.size()), c.lead);
    const Buffer<int32_t> chosen(*device, c.chosen);
    const Buffer<float> shares(*device, c.shares);
    mix({device->device(), type, w, x.data(), chosen.data(), shares.data(), c.tokens(), c.slots, y.data()}, way);
    device->end_call();
    return y.numbers();
}

}  // namespace

std::vector<Way> all_ways(Types types) {
    if (types.activations == Type::F32) {
        return {Way::ByToken, Way::Plain};
    }
    return {Way::ByToken, Way::Tile8, Way::Tile16, Way::Tile32, Way::Tile64, Way::Tile128};
}

Choose at_random(int64_t experts, Random& random) {
    return [experts, &random, order = std::vector<int64_t>()](int64_t, int64_t slot) mutable {
        if (slot == 0) {
            order.resize(size_t(experts));
            std::iota(order.begin(), order.end(), 0);
            for (size_t i = order.size() - 1; i > 0; i--) {
                std::swap(order[i], order[size_t(random.between(0, int64_t(i)))]);
            }
        }
        return order[size_t(slot)];
    };
}

Case make_case(const Shape& shape, int64_t tokens, int64_t slots, Random& random, const Choose& choose) {
    Case c{random.normal(tokens * shape.width), {}, random.normal(tokens * slots), slots};
    for (int64_t i = 0; i < tokens * slots; i++) {
        c.chosen.push_back(static_cast<int32_t>(choose(i / slots, i % slots)));
        c.shares[size_t(i)] = c.chosen.back() < 0 ? NAN : c.shares[size_t(i)];
    }
    return c;
}

void compare(const Layer& layer, const Case& c, Types types, const std::vector<Way>& ways) {
    const std::vector<double> expected = reference(layer, c, types.activations);
    const Shape& s = layer.shape;
    for (const Way way : ways) {
        const std::string name = text("y of ", name_of(types.activations), " and ", name_of(types.weights), ", ", name_of_way(way),
                                      ", width ", s.width, ", hidden ", s.hidden, ", experts ", s.experts, ", shared ", s.shared,
                                      ", tokens ", c.tokens(), ", slots ", c.slots, ", lead ", c.lead);
        const std::vector<float> y = run(layer, c, types.activations, way);
        close(name, expected, y.data(), std::max(3e-6, step_of(types.activations)), 0.1);
    }
}

void check(Types types, const Shape& shape, int64_t tokens, int64_t slots, const std::vector<Way>& ways, const Choose& choose,
           int64_t lead) {
    Random random(static_cast<uint64_t>(shape.width + tokens));
    Layer layer(types.weights, shape, random);
    Case c = make_case(shape, tokens, slots, random, choose);
    c.lead = lead;
    layer.spoil_all_but(c.chosen);
    compare(layer, c, types, ways);
}

}  // namespace latentmoe::test::experts
