// What the GPU can do at best, measured just now.
#pragma once
#include "../../../runtime/ops/cuda/launch/operators.h"
#include "bench_timer.h"

#include <string>

namespace latentmoe::test {

struct BenchLimits {
    double copy, read;       // bytes a second: a copy's are those read and those written
    double f16, bf16, f32;   // operations a second: matrix products of 16-bit numbers, fused multiply-adds of float32

    double flops(cuda::Type type) const { return type == cuda::Type::F16 ? f16 : type == cuda::Type::BF16 ? bf16 : f32; }
};

/// With kernels of the benchmark's own. `images` is the folder of the PTX files, by targets. Tiny amounts, for a modelled GPU, measure
/// nothing.
BenchLimits measure_limits(BenchTimer& timer, const std::string& images, bool tiny);

}  // namespace latentmoe::test
