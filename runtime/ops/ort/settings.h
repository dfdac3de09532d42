// The session config entries that this library reads when it is registered.
#pragma once
#include "../cpu/kernels.h"
#include "operator.h"

#include <set>
#include <string>

namespace latentmoe {

struct Settings {
    std::set<std::string> disabled;    // "latentmoe.disable": names, with commas between, that stay with their bodies
    const Kernels* kernels = nullptr;  // "latentmoe.isa": plain, avx2, avx512 or amx; else the best of this machine
};

/// Fails at a name that is unknown, or an instruction set that this machine lacks.
Settings read_settings(const Api& api, const OrtSessionOptions* options);

}  // namespace latentmoe
