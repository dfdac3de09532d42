// The AMX kernels as they are, over modelled tiles.
#include "amx_tiles.h"

#ifdef __x86_64__
#include "../../../runtime/ops/cpu/kernels_amx_product.h"

namespace latentmoe::test {

const Kernels* emulated_amx() {
    static const MatrixUnit unit = amx_unit_of<EmulatedTiles>();
    static const Kernels kernels = [] {
        Kernels set = avx512_kernels;
        set.name = "amx (emulated)";
        set.few = 8;
        set.unit = &unit;
        return set;
    }();
    return find_kernels("avx512") != nullptr && __builtin_cpu_supports("avx512bf16") ? &kernels : nullptr;
}

} // namespace latentmoe::test
#else

namespace latentmoe::test {

const Kernels* emulated_amx() { return nullptr; }

} // namespace latentmoe::test
#endif
