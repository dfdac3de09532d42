#include "operators.h"

#include <algorithm>
#include <cmath>

namespace latentmoe {

static constexpr int64_t kNumbersOfPart = 1 << 14;  // enough to outweigh the start of a parallel part

void add_rms_norm(Host& host, const Kernels& kernels, const float* x, const float* residual, const float* gain, float epsilon, int64_t rows,
                  int64_t width, float* y, float* sum) {
    int64_t of_part = std::max<int64_t>(kNumbersOfPart / width, 1), parts = (rows + of_part - 1) / of_part;
    host.parallel(parts, [&](int64_t part) {
        for (int64_t row = part * of_part; row < std::min(rows, (part + 1) * of_part); ++row) {
            int64_t at = row * width;
            float mean = kernels.add(residual + at, x + at, sum + at, width) / static_cast<float>(width);
            kernels.normalise(sum + at, gain, 1 / std::sqrt(mean + epsilon), y + at, width);
        }
    });
}

}  // namespace latentmoe
