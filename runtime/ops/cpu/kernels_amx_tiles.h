// The tile instructions of AMX. Kernels take them as a parameter, so that they also run over a model of them.
#pragma once
#include <cstdint>

namespace latentmoe {

/// What the hardware reads: bytes of a row and rows, of each tile.
struct alignas(64) TileShapes {
    uint8_t palette = 1, start_row = 0, reserved[14] = {};
    uint16_t row_bytes[16] = {};
    uint8_t rows[16] = {};
};
static_assert(sizeof(TileShapes) == 64);

namespace {

// Written as assembler, for g++ 12's own _tile_loadconfig and _tile_loadd do not tell the compiler which memory they read.
struct HardwareTiles {
    static void configure(const TileShapes& shapes) { asm volatile("ldtilecfg %0" ::"m"(shapes)); }
    static void release() { asm volatile("tilerelease"); }

    template <int tile>
    static void zero() {
        asm volatile("tilezero %%tmm%c0" ::"i"(tile));
    }

    /// Rows from `start` on, `pitch` bytes apart.
    template <int tile>
    static void load(const void* start, int64_t pitch) {
        asm volatile("tileloadd (%0,%1,1), %%tmm%c2" ::"r"(start), "r"(pitch), "i"(tile) : "memory");
    }

    template <int tile>
    static void store(void* start, int64_t pitch) {
        asm volatile("tilestored %%tmm%c2, (%0,%1,1)" ::"r"(start), "r"(pitch), "i"(tile) : "memory");
    }

    /// sum[m][n] += Σ_k left[m][k] · right[k / 2][2 n + k % 2], of bfloat16 and in float32.
    template <int sum, int left, int right>
    static void multiply() {
        asm volatile("tdpbf16ps %%tmm%c2, %%tmm%c1, %%tmm%c0" ::"i"(sum), "i"(left), "i"(right));
    }
};

}  // namespace
}  // namespace latentmoe
