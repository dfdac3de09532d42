#include "experts.h"

namespace latentmoe::cuda {
namespace {

/// Whether rows of weights and of activations are whole parts of 16 bytes, where such can be loaded.
bool in_parts(const ExpertsCall& call) {
    const auto aligned = [](const void* address) { return reinterpret_cast<uintptr_t>(address) % 16 == 0; };
    return aligned(call.x) && call.all_weights([&](const Weights& weights) {
        return aligned(weights.data) && weights.bytes(weights.columns) % 16 == 0 && weights.columns * call.size() % 16 == 0;
    });
}

}  // namespace

void mix_experts_by_token(const ExpertsCall& call) {
    constexpr unsigned warps = 4;
    const auto number = [](int64_t value) { return static_cast<int32_t>(value); };
    const ExpertWeights& w = call.w;
    const int64_t row = call.slots * call.hidden + call.shared;
    void* middle = call.numbers(call.tokens * row);  // (N, k · I + Is)
    const int32_t block = number(w.gate_up.block), experts = number(w.experts), slots = number(call.slots), width = number(call.width),
                  hidden = number(call.hidden), shared = number(call.shared), whole = in_parts(call);
    call.device.launch(call.kernel("experts_hidden"), {call.tokens * ceiling(row, warps)}, warps * 32, 0, w.gate_up.data, w.gate_up.scales,
                       w.shared_gate_up.data, w.shared_gate_up.scales, block, experts, slots, width, hidden, shared, call.x, call.chosen,
                       whole, middle);
    call.device.launch(call.kernel("experts_output"), {call.tokens * ceiling(call.width, warps)}, warps * 32, 0, w.down.data, w.down.scales,
                       w.shared_down.data, w.shared_down.scales, block, experts, slots, width, hidden, shared, call.chosen, call.shares,
                       whole, middle, call.y);
}

}  // namespace latentmoe::cuda
