// A case of the CPU operator's tests, run on the test device with its numbers rounded to the types that the GPU is given.
#pragma once
#include "../native/latent_attention_case.h"
#include "tensors.h"

namespace latentmoe::test {

struct AttentionTypes {
    Type activations = Type::F32, cache = Type::F32;
    WeightType kv_b = WeightType::F32;
};

inline constexpr AttentionTypes attention_types[] = {
    {Type::F32, Type::F32, WeightType::F32},   {Type::F32, Type::F16, WeightType::F16},    {Type::F32, Type::F32, WeightType::BF16},
    {Type::F16, Type::F16, WeightType::F16},   {Type::BF16, Type::BF16, WeightType::BF16}, {Type::BF16, Type::BF16, WeightType::F16},
};

class AttentionRun {
public:
    AttentionTypes types;
    AttentionCase c;
    int64_t lead = 0;  // elements between an aligned address and each tensor
    int64_t most_positions = AttentionCase::most;

    AttentionRun(const AttentionTypes& types, const AttentionSettings& s, Layout layout, int64_t context, uint64_t seed)
        : types(types), c(s, typed(layout, types), context, seed), seed(seed) {
        round(c.q, types.activations);
        round(c.kv, types.activations);
        for (int64_t i = 0; i < c.past_key.size(); i++) {
            c.past_key.set(i, rounded(types.cache, c.past_key.at(i)));
            c.past_value.set(i, rounded(types.cache, c.past_value.at(i)));
        }
    }

    /// In place where `shared`: past must be as long as present. The case's present and out are then the device's.
    void run(bool shared = false) {
        const auto device = open_test_device(seed);
        const Tensor q(*device, types.activations, numbers(c.q), lead), kv(*device, types.activations, numbers(c.kv), lead);
        const Tensor past_key(*device, types.cache, numbers(c.past_key), lead);
        const Tensor past_value(*device, types.cache, numbers(c.past_value), lead);
        const Tensor new_key(*device, types.cache, shared ? 0 : c.present_key.size(), lead);
        const Tensor new_value(*device, types.cache, shared ? 0 : c.present_value.size(), lead);
        const Tensor out(*device, types.activations, c.out.size(), lead);
        const Tensor &key = shared ? past_key : new_key, &value = shared ? past_value : new_value;
        const Buffer<float> gain(*device, numbers(c.gain), lead), cos(*device, table(c.cos), lead), sin(*device, table(c.sin), lead);
        const Buffer<int64_t> positions(*device, integers(c.positions), lead), mask(*device, integers(c.mask), lead);
        const DeviceMatrix kv_b(*device, c.kv_b, lead);
        const cuda::LatentAttentionTensors tensors{
            .q = q.data(), .kv = kv.data(), .kv_norm = gain.data(), .kv_b = kv_b.weights(), .cos = cos.data(), .sin = sin.data(),
            .max_positions = most_positions, .positions = positions.data(), .mask = mask.data(), .past_key = past_key.data(),
            .past_value = past_value.data(), .out = out.data(), .present_key = key.data(), .present_value = value.data(),
            .cache = types.cache, .batch = c.l.batch, .tokens = c.l.tokens, .past = c.l.past, .total = c.l.total};
        latent_attention(device->device(), types.activations, c.s, tensors);
        device->end_call();
        take(key, c.present_key);
        take(value, c.present_value);
        const std::vector<float> result = out.numbers();
        std::copy(result.begin(), result.end(), c.out.data());
    }

    /// Runs, and compares the cache and the outputs.
    void check(bool shared = false) {
        const std::vector<double> present = c.expected_present();
        run(shared);
        close("present" + name(), present, c.actual_present().data(), std::max(3e-6, step_of(types.cache) / 2));
        close("out" + name(), c.expected_out(), c.out.data(), tolerance());
    }

    /// Of outputs: queries, weights and outputs are rounded to the activations' type.
    double tolerance() const { return std::max(1e-5, 4 * step_of(types.activations)); }

    std::string name() const {
        return text(" of ", name_of(types.activations), ", ", name_of(types.cache), " cache, ", name_of(types.kv_b), " kv_b, batch ",
                    c.l.batch, ", tokens ", c.l.tokens, ", past ", c.l.past, ", mask ", c.l.total, ", heads ", c.s.heads, ", widths ",
                    c.s.nope, " ", c.s.rope, " ", c.s.value, " ", c.s.rank, ", lead ", lead);
    }

private:
    static Layout typed(Layout layout, const AttentionTypes& types) {
        layout.type = types.kv_b;
        layout.half_cache = types.cache == Type::F16;
        return layout;
    }

    static void round(Exact<float>& values, Type type) {
        for (int64_t i = 0; i < values.size(); i++) {
            values[i] = rounded(type, values[i]);
        }
    }

    static std::vector<float> numbers(const Exact<float>& values) { return {values.data(), values.data() + values.size()}; }
    static std::vector<int64_t> integers(const Exact<int64_t>& values) { return {values.data(), values.data() + values.size()}; }
    static std::vector<float> numbers(const CacheHalf& half) {
        std::vector<float> result;
        for (int64_t i = 0; i < half.size(); i++) {
            result.push_back(static_cast<float>(half.at(i)));
        }
        return result;
    }

    /// Rows of the rotary tables that the device may read.
    std::vector<float> table(const Exact<float>& values) const { return {values.data(), values.data() + most_positions * c.s.rope / 2}; }

    static void take(const Tensor& from, CacheHalf& to) {
        const std::vector<float> values = from.numbers();
        for (int64_t i = 0; i < to.size(); i++) {
            to.set(i, values[static_cast<size_t>(i)]);
        }
    }

    uint64_t seed;
};

/// With NaN in the columns of the past that the call does not come to.
inline void check_attention(const AttentionTypes& types, const AttentionSettings& s, const Layout& layout, int64_t context, uint64_t seed,
                            int64_t lead = 0) {
    AttentionRun run(types, s, layout, context, seed);
    run.lead = lead;
    for (int64_t b = 0; b < layout.batch; b++) {
        run.c.poison(b, std::min(layout.past, context));
    }
    run.check();
}

}  // namespace latentmoe::test
