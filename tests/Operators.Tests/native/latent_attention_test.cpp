// `latent_attention` over every instruction set of this machine: both forms, the rules of the cache, and who may see what.
#include "latent_attention_case.h"

#include <numeric>

using namespace latentmoe;
using namespace latentmoe::test;

namespace {

constexpr AttentionSettings small{.heads = 3, .nope = 24, .rope = 16, .value = 40, .rank = 64, .scale = 0.2f, .epsilon = 1e-6f, .interleave = false};

void check(AttentionCase& c, const Kernels& kernels, bool shared = false) {
    const std::vector<double> present = c.expected_present();
    c.run(kernels, shared);
    close("present" + c.name(kernels), present, c.actual_present().data(), c.l.half_cache ? 6e-4 : 2e-6);
    close("out" + c.name(kernels), c.expected_out(), c.out.data(), 4e-6);
}

void check(const AttentionSettings& s, const Layout& layout, int64_t context, const Kernels& kernels, uint64_t seed) {
    AttentionCase c(s, layout, context, seed);
    for (int64_t b = 0; b < layout.batch; b++) {
        c.poison(b, std::min(layout.past, context));
    }
    check(c, kernels);
}

/// A row of a case as a call of its own.
AttentionCase alone(const AttentionCase& all, int64_t row, uint64_t seed) {
    Layout layout = all.l;
    layout.batch = 1;
    AttentionCase one(all.s, layout, 0, seed);
    const auto copy = [&](auto& to, const auto& from) { std::copy_n(from.data() + row * to.size(), to.size(), to.data()); };
    copy(one.q, all.q);
    copy(one.kv, all.kv);
    copy(one.positions, all.positions);
    copy(one.mask, all.mask);
    for (int64_t i = 0; i < one.past_key.size(); i++) {
        one.past_key.set(i, all.past_key.at(row * one.past_key.size() + i));
        one.past_value.set(i, all.past_value.at(row * one.past_value.size() + i));
    }
    return one;
}

} // namespace

TEST(attention_any_shape) {
    constexpr WeightType types[] = {WeightType::F32, WeightType::BF16, WeightType::F16};
    for (const Kernels* kernels : instruction_sets()) {
        Random random(71);
        for (int i = 0; i < 24; i++) {
            const int64_t batch = i % 3 ? random.between(1, 3) : random.between(4, 17), tokens = i % 2 ? 1 : random.between(2, 40);
            const AttentionSettings s{.heads = random.between(1, i % 4 ? 4 : 32),
                                      .nope = random.between(8, 40),
                                      .rope = 2 * random.between(8, 20),
                                      .value = random.between(8, 72),
                                      .rank = 2 * random.between(20, 70),
                                      .scale = 0.15f,
                                      .epsilon = 1e-5f,
                                      .interleave = i % 2 == 0};
            const int64_t context = random.between(0, batch * tokens > 40 ? 30 : 200), total = context + tokens;
            const int64_t past = i % 4 == 3 ? total + 5 : context;
            check(s, {batch, tokens, past, total, types[i % 3], i % 5 > 2}, context, *kernels, 72 + static_cast<uint64_t>(i));
        }
    }
}

TEST(attention_wide_latents) {
    for (const Kernels* kernels : instruction_sets()) {
        AttentionSettings s = small;
        s.rank = 512;
        s.rope = 64;
        s.nope = s.value = 128;
        s.interleave = true;
        check(s, {1, 1, 70, 71, WeightType::BF16, true}, 70, *kernels, 101);
        check(s, {1, 37, 0, 37, WeightType::F16, false}, 0, *kernels, 102);
    }
}

TEST(attention_long_context) {
    for (const Kernels* kernels : instruction_sets()) {
        for (const bool half : {false, true}) {
            check(small, {1, 1, 4096, 4097, WeightType::F32, half}, 4096, *kernels, 103);
            check(small, {1, 3, 1030, 1033, WeightType::F16, half}, 1030, *kernels, 104);
            check(small, {2, 1, 4000, 1, WeightType::F32, half}, 1023, *kernels, 105);
        }
    }
}

TEST(attention_long_prefill) {
    for (const Kernels* kernels : instruction_sets()) {
        check(small, {1, 300, 0, 300, WeightType::F32, false}, 0, *kernels, 106);
        check(small, {2, 130, 150, 280, WeightType::BF16, true}, 150, *kernels, 107);
        // More columns than a block of expanded keys.
        check(small, {1, 70, 2050, 2120, WeightType::F16, false}, 2050, *kernels, 108);
    }
}

