// `latent_attention`: which memory holds the cache, which tokens come to it, and who sees what of it.
#include "latent_attention_run.h"

#include <numeric>

using namespace latentmoe;
using namespace latentmoe::test;

namespace {

constexpr AttentionSettings small{
    .heads = 3, .nope = 16, .rope = 16, .value = 24, .rank = 32, .scale = 0.2f, .epsilon = 1e-6f, .interleave = false};

}  // namespace

TEST(latent_attention_grows_a_past_of_nothing_and_copies_a_longer_one) {
    for (const AttentionTypes& types : attention_types) {
        AttentionRun(types, small, {3, 4, 0, 4}, 0, 111).check();
        AttentionRun(types, small, {2, 2, 5, 9}, 3, 112).check();
        AttentionRun(types, small, {2, 2, 200, 9}, 3, 113).check();
        AttentionSettings odd = small;
        odd.rank = 34;
        AttentionRun(types, odd, {2, 2, 5, 9}, 3, 114).check();
    }
}

TEST(latent_attention_updates_a_shared_buffer_in_place) {
    for (const AttentionTypes& types : attention_types) {
        AttentionRun(types, small, {3, 2, 40, 20}, 7, 115).check(true);
    }
}

TEST(latent_attention_ragged_rows_of_a_server) {
    for (const AttentionTypes& types : attention_types) {
        AttentionRun run(types, small, {9, 1, 200, 1}, 0, 116);
        for (int64_t b = 0; b < 9; b++) {
            run.c.positions[b] = b % 5 == 2 ? -1 : b * 17;
            run.c.poison(b, std::max<int64_t>(run.c.positions[b], 0));
        }
        run.check(true);
        const std::vector<float> nothing(static_cast<size_t>(run.c.out_width()), 0);
        same("out of an idle row", nothing, run.c.out.data() + 2 * run.c.out_width());
    }
}

TEST(latent_attention_padding_is_not_written) {
    for (const AttentionTypes& types : attention_types) {
        for (const bool left : {false, true}) {
            AttentionRun run(types, small, {3, 12, 0, 12}, 0, 117);
            for (int64_t b = 0; b < 3; b++) {
                for (int64_t t = 0; t < 12; t++) {
                    const bool dead = left ? t < 4 * b : t >= 12 - 4 * b;
                    run.c.mask[b * 12 + t] = !dead;
                    run.c.positions[b * 12 + t] = left ? (dead ? 1 : t - 4 * b) : t;
                }
            }
            run.check();
        }
    }
}

TEST(latent_attention_dead_tokens_keep_what_they_see) {
    for (const AttentionTypes& types : attention_types) {
        AttentionRun run(types, small, {2, 3, 40, 3}, 0, 118);
        run.c.poison(0, 0);
        // The second row writes column 19, so that the dead token of the first sees as far, where nobody wrote.
        run.c.positions[2] = 19;
        run.c.positions[5] = 19;
        run.c.mask[2] = 0;
        run.run(true);
        const int64_t width = run.c.out_width();
        for (int64_t i = 0; i < run.c.out.size(); i++) {
            require(std::isnan(run.c.out[i]) == (i / width == 2), "out", run.name(), ": element ", i, " is ", run.c.out[i]);
        }
    }
}

TEST(latent_attention_mask_longer_than_what_is_used) {
    for (const AttentionTypes& types : attention_types) {
        AttentionRun run(types, small, {2, 3, 30, 30}, 5, 119);
        for (int64_t b = 0; b < 2; b++) {
            std::fill(run.c.mask.data() + b * 30 + 8 - b, run.c.mask.data() + (b + 1) * 30, 0);
        }
        run.check();
        AttentionRun none(types, small, {2, 3, 4, 5}, 1, 120);
        none.c.mask.fill(0);
        none.check();
    }
}

TEST(latent_attention_long_mask_is_looked_at_once) {
    for (const AttentionTypes& types : attention_types) {
        AttentionRun run(types, small, {3, 4, 3000, 3000}, 9, 121);
        for (int64_t b = 0; b < 3; b++) {
            std::fill(run.c.mask.data() + b * 3000 + 13 - b, run.c.mask.data() + (b + 1) * 3000, 0);
        }
        run.check(true);
    }
}

