// The types in a kernel's name, as launch/suffix.h puts them there: of activations, then of weights or the cache.
#pragma once
#include "../launch/suffix.h"

#include <optional>
#include <string_view>

namespace latentmoe::cuda {

/// Whether a kernel is one for such activations that reads no weights or, where given, these: at the name's last type.
inline bool is_for(std::string_view kernel, Type type, std::optional<WeightType> weight) {
    std::string_view activations, last;
    while (!kernel.empty()) {
        const size_t end = kernel.find('_');
        const std::string_view part = kernel.substr(0, end);
        if (part == "f32" || part == "f16" || part == "bf16" || part == "int8" || part == "int4") {
            (activations.empty() ? activations : last) = part;
        }
        kernel = end == std::string_view::npos ? std::string_view() : kernel.substr(end + 1);
    }
    return (activations.empty() || activations == suffix(type)) && (last.empty() || (weight && last == suffix(*weight)));
}

}  // namespace latentmoe::cuda
