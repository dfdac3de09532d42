#include "cpu_backend.h"

#include "error.h"
#include "positions.h"
#include "widening.h"

#include <algorithm>
#include <cmath>

namespace latentmoe {

void CpuBackend::linear(Type type, const Weights& w, const void* x, int64_t tokens, void* y) {
    const Widening wide(host_, kernels_, type);
    float* result = wide.target(y, tokens * w.rows);
    latentmoe::linear(host_, kernels_, w, wide.read(x, tokens * w.columns), tokens, result);
    wide.write(result, y, tokens * w.rows);
}

void CpuBackend::route(Type type, const RouterSettings& settings, const void* x, const float* gate, int64_t experts, int64_t width,
                       const float* bias, const int64_t* positions, int64_t tokens, int32_t* chosen, float* shares) {
    const Weights weights{WeightType::F32, gate, nullptr, experts, width};
    const float* numbers = Widening(host_, kernels_, type).read(x, tokens * width);
    latentmoe::route(host_, kernels_, settings, numbers, weights, bias, positions, tokens, chosen, shares);
}

static void check_ids(const int32_t* ids, int64_t tokens, int64_t slots, int64_t count) {
    for (int64_t i = 0; i < tokens * slots; ++i) {
        if (ids[i] < -1 || ids[i] >= count) {
            fail("experts[", i / slots, ", ", i % slots, "] is ", ids[i], ", expected -1 (none) to ", count - 1, ": feed what MoERouter chose");
        }
    }
}

void CpuBackend::mix_experts(Type type, const ExpertWeights& w, const void* x, const int32_t* chosen, const float* shares, int64_t tokens,
                             int64_t slots, void* y) {
    check_ids(chosen, tokens, slots, w.experts);
    const Widening wide(host_, kernels_, type);
    const int64_t count = tokens * w.gate_up.columns;
    float* result = wide.target(y, count);
    latentmoe::mix_experts(host_, kernels_, w, wide.read(x, count), chosen, shares, tokens, slots, result);
    wide.write(result, y, count);
}

void CpuBackend::add_rms_norm(Type type, const void* x, const void* residual, const float* gain, float epsilon, int64_t rows, int64_t width,
                              void* y, void* sum) {
    const Widening wide(host_, kernels_, type);
    const float *added = wide.read(x, rows * width), *base = wide.read(residual, rows * width);
    float *result = wide.target(y, rows * width), *total = wide.target(sum, rows * width);
    if (type == Type::F32) {
        latentmoe::add_rms_norm(host_, kernels_, added, base, gain, epsilon, rows, width, result, total);
        return;
    }
    host_.parallel(rows, [&](int64_t row) {
        const int64_t at = row * width;
        auto* stored = static_cast<uint16_t*>(sum) + at;
        kernels_.add(base + at, added + at, total + at, width);
        wide.narrow(total + at, stored, width);
        wide.widen(stored, total + at, width);  // normed as the model carries it on
        const float mean = kernels_.squares(total + at, width) / static_cast<float>(width);
        kernels_.normalise(total + at, gain, 1 / std::sqrt(mean + epsilon), result + at, width);
        wide.narrow(result + at, static_cast<uint16_t*>(y) + at, width);
    });
}

void CpuBackend::latent_attention(Type type, const AttentionSettings& settings, const LatentAttentionTensors& t) {
    const int64_t tokens = t.batch * t.tokens, columns = std::max(t.past, t.total), outputs = tokens * settings.heads * settings.value;
    check_positions({t.positions, t.mask, t.batch, t.tokens, t.total, columns, t.max_positions});
    const Widening wide(host_, kernels_, type), cache(host_, kernels_, t.cache == Type::BF16 ? Type::BF16 : Type::F32);
    AttentionTensors a{};
    a.q = wide.read(t.q, tokens * settings.heads * (settings.nope + settings.rope));
    a.kv = wide.read(t.kv, tokens * (settings.rank + settings.rope));
    a.kv_norm = t.kv_norm;
    a.kv_b = t.kv_b;
    a.cos = t.cos;
    a.sin = t.sin;
    a.positions = t.positions;
    a.mask = t.mask;
    a.out = wide.target(t.out, outputs);
    a.half_cache = t.cache == Type::F16;
    a.batch = t.batch;
    a.tokens = t.tokens;
    a.past = t.past;
    a.total = t.total;
    // A cache of bfloat16 is widened as a whole, and narrowed again, which leaves its older rows as they were.
    const int64_t width = t.batch * (settings.rank + settings.rope) / 2;
    const auto read = [&](const void* half) { return t.cache == Type::BF16 ? cache.read(half, width * t.past) : half; };
    const auto target = [&](void* half) { return t.cache == Type::BF16 ? cache.target(half, width * columns) : half; };
    a.past_key = read(t.past_key);
    a.past_value = read(t.past_value);
    a.present_key = target(t.present_key);
    a.present_value = target(t.present_value);
    latentmoe::latent_attention(host_, kernels_, settings, a);
    if (t.cache == Type::BF16) {
        cache.write(static_cast<const float*>(a.present_key), t.present_key, width * columns);
        cache.write(static_cast<const float*>(a.present_value), t.present_value, width * columns);
    }
    wide.write(a.out, t.out, outputs);
}

void CpuBackend::select_token(Type type, const Selection& selection, const void* logits, int64_t rows, int64_t vocabulary,
                              const int64_t* positions, int64_t* token, int64_t* next_positions) {
    const float* numbers = Widening(host_, kernels_, type).read(logits, rows * vocabulary);
    latentmoe::select_token(host_, selection, numbers, rows, vocabulary, positions, token, next_positions);
}

}  // namespace latentmoe
