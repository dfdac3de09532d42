// After absorbed attention: the splits' sums become the mean of the latents that a line saw, and W_v expands it. A block takes one head of
// `count` tokens, and `slice` rows of its W_v.
#include "latent_attention.cuh"

namespace latentmoe::cuda {

constexpr int32_t threads = 256, warps = threads / 32;
constexpr int ahead = 4;  // sums that a thread reads before it uses them

/// mean [padded rank] of a line: sums [splits, padded rank] weighed by running [splits, 2], (maximum, sum) each; parts [4 · threads].
/// By all threads of the block.
DEVICE void merge(const float* sums, const float* running, int32_t splits, int32_t rank, float* parts, float* mean) {
    const int32_t padded = (rank + 15) / 16 * 16;
    float maximum = minus_infinity;
    for (int32_t i = int32_t(lane_index()); i < splits; i += 32) {
        maximum = running[2 * i] > maximum ? running[2 * i] : maximum;
    }
    maximum = warp_max(maximum);
    const float shift = maximum == minus_infinity ? 0 : maximum;
    float total = 0;
    for (int32_t i = int32_t(lane_index()); i < splits; i += 32) {
        total = fma_of(exp2_of(running[2 * i] - shift), running[2 * i + 1], total);
    }
    total = warp_sum(total);
    const int32_t groups = padded / 4, most = threads / groups, part = int32_t(thread_index()) / groups;
    const int32_t c = int32_t(thread_index()) % groups * 4;
    if (part < most) {
        float sum[4] = {};
        for (int32_t i = part; i < splits; i += ahead * most) {
            u32x4 words[ahead];
            UNROLL(4)
            for (int k = 0; k < ahead; k++) {
                words[k] = *reinterpret_cast<const u32x4*>(sums + int64_t(least(i + k * most, splits - 1)) * padded + c);
            }
            UNROLL(4)
            for (int k = 0; k < ahead; k++) {
                if (i + k * most < splits) {
                    const float factor = exp2_of(running[2 * (i + k * most)] - shift);
                    sum[0] = fma_of(factor, float_of(words[k].x), sum[0]);
                    sum[1] = fma_of(factor, float_of(words[k].y), sum[1]);
                    sum[2] = fma_of(factor, float_of(words[k].z), sum[2]);
                    sum[3] = fma_of(factor, float_of(words[k].w), sum[3]);
                }
            }
        }
        *reinterpret_cast<u32x4*>(parts + part * padded + c) = {bits_of(sum[0]), bits_of(sum[1]), bits_of(sum[2]), bits_of(sum[3])};
    }
    block_barrier();
    for (int32_t i = int32_t(thread_index()); i < padded; i += threads) {
        float sum = 0;
        for (int32_t k = 0; k < most; k++) {
            sum += parts[k * padded + i];
        }
        mean[i] = i < rank ? sum / total : 0;
    }
    block_barrier();
}

/// Rows first to first + together − 1 of w times each mean, by a warp: sums[row][token], the same in all lanes.
template <int together, int count, typename W>
DEVICE void expand(const W* w, int32_t first, int32_t last, int32_t rank, bool fast, const float* means, int32_t padded,
                   float (&sums)[together][count]) {
    for (int32_t c = int32_t(lane_index()) * 8; c < rank; c += 256) {
        float numbers[together][8];
        UNROLL(4)
        for (int i = 0; i < together; i++) {
            read8(w + least(first + i, last) * rank, c, rank, fast, numbers[i]);
        }
        UNROLL(4)
        for (int t = 0; t < count; t++) {
            const auto* mean = reinterpret_cast<const u32x4*>(means + t * padded + c);
            const u32x4 low = mean[0], high = mean[1];
            const float m[8] = {float_of(low.x),  float_of(low.y),  float_of(low.z),  float_of(low.w),
                                float_of(high.x), float_of(high.y), float_of(high.z), float_of(high.w)};
            UNROLL(4)
            for (int i = 0; i < together; i++) {
                UNROLL(8)
                for (int k = 0; k < 8; k++) {
                    sums[i][t] = fma_of(m[k], numbers[i][k], sums[i][t]);
                }
            }
        }
    }
    UNROLL(4)
    for (int i = 0; i < together; i++) {
        UNROLL(4)
        for (int t = 0; t < count; t++) {
            sums[i][t] = warp_sum(sums[i][t]);
        }
    }
}

#define PARAMETERS(T, W)                                                                                                                  \
    (const float* sums, const float* running, const int32_t* sights, const W* kv_b, int64_t tokens, int32_t heads, int32_t nope,          \
     int32_t value, int32_t rank, int32_t splits, int32_t split_columns, int32_t slice, T* out)

template <int count, typename T, typename W>
DEVICE void combine PARAMETERS(T, W) {
    const int32_t padded = (rank + 15) / 16 * 16, head = int32_t(block_x() % uint32_t(heads));
    const int64_t first = int64_t(block_x() / uint32_t(heads)) * count;
    float *parts = reinterpret_cast<float*>(shared_memory()), *means = parts + 4 * threads;  // [4 · threads], [count, padded]
    for (int32_t t = 0; t < count; t++) {
        const int32_t sight = first + t < tokens ? sights[first + t] : 0;
        if (sight >= 2) {
            const int64_t line = ((first + t) * heads + head) * splits;
            merge(sums + line * padded, running + 2 * line, ((sight >> 1) + split_columns - 1) / split_columns, rank, parts,
                  means + t * padded);
        } else {
            // Of a token that sees nothing, or whose position is bad.
            for (int32_t i = int32_t(thread_index()); i < padded; i += threads) {
                means[t * padded + i] = sight < 0 ? float_of(0x7FC00000) : 0;
            }
            block_barrier();
        }
    }
    const W* w = kv_b + (int64_t(head) * (nope + value) + nope) * rank;
    const bool fast = rank % 8 == 0 && aligned16(w);
    const int32_t start = int32_t(block_y()) * slice, last = least(start + slice, value);
    constexpr int together = count == 1 ? 4 : 2;
    for (int32_t row = start + int32_t(warp_index()) * together; row < last; row += warps * together) {
        float results[together][count] = {};
        expand<together, count>(w, row, last - 1, rank, fast, means, padded, results);
        UNROLL(4)
        for (int i = 0; i < together; i++) {
            UNROLL(4)
            for (int t = 0; t < count; t++) {
                if (lane_index() == uint32_t(i * count + t) && row + i < last && first + t < tokens) {
                    out[((first + t) * heads + head) * value + row + i] = rounded<T>(results[i][t]);
                }
            }
        }
    }
}

#define ENTRY(count, suffix, T, W)                                                                                                        \
    KERNEL(latent_attention_combine##count##_##suffix, threads, PARAMETERS(T, W)) {                                                       \
        combine<count, T, W>(sums, running, sights, kv_b, tokens, heads, nope, value, rank, splits, split_columns, slice, out);           \
    }
#define ENTRIES(suffix, T, W) ENTRY(1, suffix, T, W) ENTRY(4, suffix, T, W)
ENTRIES(f32_f32, float, float)
ENTRIES(f32_f16, float, f16)
ENTRIES(f32_bf16, float, bf16)
ENTRIES(f16_f16, f16, f16)
ENTRIES(bf16_bf16, bf16, bf16)
ENTRIES(bf16_f16, bf16, f16)
#undef ENTRIES
#undef ENTRY
#undef PARAMETERS

}  // namespace latentmoe::cuda
