#include "weight_types.h"

#include "../error.h"

#include <algorithm>

namespace latentmoe {

static bool quantised(ONNXTensorElementDataType element) {
    return element == ONNX_TENSOR_ELEMENT_DATA_TYPE_INT8 || element == ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT8;
}

void add_weight(std::vector<Parameter>& inputs, const char* name, const char* scales, ONNXTensorElementDataType element, bool optional) {
    inputs.push_back({name, element, optional});
    if (quantised(element)) {
        inputs.push_back({scales, ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT16, optional});
    }
}

WeightFormat weight_format(const Node& node, ONNXTensorElementDataType element) {
    for (const FloatType& type : float_types) {
        if (element == type.element) {
            return {type.type};
        }
    }
    const int64_t block = node.integer("block_size", 16, 32);
    if (block % 16 != 0) {
        fail("attribute block_size is ", block, ", expected 16 or 32");
    }
    return {element == ONNX_TENSOR_ELEMENT_DATA_TYPE_INT8 ? WeightType::Int8 : WeightType::Int4, block};
}

Weights read_weight(const Call& call, const WeightFormat& format, size_t input, const char* name, std::initializer_list<Axis> axes) {
    constexpr const char* because = "by the operator's other inputs: export the model again";
    const int64_t columns = axes.end()[-1].size;
    std::array<Axis, 3> stored{};
    std::copy(axes.begin(), axes.end(), stored.begin());
    const std::span shape(stored.data(), axes.size());
    if (format.block > 0 && columns % format.block != 0) {
        fail(name, " has ", columns, " columns, expected a multiple of block_size ", format.block, ": export the model again");
    }
    if (format.type == WeightType::Int4) {
        shape.back() = {"bytes", columns / 2};
    }
    const Tensor weight = call.input(input);
    expect(weight, name, shape, because);
    Weights result{format.type, weight.data, nullptr, weight.count(0, axes.size() - 1), columns, format.block};
    if (format.block > 0) {
        for (size_t axis = 0; axis + 1 < shape.size(); ++axis) {
            shape[axis].size = weight.shape[axis];
        }
        shape.back() = {"blocks", columns / format.block};
        const Tensor scales = call.input(input + 1);
        expect(scales, text(name, "_scales").c_str(), shape, because);
        result.scales = scales.as<uint16_t>();
    }
    return result;
}

}  // namespace latentmoe
