// Activations of 16 bits as the CPU's kernels take them, which is in float32, and back.
#pragma once
#include "../cpu/operators.h"
#include "../cuda/launch/operators.h"

namespace latentmoe {

/// Works in the call's scratch memory; float32 arrays are used where they lie.
class Widening {
public:
    Widening(Host& host, const Kernels& kernels, cuda::Type type) : host_(host), kernels_(kernels), type_(type) {}

    /// The numbers in float32.
    const float* read(const void* values, int64_t count) const;

    /// Where a kernel writes so many numbers that `write` then brings to `values`.
    float* target(void* values, int64_t count) const;
    void write(const float* computed, void* values, int64_t count) const;

    void widen(const void* from, float* to, int64_t count) const;
    void narrow(const float* from, void* to, int64_t count) const;

private:
    Host& host_;
    const Kernels& kernels_;
    cuda::Type type_;
};

}  // namespace latentmoe
