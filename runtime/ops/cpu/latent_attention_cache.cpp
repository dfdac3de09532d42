// The cache: a token's column is its position. Columns beyond the past are zero until a token is written to them.
#include "latent_attention.h"
#include "latent_attention_workers.h"

#include <algorithm>
#include <cmath>
#include <cstring>

namespace latentmoe::attention {

namespace {

constexpr int64_t block = 256;  // columns that a unit copies

int64_t element(const Call& call) { return call.tensors.half_cache ? 2 : 4; }

/// Columns first to last − 1 of one half of a row's present; bytes are those of one column.
void carry(const void* past, void* present, int64_t row, int64_t first, int64_t last, const Call& call, int64_t bytes) {
    const int64_t columns = call.tensors.past, kept = std::clamp(columns, first, last);
    auto* to = static_cast<std::byte*>(present) + (row * call.present() + first) * bytes;
    if (past != present && kept > first) {
        std::memcpy(to, static_cast<const std::byte*>(past) + (row * columns + first) * bytes, (kept - first) * bytes);
    }
    std::memset(to + (kept - first) * bytes, 0, (last - kept) * bytes);
}

/// All of the past, or nothing where present is the past and no longer.
void carry_past(const Call& call) {
    const AttentionTensors& t = call.tensors;
    const bool shared = t.past_key == t.present_key && t.past_value == t.present_value;
    if (shared && t.past >= t.total) {
        return;
    }
    const int64_t half = call.width() / 2, columns = call.present(), blocks = (columns + block - 1) / block;
    Workers(call.host, 0).run(t.batch * blocks, static_cast<double>(t.batch * columns * half), [&](int64_t unit, float*) {
        const int64_t row = unit / blocks, first = unit % blocks * block, last = std::min(first + block, columns);
        carry(t.past_key, t.present_key, row, first, last, call, half * element(call));
        carry(t.past_value, t.present_value, row, first, last, call, half * element(call));
    });
}

/// x / sqrt(mean(x²) + epsilon) ∘ gain (RMSNorm, arXiv 1910.07467).
void normalise(const Call& call, const float* x, float* out) {
    const AttentionSettings& s = call.settings;
    const float root = std::sqrt(call.kernels.squares(x, s.rank) / static_cast<float>(s.rank) + s.epsilon);
    call.kernels.normalise(x, call.tensors.kv_norm, 1 / root, out, s.rank);
}

void write_half(const Call& call, const float* from, void* buffer, int64_t index) {
    const int64_t half = call.width() / 2;
    if (call.tensors.half_cache) {
        call.kernels.narrow16(from, static_cast<uint16_t*>(buffer) + index * half, half);
    } else {
        std::memcpy(static_cast<float*>(buffer) + index * half, from, half * sizeof(float));
    }
}

void read_half(const Call& call, const void* buffer, int64_t index, float* to) {
    const int64_t half = call.width() / 2;
    if (call.tensors.half_cache) {
        call.kernels.widen16(static_cast<const uint16_t*>(buffer) + index * half, to, half);
    } else {
        std::memcpy(to, static_cast<const float*>(buffer) + index * half, half * sizeof(float));
    }
}

}  // namespace

void rotate(const Call& call, int64_t token, const float* x, float factor, float* out) {
    const int64_t half = call.settings.rope / 2, position = call.tensors.positions[token];
    const float *cos = call.tensors.cos + position * half, *sin = call.tensors.sin + position * half;
    const int64_t step = call.settings.interleave ? 2 : 1, second = call.settings.interleave ? 1 : half;
    for (int64_t i = 0; i < half; i++) {
        const float a = x[i * step], b = x[i * step + second];
        out[i] = (a * cos[i] - b * sin[i]) * factor;
        out[half + i] = (b * cos[i] + a * sin[i]) * factor;
    }
}

void write_cache(const Call& call, const std::vector<Group>& groups) {
    carry_past(call);
    const AttentionTensors& t = call.tensors;
    std::vector<Query> live;
    for (const Group& group : groups) {
        if (group.live) {
            live.insert(live.end(), group.queries.begin(), group.queries.end());
        }
    }
    const auto count = static_cast<int64_t>(live.size()), width = call.width(), columns = call.present();
    constexpr int64_t few = 8;
    const int64_t units = (count + few - 1) / few;
    Workers(call.host, width).run(units, static_cast<double>(8 * count * width), [&](int64_t unit, float* row) {
        for (int64_t i = unit * few; i < std::min((unit + 1) * few, count); i++) {
            const float* kv = t.kv + live[i].token * width;
            normalise(call, kv, row);
            rotate(call, live[i].token, kv + call.settings.rank, 1, row + call.settings.rank);
            const int64_t column = live[i].token / t.tokens * columns + live[i].columns - 1;
            write_half(call, row, t.present_key, column);
            write_half(call, row + width / 2, t.present_value, column);
        }
    });
}

CachedRows cached_rows(const Call& call, int64_t row, int64_t first) {
    const int64_t half = call.width() / 2, start = (row * call.present() + first) * half * element(call);
    const auto from = [&](const void* buffer) { return static_cast<const std::byte*>(buffer) + start; };
    return {from(call.tensors.present_key), from(call.tensors.present_value), half, call.tensors.half_cache};
}

void read_cache(const Call& call, int64_t row, int64_t first, int64_t count, float* out) {
    const int64_t half = call.width() / 2, start = row * call.present() + first;
    for (int64_t i = 0; i < count; i++) {
        read_half(call, call.tensors.present_key, start + i, out + 2 * i * half);
        read_half(call, call.tensors.present_value, start + i, out + (2 * i + 1) * half);
    }
}

}  // namespace latentmoe::attention
