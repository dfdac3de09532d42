// What kernels are written in: the GPU's instructions under their names here, or the model of them on which tests run the same source.
#pragma once
#ifdef LATENTMOE_EMULATION
#include "emulation.h"
#else
#include "gpu.cuh"
#endif

namespace latentmoe::cuda {

template <typename T>
DEVICE T rounded(float value) {
    T result;
    from_float(value, result);
    return result;
}

DEVICE float shuffle(float value, uint32_t lane) { return float_of(shuffle(bits_of(value), lane)); }
DEVICE float shuffle_xor(float value, uint32_t mask) { return float_of(shuffle_xor(bits_of(value), mask)); }

/// Of all lanes, the same bits in each.
DEVICE float warp_sum(float value) {
    for (uint32_t mask = 16; mask > 0; mask /= 2) {
        value += shuffle_xor(value, mask);
    }
    return value;
}
/// NaN counts as nothing.
DEVICE float warp_max(float value) {
    for (uint32_t mask = 16; mask > 0; mask /= 2) {
        const float other = shuffle_xor(value, mask);
        value = value > other ? value : other == other ? other : value;
    }
    return value;
}

/// e to the value, to about 3 units of the last place: what the product with log2(e) rounds off is made good.
DEVICE float exp_of(float value) {
    const float limited = value > 88.7f ? 88.7f : value < -104.0f ? -104.0f : value;
    const float exponent = limited * 1.44269502f;
    const float rest = fma_of(limited, 1.92596299e-8f, fma_of(limited, 1.44269502f, -exponent));
    const float power = exp2_of(exponent);
    return fma_of(power, rest * 0.693147181f, power);
}

}  // namespace latentmoe::cuda
