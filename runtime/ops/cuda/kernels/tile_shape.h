// Sizes of tiled products, for kernels and the functions that launch them.
#pragma once

namespace latentmoe::cuda {

/// A block's part of a product: `rows_` rows of weights by `tokens_`, `depth_` columns in each of `stages_` buffers that are filled in
/// turn. The block's warps share out rows, tokens, and the columns of a buffer, whose sums are added at the end.
template <int rows_, int tokens_, int depth_, int row_warps_, int token_warps_, int depth_warps_, int stages_>
struct TileShape {
    static constexpr int rows = rows_, tokens = tokens_, depth = depth_, stages = stages_;
    static constexpr int row_warps = row_warps_, token_warps = token_warps_, depth_warps = depth_warps_;
    static constexpr int threads = 32 * row_warps * token_warps * depth_warps;
    static constexpr int result_pitch = rows + 4;  // floats from one token's sums to the next one's
    static constexpr int result_size = tokens * result_pitch;
    static_assert(rows % (16 * row_warps) == 0 && tokens % (8 * token_warps) == 0 && depth % (32 * depth_warps) == 0 && depth % 64 == 0);

    /// Of one buffer, for weights of so many bits; below 16 they are quantised.
    static constexpr int stage_bytes(int bits) {
        return tokens * depth * 2 + rows * depth * bits / 8 + (bits < 16 ? rows * depth / 32 * 2 : 0);
    }
    /// Dynamic shared memory of the block.
    static constexpr int shared_bytes(int bits) {
        const int buffers = stages * stage_bytes(bits), results = depth_warps * result_size * 4;
        return buffers > results ? buffers : results;
    }
};

// From one token to hundreds. The small ones have many blocks and share the depth out, the large ones reuse what they read.
using Tile8 = TileShape<16, 8, 256, 1, 1, 4, 3>;
using Tile16 = TileShape<16, 16, 256, 1, 1, 4, 3>;
using Tile32 = TileShape<32, 32, 128, 2, 1, 2, 4>;
using Tile64 = TileShape<64, 64, 64, 2, 2, 1, 4>;
using Tile128 = TileShape<128, 128, 64, 2, 2, 1, 3>;
using QuantisedTile128 = TileShape<128, 128, 64, 2, 4, 1, 3>;  // more warps, of smaller parts: widened numbers and scales take registers

}  // namespace latentmoe::cuda
