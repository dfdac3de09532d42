// Multi-head latent attention with its cache; the contract is the body in export/Operators/LatentAttention.cs.
#include "latent_attention.h"

namespace latentmoe {

namespace attention {

namespace {

// Measured over 8 to 256 queries behind contexts of 0 to 2,048 columns, AVX-512, 8 heads, r = 256, dn = dv = dr = 64: the forms took
// equal time at 44, 53, 59 and 70 queries (contexts 0, 128, 512, 2,048).
constexpr double absorbed_cost = 1.2;  // of a multiplication, beside one of the full form
constexpr double packing_cost = 24;    // of the expansion's weights in the full form, in columns expanded

/// Whether expanding keys and values takes less time than attending over the latents, by the multiplications of a head.
bool full_is_cheaper(const Call& call, const Group& group) {
    const AttentionSettings& s = call.settings;
    double scores = 0;
    for (const Query& query : group.queries) {
        scores += static_cast<double>(query.columns);
    }
    const auto queries = static_cast<double>(group.count()), columns = static_cast<double>(group.columns());
    const auto expansion = static_cast<double>(s.rank * (s.nope + s.value));
    const double absorbed = scores * static_cast<double>(call.width() + s.rank) + queries * expansion;
    const double full = scores * static_cast<double>(call.head_width() + s.value) + (columns + packing_cost) * expansion;
    return full < absorbed_cost * absorbed;
}

}  // namespace

}  // namespace attention

void latent_attention(Host& host, const Kernels& kernels, const AttentionSettings& settings, const AttentionTensors& tensors) {
    const attention::Call call{host, kernels, settings, tensors};
    const std::vector<attention::Group> groups = attention::plan(call);
    attention::write_cache(call, groups);
    std::vector<const attention::Group*> absorbed, full;
    for (const attention::Group& group : groups) {
        (attention::full_is_cheaper(call, group) ? full : absorbed).push_back(&group);
    }
    attention::attend_absorbed(call, absorbed);
    attention::attend_full(call, full);
}

}  // namespace latentmoe
