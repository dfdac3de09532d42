// AddRmsNorm: sums stay in registers between the two passes where the width allows it.
#include "numbers.cuh"

namespace latentmoe::cuda {

/// What a row's sums are multiplied by, from their squares' sum.
DEVICE float norm_factor(float squares, int32_t width, float epsilon) { return rsqrt_of(squares / float(width) + epsilon); }

// sum = residual + x; y = sum / sqrt(mean(sum²) + epsilon) · gain. The sum is rounded to T before it is normed, as the model carries it
// on.

/// `row_threads`, a power of 2 from 32 on, have a row, and each of them up to `count` times eight of its numbers.
template <typename T, int count>
DEVICE void add_rms_norm_eights(const T* x, const T* residual, const float* gain, float epsilon, int64_t rows, int32_t width,
                                int32_t row_threads, T* y, T* sum) {
    const int32_t thread = int32_t(thread_index()), eights = width / 8;
    const int64_t row = int64_t(block_x()) * (int32_t(block_threads()) / row_threads) + thread / row_threads, start = row * width;
    float totals[count][8], squares = 0;
    UNROLL(4)
    for (int i = 0; i < count; i++) {
        const int32_t eight = thread % row_threads + i * row_threads;
        if (row < rows && eight < eights) {
            float left[8], right[8];
            read_numbers(x + start + eight * 8, left);
            read_numbers(residual + start + eight * 8, right);
            UNROLL(8)
            for (int n = 0; n < 8; n++) {
                totals[i][n] = to_float(rounded<T>(left[n] + right[n]));
                squares = fma_of(totals[i][n], totals[i][n], squares);
            }
            write_numbers(sum + start + eight * 8, totals[i]);
        }
    }
    squares = warp_sum(squares);
    if (row_threads > 32) {
        auto* parts = reinterpret_cast<float*>(shared_memory());  // of each warp
        if (lane_index() == 0) {
            parts[warp_index()] = squares;
        }
        block_barrier();
        squares = 0;
        for (int32_t i = 0; i < row_threads / 32; i++) {
            squares += parts[thread / row_threads * (row_threads / 32) + i];
        }
    }
    const float factor = norm_factor(squares, width, epsilon);
    UNROLL(4)
    for (int i = 0; i < count; i++) {
        const int32_t eight = thread % row_threads + i * row_threads;
        if (row < rows && eight < eights) {
            float gains[8];
            read_numbers(gain + eight * 8, gains);
            UNROLL(8)
            for (int n = 0; n < 8; n++) {
                gains[n] *= totals[i][n] * factor;
            }
            write_numbers(y + start + eight * 8, gains);
        }
    }
}

/// Of any width and alignment: a warp for each row.
template <typename T>
DEVICE void add_rms_norm_any(const T* x, const T* residual, const float* gain, float epsilon, int64_t rows, int32_t width, T* y, T* sum) {
    const int64_t row = int64_t(block_x()) * (block_threads() / 32) + warp_index();
    if (row >= rows) {
        return;
    }
    const int64_t start = row * width;
    float squares = 0;
    for (int32_t i = int32_t(lane_index()); i < width; i += 32) {
        const T total = rounded<T>(to_float(x[start + i]) + to_float(residual[start + i]));
        sum[start + i] = total;
        squares = fma_of(to_float(total), to_float(total), squares);
    }
    const float factor = norm_factor(warp_sum(squares), width, epsilon);
    for (int32_t i = int32_t(lane_index()); i < width; i += 32) {
        y[start + i] = rounded<T>(to_float(sum[start + i]) * factor * gain[i]);
    }
}

#define ENTRY_EIGHTS(T, suffix, count)                                                                                                    \
    KERNEL(add_rms_norm_eights##count##_##suffix, 256,                                                                                    \
           (const T* x, const T* residual, const float* gain, float epsilon, int64_t rows, int32_t width, int32_t row_threads, T* y,       \
            T* sum)) {                                                                                                                    \
        add_rms_norm_eights<T, count>(x, residual, gain, epsilon, rows, width, row_threads, y, sum);                                      \
    }
#define ENTRY(T, suffix)                                                                                                                  \
    ENTRY_EIGHTS(T, suffix, 1)                                                                                                            \
    ENTRY_EIGHTS(T, suffix, 4)                                                                                                            \
    KERNEL(add_rms_norm_any_##suffix, 256,                                                                                                \
           (const T* x, const T* residual, const float* gain, float epsilon, int64_t rows, int32_t width, T* y, T* sum)) {                \
        add_rms_norm_any<T>(x, residual, gain, epsilon, rows, width, y, sum);                                                             \
    }
ENTRY(float, f32)
ENTRY(f16, f16)
ENTRY(bf16, bf16)
#undef ENTRY
#undef ENTRY_EIGHTS

}  // namespace latentmoe::cuda
