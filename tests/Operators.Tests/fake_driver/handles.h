// What the driver's handles point to.
#pragma once
#include "../emulation/registry.h"
#include "fake_driver.h"

#include <chrono>
#include <functional>

struct CUctx_st {};

struct CUfunc_st {
    const latentmoe::emulation::Kernel* kernel;
    size_t most_shared;  // without an attribute, as much as any kernel may have
};

struct CUmod_st {
    CUfunc_st function;
};

using Work = std::function<latentmoe::cuda::Result()>;

struct CUgraph_st {
    std::vector<Work> work;
};

struct CUgraphExec_st {
    CUgraph_st graph;
};

struct CUstream_st {
    bool capturing = false;
    CUgraph_st graph;
};

struct CUevent_st {
    std::chrono::steady_clock::time_point time;
};

namespace latentmoe::fake {

/// What CUDA numbers so.
inline constexpr cuda::Result invalid_value = 1, invalid_context = 201, invalid_ptx = 218, not_found = 500, launch_failed = 719,
                              capture_unsupported = 900;

/// Done at once, or noted in the graph of a stream that is being captured.
cuda::Result submit(cuda::StreamHandle stream, Work work);

}  // namespace latentmoe::fake
