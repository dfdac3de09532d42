// Softmax over scores that arrive in tiles (arXiv 1805.02867), and products of matrices whose rows lie at even distances.
#pragma once
#include "kernels.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

namespace latentmoe::attention {

/// What a query has seen so far: its weights are relative to exp(maximum), `sum` adds them up.
struct Running {
    float maximum = -std::numeric_limits<float>::infinity();
    float sum = 0;
};

/// The number to subtract from scores: with the maximum itself, scores that are all −infinity would give NaN where others may follow.
inline float shift(float maximum) { return maximum == -std::numeric_limits<float>::infinity() ? 0 : maximum; }

/// Makes weights of a tile's scores, zero from `seen` on; returns what weighted sums of earlier tiles must be multiplied with. There is
/// room for a multiple of 16 scores.
inline float advance(const Kernels& kernels, Running& running, float* scores, int64_t seen, int64_t columns) {
    const float maximum = std::max(running.maximum, kernels.maximum(scores, seen));
    const float factor = maximum > running.maximum ? std::exp(running.maximum - maximum) : 1;
    // Whole vectors: the exponential of −infinity is zero.
    const int64_t padded = (seen + 15) / 16 * 16;
    std::fill(scores + seen, scores + padded, -std::numeric_limits<float>::infinity());
    running.maximum = maximum;
    running.sum = running.sum * factor + kernels.exponentials(scores, padded, shift(maximum));
    if (padded < columns) {
        std::fill(scores + padded, scores + columns, 0.0f);
    }
    return factor;
}

/// Rows a, at distance a_stride, times b, to rows c.
inline void multiply(const Kernels& kernels, const float* a, int64_t a_stride, int64_t rows, int64_t depth, const float* b, int64_t b_stride,
                     float* c, int64_t c_stride, int64_t columns, bool add) {
    std::array<const float*, 64> from;
    std::array<float*, 64> to;
    constexpr auto most = static_cast<int64_t>(from.size());
    for (int64_t first = 0; first < rows; first += most) {
        const int64_t count = std::min(most, rows - first);
        for (int64_t i = 0; i < count; i++) {
            from[i] = a + (first + i) * a_stride;
            to[i] = c + (first + i) * c_stride;
        }
        kernels.multiply(from.data(), count, depth, b, b_stride, to.data(), columns, add);
    }
}

}  // namespace latentmoe::attention
