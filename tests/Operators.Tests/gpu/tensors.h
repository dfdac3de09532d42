// Tensors of any activation type and weight matrices in device memory.
#pragma once
#include "../../../runtime/ops/cuda/launch/operators.h"
#include "../native/matrix.h"
#include "test_device.h"

#include <array>
#include <string>

namespace latentmoe::test {

using cuda::Type;

inline constexpr std::array activation_types = {Type::F32, Type::F16, Type::BF16};

inline const char* name_of(Type type) {
    constexpr const char* names[] = {"f32", "f16", "bf16"};
    return names[static_cast<int>(type)];
}

/// As a weight type.
inline WeightType weight_type(Type type) {
    constexpr WeightType types[] = {WeightType::F32, WeightType::F16, WeightType::BF16};
    return types[static_cast<int>(type)];
}

/// The relative distance of two neighbours of the type.
inline double step_of(Type type) {
    constexpr double steps[] = {0x1p-23, 0x1p-10, 0x1p-7};
    return steps[static_cast<int>(type)];
}

/// To the nearest number of the type.
inline float rounded(Type type, double value) {
    switch (type) {
        case Type::F32: return static_cast<float>(value);
        case Type::F16: return static_cast<float>(from_f16(to_f16(value)));
        case Type::BF16: return from_bf16(to_bf16(static_cast<float>(value)));
    }
    return 0;
}

/// Numbers of an activation type. Those given are rounded to it; `numbers` are what the device holds.
class Tensor {
public:
    /// Of NaN.
    Tensor(TestDevice& device, Type type, int64_t count, int64_t lead = 0)
        : type(type), bytes(device, count * width(type), lead * width(type)) {}

    Tensor(TestDevice& device, Type type, const std::vector<float>& values, int64_t lead = 0)
        : Tensor(device, type, static_cast<int64_t>(values.size()), lead) {
        set(values);
    }

    void* data() const { return bytes.data(); }
    int64_t size() const { return bytes.size() / width(type); }

    std::vector<float> numbers() const {
        const std::vector<uint8_t> raw = bytes.values();
        std::vector<float> result(static_cast<size_t>(size()));
        for (size_t i = 0; i < result.size(); i++) {
            uint16_t half;
            switch (type) {
                case Type::F32: std::memcpy(&result[i], &raw[4 * i], 4); break;
                default:
                    std::memcpy(&half, &raw[2 * i], 2);
                    result[i] = type == Type::F16 ? static_cast<float>(from_f16(half)) : from_bf16(half);
            }
        }
        return result;
    }

    void set(const std::vector<float>& values) {
        std::vector<uint8_t> raw(static_cast<size_t>(bytes.size()));
        for (size_t i = 0; i < values.size(); i++) {
            if (type == Type::F32) {
                std::memcpy(&raw[4 * i], &values[i], 4);
            } else {
                const uint16_t half = type == Type::F16 ? to_f16(values[i]) : to_bf16(values[i]);
                std::memcpy(&raw[2 * i], &half, 2);
            }
        }
        bytes.set(raw);
    }

private:
    static int64_t width(Type type) { return type == Type::F32 ? 4 : 2; }

    Type type;
    Buffer<uint8_t> bytes;
};

/// A matrix's elements and scales, each in an allocation of exactly their size.
class DeviceMatrix {
public:
    /// Elements and scales start `lead` of their own behind an aligned address.
    DeviceMatrix(TestDevice& device, const Matrix& matrix, int64_t lead = 0)
        : shape(matrix.weights()),
          elements(device, copy(static_cast<const uint8_t*>(shape.data), shape.rows * shape.bytes(shape.columns)), lead * shape.bytes(2) / 2),
          scales(device, copy(shape.scales, shape.quantised() ? shape.rows * shape.columns / shape.block : 0), lead) {}

    /// Pointers to device memory.
    Weights weights() const {
        Weights w = shape;
        w.data = elements.data();
        w.scales = shape.quantised() ? scales.data() : nullptr;
        return w;
    }

private:
    template <typename T>
    static std::vector<T> copy(const T* values, int64_t count) {
        return std::vector<T>(values, values + count);
    }

    Weights shape;
    Buffer<uint8_t> elements;
    Buffer<uint16_t> scales;
};

}  // namespace latentmoe::test
