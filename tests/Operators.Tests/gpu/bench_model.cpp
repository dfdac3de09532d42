#include "bench_model.h"

#include <algorithm>

namespace latentmoe::test {

namespace {

constexpr int64_t block = 32;

// Random numbers repeat after so many: a prime, so that rows of a matrix begin at different ones.
constexpr int64_t period = 262'139;

template <typename T, typename Convert>
std::vector<uint8_t> drawn(Random& random, double deviation, Convert convert) {
    std::vector<uint8_t> bytes(period * sizeof(T));
    for (int64_t i = 0; i < period; i++) {
        const T value = convert(deviation * random.normal());
        std::memcpy(bytes.data() + i * static_cast<int64_t>(sizeof(T)), &value, sizeof(T));
    }
    return bytes;
}

std::vector<uint8_t> drawn(Random& random, WeightType type, double deviation) {
    switch (type) {
        case WeightType::F32: return drawn<float>(random, deviation, [](double v) { return static_cast<float>(v); });
        case WeightType::F16: return drawn<uint16_t>(random, deviation, [](double v) { return to_f16(v); });
        case WeightType::BF16: return drawn<uint16_t>(random, deviation, [](double v) { return to_bf16(static_cast<float>(v)); });
        case WeightType::Int8:
        case WeightType::Int4: break;
    }
    return drawn<uint8_t>(random, 1, [&](double) { return static_cast<uint8_t>(random.between(0, 255)); });
}

}  // namespace

WeightType weights_of(cuda::Type type) {
    return type == cuda::Type::F32 ? WeightType::F32 : type == cuda::Type::F16 ? WeightType::F16 : WeightType::BF16;
}

WeightType BenchTypes::float_weights() const { return weights_of(activations); }

double bytes_of(const Weights& weights) {
    const auto scales = weights.quantised() ? weights.rows * (weights.columns / weights.block) * 2 : 0;
    return static_cast<double>(weights.rows * weights.bytes(weights.columns) + scales);
}

void* BenchMemory::zeros(int64_t bytes) {
    memory_.emplace_back(static_cast<size_t>(bytes));
    memory_.back().fill(0);
    return memory_.back().data();
}

// The period, laid end to end by copies that double what is there.
void* BenchMemory::numbers(WeightType type, int64_t count, double deviation) {
    const auto bytes = static_cast<size_t>(Weights{type}.bytes(count));
    const std::vector<uint8_t> start = drawn(random_, type, deviation);
    memory_.emplace_back(bytes);
    const DeviceMemory& memory = memory_.back();
    size_t done = std::min(bytes, start.size());
    memory.upload(start.data(), done);
    const DeviceApi& api = device_api();
    const auto address = reinterpret_cast<cuda::Address>(memory.data());
    for (; done < bytes; done += std::min(done, bytes - done)) {
        api.check(api.driver.copy_within(address + done, address, std::min(done, bytes - done), nullptr), "filling device memory");
    }
    api.check(api.synchronize(), "filling device memory");
    return memory.data();
}

void* BenchMemory::copied(const void* source, size_t bytes) {
    memory_.emplace_back(bytes);
    memory_.back().upload(source, bytes);
    return memory_.back().data();
}

BenchModel::BenchModel(const BenchShape& shape, const BenchTypes& types, int64_t count) : shape(shape), types(types) {
    const WeightType type = types.weights;
    const int64_t keys = shape.heads * (shape.nope + shape.rope), values = shape.heads * shape.value;
    const auto ones = [&](int64_t size) { return memory_.table(std::vector<float>(static_cast<size_t>(size), 1.0f)); };
    for (int64_t i = 0; i < count; i++) {
        BenchLayer layer;
        layer.q = matrix(type, keys, shape.width);
        layer.kv_a = matrix(type, shape.rank + shape.rope, shape.width);
        layer.kv_b = matrix(types.float_weights(), shape.heads * (shape.nope + shape.value), shape.rank);
        layer.o = matrix(type, shape.width, values);
        layer.gain = ones(shape.width);
        layer.kv_norm = ones(shape.rank);
        layer.gate = static_cast<const float*>(memory_.numbers(WeightType::F32, shape.experts * shape.width, 0.05));
        layer.bias = static_cast<const float*>(memory_.zeros(shape.experts * 4));
        layer.experts.experts = shape.experts;
        layer.experts.gate_up = matrix(type, shape.experts * 2 * shape.hidden, shape.width);
        layer.experts.down = matrix(type, shape.experts * shape.width, shape.hidden);
        layer.experts.shared_gate_up = matrix(type, 2 * shape.shared, shape.width);
        layer.experts.shared_down = matrix(type, shape.width, shape.shared);
        layers.push_back(layer);
    }
    head = matrix(type, shape.vocabulary, shape.width);
}

Weights BenchModel::matrix(WeightType type, int64_t rows, int64_t columns) {
    Weights w{type, nullptr, nullptr, rows, columns, block};
    const double deviation = 1 / std::sqrt(static_cast<double>(columns));
    w.data = memory_.numbers(type, rows * columns, deviation);
    if (w.quantised()) {
        const double step = deviation / (type == WeightType::Int8 ? 64 : 4);
        w.scales = static_cast<const uint16_t*>(memory_.numbers(WeightType::F16, rows * (columns / block), step));
    }
    return w;
}

}  // namespace latentmoe::test
