#include "../../ort/error.h"
#include "operators.h"
#include "suffix.h"

#include <algorithm>

namespace latentmoe::cuda {
namespace {

constexpr int64_t gate_rows = 4, tile = 8;         // experts of a warp, tokens of a block
constexpr int64_t most_width = int64_t{1} << 28;   // a tile's numbers are counted in 32 bits
constexpr int64_t gate_bytes_of_block = 512 << 10;  // that one block reads about as fast as a further kernel starts

/// Bytes of a token's working memory; see router_choice.cuh.
int64_t room(const RouterSettings& s, int64_t experts) {
    return (2 * experts + (s.limit_groups ? s.n_group : 0) + s.top_k) * 4;
}

/// The arguments that name the rules, in the order of the kernels' parameters.
template <typename Launch>
void with_rules(const RouterSettings& s, int64_t experts, Launch launch) {
    const auto number = [](int64_t value) { return static_cast<int32_t>(value); };
    launch(number(experts), number(s.top_k), number(s.softmax), number(s.norm_topk_prob), s.routed_scaling_factor,
           number(s.limit_groups ? s.n_group : 0), number(s.topk_group), number(s.sum_of_two));
}

bool loads_four(Type type, const void* x, const float* gate, int64_t width) {
    const uintptr_t step = type == Type::F32 ? 16 : 8;
    return width % 4 == 0 && reinterpret_cast<uintptr_t>(x) % step == 0 && reinterpret_cast<uintptr_t>(gate) % 16 == 0;
}

}  // namespace

void route(Device& device, Type type, const RouterSettings& settings, const void* x, const float* gate, int64_t experts, int64_t width,
           const float* bias, const int64_t* positions, int64_t tokens, int32_t* chosen, float* shares) {
    const int64_t room = cuda::room(settings, experts), most = static_cast<int64_t>(device.properties().shared_bytes);
    if (room > most) {
        fail("MoERouter of ", experts, " experts needs ", room, " bytes of the GPU's shared memory for a token, expected at most ", most,
             ": run the model on the CPU");
    }
    if (width > most_width) {
        fail("MoERouter has the width ", width, ", expected at most ", most_width, ": run the model on the CPU");
    }
    const auto quads = static_cast<int32_t>(loads_four(type, x, gate, width)), columns = static_cast<int32_t>(width);
    const int64_t groups = ceiling(experts, gate_rows), tiles = ceiling(tokens, tile), processors = device.properties().multiprocessors;
    with_rules(settings, experts, [&](int32_t number, auto... rules) {
        if (experts * width * 4 > gate_bytes_of_block && tiles < processors) {
            const bool few = tokens < tile / 2;
            constexpr int64_t warps = 8;
            auto* logits = device.array<float>(tokens * experts);  // (N, E)
            const char* stem = few ? "router_logits_token" : "router_logits_tokens";
            const size_t parts = warps * gate_rows * (few ? 1 : tile) * sizeof(float);
            device.launch(kernel_name(stem, type), {groups, few ? tokens : tiles}, warps * 32, parts, x, gate, tokens, columns, quads,
                          number, logits);
            const int64_t together = std::clamp<int64_t>(most / room, 1, 4);
            device.launch("router_choice", {ceiling(tokens, together)}, static_cast<unsigned>(together) * 32, together * room, logits, bias,
                          positions, tokens, number, rules..., chosen, shares);
            return;
        }
        const bool alone = tokens <= processors || tile * room > most;
        const auto threads = static_cast<unsigned>(std::min<int64_t>(groups, 8)) * 32;
        device.launch(kernel_name(alone ? "router_token" : "router_tokens", type), {alone ? tokens : tiles}, threads,
                      (alone ? 1 : tile) * room, x, gate, bias, positions, tokens, columns, quads, number, rules..., chosen, shares);
    });
}

}  // namespace latentmoe::cuda
