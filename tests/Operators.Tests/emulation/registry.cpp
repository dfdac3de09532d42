#include "registry.h"

#include "../../../runtime/ops/ort/error.h"

#include <algorithm>
#include <vector>

namespace latentmoe::emulation {
namespace {

std::vector<Kernel>& registered() {
    static std::vector<Kernel> kernels;
    return kernels;
}

std::vector<Kernel> sorted() {
    std::vector<Kernel> kernels = registered();
    std::ranges::sort(kernels, {}, &Kernel::name);
    const auto twice = std::ranges::adjacent_find(kernels, {}, &Kernel::name);
    if (twice != kernels.end()) {
        fail("two kernels have the name ", twice->name, ", in ", twice->file, " and ", std::next(twice)->file);
    }
    return kernels;
}

}  // namespace

KernelRegistration::KernelRegistration(const Kernel& kernel) { registered().push_back(kernel); }

std::span<const Kernel> all_kernels() {
    static const std::vector<Kernel> kernels = sorted();
    return kernels;
}

const Kernel& find_kernel(std::string_view name) {
    const auto kernels = all_kernels();
    const auto found = std::ranges::lower_bound(kernels, name, {}, &Kernel::name);
    if (found == kernels.end() || found->name != name) {
        fail("there is no kernel ", name);
    }
    return *found;
}

}  // namespace latentmoe::emulation
