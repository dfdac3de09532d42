// A libcuda.so.1 of host memory, whose kernels the emulation runs. Tests tell it what to answer and read what it was asked; the
// environment variable FAKE_CUDA, as "cuInit=100,cuLaunchKernel=719", names functions that fail.
#pragma once
#include "../../../runtime/ops/cuda/driver/driver.h"

#include <map>
#include <string>
#include <vector>

namespace latentmoe::fake {

struct Launch {
    std::string kernel;
    unsigned x, y, z, threads, shared;
    cuda::StreamHandle stream;
};

struct State {
    State();

    int version = 12040, devices = 1, major = 9, minor = 0, multiprocessors = 132, shared = 232448;
    std::map<std::string, int> failing;  // what these functions answer
    std::string compile_log;             // why no module compiles; empty where they do

    std::vector<std::string> modules;  // "sm_90 add_rms_norm_f32", in the order in which they were loaded
    std::vector<Launch> launches;
    size_t cleared = 0, copied = 0;  // bytes
    std::string failure;             // of a kernel, in the emulation's words
};

State& state();

/// What the function of this name is told to answer; success where nothing.
cuda::Result scripted(const char* function);

/// Whether any stream is being captured: then nothing may be loaded, allocated or waited for.
bool capturing();

}  // namespace latentmoe::fake

/// For programs that find it in the loaded library.
extern "C" latentmoe::fake::State* fake_driver_state();
