// What the launches of latent attention share.
#pragma once
#include "operators.h"

#include <algorithm>
#include <cmath>

namespace latentmoe::cuda::attention {

/// Shapes were checked to fit.
inline int32_t narrow(int64_t number) { return static_cast<int32_t>(number); }

struct Call {
    Device& device;
    Type type;
    const AttentionSettings& settings;
    const LatentAttentionTensors& tensors;
    int32_t* sights;       // [B · S], of the kernels
    const int32_t* found;  // [2] that kernels know of all tokens beforehand, or null

    int64_t tokens() const { return tensors.batch * tensors.tokens; }
    int64_t lines() const { return tensors.tokens * settings.heads; }  // of a row
    int64_t present() const { return std::max(tensors.past, tensors.total); }
    int64_t width() const { return settings.rank + settings.rope; }
    int64_t query_width() const { return (width() + 15) / 16 * 16; }
    int64_t padded_rank() const { return (settings.rank + 15) / 16 * 16; }

    /// Of queries: scores are powers of two.
    float factor() const { return settings.scale * 1.44269504f; }
};

/// The two forms of the same sum: over the cached rows, and over keys and values that are expanded from them.
void attend_absorbed(const Call& call);
void attend_full(const Call& call);

/// Whether expanding keys and values takes fewer multiplications than attending over the latents, and the device has room for the tiles.
bool full_is_cheaper(const Call& call);

}  // namespace latentmoe::cuda::attention
