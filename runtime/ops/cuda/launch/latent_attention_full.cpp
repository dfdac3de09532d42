// Latent attention in its full form, for many tokens a row: keys and values are expanded from the cached rows, as many pairs of batch row
// and head at a time as a bounded memory holds.
#include "latent_attention.h"
#include "suffix.h"

namespace latentmoe::cuda::attention {

namespace {

constexpr int64_t tile = 64;                         // tokens, or columns, of a block
constexpr int64_t expand_columns = 128, expand_rows = 64;
constexpr size_t expand_shared = 2 * (expand_columns + expand_rows) * (64 + 8) * 2;
constexpr int64_t budget = int64_t{256} << 20;       // bytes of expanded keys and values
constexpr int64_t most_pairs = 65535, most_value = 256;

int64_t padded(int64_t width) { return ceiling(width, 16) * 16; }

int64_t key_width(const Call& call) { return padded(call.settings.nope + call.settings.rope); }

size_t shared_bytes(const Call& call, int64_t stages) {
    return static_cast<size_t>(2 * tile * ((1 + stages) * (key_width(call) + 8) + stages * (padded(call.settings.value) + 8)));
}

void turn(const Call& call, int32_t* row_columns, void* queries) {
    const LatentAttentionTensors& t = call.tensors;
    const AttentionSettings& s = call.settings;
    call.device.launch(kernel_name("latent_attention_turn", call.type), {ceiling(call.tokens(), 8), s.heads + 1}, 256, 33 * sizeof(int32_t),
                       t.q, t.kv, t.kv_norm, t.cos, t.sin, t.positions, t.mask, call.found, t.max_positions, narrow(t.batch),
                       narrow(t.tokens), narrow(t.total), narrow(call.present()), narrow(s.heads), narrow(s.nope), narrow(s.rope),
                       narrow(s.rank), int32_t{s.interleave}, call.factor(), s.epsilon, t.present_key, t.present_value, call.sights,
                       row_columns, queries);
}

}  // namespace

bool full_is_cheaper(const Call& call) {
    const AttentionSettings& s = call.settings;
    if (call.type == Type::F32 || s.value > most_value || shared_bytes(call, 1) > call.device.properties().shared_bytes) {
        return false;
    }
    // By the multiplications of a head for each cached column.
    const int64_t absorbed = call.tensors.tokens * (call.width() + s.rank);
    const int64_t full = call.tensors.tokens * (s.nope + s.rope + s.value) + s.rank * (s.nope + s.value);
    return full < absorbed;
}

void attend_full(const Call& call) {
    const LatentAttentionTensors& t = call.tensors;
    const AttentionSettings& s = call.settings;
    const int64_t pairs = t.batch * s.heads, width = key_width(call), value = padded(s.value);
    const int64_t pair_elements = call.present() * (width + value);
    const int64_t together = std::clamp<int64_t>(budget / (2 * pair_elements), 1, std::min(pairs, most_pairs));
    auto* row_columns = call.device.array<int32_t>(t.batch);
    void* queries = call.device.scratch(static_cast<size_t>(2 * call.tokens() * s.heads * width));
    void* keys = call.device.scratch(static_cast<size_t>(2 * together * call.present() * width));
    void* values = call.device.scratch(static_cast<size_t>(2 * together * call.present() * value));
    call.device.clear(row_columns, static_cast<size_t>(t.batch) * sizeof(int32_t));
    turn(call, row_columns, queries);

    const int32_t stages = shared_bytes(call, 2) <= call.device.properties().shared_bytes ? 2 : 1;
    const std::string stem = std::string("latent_attention_full") + (s.value <= 64 ? "8" : s.value <= 128 ? "16" : "32");
    for (int64_t first = 0; first < pairs; first += together) {
        const int64_t count = std::min(together, pairs - first);
        const Grid expansion{ceiling(call.present(), expand_columns), ceiling(s.nope + s.value, expand_rows), count};
        call.device.launch(kernel_name("latent_attention_expand", call.type, t.kv_b.type), expansion, 256, expand_shared, t.present_key,
                           t.present_value, t.kv_b.data, row_columns, first, narrow(call.present()), narrow(s.heads), narrow(s.nope),
                           narrow(s.rope), narrow(s.value), narrow(s.rank), keys, values);
        call.device.launch(kernel_name(stem.c_str(), call.type), {ceiling(t.tokens, tile), count}, 128, shared_bytes(call, stages), queries,
                           keys, values, call.sights, first, narrow(t.tokens), narrow(call.present()), narrow(s.heads), narrow(width),
                           narrow(s.value), stages, t.out);
    }
}

}  // namespace latentmoe::cuda::attention
