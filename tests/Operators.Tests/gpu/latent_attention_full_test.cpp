// `latent_attention` of so many tokens that keys and values are expanded, which float32 has no tensor cores for.
#include "latent_attention_run.h"

using namespace latentmoe;
using namespace latentmoe::test;

namespace {

// From 30 tokens on, expanding takes fewer multiplications.
constexpr AttentionSettings small{
    .heads = 2, .nope = 16, .rope = 16, .value = 24, .rank = 64, .scale = 0.2f, .epsilon = 1e-6f, .interleave = false};

constexpr AttentionTypes full_types[] = {
    {Type::F16, Type::F16, WeightType::F16}, {Type::BF16, Type::BF16, WeightType::BF16}, {Type::BF16, Type::BF16, WeightType::F16}};

}  // namespace

TEST(latent_attention_full_prefill) {
    for (const AttentionTypes& types : attention_types) {
        check_attention(types, small, {1, 64, 0, 64}, 0, 201);
    }
}

TEST(latent_attention_full_chunk_behind_a_context) {
    for (const AttentionTypes& types : full_types) {
        check_attention(types, small, {1, 66, 200, 66}, 75, 203);
        AttentionRun run(types, small, {2, 48, 150, 198}, 100, 204);
        run.check();
    }
}

TEST(latent_attention_full_any_width) {
    for (const AttentionTypes& types : full_types) {
        AttentionSettings s = small;
        s.interleave = true;
        s.nope = 17;
        s.rope = 10;
        s.value = 39;
        s.rank = 78;
        check_attention(types, s, {1, 66, 0, 66}, 0, 205);
        s.nope = 24;
        s.rope = 24;
        s.rank = 88;
        check_attention(types, s, {1, 66, 0, 66}, 0, 206, 1);
    }
}

TEST(latent_attention_full_wide_heads) {
    for (const AttentionTypes& types : full_types) {
        AttentionSettings s = small;
        s.heads = 1;
        s.rope = 64;
        s.rank = 256;
        s.nope = s.value = 104;
        check_attention(types, s, {1, 224, 0, 224}, 0, 207);
        s.nope = 16;
        s.value = 200;
        check_attention(types, s, {1, 192, 0, 192}, 0, 208);
    }
}

TEST(latent_attention_full_tiles_that_fit_once) {
    AttentionSettings s = small;
    s.heads = 1;
    s.rope = 64;
    s.rank = 512;
    s.nope = 256;
    s.value = 208;
    check_attention(full_types[0], s, {1, 432, 0, 432}, 0, 214);
}

TEST(latent_attention_full_rows_of_a_batch) {
    for (const AttentionTypes& types : full_types) {
        // Rows begin at contexts of their own, the last one's tokens are dead but for a few, and they come in another order.
        AttentionRun run(types, small, {3, 66, 300, 66}, 0, 209);
        for (int64_t t = 0; t < 66; t++) {
            run.c.positions[t] = 65 - t;
            run.c.positions[66 + t] = 3 * t + 30;
            run.c.positions[132 + t] = t;
            run.c.mask[132 + t] = t < 20;
        }
        run.c.positions[66 + 7] = -1;
        run.check(true);
    }
}

TEST(latent_attention_full_bad_positions) {
    for (const AttentionTypes& types : full_types) {
        AttentionRun run(types, small, {2, 40, 50, 40}, 0, 210);
        run.c.positions[3] = 50;
        run.c.positions[47] = -1;
        AttentionRun good(types, small, run.c.l, 0, 210);
        good.c.positions[3] = good.c.positions[47] = -1;
        run.run();
        good.run();
        const int64_t width = run.c.out_width();
        for (int64_t i = 0; i < run.c.out.size(); i++) {
            const float actual = run.c.out[i], expected = i / width == 47 ? 0 : good.c.out[i];
            require(i / width == 3 ? std::isnan(actual) : actual == expected, "out", run.name(), ": element ", i, " is ", actual);
        }
    }
}

TEST(latent_attention_full_dead_tokens_keep_what_they_see) {
    for (const AttentionTypes& types : full_types) {
        AttentionRun run(types, small, {2, 40, 90, 40}, 0, 211);
        run.c.poison(0, 0);
        // The second row writes column 80, so that the dead token of the first sees as far, where nobody wrote.
        run.c.positions[39] = 80;
        run.c.positions[79] = 80;
        run.c.mask[39] = 0;
        run.run(true);
        const int64_t width = run.c.out_width();
        for (int64_t i = 0; i < run.c.out.size(); i++) {
            require(std::isnan(run.c.out[i]) == (i / width == 39), "out", run.name(), ": element ", i, " is ", run.c.out[i]);
        }
    }
}

TEST(latent_attention_full_scores_of_minus_infinity) {
    for (const AttentionTypes& types : full_types) {
        AttentionRun run(types, small, {1, 40, 150, 190}, 150, 212);
        run.c.cos.fill(1);
        run.c.sin.fill(0);
        const int64_t half = run.c.width() / 2;
        for (int64_t column = 0; column < 100; column++) {
            run.c.past_value.set(column * half + small.rank - half, INFINITY);
        }
        for (int64_t i = 0; i < 40 * small.heads; i++) {
            run.c.q[i * (small.nope + small.rope) + small.nope] = -1;
        }
        run.check();
    }
}

TEST(latent_attention_full_nan_stays_with_those_who_see_it) {
    for (const AttentionTypes& types : full_types) {
        AttentionRun run(types, small, {3, 40, 50, 90}, 50, 213);
        run.c.kv[79 * run.c.width()] = NAN;  // the last token of the second row
        run.run();
        const int64_t row = 40 * run.c.out_width();
        for (int64_t i = 0; i < row; i++) {
            require(std::isfinite(run.c.out[i]), "out", run.name(), ": a NaN of another row at ", i);
            require(std::isfinite(run.c.out[2 * row + i]), "out", run.name(), ": a NaN of another row at ", 2 * row + i);
        }
        for (int64_t i = 2 * row - run.c.out_width(); i < 2 * row; i++) {
            require(std::isnan(run.c.out[i]), "out", run.name(), ": ", run.c.out[i], " at ", i, " where a NaN is seen");
        }
    }
}
