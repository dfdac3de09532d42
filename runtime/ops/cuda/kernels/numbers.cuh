// Neighbouring activations, 16 bytes at a time.
#pragma once
#include "weights.cuh"

namespace latentmoe::cuda {

/// Eight numbers, or four of float32, at a multiple of 16 bytes.
template <typename T, int count>
DEVICE void read_numbers(const T* address, float (&numbers)[count]) {
    constexpr int a_word = 4 / sizeof(T);
    static_assert(count % (4 * a_word) == 0);
    UNROLL(2)
    for (int i = 0; i < count; i += 4 * a_word) {
        const u32x4 words = *reinterpret_cast<const u32x4*>(address + i);
        const uint32_t parts[4] = {words.x, words.y, words.z, words.w};
        UNROLL(4)
        for (int j = 0; j < 4; j++) {
            float widened[a_word];
            widen<T>(parts[j], widened);
            UNROLL(2)
            for (int n = 0; n < a_word; n++) {
                numbers[i + j * a_word + n] = widened[n];
            }
        }
    }
}

/// To a multiple of 16 bytes, each rounded to T.
template <typename T>
DEVICE void write_numbers(T* address, const float (&numbers)[8]) {
    *reinterpret_cast<u32x4*>(address) = {pack<T>(numbers[0], numbers[1]), pack<T>(numbers[2], numbers[3]), pack<T>(numbers[4], numbers[5]),
                                          pack<T>(numbers[6], numbers[7])};
}
DEVICE void write_numbers(float* address, const float (&numbers)[8]) {
    auto* fours = reinterpret_cast<u32x4*>(address);
    fours[0] = {bits_of(numbers[0]), bits_of(numbers[1]), bits_of(numbers[2]), bits_of(numbers[3])};
    fours[1] = {bits_of(numbers[4]), bits_of(numbers[5]), bits_of(numbers[6]), bits_of(numbers[7])};
}

}  // namespace latentmoe::cuda
