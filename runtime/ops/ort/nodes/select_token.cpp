// SelectToken: logits (B, V), temperature, top_k, top_p, min_p and uniform (B), positions (B, 1) → token and next_positions (B, 1).
#include "../error.h"
#include "weight_types.h"

namespace latentmoe {

namespace {

enum Input : size_t { logits, temperature, top_k, top_p, min_p, uniform, positions };

class SelectTokenKernel final : public NodeKernel {
public:
    explicit SelectTokenKernel(Type type) : type_(type) {}

    void compute(Call& call) const override {
        const Tensor numbers = call.input(logits), at = call.input(positions);
        expect(numbers, "logits", {{"batch"}, {"vocabulary", Axis::some}}, "by the operator: feed the logits of one token a row");
        const int64_t rows = numbers.shape[0];
        if (numbers.shape[1] > INT32_MAX) {
            fail("logits has ", numbers.shape[1], " columns, expected at most ", INT32_MAX);
        }
        expect(at, "positions", {{"batch", rows}, {"1", 1}}, "by logits: feed the position of each row's token");
        const Selection selection{
            limits(call, temperature, "temperature", rows).as<float>(), limits(call, top_k, "top_k", rows).as<int32_t>(),
            limits(call, top_p, "top_p", rows).as<float>(),             limits(call, min_p, "min_p", rows).as<float>(),
            limits(call, uniform, "uniform", rows).as<float>(),
        };
        const std::array shape{rows, int64_t{1}};
        auto *token = call.output<int64_t>(0, shape), *next_positions = call.output<int64_t>(1, shape);
        if (rows > 0) {
            call.backend().select_token(type_, selection, numbers.data, rows, numbers.shape[1], at.as<int64_t>(), token, next_positions);
        }
    }

private:
    static Tensor limits(const Call& call, size_t input, const char* name, int64_t rows) {
        const Tensor tensor = call.input(input);
        expect(tensor, name, {{"batch", rows}}, "by logits: feed one for each row");
        return tensor;
    }

    Type type_;
};

std::unique_ptr<NodeKernel> create(const Node&, const Operator& op) { return std::make_unique<SelectTokenKernel>(op.type); }

void infer(Inference& inference) {
    if (const Extents numbers = inference.input(logits); numbers.size() == 2) {
        inference.output(0, {numbers[0], {1, ""}}, ONNX_TENSOR_ELEMENT_DATA_TYPE_INT64);
        inference.output(1, {numbers[0], {1, ""}}, ONNX_TENSOR_ELEMENT_DATA_TYPE_INT64);
    }
}

void add(Operators& operators, Device device, const FloatType& activations) {
    constexpr auto number = ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT;
    constexpr auto integer = ONNX_TENSOR_ELEMENT_DATA_TYPE_INT64;
    operators.push_back({
        "SelectToken",
        device,
        activations.type,
        {},
        {
            {"logits", activations.element},
            {"temperature", number},
            {"top_k", ONNX_TENSOR_ELEMENT_DATA_TYPE_INT32},
            {"top_p", number},
            {"min_p", number},
            {"uniform", number},
            {"positions", integer},
        },
        {{"token", integer}, {"next_positions", integer}},
        create,
        infer,
    });
}

}  // namespace

void add_select_token(Operators& operators) { add_for_all_activations(operators, add); }

}  // namespace latentmoe
