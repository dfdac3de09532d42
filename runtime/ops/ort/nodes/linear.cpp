// Linear, LinearInt8, LinearInt4: x (.., in), weight (out, in) → y (.., out).
#include "../error.h"
#include "weight_types.h"

namespace latentmoe {

namespace {

class LinearKernel final : public NodeKernel {
public:
    LinearKernel(const Operator& op, const WeightFormat& format) : op_(op), format_(format) {}

    void compute(Call& call) const override {
        const Tensor x = call.input(0);
        if (x.rank == 0 || x.shape[x.rank - 1] == 0) {
            fail("x has the shape ", describe(x), ", expected (.., in) with in > 0: feed activations");
        }
        const Weights weight = read_weight(call, format_, 1, "weight", {{"out", Axis::some}, {"in", x.shape[x.rank - 1]}});
        auto shape = x.shape;
        shape[x.rank - 1] = weight.rows;
        void* y = call.output(0, std::span(shape.data(), x.rank));
        if (const int64_t tokens = x.count(0, x.rank - 1); tokens > 0) {
            call.backend().linear(op_.type, weight, x.data, tokens, y);
        }
    }

private:
    const Operator& op_;
    WeightFormat format_;
};

std::unique_ptr<NodeKernel> create(const Node& node, const Operator& op) {
    return std::make_unique<LinearKernel>(op, weight_format(node, op.inputs[1].type));
}

void infer(Inference& inference) {
    Extents y = inference.input(0);
    const Extents weight = inference.input(1);
    if (!y.empty() && weight.size() == 2) {
        y.back() = weight[0];
        inference.output(0, y, inference.element(0));
    }
}

void add(Operators& operators, const char* name, Device device, const FloatType& activations, ONNXTensorElementDataType element) {
    std::vector<Parameter> inputs{{"x", activations.element}};
    add_weight(inputs, "weight", "scales", element);
    operators.push_back({name, device, activations.type, {weight_type(element)}, inputs, {{"y", activations.element}}, create, infer});
}

}  // namespace

void add_linear(Operators& operators) { add_for_all_weights(operators, {"Linear", "LinearInt8", "LinearInt4"}, add); }

}  // namespace latentmoe
