// What the experts' kernels have in common. A layer has a stack of routed experts, and perhaps shared ones, which are one expert of a
// hidden width of its own that every token chose.
#pragma once
#include "weights.cuh"

namespace latentmoe::cuda {

constexpr int32_t no_expert = -1;

struct ExpertSizes {
    int32_t experts, slots, width, hidden, shared;

    /// Of a token's hidden numbers, where they lie together: `hidden` for each slot, then `shared`.
    DEVICE int32_t row() const { return slots * hidden + shared; }
    DEVICE bool chosen(int32_t id) const { return id >= 0 && id < experts; }
    /// An id that is neither an expert nor none.
    DEVICE bool wrong(int32_t id) const { return !chosen(id) && id != no_expert; }
};

DEVICE float swiglu(float gate, float up) { return gate / (1 + exp_of(-gate)) * up; }

}  // namespace latentmoe::cuda
