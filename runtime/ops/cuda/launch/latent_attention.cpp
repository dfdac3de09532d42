// Latent attention: the cache grows where it must, and one of the two forms follows. Everything is decided by shapes; what the tokens see
// is found on the device.
#include "latent_attention.h"

#include "../../ort/error.h"
#include "suffix.h"

namespace latentmoe::cuda {

namespace attention {

namespace {

constexpr int64_t most_rank = 512;
constexpr int64_t most_columns = int64_t{1} << 29, most_lines = int64_t{1} << 30;
constexpr int64_t most_looks = 8192;  // of a block at masks and positions, before it pays to look once for all

/// Nothing where present is the past and no longer.
void carry_past(const Call& call) {
    const LatentAttentionTensors& t = call.tensors;
    const bool shared = t.past_key == t.present_key && t.past_value == t.present_value;
    if (shared && t.past >= t.total) {
        return;
    }
    const int64_t bytes = call.width() / 2 * (t.cache == Type::F32 ? 4 : 2), to = call.present() * bytes;
    const int64_t blocks = std::clamp<int64_t>(ceiling(to, 16 * 256), 1, 4 * call.device.properties().multiprocessors);
    call.device.launch("latent_attention_carry", {blocks, t.batch, 2}, 256, 0, t.past_key, t.past_value, t.present_key, t.present_value,
                       t.past * bytes, to);
}

/// Used columns of the mask and written ones of the cache, where every block's own look at them would take long; else null.
const int32_t* find(const Call& call) {
    const LatentAttentionTensors& t = call.tensors;
    const bool long_mask = t.total > t.tokens && t.batch * (t.total - t.tokens) > most_looks;
    if (!long_mask && call.tokens() <= most_looks) {
        return nullptr;
    }
    auto* found = call.device.array<int32_t>(2);
    call.device.clear(found, 2 * sizeof(int32_t));
    constexpr size_t shared = 32 * sizeof(int32_t);
    if (t.total > t.tokens) {
        call.device.launch("latent_attention_used", {t.batch}, 256, shared, t.mask, narrow(t.tokens), narrow(t.total), found);
    }
    call.device.launch("latent_attention_written", {ceiling(call.tokens(), 256)}, 256, shared, t.positions, t.mask, t.max_positions,
                       narrow(t.batch), narrow(t.tokens), narrow(t.total), narrow(call.present()), found);
    return found;
}

}  // namespace

}  // namespace attention

void latent_attention(Device& device, Type type, const AttentionSettings& settings, const LatentAttentionTensors& tensors) {
    attention::Call call{device, type, settings, tensors, nullptr, nullptr};
    if (settings.rank > attention::most_rank) {
        fail("LatentAttention has the rank ", settings.rank, ", expected at most ", attention::most_rank, ": run the model on the CPU");
    }
    if (call.present() > attention::most_columns || call.tokens() * settings.heads > attention::most_lines) {
        fail("LatentAttention has ", call.present(), " cached columns and ", call.tokens(), " tokens of ", settings.heads,
             " heads, expected at most 2^29 columns and 2^30 heads in all: feed a shorter context or fewer tokens");
    }
    if (call.tokens() == 0) {
        return;
    }
    call.sights = device.array<int32_t>(call.tokens());
    attention::carry_past(call);
    call.found = attention::find(call);
    if (attention::full_is_cheaper(call)) {
        attention::attend_full(call);
    } else {
        attention::attend_absorbed(call);
    }
}

}  // namespace latentmoe::cuda
