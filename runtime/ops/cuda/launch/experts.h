// The two ways to mix experts, for the choice among them and for tests, which run each.
#pragma once
#include "operators.h"
#include "suffix.h"

#include <span>
#include <string>

namespace latentmoe::cuda {

/// A call's arguments, and what follows from them.
struct ExpertsCall {
    Device& device;
    Type type;
    const ExpertWeights& w;
    const void* x;
    const int32_t* chosen;
    const float* shares;
    int64_t tokens, slots;
    void* y;
    int64_t width = w.gate_up.columns, hidden = w.down.columns, shared = w.shared_down.columns;

    int64_t pairs() const { return tokens * slots; }
    int64_t size() const { return type == Type::F32 ? 4 : 2; }
    std::string kernel(const std::string& stem) const { return kernel_name(stem.c_str(), type, w.down.type); }
    /// Working memory for numbers of the activations' type.
    void* numbers(int64_t count) const { return device.scratch(static_cast<size_t>(count * size())); }
    template <typename Condition>
    bool all_weights(Condition condition) const {
        return condition(w.gate_up) && condition(w.down) && condition(w.shared_gate_up) && condition(w.shared_down);
    }
};

/// Each token reads its experts' weights for itself.
void mix_experts_by_token(const ExpertsCall& call);

/// The size of a tile of a grouped product, and what a block needs for it. Plain ones are in float32 arithmetic.
struct ExpertTileSize {
    const char* name;
    int64_t rows, tokens, threads, shared;
    bool plain = false;
};

/// Sizes that the layer and the device allow, from small to large; the plain one alone where tensor cores do not take the layer, and none
/// where there is nothing to do.
std::span<const ExpertTileSize> expert_tile_sizes(const ExpertsCall& call);

/// The tokens of an expert share its weights, so many of them at a time.
void mix_experts_by_tile(const ExpertsCall& call, const ExpertTileSize& size);

}  // namespace latentmoe::cuda
