// Names of kernels: a stem and the types that it was compiled for, as linear_rows_f16_int4.
#pragma once
#include "operators.h"

#include <string>

namespace latentmoe::cuda {

inline const char* suffix(Type type) {
    switch (type) {
        case Type::F32: return "f32";
        case Type::F16: return "f16";
        case Type::BF16: return "bf16";
    }
    return "";
}

inline const char* suffix(WeightType type) {
    switch (type) {
        case WeightType::F32: return "f32";
        case WeightType::BF16: return "bf16";
        case WeightType::F16: return "f16";
        case WeightType::Int8: return "int8";
        case WeightType::Int4: return "int4";
    }
    return "";
}

inline std::string kernel_name(const char* stem, Type type) { return std::string(stem) + '_' + suffix(type); }
inline std::string kernel_name(const char* stem, Type type, WeightType weight) { return kernel_name(stem, type) + '_' + suffix(weight); }

inline int64_t ceiling(int64_t value, int64_t step) { return (value + step - 1) / step; }

}  // namespace latentmoe::cuda
