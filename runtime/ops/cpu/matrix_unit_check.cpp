#include "matrix_unit_check.h"

#include "half.h"

#include <cmath>
#include <cstdlib>
#include <memory>
#include <vector>

namespace latentmoe {
namespace {

// More than a tile each way, and no multiple of one.
constexpr int64_t rows = 35, columns = 96, tokens = 19, block = 32, size = 16;

// A fixed sequence between −1 and 1 (the generator of Park and Miller).
class Sequence {
public:
    float next() {
        state = state * 48271 % 2147483647;
        return static_cast<float>(state) / 1073741824.0f - 1.0f;
    }

private:
    uint64_t state = 1;
};

bool agrees(const Kernels& kernels, const Weights& w, const std::vector<float>& x) {
    const int64_t bytes = kernels.unit->block_bytes(columns), blocks = (tokens + size - 1) / size;
    const std::unique_ptr<void, decltype(&std::free)> memory(std::aligned_alloc(64, static_cast<size_t>(bytes * blocks)), &std::free);
    if (memory == nullptr) {
        return false;
    }
    std::vector<float> found(tokens * rows), expected(tokens * rows);
    const float* a[tokens];
    float* c[tokens];
    for (int64_t t = 0; t < tokens; t++) {
        a[t] = x.data() + t * columns;
        c[t] = found.data() + t * rows;
        float* y = expected.data() + t * rows;
        kernels.dot(w, 0, rows, &a[t], 1, &y);
    }
    for (int64_t t = 0; t < tokens; t += size) {
        kernels.unit->arrange(a + t, tokens - t < size ? tokens - t : size, 0, columns, static_cast<char*>(memory.get()) + t / size * bytes);
    }
    kernels.unit->product(w, 0, rows, a, memory.get(), tokens, c);
    for (int64_t i = 0; i < tokens * rows; i++) {
        // Sums of 96 products below one: rounding is far below this, a swapped operand far above.
        if (!(std::fabs(found[i] - expected[i]) < 1e-3f)) {
            return false;
        }
    }
    return true;
}

}  // namespace

bool unit_agrees(const Kernels& kernels) {
    Sequence sequence;
    std::vector<float> x(tokens * columns), floats(rows * columns);
    std::vector<uint16_t> halves(rows * columns), brains(rows * columns), scales(rows * columns / block);
    std::vector<uint8_t> bytes(rows * columns);
    for (float& value : x) {
        value = sequence.next();
    }
    for (size_t i = 0; i < floats.size(); i++) {
        floats[i] = sequence.next();
        halves[i] = f16_of_float(floats[i]);
        brains[i] = static_cast<uint16_t>(bits_of_float(floats[i]) >> 16);
        bytes[i] = static_cast<uint8_t>(static_cast<int>(floats[i] * 127.0f));
    }
    for (uint16_t& scale : scales) {
        scale = f16_of_float(1.0f / 128 + sequence.next() / 512);
    }
    const Weights all[] = {
        {.type = WeightType::F32, .data = floats.data(), .rows = rows, .columns = columns},
        {.type = WeightType::F16, .data = halves.data(), .rows = rows, .columns = columns},
        {.type = WeightType::BF16, .data = brains.data(), .rows = rows, .columns = columns},
        {.type = WeightType::Int8, .data = bytes.data(), .scales = scales.data(), .rows = rows, .columns = columns, .block = block},
        {.type = WeightType::Int4, .data = bytes.data(), .scales = scales.data(), .rows = rows, .columns = columns, .block = block},
    };
    for (const Weights& w : all) {
        if (!agrees(kernels, w, x)) {
            return false;
        }
    }
    return true;
}

}  // namespace latentmoe
