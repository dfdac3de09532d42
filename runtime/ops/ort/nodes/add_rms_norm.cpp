// AddRmsNorm: x (.., d), as many rows as residual (.., d), and gain (d) → y and sum, of residual's shape.
#include "../../cpu/operators.h"
#include "../error.h"
#include "../operator.h"

namespace latentmoe {

namespace {

class AddRmsNormKernel final : public NodeKernel {
public:
    AddRmsNormKernel(const Node& node, const Kernels& kernels) : epsilon_(node.number("epsilon")), kernels_(kernels) {
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
        auto* y = call.output<float>(0, shape);
        auto* sum = call.output<float>(1, shape);
        if (rows > 0) {
            add_rms_norm(call.host(), kernels_, x.as<float>(), residual.as<float>(), gain.as<float>(), epsilon_, rows, width, y, sum);
        }
    }

private:
    float epsilon_;
    const Kernels& kernels_;
};

std::unique_ptr<NodeKernel> create(const Node& node, const Operator&, const Kernels& kernels) {
    return std::make_unique<AddRmsNormKernel>(node, kernels);
}

void infer(Inference& inference) {
    if (const Extents residual = inference.input(1); !residual.empty()) {
        inference.output(0, residual, ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT);
        inference.output(1, residual, ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT);
    }
}

}  // namespace

void add_add_rms_norm(Operators& operators) {
    operators.push_back({
        "AddRmsNorm",
        Device::Cpu,
        {
            {"x", ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT},
            {"residual", ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT},
            {"gain", ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT},
        },
        {{"y", ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT}, {"sum", ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT}},
        create,
        infer,
    });
}

}  // namespace latentmoe
