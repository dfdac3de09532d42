// MoERouter: x (N, d), gate (E, d), bias (E), position_ids (N) → experts and weights (N, k).
#include "../error.h"
#include "weight_types.h"

namespace latentmoe {

namespace {

constexpr int64_t most_experts = int64_t{1} << 20;

class MoERouterKernel final : public NodeKernel {
public:
    MoERouterKernel(const Node& node, Type type) : type_(type) {
        RouterSettings& s = settings_;
        s.top_k = node.integer("top_k", 1, most_experts);
        s.softmax = node.choice("scoring_func", {"sigmoid", "softmax"}) == 1;
        s.norm_topk_prob = node.flag("norm_topk_prob");
        s.routed_scaling_factor = node.number("routed_scaling_factor");
        s.n_group = node.integer("n_group", 1, most_experts);
        s.topk_group = node.integer("topk_group", 1, most_experts);
        const size_t method = node.choice("topk_method", {"noaux_tc", "group_limited_greedy", "greedy"});
        s.sum_of_two = method == 0;
        s.limit_groups = s.n_group > 1 && method < 2;
        if (s.limit_groups && s.topk_group > s.n_group) {
            fail("attribute topk_group is ", s.topk_group, ", expected at most n_group, which is ", s.n_group, ": export the model again");
        }
    }

    void compute(Call& call) const override {
        const Tensor x = call.input(0), gate = call.input(1), bias = call.input(2), positions = call.input(3);
        expect(x, "x", {{"tokens"}, {"d", Axis::some}}, "by the operator: feed one row for each token");
        expect(gate, "gate", {{"experts", Axis::some}, {"d", x.shape[1]}}, "by x: export the model again");
        expect(bias, "bias", {{"experts", gate.shape[0]}}, "by gate: export the model again");
        expect(positions, "position_ids", {{"tokens", x.shape[0]}}, "by x: feed one position for each token");
        check_experts(gate.shape[0]);
        const std::array shape{x.shape[0], settings_.top_k};
        auto* chosen = call.output<int32_t>(0, shape);
        auto* shares = call.output<float>(1, shape);
        if (x.shape[0] > 0) {
            call.backend().route(type_, settings_, x.data, gate.as<float>(), gate.shape[0], gate.shape[1], bias.as<float>(),
                                 positions.as<int64_t>(), x.shape[0], chosen, shares);
        }
    }

private:
    void check_experts(int64_t experts) const {
        const RouterSettings& s = settings_;
        if (experts > most_experts) {
            fail("gate has ", experts, " experts, expected at most ", most_experts);
        }
        if (s.top_k > experts) {
            fail("attribute top_k is ", s.top_k, ", expected at most the ", experts, " experts of gate: export the model again");
        }
        if (s.limit_groups && experts % s.n_group != 0) {
            fail("attribute n_group is ", s.n_group, ", expected a divisor of the ", experts, " experts of gate: export the model again");
        }
        if (s.limit_groups && s.sum_of_two && experts / s.n_group < 2) {
            fail("attribute n_group is ", s.n_group, ", expected at most half of the ", experts,
                 " experts of gate, as noaux_tc scores a group by two of them: export the model again");
        }
    }

    Type type_;
    RouterSettings settings_;
};

std::unique_ptr<NodeKernel> create(const Node& node, const Operator& op) { return std::make_unique<MoERouterKernel>(node, op.type); }

void infer(Inference& inference) {
    const Extents x = inference.input(0), positions = inference.input(3);
    const auto top_k = inference.integer("top_k");
    if (x.size() == 2 && positions.size() == 1 && top_k) {
        const Extents chosen{x[0].known() ? x[0] : positions[0], {*top_k, ""}};
        inference.output(0, chosen, ONNX_TENSOR_ELEMENT_DATA_TYPE_INT32);
        inference.output(1, chosen, ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT);
    }
}

void add(Operators& operators, Device device, const FloatType& activations) {
    operators.push_back({
        "MoERouter",
        device,
        activations.type,
        {},
        {
            {"x", activations.element},
            {"gate", ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT},
            {"bias", ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT},
            {"position_ids", ONNX_TENSOR_ELEMENT_DATA_TYPE_INT64},
        },
        {{"experts", ONNX_TENSOR_ELEMENT_DATA_TYPE_INT32}, {"weights", ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT}},
        create,
        infer,
    });
}

}  // namespace

void add_moe_router(Operators& operators) { add_for_all_activations(operators, add); }

}  // namespace latentmoe
