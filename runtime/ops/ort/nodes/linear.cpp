// Linear, LinearInt8, LinearInt4: x (.., in), weight (out, in) → y (.., out).
#include "../../cpu/operators.h"
#include "../error.h"
#include "weight_types.h"

namespace latentmoe {

namespace {

class LinearKernel final : public NodeKernel {
public:
    LinearKernel(const WeightFormat& format, const Kernels& kernels) : format_(format), kernels_(kernels) {}

    void compute(Call& call) const override {
        const Tensor x = call.input(0);
        if (x.rank == 0 || x.shape[x.rank - 1] == 0) {
            fail("x has the shape ", describe(x), ", expected (.., in) with in > 0: feed activations");
        }
        const Weights weight = read_weight(call, format_, 1, "weight", {{"out", Axis::some}, {"in", x.shape[x.rank - 1]}});
        auto shape = x.shape;
        shape[x.rank - 1] = weight.rows;
        auto* y = call.output<float>(0, std::span(shape.data(), x.rank));
        if (const int64_t tokens = x.count(0, x.rank - 1); tokens > 0) {
            linear(call.host(), kernels_, weight, x.as<float>(), tokens, y);
        }
    }

private:
    WeightFormat format_;
    const Kernels& kernels_;
};

std::unique_ptr<NodeKernel> create(const Node& node, const Operator& op, const Kernels& kernels) {
    return std::make_unique<LinearKernel>(weight_format(node, op.inputs[1].type), kernels);
}

void infer(Inference& inference) {
    Extents y = inference.input(0);
    const Extents weight = inference.input(1);
    if (!y.empty() && weight.size() == 2) {
        y.back() = weight[0];
        inference.output(0, y, ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT);
    }
}

void add(Operators& operators, const char* name, ONNXTensorElementDataType element) {
    std::vector<Parameter> inputs{{"x", ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT}};
    add_weight(inputs, "weight", "scales", element);
    operators.push_back({name, Device::Cpu, inputs, {{"y", ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT}}, create, infer});
}

}  // namespace

void add_linear(Operators& operators) {
    for (const FloatType& type : float_types) {
        add(operators, "Linear", type.element);
    }
    add(operators, "LinearInt8", ONNX_TENSOR_ELEMENT_DATA_TYPE_INT8);
    add(operators, "LinearInt4", ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT8);
}

}  // namespace latentmoe
