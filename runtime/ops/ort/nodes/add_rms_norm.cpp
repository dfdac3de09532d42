// AddRmsNorm: x (.., d), as many rows as residual (.., d), and gain (d) → y and sum, of residual's shape.
#include "../error.h"
#include "weight_types.h"

namespace latentmoe {

namespace {

class AddRmsNormKernel final : public NodeKernel {
public:
    AddRmsNormKernel(const Node& node, Type type) : type_(type), epsilon_(node.number("epsilon")) {
        if (epsilon_ < 0) {
            fail("attribute epsilon is ", epsilon_, ", expected 0 or more: export the model again");
        }
    }

    void compute(Call& call) const override {
        const Tensor x = call.input(0), residual = call.input(1), gain = call.input(2);
        if (residual.rank == 0 || residual.shape[residual.rank - 1] == 0) {
            fail("residual has the shape ", describe(residual), ", expected (.., d) with d > 0: feed activations");
        }
        const int64_t width = residual.shape[residual.rank - 1], rows = residual.count(0, residual.rank - 1);
        if (x.rank == 0 || x.shape[x.rank - 1] != width || x.count(0, x.rank - 1) != rows) {
            fail("x has the shape ", describe(x), ", expected ", rows, " rows of ", width, " as residual ", describe(residual),
                 " has: feed activations of the same tokens");
        }
        expect(gain, "gain", {{"d", width}}, "by residual: export the model again");
        const std::span shape(residual.shape.data(), residual.rank);
        void *y = call.output(0, shape), *sum = call.output(1, shape);
        if (rows > 0) {
            call.backend().add_rms_norm(type_, x.data, residual.data, gain.as<float>(), epsilon_, rows, width, y, sum);
        }
    }

private:
    Type type_;
    float epsilon_;
};

std::unique_ptr<NodeKernel> create(const Node& node, const Operator& op) { return std::make_unique<AddRmsNormKernel>(node, op.type); }

void infer(Inference& inference) {
    if (const Extents residual = inference.input(1); !residual.empty()) {
        inference.output(0, residual, inference.element(1));
        inference.output(1, residual, inference.element(1));
    }
}

void add(Operators& operators, Device device, const FloatType& activations) {
    operators.push_back({
        "AddRmsNorm",
        device,
        activations.type,
        {},
        {{"x", activations.element}, {"residual", activations.element}, {"gain", ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT}},
        {{"y", activations.element}, {"sum", activations.element}},
        create,
        infer,
    });
}

}  // namespace

void add_add_rms_norm(Operators& operators) { add_for_all_activations(operators, add); }

}  // namespace latentmoe
