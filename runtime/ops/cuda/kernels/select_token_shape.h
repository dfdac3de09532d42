// Sizes of SelectToken's blocks, for the kernel and its launch.
#pragma once

namespace latentmoe::cuda {

/// A row's block. Each thread counts the 16 values of a digit in a column of its own; each warp adds up one of them.
struct SelectionShape {
    static constexpr int digit = 4, values = 1 << digit, warps = values, threads = 32 * warps;
    static constexpr int columns_bytes = values * threads * 8;
    static constexpr int shared_bytes = columns_bytes + warps * 8 + 16;
};

}  // namespace latentmoe::cuda
