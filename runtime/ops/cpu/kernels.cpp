#include "kernels.h"
#include "kernels_amx_present.h"
#include "kernels_avx512vnni.h"
#include "matrix_unit_check.h"

namespace latentmoe {

extern const Kernels plain_kernels;
#ifdef __x86_64__
extern const Kernels avx2_kernels, avx512_kernels;
extern const MatrixUnit amx_unit;
#endif

namespace {

struct Candidate {
    const Kernels* kernels;
    bool present;
};

// The best first.
const auto& candidates() {
#ifdef __x86_64__
    static const bool avx512 = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") &&
                               __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("f16c");
    static const bool avx512vnni = avx512 && __builtin_cpu_supports("avx512vnni");
    static const Kernels vnni = [] {
        Kernels kernels = avx512_kernels;
        kernels.name = "avx512vnni";
        use_byte_products(kernels);
        return kernels;
    }();
    static const Kernels amx = [] {
        Kernels kernels = avx512vnni ? vnni : avx512_kernels;
        kernels.name = "amx";
        kernels.few = 8;  // tiles need fewer tokens than vectors to be worth packing
        kernels.unit = &amx_unit;
        return kernels;
    }();
#endif
    static const Candidate all[] = {
#ifdef __x86_64__
        {&amx, avx512 && amx_present() && unit_agrees(amx)},
        {&vnni, avx512vnni},
        {&avx512_kernels, avx512},
        {&avx2_kernels, __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("f16c")},
#endif
        {&plain_kernels, true},
    };
    return all;
}

}  // namespace

const Kernels* best_kernels() {
    for (const Candidate& candidate : candidates()) {
        if (candidate.present) {
            return candidate.kernels;
        }
    }
    return nullptr;
}

const Kernels* find_kernels(std::string_view name) {
    for (const Candidate& candidate : candidates()) {
        if (candidate.present && name == candidate.kernels->name) {
            return candidate.kernels;
        }
    }
    return nullptr;
}

std::string kernel_names() {
    std::string names;
    for (const Candidate& candidate : candidates()) {
        if (candidate.present) {
            names += (names.empty() ? "" : ", ") + std::string(candidate.kernels->name);
        }
    }
    return names;
}

}  // namespace latentmoe
