// MoEExperts, MoEExpertsInt8, MoEExpertsInt4: x (N, d), experts and weights (N, k), gate_up (E, 2I, d), down (E, d, I), and, or neither,
// shared_gate_up (2Is, d) and shared_down (d, Is) → y (N, d).
#include "../../cpu/operators.h"
#include "../error.h"
#include "weight_types.h"

namespace latentmoe {

namespace {

class MoEExpertsKernel final : public NodeKernel {
public:
    MoEExpertsKernel(const WeightFormat& format, const Kernels& kernels) : format_(format), kernels_(kernels) {}

    void compute(Call& call) const override {
        const Tensor x = call.input(0), experts = call.input(1), shares = call.input(2);
        expect(x, "x", {{"tokens"}, {"d", Axis::some}}, "by the operator: feed one row for each token");
        expect(experts, "experts", {{"tokens", x.shape[0]}, {"k", Axis::some}}, "by x: feed what MoERouter chose for these tokens");
        expect(shares, "weights", {{"tokens", x.shape[0]}, {"k", experts.shape[1]}}, "by experts: feed what MoERouter chose for these tokens");
        const ExpertWeights weights = read_weights(call, x.shape[1]);
        check_ids(experts, weights.experts);
        auto* y = call.output<float>(0, std::span(x.shape.data(), x.rank));
        if (x.shape[0] > 0) {
            mix_experts(call.host(), kernels_, weights, x.as<float>(), experts.as<int32_t>(), shares.as<float>(), x.shape[0],
                        experts.shape[1], y);
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

    static void check_ids(const Tensor& experts, int64_t count) {
        const auto* ids = experts.as<int32_t>();
        const int64_t slots = experts.shape[1];
        for (int64_t i = 0; i < experts.shape[0] * slots; ++i) {
            if (ids[i] < -1 || ids[i] >= count) {
                fail("experts[", i / slots, ", ", i % slots, "] is ", ids[i], ", expected -1 (none) to ", count - 1,
                     ": feed what MoERouter chose");
            }
        }
    }

    WeightFormat format_;
    const Kernels& kernels_;
};

std::unique_ptr<NodeKernel> create(const Node& node, const Operator& op, const Kernels& kernels) {
    return std::make_unique<MoEExpertsKernel>(weight_format(node, op.inputs[3].type), kernels);
}

void infer(Inference& inference) {
    if (const Extents x = inference.input(0); x.size() == 2) {
        inference.output(0, x, ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT);
    }
}

void add(Operators& operators, const char* name, ONNXTensorElementDataType element) {
    std::vector<Parameter> inputs{
        {"x", ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT},
        {"experts", ONNX_TENSOR_ELEMENT_DATA_TYPE_INT32},
        {"weights", ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT},
    };
    add_weight(inputs, "gate_up", "gate_up_scales", element);
    add_weight(inputs, "down", "down_scales", element);
    add_weight(inputs, "shared_gate_up", "shared_gate_up_scales", element, true);
    add_weight(inputs, "shared_down", "shared_down_scales", element, true);
    operators.push_back({name, Device::Cpu, inputs, {{"y", ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT}}, create, infer});
}

}  // namespace

void add_moe_experts(Operators& operators) {
    for (const FloatType& type : float_types) {
        add(operators, "MoEExperts", type.element);
    }
    add(operators, "MoEExpertsInt8", ONNX_TENSOR_ELEMENT_DATA_TYPE_INT8);
    add(operators, "MoEExpertsInt4", ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT8);
}

}  // namespace latentmoe
