// A token's output: the sum of its experts' parts, weighted by their shares, in the order of the slots.
#include "experts_part.cuh"
#include "numbers.cuh"

namespace latentmoe::cuda {

constexpr int slots_at_once = 4;

/// Neighbouring numbers, 8 of 16 bits or 1.
template <typename T, int count>
struct Neighbours;
template <typename T>
struct Neighbours<T, 1> {
    T number;
    DEVICE void read(const T* address) { number = *address; }
    DEVICE void add_to(float (&sums)[1], float factor) const { sums[0] = fma_of(factor, to_float(number), sums[0]); }
};
template <typename T>
struct Neighbours<T, 8> {
    u32x4 words;
    DEVICE void read(const T* address) { words = *reinterpret_cast<const u32x4*>(address); }
    DEVICE void add_to(float (&sums)[8], float factor) const {
        const uint32_t pairs[4] = {words.x, words.y, words.z, words.w};
        UNROLL(4)
        for (int i = 0; i < 4; i++) {
            sums[2 * i] = fma_of(factor, low_of<T>(pairs[i]), sums[2 * i]);
            sums[2 * i + 1] = fma_of(factor, high_of<T>(pairs[i]), sums[2 * i + 1]);
        }
    }
};

/// y [tokens, width] from parts [tokens · slots, width] and shared_part [tokens, width], which may be null. The width is a multiple of
/// `count`, which each thread makes.
template <typename T, int count>
DEVICE void experts_sum(const int32_t* chosen, const float* shares, const ExpertSizes& sizes, int64_t tokens, const T* parts,
                        const T* shared_part, T* y) {
    const int64_t place = (int64_t(block_x()) * block_threads() + thread_index()) * count;
    if (place >= tokens * sizes.width) {
        return;
    }
    const int64_t token = place / sizes.width;
    const int32_t column = int32_t(place % sizes.width);
    float sums[count] = {};
    bool wrong = false;
    for (int32_t first = 0; first < sizes.slots; first += slots_at_once) {
        Neighbours<T, count> numbers[slots_at_once];
        float factors[slots_at_once];
        bool present[slots_at_once];
        UNROLL(4)
        for (int i = 0; i < slots_at_once; i++) {
            const int64_t pair = token * sizes.slots + first + i;
            const int32_t expert = first + i < sizes.slots ? chosen[pair] : no_expert;
            wrong = wrong || sizes.wrong(expert);
            present[i] = sizes.chosen(expert);
            if (present[i]) {
                numbers[i].read(parts + pair * sizes.width + column);
                factors[i] = shares[pair];
            }
        }
        UNROLL(4)
        for (int i = 0; i < slots_at_once; i++) {
            if (present[i]) {
                numbers[i].add_to(sums, factors[i]);
            }
        }
    }
    if (shared_part != nullptr) {
        Neighbours<T, count> numbers;
        numbers.read(shared_part + place);
        numbers.add_to(sums, 1);
    }
    UNROLL(8)
    for (float& sum : sums) {
        sum = wrong ? float_of(0x7FC00000) : sum;
    }
    if constexpr (count == 8) {
        write_numbers(y + place, sums);
    } else {
        y[place] = rounded<T>(sums[0]);
    }
}

#define EXPERTS_SUM(stem, T, count)                                                                                                       \
    KERNEL(stem##_##T, 256,                                                                                                               \
           (const int32_t* chosen, const float* shares, int32_t experts, int32_t slots, int32_t width, int64_t tokens, const T* parts,    \
            const T* shared_part, T* y)) {                                                                                                \
        experts_sum<T, count>(chosen, shares, {experts, slots, width, 0, 0}, tokens, parts, shared_part, y);                              \
    }
using f32 = float;
EXPERTS_SUM(experts_sum, f16, 8)
EXPERTS_SUM(experts_sum, bf16, 8)
EXPERTS_SUM(experts_plain_sum, f32, 1)
EXPERTS_SUM(experts_plain_sum, f16, 1)
EXPERTS_SUM(experts_plain_sum, bf16, 1)
#undef EXPERTS_SUM

}  // namespace latentmoe::cuda
