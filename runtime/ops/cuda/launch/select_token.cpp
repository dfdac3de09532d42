#include "../../ort/error.h"
#include "../kernels/select_token_shape.h"
#include "operators.h"
#include "suffix.h"

#include <algorithm>
#include <bit>
#include <cmath>

namespace latentmoe::cuda {

void select_token(Device& device, Type type, const Selection& selection, const void* logits, int64_t rows, int64_t vocabulary,
                  const int64_t* positions, int64_t* token, int64_t* next_positions) {
    constexpr int64_t most = int64_t{1} << 30;
    if (vocabulary > most) {
        fail("SelectToken has a vocabulary of ", vocabulary, ", expected at most ", most);
    }
    // The weight of the most likely token, whose fractions of 2^-40 count, and with which all tokens together stay below 2^62.
    const int bits = std::min(40, 62 - static_cast<int>(std::bit_width(static_cast<uint64_t>(vocabulary))));
    device.launch(kernel_name("select_token", type), {rows}, SelectionShape::threads, SelectionShape::shared_bytes, selection.temperature,
                  selection.top_k, selection.top_p, selection.min_p, selection.uniform, logits, static_cast<int32_t>(vocabulary),
                  std::ldexp(1.0f, bits), positions, token, next_positions);
}

}  // namespace latentmoe::cuda
