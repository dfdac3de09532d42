// MoEExperts, MoEExpertsInt8, MoEExpertsInt4: x (N, d), experts and weights (N, k), gate_up (E, 2I, d), down (E, d, I), and, or neither,
// shared_gate_up (2Is, d) and shared_down (d, Is) → y (N, d).
#include "../error.h"
#include "weight_types.h"

namespace latentmoe {

namespace {

class MoEExpertsKernel final : public NodeKernel {
public:
    MoEExpertsKernel(const Operator& op, const WeightFormat& format) : op_(op), format_(format) {}

    void compute(Call& call) const override {
        const Tensor x = call.input(0), experts = call.input(1), shares = call.input(2);
        expect(x, "x", {{"tokens"}, {"d", Axis::some}}, "by the operator: feed one row for each token");
        expect(experts, "experts", {{"tokens", x.shape[0]}, {"k", Axis::some}}, "by x: feed what MoERouter chose for these tokens");
        expect(shares, "weights", {{"tokens", x.shape[0]}, {"k", experts.shape[1]}}, "by experts: feed what MoERouter chose for these tokens");
        const ExpertWeights weights = read_weights(call, x.shape[1]);
        void* y = call.output(0, std::span(x.shape.data(), x.rank));
        if (x.shape[0] > 0) {
            call.backend().mix_experts(op_.type, weights, x.data, experts.as<int32_t>(), shares.as<float>(), x.shape[0], experts.shape[1], y);
        }
    }

private:
    ExpertWeights read_weights(const Call& call, int64_t d) const {
        const size_t step = format_.inputs();
        size_t input = 3;
        ExpertWeights w;
        const int64_t hidden = half(call, input, 1, "gate_up");
        w.gate_up = read_weight(call, format_, input, "gate_up", {{"experts", Axis::some}, {"2I", 2 * hidden}, {"d", d}});
        w.experts = w.gate_up.rows / (2 * hidden);
        input += step;
        w.down = read_weight(call, format_, input, "down", {{"experts", w.experts}, {"d", d}, {"I", hidden}});
        input += step;
        const bool shared = call.input(input).present;
        if (shared != call.input(input + step).present) {
            fail(shared ? "shared_down" : "shared_gate_up", " is absent and ", shared ? "shared_gate_up" : "shared_down",
                 " is not: a node has both or neither; export the model again");
        }
        if (shared) {
            const int64_t width = half(call, input, 0, "shared_gate_up");
            w.shared_gate_up = read_weight(call, format_, input, "shared_gate_up", {{"2Is", 2 * width}, {"d", d}});
            w.shared_down = read_weight(call, format_, input + step, "shared_down", {{"d", d}, {"Is", width}});
        }
        return w;
    }

    // Gate and up rows lie one behind the other on this axis: as many of each.
    static int64_t half(const Call& call, size_t input, size_t axis, const char* name) {
        const Tensor tensor = call.input(input);
        if (tensor.rank <= axis || tensor.shape[axis] <= 0 || tensor.shape[axis] % 2 != 0) {
            fail(name, " has the shape ", describe(tensor), ", expected an even number of rows (gate and up) on axis ", axis,
                 ": export the model again");
        }
        return tensor.shape[axis] / 2;
    }

    const Operator& op_;
    WeightFormat format_;
};

std::unique_ptr<NodeKernel> create(const Node& node, const Operator& op) {
    return std::make_unique<MoEExpertsKernel>(op, weight_format(node, op.inputs[3].type));
}

void infer(Inference& inference) {
    if (const Extents x = inference.input(0); x.size() == 2) {
        inference.output(0, x, inference.element(0));
    }
}

void add(Operators& operators, const char* name, Device device, const FloatType& activations, ONNXTensorElementDataType element) {
    std::vector<Parameter> inputs{
        {"x", activations.element},
        {"experts", ONNX_TENSOR_ELEMENT_DATA_TYPE_INT32},
        {"weights", ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT},
    };
    add_weight(inputs, "gate_up", "gate_up_scales", element);
    add_weight(inputs, "down", "down_scales", element);
    add_weight(inputs, "shared_gate_up", "shared_gate_up_scales", element, true);
    add_weight(inputs, "shared_down", "shared_down_scales", element, true);
    operators.push_back({name, device, activations.type, {weight_type(element)}, inputs, {{"y", activations.element}}, create, infer});
}

}  // namespace

void add_moe_experts(Operators& operators) { add_for_all_weights(operators, {"MoEExperts", "MoEExpertsInt8", "MoEExpertsInt4"}, add); }

}  // namespace latentmoe