TEST(attention_many_queries_over_a_short_context) {
    AttentionSettings s = small;
    s.heads = 32;
    s.nope = s.value = 16;
    for (const Kernels* kernels : instruction_sets()) {
        check(s, {1, 9, 200, 209, WeightType::F32, false}, 200, *kernels, 109);
        check(s, {2, 2, 100, 102, WeightType::F32, true}, 100, *kernels, 110);
    }
}

TEST(attention_more_partial_sums_than_fit_at_once) {
    AttentionSettings s = small;
    s.heads = 32;
    s.nope = s.value = 24;
    s.rank = 512;
    for (const Kernels* kernels : instruction_sets()) {
        check(s, {5, 8, 130, 138, WeightType::F32, false}, 130, *kernels, 124);
    }
}

TEST(attention_grows_a_past_of_nothing_and_copies_a_longer_one) {
    for (const Kernels* kernels : instruction_sets()) {
        for (const bool half : {false, true}) {
            check(small, {3, 4, 0, 4, WeightType::F32, half}, 0, *kernels, 111);
            AttentionCase wider(small, {2, 2, 5, 9, WeightType::F32, half}, 3, 112);
            check(wider, *kernels);
            AttentionCase longer(small, {2, 2, 600, 9, WeightType::F32, half}, 3, 113);
            check(longer, *kernels);
        }
    }
}

TEST(attention_updates_a_shared_buffer_in_place) {
    for (const Kernels* kernels : instruction_sets()) {
        for (const bool half : {false, true}) {
            AttentionCase c(small, {3, 2, 40, 20, WeightType::F32, half}, 7, 114);
            check(c, *kernels, true);
        }
    }
}

TEST(attention_ragged_rows_of_a_server) {
    for (const Kernels* kernels : instruction_sets()) {
        AttentionCase c(small, {17, 1, 300, 1, WeightType::BF16, true}, 0, 115);
        for (int64_t b = 0; b < 17; b++) {
            c.positions[b] = b % 5 == 2 ? -1 : b * 17;
            c.poison(b, std::max<int64_t>(c.positions[b], 0));
        }
        const std::vector<double> present = c.expected_present();
        c.run(*kernels, true);
        close("present" + c.name(*kernels), present, c.actual_present().data(), 6e-4);
        const std::vector<double> out = c.expected_out();
        close("out" + c.name(*kernels), out, c.out.data(), 4e-6);
        same("out of an idle row", std::vector<float>(static_cast<size_t>(c.out_width()), 0), c.out.data() + 2 * c.out_width());
    }
}

TEST(attention_padding_is_not_written) {
    for (const Kernels* kernels : instruction_sets()) {
        for (const bool left : {false, true}) {
            AttentionCase c(small, {3, 12, 0, 12, WeightType::F32, false}, 0, 116);
            for (int64_t b = 0; b < 3; b++) {
                for (int64_t t = 0; t < 12; t++) {
                    const bool dead = left ? t < 4 * b : t >= 12 - 4 * b;
                    c.mask[b * 12 + t] = !dead;
                    c.positions[b * 12 + t] = left ? (dead ? 1 : t - 4 * b) : t;
                }
            }
            check(c, *kernels);
        }
    }
}

TEST(attention_mask_longer_than_what_is_used) {
    for (const Kernels* kernels : instruction_sets()) {
        AttentionCase c(small, {2, 3, 30, 30, WeightType::F32, false}, 5, 117);
        for (int64_t b = 0; b < 2; b++) {
            std::fill(c.mask.data() + b * 30 + 8 - b, c.mask.data() + (b + 1) * 30, 0);
        }
        check(c, *kernels);
        AttentionCase none(small, {2, 3, 4, 5, WeightType::F32, false}, 1, 118);
        none.mask.fill(0);
        check(none, *kernels);
    }
}

TEST(attention_order_of_tokens_does_not_matter) {
    for (const Kernels* kernels : instruction_sets()) {
        for (const int64_t tokens : {5, 90}) {
            AttentionCase ordered(small, {1, tokens, 20, 20 + tokens, WeightType::F32, false}, 20, 119), mixed(small, ordered.l, 20, 119);
            std::vector<int64_t> order(static_cast<size_t>(tokens));
            std::iota(order.begin(), order.end(), 0);
            for (size_t i = 0; i < order.size(); i++) {
                std::swap(order[i], order[i * 7 % order.size()]);
            }
            for (size_t i = 0; i < order.size(); i++) {
                const int64_t query = small.heads * (small.nope + small.rope), row = ordered.width(), to = static_cast<int64_t>(i);
                mixed.positions[to] = ordered.positions[order[i]];
                std::copy_n(ordered.q.data() + order[i] * query, query, mixed.q.data() + to * query);
                std::copy_n(ordered.kv.data() + order[i] * row, row, mixed.kv.data() + to * row);
            }
            ordered.run(*kernels);
            mixed.run(*kernels);
            const int64_t width = ordered.out_width();
            for (size_t i = 0; i < order.size(); i++) {
                const float *expected = ordered.out.data() + order[i] * width, *actual = mixed.out.data() + static_cast<int64_t>(i) * width;
                same("out" + mixed.name(*kernels), std::vector<float>(expected, expected + width), actual);
            }
        }
    }
}

