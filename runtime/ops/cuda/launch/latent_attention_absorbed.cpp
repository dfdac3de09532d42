// Latent attention in its absorbed form: the cache grows, the new rows and queries are made, lines attend over splits of the context, and
// the splits are merged and expanded. Three launches, and a fourth where the cache grows.
#include "latent_attention.h"
#include "suffix.h"

#include <algorithm>

namespace latentmoe::cuda::attention {

namespace {

constexpr int64_t tile_columns = 32, least_split = 64;  // columns
constexpr int64_t blocks_each = 8;                      // of splits to a multiprocessor, about

size_t bytes_of(Type type) { return type == Type::F32 ? 4 : 2; }

/// The variant of a kernel that takes so many tokens at once: more of them where enough blocks are left.
int64_t tokens_at_once(const Call& call) {
    return call.lines() * call.tensors.batch >= 4 * call.device.properties().multiprocessors ? 4 : 1;
}

/// How lines and columns are cut into blocks.
struct Cut {
    int64_t lines;    // of a block
    int64_t columns;  // of a split
    int64_t splits;
    int32_t stages;  // tiles in shared memory
    size_t shared;
    int64_t blocks;
};

size_t shared_bytes(const Call& call, int64_t lines, int64_t stages) {
    const int64_t width = call.width();
    if (call.type == Type::F32) {
        return static_cast<size_t>(4 * (lines * width + tile_columns * (width + 1)));
    }
    const int64_t pitch = call.query_width() + 8;
    return static_cast<size_t>(2 * pitch * (lines + stages * tile_columns) + lines * (2 * 36 * 4 + 40 * 2 + 4));
}

Cut cut(const Call& call) {
    const DeviceProperties& device = call.device.properties();
    const bool plain = call.type == Type::F32;
    Cut cut{};
    cut.lines = plain || call.lines() <= 8 ? 8 : call.lines() <= 16 ? 16 : 32;
    while (cut.lines > 8 && shared_bytes(call, cut.lines, 2) > device.shared_bytes) {
        cut.lines /= 2;
    }
    // Two blocks of a multiprocessor cover each other's waits better than a third stage does.
    cut.stages = shared_bytes(call, cut.lines, 3) <= device.shared_bytes / 2 ? 3 : 2;
    cut.shared = shared_bytes(call, cut.lines, cut.stages);
    const int64_t groups = call.tensors.batch * ceiling(call.lines(), cut.lines), wanted = blocks_each * device.multiprocessors;
    cut.columns = std::max(ceiling(ceiling(groups * call.present(), wanted), tile_columns) * tile_columns, least_split);
    cut.splits = ceiling(call.present(), cut.columns);
    cut.blocks = groups * cut.splits;
    return cut;
}

/// Absorbed queries [line, query width], and the cached rows of the live tokens.
void prepare(const Call& call, void* queries) {
    const LatentAttentionTensors& t = call.tensors;
    const AttentionSettings& s = call.settings;
    const int64_t count = tokens_at_once(call);
    const std::string name =
        kernel_name(count == 1 ? "latent_attention_prepare1" : "latent_attention_prepare4", call.type, t.kv_b.type) + '_' + suffix(t.cache);
    const Grid grid{ceiling(call.tokens(), count), s.heads + 1, ceiling(s.rank, 128)};
    const auto shared = static_cast<size_t>(4 * (8 * 256 * count + ceiling(s.nope * count, 4) * 4));
    call.device.launch(name, grid, 256, shared, t.q, t.kv, t.kv_norm, t.kv_b.data, t.cos, t.sin, t.positions, t.mask, call.found,
                       t.max_positions, narrow(t.batch), narrow(t.tokens), narrow(t.total), narrow(call.present()), narrow(s.heads),
                       narrow(s.nope), narrow(s.rope), narrow(s.value), narrow(s.rank), int32_t{s.interleave}, call.factor(), s.epsilon,
                       t.present_key, t.present_value, call.sights, queries);
}

void split(const Call& call, const Cut& cut, const void* queries, float* partial, float* running) {
    const LatentAttentionTensors& t = call.tensors;
    const AttentionSettings& s = call.settings;
    const void *key = t.present_key, *value = t.present_value;
    const auto launch = [&](const std::string& name, unsigned threads, auto... rest) {
        call.device.launch(name, {cut.blocks}, threads, cut.shared, queries, key, value, call.sights,
                           narrow(s.heads), narrow(t.tokens), narrow(call.present()), narrow(s.rank), narrow(call.width() / 2),
                           narrow(cut.splits), narrow(cut.columns), rest..., partial, running);
    };
    if (call.type == Type::F32) {
        launch(std::string("latent_attention_split_f32_") + suffix(t.cache), 256);
    } else {
        const std::string stem = "latent_attention_split" + std::to_string(cut.lines / 8) + (s.rank <= 256 ? "_4" : "_8");
        launch(kernel_name(stem.c_str(), call.type), 128, cut.stages);
    }
}

void combine(const Call& call, const Cut& cut, const float* partial, const float* running) {
    const AttentionSettings& s = call.settings;
    const int64_t count = tokens_at_once(call);
    const std::string name =
        kernel_name(count == 1 ? "latent_attention_combine1" : "latent_attention_combine4", call.type, call.tensors.kv_b.type);
    const auto shared = static_cast<size_t>(4 * (4 * 256 + count * call.padded_rank()));
    // With few blocks, merging again in each costs less than reading all rows of a head in one.
    const int64_t slice = count == 1 ? 32 : s.value;
    const Grid grid{ceiling(call.tokens(), count) * s.heads, ceiling(s.value, slice)};
    call.device.launch(name, grid, 256, shared, partial, running, call.sights, call.tensors.kv_b.data, call.tokens(), narrow(s.heads),
                       narrow(s.nope), narrow(s.value), narrow(s.rank), narrow(cut.splits), narrow(cut.columns), narrow(slice),
                       call.tensors.out);
}

}  // namespace

void attend_absorbed(const Call& call) {
    const Cut cut = attention::cut(call);
    const int64_t lines = call.tokens() * call.settings.heads;
    void* queries = call.device.scratch(static_cast<size_t>(lines * call.query_width()) * bytes_of(call.type));
    auto* partial = call.device.array<float>(lines * cut.splits * call.padded_rank());
    auto* running = call.device.array<float>(lines * cut.splits * 2);
    prepare(call, queries);
    split(call, cut, queries, partial, running);
    combine(call, cut, partial, running);
}

}  // namespace latentmoe::cuda::attention
