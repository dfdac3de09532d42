// Whether kernels can run here, in words for the user.
#pragma once
#include "driver.h"

namespace latentmoe::cuda {

/// The oldest that kernels are compiled for: a driver of CUDA 11.4, a device of compute capability 8.0.
inline constexpr int least_driver = 11040, least_target = 80;

struct Status {
    bool usable = false;
    std::string text;  // one line: the device, or why it cannot be used
};

/// Of the first device, on which sessions run. Never throws.
Status status() noexcept;

}  // namespace latentmoe::cuda
