// A call of `latent_attention` with random contents, and its outcome in double precision by the rules of LatentAttention's body.
#pragma once
#include "../../../runtime/ops/cpu/operators.h"
#include "check.h"
#include "exact.h"
#include "matrix.h"
#include "thread_host.h"

#include <algorithm>

namespace latentmoe::test {

/// One half of the cached rows, float32 or float16.
class CacheHalf {
public:
    CacheHalf(bool half, int64_t count, double value) : half(half), wide(half ? 0 : count), narrow(half ? count : 0) {
        for (int64_t i = 0; i < count; i++) {
            set(i, value);
        }
    }

    void set(int64_t i, double value) {
        if (half) {
            narrow[i] = to_f16(value);
        } else {
            wide[i] = static_cast<float>(value);
        }
    }

    double at(int64_t i) const { return half ? from_f16(narrow[i]) : wide[i]; }
    int64_t size() const { return half ? narrow.size() : wide.size(); }
    void* data() { return half ? static_cast<void*>(narrow.data()) : wide.data(); }

private:
    bool half;
    Exact<float> wide;
    Exact<uint16_t> narrow;
};

struct Layout {
    int64_t batch = 1, tokens = 1, past = 0, total = 1;
    WeightType type = WeightType::F32;
    bool half_cache = false;

    int64_t present() const { return std::max(past, total); }
};

/// Positions start as `context` … in every row, the mask as ones, the past as random rows.
class AttentionCase {
public:
    AttentionSettings s;
    Layout l;
    static constexpr int64_t most = 4200; // positions
    // First what does not depend on the batch: cases of one seed share it.
    Exact<float> gain, cos, sin;
    Matrix kv_b;
    Exact<float> q, kv;
    Exact<int64_t> positions, mask;
    CacheHalf past_key, past_value, present_key, present_value;
    Exact<float> out;

    AttentionCase(const AttentionSettings& settings, const Layout& layout, int64_t context, uint64_t seed)
        : AttentionCase(settings, layout, context, Random(seed)) {}

    int64_t width() const { return s.rank + s.rope; }
    int64_t out_width() const { return s.heads * s.value; }

    /// Nothing may read these columns of a row's past.
    void poison(int64_t row, int64_t first) {
        for (int64_t i = (row * l.past + first) * width() / 2; i < (row + 1) * l.past * width() / 2; i++) {
            past_key.set(i, NAN);
            past_value.set(i, NAN);
        }
    }

    /// In place where `shared`: past must be as long as present.
    void run(const Kernels& kernels, bool shared = false, int threads = 3) {
        ThreadHost host(threads);
        in_place = shared;
        latent_attention(host, kernels, s,
                         {q.data(), kv.data(), gain.data(), kv_b.weights(), cos.data(), sin.data(), positions.data(), mask.data(), past_key.data(),
                          past_value.data(), out.data(), key().data(), value().data(), l.half_cache, l.batch, l.tokens, l.past, l.total});
    }

    bool lives(int64_t b, int64_t t) const {
        int64_t used = 0;
        for (int64_t i = 0; i < l.batch * l.total; i++) {
            used = mask[i] ? std::max(used, i % l.total + 1) : used;
        }
        return positions[b * l.tokens + t] >= 0 && mask[b * l.total + std::max<int64_t>(used - l.tokens, 0) + t] != 0;
    }

    /// 1 + the last column that is written.
    int64_t seen() const {
        int64_t seen = 1;
        for (int64_t i = 0; i < l.batch * l.tokens; i++) {
            seen = lives(i / l.tokens, i % l.tokens) ? std::max(seen, positions[i] + 1) : seen;
        }
        return seen;
    }

    /// The cache that a run must leave behind, [B, present, w]; to be taken before it.
    std::vector<double> expected_present() const;

    /// The outputs that belong to a run's present, so that a rounding of the cache to its neighbour is not counted as an error.
    std::vector<double> expected_out() const;

    std::vector<double> actual_present() const {
        std::vector<double> rows;
        for (int64_t column = 0; column < l.batch * l.present(); column++) {
            for (int64_t i = 0; i < width(); i++) {
                rows.push_back(element(key(), value(), column, i));
            }
        }
        return rows;
    }

    std::string name(const Kernels& kernels) const {
        return text(" of ", kernels.name, ", batch ", l.batch, ", tokens ", l.tokens, ", past ", l.past, ", mask ", l.total, ", last position ",
                    positions[l.batch * l.tokens - 1], ", heads ", s.heads, ", widths ", s.nope, " ", s.rope, " ", s.value, " ", s.rank, ", kv_b ",
                    name_of(l.type), l.half_cache ? ", f16 cache" : ", f32 cache");
    }

private:
    AttentionCase(const AttentionSettings& settings, const Layout& layout, int64_t context, Random random);

    bool in_place = false;

    CacheHalf& key() { return in_place ? past_key : present_key; }
    CacheHalf& value() { return in_place ? past_value : present_value; }
    const CacheHalf& key() const { return in_place ? past_key : present_key; }
    const CacheHalf& value() const { return in_place ? past_value : present_value; }

    double element(const CacheHalf& key, const CacheHalf& value, int64_t column, int64_t i) const {
        const int64_t half = width() / 2;
        return i < half ? key.at(column * half + i) : value.at(column * half + i - half);
    }

    /// First members of the pairs, then second ones, turned by the angle of a position.
    std::vector<double> turned(const float* x, int64_t position) const {
        const int64_t half = s.rope / 2;
        std::vector<double> result(static_cast<size_t>(s.rope));
        for (int64_t i = 0; i < half; i++) {
            const double c = cos[position * half + i], d = sin[position * half + i];
            const double a = x[s.interleave ? 2 * i : i], b = x[s.interleave ? 2 * i + 1 : half + i];
            result[static_cast<size_t>(i)] = a * c - b * d;
            result[static_cast<size_t>(half + i)] = b * c + a * d;
        }
        return result;
    }
};

} // namespace latentmoe::test
