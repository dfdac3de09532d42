// The kernels that the program was linked with, each with what its launches are checked against.
#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <type_traits>
#include <utility>

namespace latentmoe::emulation {

/// What PTX distinguishes: 32 or 64 bits, float or not.
enum class Parameter { B32, B64, F32 };

constexpr size_t size_of(Parameter parameter) { return parameter == Parameter::B64 ? 8 : 4; }

struct Kernel {
    std::string_view name;
    unsigned max_threads = 0;
    std::span<const Parameter> parameters;
    void (*call)(void* const* values) = nullptr;
    std::string_view file;
};

/// In the order of their names. Throws Error where two have the same name.
std::span<const Kernel> all_kernels();

/// Throws Error where there is none of that name.
const Kernel& find_kernel(std::string_view name);

struct KernelRegistration {
    explicit KernelRegistration(const Kernel& kernel);
};

template <typename P>
constexpr Parameter parameter_of() {
    static_assert(std::is_pointer_v<P> || std::is_same_v<P, float> || std::is_same_v<P, int32_t> || std::is_same_v<P, uint32_t> ||
                  std::is_same_v<P, int64_t>);
    return std::is_same_v<P, float> ? Parameter::F32 : sizeof(P) == 8 ? Parameter::B64 : Parameter::B32;
}

template <auto function>
struct Entry;

template <typename... P, void (*function)(P...)>
struct Entry<function> {
    static constexpr std::array<Parameter, sizeof...(P)> parameters{parameter_of<P>()...};

    static void call(void* const* values) { call(values, std::index_sequence_for<P...>()); }

private:
    template <size_t... i>
    static void call(void* const* values, std::index_sequence<i...>) {
        function(*static_cast<P*>(values[i])...);
    }
};

}  // namespace latentmoe::emulation
