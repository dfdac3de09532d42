// The element types that weights come in, and a weight of a call as kernels see it.
#pragma once
#include "../../cpu/weights.h"
#include "../operator.h"

#include <array>

namespace latentmoe {

/// A float type of weights that stand alone, without scales.
struct FloatType {
    ONNXTensorElementDataType element;
    WeightType type;
};

inline constexpr std::array<FloatType, 3> float_types{{
    {ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT, WeightType::F32},
    {ONNX_TENSOR_ELEMENT_DATA_TYPE_BFLOAT16, WeightType::BF16},
    {ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT16, WeightType::F16},
}};

/// How the weights of a node are stored.
struct WeightFormat {
    WeightType type;
    int64_t block = 0;  // columns that share a scale; 0 where there are no scales

    size_t inputs() const { return block > 0 ? 2 : 1; }  // a weight, and its scales
};

/// The inputs of a weight of the given element type: itself, and its scales where the type is quantised.
void add_weight(std::vector<Parameter>& inputs, const char* name, const char* scales, ONNXTensorElementDataType element, bool optional = false);

/// The format of weights of an element type. Quantised ones have the node's attribute block_size.
WeightFormat weight_format(const Node& node, ONNXTensorElementDataType element);

/// The weight at an input, with its scales behind it. The last axis counts columns, the others rows. Fails where shapes disagree.
Weights read_weight(const Call& call, const WeightFormat& format, size_t input, const char* name, std::initializer_list<Axis> axes);

}  // namespace latentmoe
