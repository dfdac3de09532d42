// The tile instructions that the AMX kernels use, in plain C++: what the hardware refuses, or would silently do wrong, ends the program.
// Sums are in the order of Intel's manual, subnormal numbers count as zero.
#pragma once
#include "../../../runtime/ops/cpu/kernels.h"
#include "../../../runtime/ops/cpu/kernels_amx_tiles.h"

namespace latentmoe::test {

/// The avx512 set with a matrix unit of modelled tiles; null where the machine lacks its other instructions.
const Kernels* emulated_amx();

struct EmulatedTiles {
    static void configure(const TileShapes& shapes);
    static void release();

    template <int tile>
    static void zero() {
        zero(tile);
    }

    template <int tile>
    static void load(const void* start, int64_t pitch) {
        load(tile, start, pitch);
    }

    template <int tile>
    static void store(void* start, int64_t pitch) {
        store(tile, start, pitch);
    }

    template <int sum, int left, int right>
    static void multiply() {
        static_assert(sum != left && sum != right && left != right, "the hardware takes no tile twice");
        multiply(sum, left, right);
    }

private:
    static void zero(int tile);
    static void load(int tile, const void* start, int64_t pitch);
    static void store(int tile, void* start, int64_t pitch);
    static void multiply(int sum, int left, int right);
};

} // namespace latentmoe::test
