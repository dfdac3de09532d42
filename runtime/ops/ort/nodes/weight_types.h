// The element types that weights come in, and a weight of a call as kernels see it.
#pragma once
#include "../../cpu/weights.h"
#include "../operator.h"

#include <array>

namespace latentmoe {

/// Element types of activations, and of weights that stand alone, without scales.
struct FloatType {
    ONNXTensorElementDataType element;
    Type type;
    WeightType weight;
};

inline constexpr std::array<FloatType, 3> float_types{{
    {ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT, Type::F32, WeightType::F32},
    {ONNX_TENSOR_ELEMENT_DATA_TYPE_BFLOAT16, Type::BF16, WeightType::BF16},
    {ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT16, Type::F16, WeightType::F16},
}};

/// Fails at an element type that is none of them.
const FloatType& float_type(ONNXTensorElementDataType element);

inline constexpr std::array<Device, 2> devices{Device::Cpu, Device::Cuda};

/// How the weights of a node are stored.
struct WeightFormat {
    WeightType type;
    int64_t block = 0;  // columns that share a scale; 0 where there are no scales

    size_t inputs() const { return block > 0 ? 2 : 1; }  // a weight, and its scales
};

/// The inputs of a weight of the given element type: itself, and its scales where the type is quantised.
void add_weight(std::vector<Parameter>& inputs, const char* name, const char* scales, ONNXTensorElementDataType element, bool optional = false);

/// An operator's names where weights are floats, int8 and int4.
using NamesByWeight = std::array<const char*, 3>;

using AddEntry = void (*)(Operators& operators, const char* name, Device device, const FloatType& activations, ONNXTensorElementDataType weight);

/// An entry for every device, type of activations, and type of weights, those of one name side by side.
void add_for_all_weights(Operators& operators, const NamesByWeight& names, AddEntry add);

/// An entry for every device and type of activations.
template <typename Add>
void add_for_all_activations(Operators& operators, Add add) {
    for (const Device device : devices) {
        for (const FloatType& activations : float_types) {
            add(operators, device, activations);
        }
    }
}

/// What an element type stores.
WeightType weight_type(ONNXTensorElementDataType element);

/// The format of weights of an element type. Quantised ones have the node's attribute block_size.
WeightFormat weight_format(const Node& node, ONNXTensorElementDataType element);

/// The weight at an input, with its scales behind it. The last axis counts columns, the others rows. Fails where shapes disagree.
Weights read_weight(const Call& call, const WeightFormat& format, size_t input, const char* name, std::initializer_list<Axis> axes);

}  // namespace latentmoe
