#include "experts.h"

#include <algorithm>

namespace latentmoe::cuda {
namespace {

// Up to here, grouping the tokens takes longer than reading an expert once for each.
constexpr int64_t few_tokens = 8, few_plain_tokens = 32;

/// A tile's blocks copy rows of weights and of tokens, or multiply longer than that. An expert's last tile is half full as the choice goes.
int64_t cost(const ExpertsCall& call, const ExpertTileSize& size) {
    constexpr int64_t copy = 64;  // in multiplications of a row and a token: what copying a row or a token takes
    const int64_t used = std::min(call.w.experts, call.pairs()), filled = std::min(size.tokens, ceiling(call.pairs(), used));
    const int64_t routed = std::max(used, call.pairs() / size.tokens + used / 2) * ceiling(2 * call.hidden, size.rows);
    const int64_t shared = ceiling(call.tokens, size.tokens) * ceiling(2 * call.shared, size.rows);
    return ceiling(routed + shared, call.device.properties().multiprocessors) *
           std::max(copy * (size.rows + filled), size.rows * size.tokens);
}

}  // namespace

void mix_experts(Device& device, Type type, const ExpertWeights& w, const void* x, const int32_t* chosen, const float* shares,
                 int64_t tokens, int64_t slots, void* y) {
    const ExpertsCall call{device, type, w, x, chosen, shares, tokens, slots, y};
    const auto sizes = expert_tile_sizes(call);
    if (sizes.empty() || tokens <= (sizes[0].plain ? few_plain_tokens : few_tokens)) {
        mix_experts_by_token(call);
    } else {
        mix_experts_by_tile(call, *std::ranges::min_element(sizes, {}, [&](const ExpertTileSize& size) { return cost(call, size); }));
    }
}

}  // namespace latentmoe::cuda
