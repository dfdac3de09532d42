// What the kernels of latent attention share. A cached row is [latent ; rotated key], w = r + dr numbers, and lies as two equal halves in
// the key and the value buffer. A line is one head of one token; a batch row has S · H of them, the heads of a token side by side.
#pragma once
#include "weights.cuh"

namespace latentmoe::cuda {

constexpr float minus_infinity = -__builtin_huge_valf();

// What a token sees, in 32 bits: its columns are 0 to count − 1. Those of dead tokens may never have been written, so that they must not
// meet the live ones' in one product: kernels that take several tokens together go over them in two passes.
constexpr int32_t bad_position = -1;
DEVICE int32_t sight(int32_t columns, bool dead) { return 2 * columns + (dead ? 1 : 0); }
/// 0 for tokens of the other kind.
DEVICE int32_t columns_in_pass(int32_t sight, uint32_t pass) { return sight >= 0 && (uint32_t(sight) & 1) == pass ? sight >> 1 : 0; }

DEVICE int32_t least(int32_t a, int32_t b) { return a < b ? a : b; }
DEVICE int32_t largest(int32_t a, int32_t b) { return a > b ? a : b; }

DEVICE bool aligned16(const void* address) { return reinterpret_cast<uintptr_t>(address) % 16 == 0; }

/// Number i of a cached row, from its two halves.
template <typename C>
DEVICE float cached(const C* key, const C* value, int64_t column, int32_t half, int32_t i) {
    return to_float(i < half ? key[column * half + i] : value[column * half + i - half]);
}

/// visit(row, unit) of rows · units pieces of work, shared among the block's threads, neighbouring units to neighbouring threads.
template <typename Visit>
DEVICE void share(int32_t rows, int32_t units, const Visit& visit) {
    const auto threads = int32_t(block_threads()), me = int32_t(thread_index());
    const int32_t step = threads / units, rest = threads % units;
    int32_t row = me / units, unit = me % units;
    while (row < rows) {
        visit(row, unit);
        row += step;
        unit += rest;
        if (unit >= units) {
            unit -= units;
            row++;
        }
    }
}

/// Columns c to c + 7 of a row of numbers, zero from `width` on. Where `fast`, all eight are there and the row is aligned to 16 bytes.
template <typename W>
DEVICE void read8(const W* row, int32_t c, int32_t width, bool fast, float (&numbers)[8]) {
    if (fast) {
        constexpr int count = 32 / Format<W>::bits;
        UNROLL(2)
        for (int part = 0; part < 8 / (4 * count); part++) {
            const u32x4 words = load_once(row + c + part * 4 * count);
            const uint32_t all[4] = {words.x, words.y, words.z, words.w};
            UNROLL(4)
            for (int i = 0; i < 4; i++) {
                float some[count];
                widen<W>(all[i], some);
                UNROLL(2)
                for (int j = 0; j < count; j++) {
                    numbers[(part * 4 + i) * count + j] = some[j];
                }
            }
        }
    } else {
        UNROLL(8)
        for (int32_t i = 0; i < 8; i++) {
            numbers[i] = c + i < width ? to_float(row[c + i]) : 0;
        }
    }
}

/// The pair i of a token's rotary part x, turned by its position's angle; x in order of the pairs where `interleave`, else in halves.
template <typename T>
DEVICE void turn(const T* x, int32_t i, int32_t rope, bool interleave, const float* cos, const float* sin, int64_t position,
                 float (&pair)[2]) {
    const int32_t half = rope / 2;
    const float a = to_float(x[interleave ? 2 * i : i]), b = to_float(x[interleave ? 2 * i + 1 : half + i]);
    const float c = cos[position * half + i], s = sin[position * half + i];
    pair[0] = a * c - b * s;
    pair[1] = b * c + a * s;
}

}  // namespace latentmoe::cuda
