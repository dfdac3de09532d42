#include "bench_case.h"

#include <algorithm>
#include <numeric>
#include <set>

namespace latentmoe::test {

namespace {

// Layers beyond the model's share caches where all of them would take more.
constexpr int64_t most_cache_bytes = int64_t{2} << 30;

int64_t cache_bytes(const BenchModel& model, const BenchPoint& point) {
    return point.batch * point.slots() * (model.shape.rank + model.shape.rope) * size_of(model.types.cache());
}

int64_t cache_layers(const BenchModel& model, const BenchPoint& point) {
    const auto all = static_cast<int64_t>(model.layers.size());
    return std::clamp(most_cache_bytes / cache_bytes(model, point), std::min(model.shape.layers, all), all);
}

}  // namespace

BenchCase::BenchCase(const BenchModel& model, const BenchPoint& point) : point(point), model_(model) {
    const BenchShape& s = model.shape;
    const int64_t tokens = point.tokens();
    x_ = activations(s.width);
    residual_ = activations(s.width);
    sum_ = activations(s.width);
    q_ = activations(s.heads * (s.nope + s.rope));
    kv_ = activations(s.rank + s.rope);
    attended_ = activations(s.heads * s.value);
    mixed_ = activations(s.width);
    logits_ = memory_.numbers(weights_of(model.types.activations), point.batch * s.vocabulary, 1);
    std::vector<int64_t> positions(static_cast<size_t>(tokens));
    for (int64_t i = 0; i < tokens; i++) {
        positions[static_cast<size_t>(i)] = point.start() + i % point.sequence();
    }
    positions_ = memory_.copy(positions);
    mask_ = memory_.copy(std::vector<int64_t>(static_cast<size_t>(tokens), 1));
    token_ = static_cast<int64_t*>(memory_.zeros(point.batch * 8));
    next_ = static_cast<int64_t*>(memory_.zeros(point.batch * 8));
    chosen_ = memory_.copy(std::vector<int32_t>(static_cast<size_t>(tokens * s.top_k), 0));
    shares_ = memory_.table(std::vector<float>(static_cast<size_t>(tokens * s.top_k), 1.0f / static_cast<float>(s.top_k)));
    const auto rotary = static_cast<size_t>(point.slots() * s.rope / 2);
    cos_ = memory_.table(std::vector<float>(rotary, 0.8f));
    sin_ = memory_.table(std::vector<float>(rotary, 0.6f));
    const auto rows = static_cast<size_t>(point.batch);
    const float* zeros = memory_.table(std::vector<float>(rows, 0.0f));
    selection_ = {zeros, memory_.copy(std::vector<int32_t>(rows, 0)), memory_.table(std::vector<float>(rows, 1.0f)), zeros, zeros};
    add_norm();
    add_linear("linear_q", &BenchLayer::q, x_, q_);
    add_linear("linear_kv", &BenchLayer::kv_a, x_, kv_);
    add_attention();
    add_linear("linear_o", &BenchLayer::o, attended_, mixed_);
    add_router();
    add_experts();
    add_head();
    add_selection();
}

void* BenchCase::activations(int64_t width) {
    return memory_.numbers(weights_of(model_.types.activations), point.tokens() * width, 1);
}

// The residual stays as it is, so that numbers do not grow from call to call.
void BenchCase::add_norm() {
    const cuda::Type type = model_.types.activations;
    const int64_t tokens = point.tokens(), width = model_.shape.width;
    operators.push_back({"add_rms_norm", static_cast<double>(4 * tokens * width * size_of(type)), static_cast<double>(4 * tokens * width),
                         static_cast<int64_t>(model_.layers.size()), [=, this](cuda::Device& device, int64_t layer) {
                             const float* gain = model_.layers[static_cast<size_t>(layer)].gain;
                             cuda::add_rms_norm(device, type, mixed_, residual_, gain, 1e-6f, tokens, width, x_, sum_);
                         }});
}

void BenchCase::add_linear(const char* name, Weights BenchLayer::*matrix, void* x, void* y) {
    const cuda::Type type = model_.types.activations;
    const int64_t tokens = point.tokens();
    const Weights& w = model_.layers[0].*matrix;
    const double moved = bytes_of(w) + static_cast<double>(tokens * (w.rows + w.columns) * size_of(type));
    operators.push_back({name, moved, 2.0 * static_cast<double>(tokens * w.rows * w.columns), static_cast<int64_t>(model_.layers.size()),
                         [=, this](cuda::Device& device, int64_t layer) {
                             cuda::linear(device, type, model_.layers[static_cast<size_t>(layer)].*matrix, x, tokens, y);
                         }});
}

void BenchCase::add_attention() {
    const BenchShape& s = model_.shape;
    const cuda::Type type = model_.types.activations;
    const int64_t half = cache_bytes(model_, point) / 2, count = cache_layers(model_, point), tokens = point.tokens();
    for (int64_t i = 0; i < count; i++) {
        void* key = memory_.numbers(weights_of(model_.types.cache()), half / size_of(model_.types.cache()), 1);
        caches_.emplace_back(key, memory_.numbers(weights_of(model_.types.cache()), half / size_of(model_.types.cache()), 1));
    }
    const auto columns = static_cast<double>(point.prefill ? (point.sequence() + 1) / 2 : point.context + 1);
    const int64_t absorbed = 2 * s.heads * (2 * s.rank + s.rope), expanded = 2 * s.heads * (s.nope + s.rope + s.value);
    const auto column = static_cast<double>(point.prefill ? std::min(absorbed, expanded) : absorbed);
    const double each = static_cast<double>(2 * s.heads * s.rank * (s.nope + s.value)) + columns * column;
    const double rows = point.prefill ? static_cast<double>(tokens) : static_cast<double>(point.batch) * columns;
    const double moved = bytes_of(model_.layers[0].kv_b) + rows * static_cast<double>((s.rank + s.rope) * size_of(model_.types.cache())) +
                         static_cast<double>(tokens * (s.heads * (s.nope + s.rope + s.value) + s.rank + s.rope) * size_of(type));
    const cuda::LatentAttentionTensors shared{
        q_,        kv_,     nullptr, {},      cos_,  sin_, point.slots(), positions_, mask_, nullptr, nullptr,
        attended_, nullptr, nullptr, model_.types.cache(), point.batch, point.sequence(), point.slots(), point.sequence()};
    const float scale = 1 / std::sqrt(static_cast<float>(s.nope + s.rope));
    const AttentionSettings settings{s.heads, s.nope, s.rope, s.value, s.rank, scale, 1e-6f, true};
    operators.push_back({"latent_attention", moved, static_cast<double>(tokens) * each, count,
                         [=, this](cuda::Device& device, int64_t layer) {
                             cuda::LatentAttentionTensors t = shared;
                             const BenchLayer& weights = model_.layers[static_cast<size_t>(layer)];
                             const auto& [key, value] = caches_[static_cast<size_t>(layer % count)];
                             t.kv_norm = weights.kv_norm;
                             t.kv_b = weights.kv_b;
                             t.past_key = t.present_key = key;
                             t.past_value = t.present_value = value;
                             cuda::latent_attention(device, type, settings, t);
                         }});
}

void BenchCase::add_router() {
    const BenchShape& s = model_.shape;
    const cuda::Type type = model_.types.activations;
    const int64_t tokens = point.tokens();
    RouterSettings settings;
    settings.top_k = s.top_k;
    const auto gate = static_cast<double>(s.experts * s.width);
    operators.push_back({"router", 4 * gate + static_cast<double>(tokens * (s.width * size_of(type) + 8 * s.top_k)),
                         2 * gate * static_cast<double>(tokens), static_cast<int64_t>(model_.layers.size()),
                         [=, this](cuda::Device& device, int64_t layer) {
                             const BenchLayer& weights = model_.layers[static_cast<size_t>(layer)];
                             cuda::route(device, type, settings, x_, weights.gate, s.experts, s.width, weights.bias, positions_, tokens,
                                         chosen_, shares_);
                         }});
}

// Experts are drawn evenly, anew for each layer: random weights would route by chance what the bytes are counted of.
void BenchCase::add_experts() {
    const BenchShape& s = model_.shape;
    const cuda::Type type = model_.types.activations;
    const int64_t tokens = point.tokens(), all = static_cast<int64_t>(model_.layers.size());
    Random random(2);
    std::vector<int32_t> experts(static_cast<size_t>(s.experts));
    std::iota(experts.begin(), experts.end(), 0);
    std::vector<const int32_t*> drawn;
    double touched = 0;
    for (int64_t layer = 0; layer < all; layer++) {
        std::vector<int32_t> chosen;
        for (int64_t token = 0; token < tokens; token++) {
            for (int64_t slot = 0; slot < s.top_k; slot++) {
                std::swap(experts[static_cast<size_t>(slot)], experts[static_cast<size_t>(random.between(slot, s.experts - 1))]);
            }
            chosen.insert(chosen.end(), experts.begin(), experts.begin() + s.top_k);
        }
        touched += static_cast<double>(std::set<int32_t>(chosen.begin(), chosen.end()).size()) / static_cast<double>(all);
        drawn.push_back(memory_.copy(chosen));
    }
    const ExpertWeights& w = model_.layers[0].experts;
    const double routed = (bytes_of(w.gate_up) + bytes_of(w.down)) / static_cast<double>(s.experts);
    const double moved = touched * routed + bytes_of(w.shared_gate_up) + bytes_of(w.shared_down) +
                         static_cast<double>(2 * tokens * s.width * size_of(type));
    const auto flops = static_cast<double>(6 * tokens * s.width * (s.top_k * s.hidden + s.shared));
    operators.push_back({"experts", moved, flops, all, [=, this](cuda::Device& device, int64_t layer) {
                             const auto at = static_cast<size_t>(layer);
                             cuda::mix_experts(device, type, model_.layers[at].experts, x_, drawn[at], shares_, tokens, s.top_k, mixed_);
                         }});
}

// Of each row, the last token's.
void BenchCase::add_head() {
    const cuda::Type type = model_.types.activations;
    const int64_t batch = point.batch;
    const Weights& w = model_.head;
    operators.push_back({"linear_head", bytes_of(w) + static_cast<double>(batch * (w.rows + w.columns) * size_of(type)),
                         2.0 * static_cast<double>(batch * w.rows * w.columns), 1,
                         [=, this](cuda::Device& device, int64_t) { cuda::linear(device, type, model_.head, x_, batch, logits_); }});
}

void BenchCase::add_selection() {
    const cuda::Type type = model_.types.activations;
    const int64_t batch = point.batch, vocabulary = model_.shape.vocabulary;
    const auto read = static_cast<double>(batch * vocabulary);
    operators.push_back({"select_token", read * static_cast<double>(size_of(type)), read, 1,
                         [=, this](cuda::Device& device, int64_t) {
                             cuda::select_token(device, type, selection_, logits_, batch, vocabulary, positions_, token_, next_);
                         }});
}

std::vector<std::pair<BenchCase::Place, int64_t>> BenchCase::sequence() const {
    std::vector<std::pair<Place, int64_t>> all;
    for (int64_t layer = 0; layer < model_.shape.layers; layer++) {
        for (const Place place : {norm, q, kv, attention, o, norm, router, experts}) {
            all.emplace_back(place, layer);
        }
    }
    for (const Place place : {norm, head, selection}) {
        all.emplace_back(place, 0);
    }
    return all;
}

void BenchCase::step(cuda::Device& device, const std::function<void()>& called) const {
    for (const auto& [place, layer] : sequence()) {
        operators[place].run(device, layer);
        called();
    }
}

double BenchCase::step_bytes() const {
    double sum = 0;
    for (const auto& [place, layer] : sequence()) {
        sum += operators[place].bytes;
    }
    return sum;
}

double BenchCase::step_flops() const {
    double sum = 0;
    for (const auto& [place, layer] : sequence()) {
        sum += operators[place].flops;
    }
    return sum;
}

double BenchCase::bytes(const BenchModel& model, const BenchPoint& point) {
    const BenchShape& s = model.shape;
    const auto each = 5 * s.width + s.heads * (s.nope + s.rope + s.value) + s.rank + s.rope;
    const auto choices = s.top_k * (2 + static_cast<int64_t>(model.layers.size()));
    const int64_t token = each * size_of(model.types.activations) + 4 * choices + 16;
    const int64_t caches = cache_layers(model, point) * cache_bytes(model, point);
    return static_cast<double>(caches + point.tokens() * token + point.batch * s.vocabulary * 4);
}

}  // namespace latentmoe::test