TEST(latent_attention_order_of_tokens_does_not_matter) {
    for (const AttentionTypes& types : attention_types) {
        AttentionRun run(types, small, {1, 6, 20, 26}, 20, 122);
        for (int64_t i = 0; i < 6; i++) {
            run.c.positions[i] = 20 + i * 5 % 6;
        }
        run.check();
    }
}

TEST(latent_attention_positions_far_apart) {
    for (const AttentionTypes& types : attention_types) {
        AttentionRun run(types, small, {2, 4, 400, 4}, 0, 123);
        for (int64_t i = 0; i < run.c.positions.size(); i++) {
            run.c.positions[i] = i % 4 * 97 + i / 4;
        }
        run.check();
    }
}

TEST(latent_attention_bad_positions) {
    for (const AttentionTypes& types : attention_types) {
        AttentionRun run(types, small, {2, 3, 20, 3}, 4, 124);
        run.most_positions = 30;
        run.c.positions[1] = 20;                // no column
        run.c.positions[5] = int64_t{1} << 40;  // not in the tables
        AttentionRun good(types, small, run.c.l, 4, 124);
        good.c.positions[1] = good.c.positions[5] = -1;
        const std::vector<double> present = good.c.expected_present();
        run.run();
        close("present" + run.name(), present, run.c.actual_present().data(), std::max(3e-6, step_of(types.cache) / 2));
        good.run();
        const int64_t width = run.c.out_width();
        for (int64_t i = 0; i < run.c.out.size(); i++) {
            const bool bad = i / width == 1 || i / width == 5;
            const float actual = run.c.out[i];
            require(bad ? std::isnan(actual) : actual == good.c.out[i], "out", run.name(), ": element ", i, " is ", actual);
        }
    }
}

TEST(latent_attention_scores_of_minus_infinity) {
    for (const AttentionTypes& types : attention_types) {
        for (const int64_t rank : {32, 36}) {
            AttentionSettings s = small;
            s.rank = rank;
            AttentionRun run(types, s, {1, 2, 150, 152}, 150, 126);
            run.c.cos.fill(1);
            run.c.sin.fill(0);
            const int64_t half = run.c.width() / 2;
            for (int64_t column = 0; column < 100; column++) {
                run.c.past_value.set(column * half + rank - half, INFINITY);
            }
            for (int64_t i = 0; i < 2 * s.heads; i++) {
                run.c.q[i * (s.nope + s.rope) + s.nope] = -1;
            }
            run.check();
        }
    }
}

TEST(latent_attention_large_scores) {
    for (const AttentionTypes& types : attention_types) {
        if (types.activations == Type::BF16) {
            continue;  // Its queries are too coarse for such scores to mean anything.
        }
        AttentionSettings s = small;
        s.scale = 3;
        AttentionRun run(types, s, {1, 2, 200, 202}, 200, 127);
        run.run();
        // A score of 100 that is off by its type's step makes a weight wrong by as much.
        close("out" + run.name(), run.c.expected_out(), run.c.out.data(), 100 * step_of(types.activations) + 1e-4);
    }
}

TEST(latent_attention_nan_stays_with_those_who_see_it) {
    for (const AttentionTypes& types : attention_types) {
        AttentionRun run(types, small, {3, 2, 50, 52}, 50, 128);
        run.c.kv[3 * run.c.width()] = NAN;  // the last token of the second row
        run.run();
        const int64_t row = 2 * run.c.out_width();
        for (int64_t i = 0; i < row; i++) {
            require(std::isfinite(run.c.out[i]), "out", run.name(), ": a NaN of another row at ", i);
            require(std::isfinite(run.c.out[2 * row + i]), "out", run.name(), ": a NaN of another row at ", 2 * row + i);
        }
        for (int64_t i = 2 * row - run.c.out_width(); i < 2 * row; i++) {
            require(std::isnan(run.c.out[i]), "out", run.name(), ": ", run.c.out[i], " at ", i, " where a NaN is seen");
        }
    }
}
