// Absorbed attention over a part of the context. A block takes neighbouring lines of a batch row and one split: the cached columns
// split · split_columns to (split + 1) · split_columns − 1, of which it takes `tile_columns` at a time into shared memory. Weights are
// powers of two relative to a line's largest score. Blocks behind what their lines see return at once.
#pragma once
#include "latent_attention.cuh"

namespace latentmoe::cuda {

constexpr int32_t tile_columns = 32;  // one for each lane of a warp

/// The block's place: blocks of a row's lines side by side, and their splits innermost.
struct Place {
    int64_t row;
    int64_t first, count;  // lines of the row
    int32_t split, splits;

    DEVICE Place(int32_t lines_of_row, int32_t lines, int32_t splits) : splits(splits) {
        const uint32_t groups = uint32_t(lines_of_row + lines - 1) / uint32_t(lines), group = block_x() / uint32_t(splits);
        split = int32_t(block_x() % uint32_t(splits));
        row = group / groups;
        first = int64_t(group % groups) * lines;
        count = lines_of_row - first < lines ? lines_of_row - first : lines;
        first += row * lines_of_row;
    }

    /// Of a line of the block, among all lines and splits.
    DEVICE int64_t partial(int32_t line) const { return (first + line) * splits + split; }
};

/// The context of one pass over a block's lines.
struct Span {
    int32_t begin, end;  // cached columns
    int32_t mine;        // columns that the line of this lane sees, less `begin`

    /// Lane i gives the sight of the block's line i.
    DEVICE Span(int32_t sight, uint32_t pass, int32_t split, int32_t split_columns) {
        const int32_t seen = columns_in_pass(sight, pass);
        const auto most = int32_t(warp_largest(uint32_t(seen)));
        begin = split * split_columns;
        end = most - begin > split_columns ? begin + split_columns : most;
        mine = seen - begin;
    }
};

/// Rows of a tile: columns first to first + tile_columns − 1 of the two halves, zero from `end` on; rows of a multiple of 16 numbers, at
/// distance `pitch`. Complete after the thread's copies and a barrier.
template <typename T>
DEVICE void load_tile(const T* key, const T* value, int32_t half, int32_t first, int32_t end, bool fast, T* tile, int32_t pitch) {
    if (fast) {
        share(tile_columns, half / 4, [&](int32_t row, int32_t unit) {
            const int32_t i = unit * 8;
            const bool within = first + row < end;
            const int64_t from = int64_t(within ? first + row : first) * half;
            copy_async16(tile + row * pitch + i, i < half ? key + from + i : value + from + i - half, within ? 16 : 0);
        });
    } else {
        const int32_t width = (2 * half + 15) / 16 * 16;
        share(tile_columns, width, [&](int32_t row, int32_t column) {
            const bool within = first + row < end && column < 2 * half;
            const int64_t from = int64_t(first + row) * half;
            tile[row * pitch + column] = !within ? rounded<T>(0) : column < half ? key[from + column] : value[from + column - half];
        });
    }
}

}  // namespace latentmoe::cuda
