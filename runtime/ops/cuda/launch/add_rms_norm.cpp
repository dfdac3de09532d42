#include "../../ort/error.h"
#include "operators.h"
#include "suffix.h"

#include <algorithm>
#include <bit>

namespace latentmoe::cuda {

void add_rms_norm(Device& device, Type type, const void* x, const void* residual, const float* gain, float epsilon, int64_t rows,
                  int64_t width, void* y, void* sum) {
    constexpr int64_t threads = 256, most_eights = 4 * threads, most_width = int64_t{1} << 30;
    if (width > most_width) {
        fail("AddRmsNorm has the width ", width, ", expected at most ", most_width, ": run the model on the CPU");
    }
    if (rows == 0 || width == 0) {
        return;
    }
    const auto aligned = [](auto... addresses) { return (... && (reinterpret_cast<uintptr_t>(addresses) % 16 == 0)); };
    const int64_t eights = width / 8;
    const auto columns = static_cast<int32_t>(width);
    if (width % 8 == 0 && eights <= most_eights && aligned(x, residual, gain, y, sum)) {
        const int64_t own = std::clamp<int64_t>(static_cast<int64_t>(std::bit_ceil(static_cast<uint64_t>(eights))), 32, threads);
        // While there are few rows, each has a multiprocessor to itself.
        const int64_t block = rows <= device.properties().multiprocessors ? own : threads;
        device.launch(kernel_name(eights <= own ? "add_rms_norm_eights1" : "add_rms_norm_eights4", type), {ceiling(rows, block / own)},
                      static_cast<unsigned>(block), own > 32 ? block / 32 * sizeof(float) : 0, x, residual, gain, epsilon, rows, columns,
                      static_cast<int32_t>(own), y, sum);
        return;
    }
    constexpr unsigned warps = 4;
    device.launch(kernel_name("add_rms_norm_any", type), {ceiling(rows, warps)}, warps * 32, 0, x, residual, gain, epsilon, rows, columns,
                  y, sum);
}

}  // namespace latentmoe::cuda
