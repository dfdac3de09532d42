// What the GPU can do at best with the instructions that the operators use: memory copied and read, and matrix products in registers.
#include "../../../runtime/ops/cuda/kernels/portable.cuh"

namespace latentmoe::cuda {

// Both take 16 bytes a thread and step, neighbours side by side.
KERNEL(bench_copy, 512, (const u32x4* source, u32x4* target, int64_t count)) {
    const int64_t step = int64_t(grid_x()) * block_threads();
    for (int64_t i = int64_t(block_x()) * block_threads() + thread_index(); i < count; i += step) {
        target[i] = load_once(source + i);
    }
}

// The sink is written where the bits of a thread cancel out to all ones: the compiler cannot know that they never do.
KERNEL(bench_read, 512, (const u32x4* source, uint32_t* sink, int64_t count)) {
    const int64_t step = int64_t(grid_x()) * block_threads();
    u32x4 all{0, 0, 0, 0};
    for (int64_t i = int64_t(block_x()) * block_threads() + thread_index(); i < count; i += step) {
        const u32x4 part = load_once(source + i);
        all = {all.x | part.x, all.y | part.y, all.z | part.z, all.w | part.w};
    }
    if ((all.x & all.y & all.z & all.w) == 0xffffffff) {
        sink[thread_index()] = 1;
    }
}

// Independent products of a warp that are under way together.
constexpr int chains = 8;

/// In each round of each warp, `chains` products of 16 by 16 with 16 by 8.
template <typename T>
DEVICE void multiply(float* sink, int32_t rounds) {
    // Ones and minus ones, so that sums stay small; multipliers of zero would take less power than real ones.
    const uint32_t one = pack<T>(1.0f, lane_index() % 2 ? -1.0f : 1.0f);
    const uint32_t a[4] = {one, one ^ 0x8000, one, one ^ 0x80000000}, b[2] = {one, one ^ 0x8000};
    float sums[chains][4] = {};
    for (int32_t round = 0; round < rounds; round++) {
        for (int chain = 0; chain < chains; chain++) {
            multiply_accumulate<T>(sums[chain], a, b);
        }
    }
    float total = 0;
    for (int chain = 0; chain < chains; chain++) {
        for (int i = 0; i < 4; i++) {
            total += sums[chain][i];
        }
    }
    sink[int64_t(block_x()) * block_threads() + thread_index()] = total;
}

KERNEL(bench_multiply_f16, 256, (float* sink, int32_t rounds)) { multiply<f16>(sink, rounds); }
KERNEL(bench_multiply_bf16, 256, (float* sink, int32_t rounds)) { multiply<bf16>(sink, rounds); }

// Fused multiply-adds of float32: `chains` · 4 in a round of each thread.
KERNEL(bench_multiply_f32, 256, (float* sink, int32_t rounds)) {
    float sums[chains][4] = {};
    const float one = float(lane_index() + 1);
    for (int32_t round = 0; round < rounds; round++) {
        for (int chain = 0; chain < chains; chain++) {
            for (int i = 0; i < 4; i++) {
                sums[chain][i] = fma_of(sums[chain][i], 0.5f, one);
            }
        }
    }
    float total = 0;
    for (int chain = 0; chain < chains; chain++) {
        for (int i = 0; i < 4; i++) {
            total += sums[chain][i];
        }
    }
    sink[int64_t(block_x()) * block_threads() + thread_index()] = total;
}

}  // namespace latentmoe::cuda
