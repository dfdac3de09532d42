// Sizes of the plain product's tiles, for the kernel and its launch.
#pragma once

namespace latentmoe::cuda {

/// Of a block of 256 threads: 64 rows by `tokens`, 16 columns at a time. A thread sums four rows of `own` tokens.
template <int tokens_>
struct PlainTile {
    static constexpr int rows = 64, tokens = tokens_, depth = 16, threads = 256, own = tokens / 16;
    static constexpr int row_pitch = rows + 4, token_pitch = tokens + 4;
    static constexpr int buffer = depth * (row_pitch + token_pitch);  // floats
    static constexpr int shared_bytes = 2 * buffer * 4;
};

}  // namespace latentmoe::cuda
