// SelectToken: a block for each row chooses the next token from the logits.
#include "select_token.cuh"

namespace latentmoe::cuda {

/// Of 1 by a 32-bit binary fraction below 1, rounded down.
DEVICE uint32_t fraction_of(float part) { return part > 0 ? part < 1 ? uint32_t(part * 4294967296.0f) : 0xFFFFFFFF : 0; }

/// mass · fraction / 2^32, rounded down; the mass is below 2^63.
DEVICE uint64_t part_of(uint64_t mass, uint32_t fraction) {
    return (mass >> 32) * fraction + ((mass & 0xFFFFFFFF) * fraction >> 32);
}

/// What is left of the vocabulary at a positive temperature. The most likely token weighs `one`, and none less than `least` is drawn.
template <typename T>
struct Draw {
    const LogitRow<T>& row;
    float largest, sharpness, one, least;
    Limit limit;

    DEVICE float scaled(float logit) const { return exp2_of((logit - largest) * sharpness) * one; }
    DEVICE uint64_t weight(float logit) const { return uint64_t(scaled(logit)); }
    DEVICE bool keeps(int32_t id, float logit) const { return limit.keeps(row.key(logit), id); }

    DEVICE void keep_most_likely(int32_t count) {
        limit = row.narrow(limit, uint64_t(count), [](int32_t, float) { return uint64_t(1); });
    }

    DEVICE void keep_mass(float part) {
        const uint64_t mass = row.sum([&](int32_t id, float logit) { return keeps(id, logit) ? weight(logit) : 0; });
        const uint64_t need = part_of(mass, fraction_of(part));
        limit = row.narrow(limit, need > 0 ? need : 1, [&](int32_t, float logit) { return weight(logit); });
    }

    /// −1 if nothing is left.
    DEVICE int32_t draw(float uniform) const {
        const auto left = [&](int32_t id, float logit) { return keeps(id, logit) && !(scaled(logit) < least) ? weight(logit) : 0; };
        const uint64_t mass = row.sum(left);
        return mass > 0 ? row.find(part_of(mass, fraction_of(uniform)), left) : -1;
    }
};

template <typename T>
DEVICE void select_token(const float* temperature, const int32_t* top_k, const float* top_p, const float* min_p, const float* uniform,
                         const T* logits, int32_t vocabulary, float one, const int64_t* positions, int64_t* token,
                         int64_t* next_positions) {
    const int64_t index = block_x();
    const LogitRow<T> row(logits + index * vocabulary, vocabulary);

    // The first of the largest, as a key above all of the others; NaN is larger than all.
    uint64_t best = 0;
    row.visit([&](int32_t id, float logit) {
        const uint64_t key = uint64_t(logit == logit ? ordered_bits(logit) : 0xFFFFFFFF) << 32 | ~uint32_t(id);
        best = key > best ? key : best;
    });
    row.share(warp_max(best));
    best = 0;
    for (int i = 0; i < SelectionShape::warps; i++) {
        best = row.totals()[i] > best ? row.totals()[i] : best;
    }
    block_barrier();

    const auto bits = uint32_t(best >> 32);
    const bool finite = bits > ordered_bits(float_of(0xFF800000)) && bits < ordered_bits(float_of(0x7F800000));
    int32_t chosen = finite ? int32_t(~uint32_t(best)) : -1;
    if (finite && temperature[index] > 0) {
        // log2(e) / temperature; finite and not 0, so that neither the largest logit nor −∞ gives NaN.
        const float ratio = 1.44269504f / temperature[index], sharpness = ratio < 1e-37f ? 1e-37f : ratio < 3e38f ? ratio : 3e38f;
        const float largest = float_of(bits >> 31 ? bits & 0x7FFFFFFF : ~bits);
        Draw<T> draw{row, largest, sharpness, one, min_p[index] * one, Limit{0, vocabulary}};
        if (top_k[index] > 0 && top_k[index] < vocabulary) {
            draw.keep_most_likely(top_k[index]);
        }
        if (top_p[index] < 1) {
            draw.keep_mass(top_p[index]);
        }
        const int32_t drawn = draw.draw(uniform[index]);
        chosen = drawn >= 0 ? drawn : chosen;
    }
    if (thread_index() == 0) {
        token[index] = chosen;
        next_positions[index] = positions[index] < 0 ? positions[index] : positions[index] + 1;
    }
}

#define ENTRY(T, suffix)                                                                                                                  \
    KERNEL(select_token_##suffix, SelectionShape::threads,                                                                                \
           (const float* temperature, const int32_t* top_k, const float* top_p, const float* min_p, const float* uniform, const T* logits, \
            int32_t vocabulary, float one, const int64_t* positions, int64_t* token, int64_t* next_positions)) {                          \
        select_token<T>(temperature, top_k, top_p, min_p, uniform, logits, vocabulary, one, positions, token, next_positions);            \
    }
ENTRY(float, f32)
ENTRY(f16, f16)
ENTRY(bf16, bf16)
#undef ENTRY

}  // namespace latentmoe::cuda
