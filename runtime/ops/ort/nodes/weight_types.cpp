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

void add_for_all_weights(Operators& operators, const NamesByWeight& names, AddEntry add) {
    const auto add_all = [&](const char* name, auto elements_with) {
        for (const Device device : devices) {
            for (const FloatType& activations : float_types) {
                for (const ONNXTensorElementDataType element : elements_with(activations)) {
                    add(operators, name, device, activations, element);
                }
            }
        }
    };
    using Elements = std::vector<ONNXTensorElementDataType>;
    add_all(names[0], [](const FloatType& activations) {
        return activations.type == Type::F32 ? Elements{float_types[0].element, float_types[1].element, float_types[2].element}
                                             : Elements{activations.element};
    });
    add_all(names[1], [](const FloatType&) { return Elements{ONNX_TENSOR_ELEMENT_DATA_TYPE_INT8}; });
    add_all(names[2], [](const FloatType&) { return Elements{ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT8}; });
}

const FloatType& float_type(ONNXTensorElementDataType element) {
    const auto found = std::find_if(float_types.begin(), float_types.end(), [&](const FloatType& type) { return type.element == element; });
    if (found == float_types.end()) {
        fail("element type ", element, " is no float type");
    }
    return *found;
}

WeightType weight_type(ONNXTensorElementDataType element) {
    switch (element) {
        case ONNX_TENSOR_ELEMENT_DATA_TYPE_INT8: return WeightType::Int8;
        case ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT8: return WeightType::Int4;
        default: return float_type(element).weight;
    }
}

WeightFormat weight_format(const Node& node, ONNXTensorElementDataType element) {
    const WeightType type = weight_type(element);
    if (!quantised(element)) {
        return {type};
    }
    const int64_t block = node.integer("block_size", 16, 32);
    if (block % 16 != 0) {
        fail("attribute block_size is ", block, ", expected 16 or 32");
    }
    return {type, block};
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