TEST(attention_positions_far_apart) {
    for (const Kernels* kernels : instruction_sets()) {
        for (const auto [tokens, distance] : {std::array<int64_t, 2>{4, 97}, {100, 32}}) {
            AttentionCase c(small, {2, tokens, tokens * distance, tokens, WeightType::F32, false}, 0, 125);
            for (int64_t i = 0; i < c.positions.size(); i++) {
                c.positions[i] = i % tokens * distance + i / tokens;
            }
            check(c, *kernels);
        }
    }
}

TEST(attention_scores_of_minus_infinity) {
    for (const Kernels* kernels : instruction_sets()) {
        for (const int64_t tokens : {1, 90}) {
            AttentionCase c(small, {1, tokens, 400, 400 + tokens, WeightType::F32, false}, 400, 126);
            c.cos.fill(1);
            c.sin.fill(0);
            const int64_t half = c.width() / 2;
            for (int64_t column = 0; column < 300; column++) {
                c.past_value.set(column * half + small.rank - half, INFINITY);
            }
            for (int64_t i = 0; i < tokens * small.heads; i++) {
                c.q[i * (small.nope + small.rope) + small.nope] = -1;
            }
            check(c, *kernels);
        }
    }
}

TEST(attention_rows_do_not_depend_on_each_other_or_on_threads) {
    for (const Kernels* kernels : instruction_sets()) {
        for (const int64_t tokens : {1, 3, 64}) {
            AttentionCase all(small, {5, tokens, 400, 400, WeightType::F16, false}, 0, 120);
            for (int64_t i = 0; i < all.positions.size(); i++) {
                all.positions[i] = i / tokens * 77 + i % tokens;
            }
            all.run(*kernels);
            for (int64_t row = 0; row < 5; row++) {
                AttentionCase one = alone(all, row, 120);
                one.run(*kernels, false, 1);
                const float* expected = all.out.data() + row * one.out.size();
                close(text("out of row ", row, " alone") + one.name(*kernels), std::vector<double>(expected, expected + one.out.size()),
                      one.out.data(), 1e-6);
            }
        }
    }
}

TEST(attention_large_scores) {
    for (const Kernels* kernels : instruction_sets()) {
        for (const int64_t tokens : {1, 80}) {
            AttentionSettings s = small;
            s.scale = 3;
            AttentionCase c(s, {1, tokens, 500, 500 + tokens, WeightType::F32, false}, 500, 121);
            c.run(*kernels);
            // A score of 100 has an error of 1e-5 in float32, and so has its weight.
            close("out" + c.name(*kernels), c.expected_out(), c.out.data(), 1e-4);
        }
    }
}

TEST(attention_nan_stays_with_those_who_see_it) {
    for (const Kernels* kernels : instruction_sets()) {
        for (const int64_t tokens : {2, 100}) {
            AttentionCase c(small, {3, tokens, 50, 50 + tokens, WeightType::F32, false}, 50, 122);
            c.kv[(2 * tokens - 1) * c.width()] = NAN; // the last token of the second row
            c.run(*kernels);
            const int64_t row = tokens * c.out_width();
            for (int64_t i = 0; i < row; i++) {
                require(std::isfinite(c.out[i]) && std::isfinite(c.out[2 * row + i]), "out", c.name(*kernels), ": a NaN of another row at ", i);
            }
            for (int64_t i = 2 * row - c.out_width(); i < 2 * row; i++) {
                require(std::isnan(c.out[i]), "out", c.name(*kernels), ": ", c.out[i], " at ", i, " where a NaN is seen");
            }
        }
    }
}

TEST(attention_refuses_a_position_without_a_column) {
    AttentionCase c(small, {2, 2, 0, 2, WeightType::F32, false}, 0, 123);
    c.positions[3] = 2;
    try {
        c.run(*instruction_sets().front());
    } catch (const std::invalid_argument& error) {
        require(std::string(error.what()).find("position_ids holds 2 for token 1 of row 1") == 0, "message: ", error.what());
        return;
    }
    throw Failure("position 2 in a cache of 2 columns was accepted");
}
