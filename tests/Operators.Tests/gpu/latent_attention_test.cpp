// `latent_attention` of every combination of types: shapes, the rules of the cache, and who may see what.
#include "latent_attention_run.h"

using namespace latentmoe;
using namespace latentmoe::test;

namespace {

constexpr AttentionSettings small{
    .heads = 3, .nope = 24, .rope = 16, .value = 40, .rank = 64, .scale = 0.2f, .epsilon = 1e-6f, .interleave = false};

}  // namespace

TEST(latent_attention_any_shape) {
    for (const AttentionTypes& types : attention_types) {
        Random random(71);
        for (int i = 0; i < 6; i++) {
            const AttentionSettings s{.heads = random.between(1, i % 3 ? 4 : 20),
                                      .nope = random.between(8, 40),
                                      .rope = 2 * random.between(4, 20),
                                      .value = random.between(8, 72),
                                      .rank = 2 * random.between(20, 70),
                                      .scale = 0.15f,
                                      .epsilon = 1e-5f,
                                      .interleave = i % 2 == 0};
            const int64_t batch = random.between(1, 3), tokens = i % 2 ? 1 : random.between(2, 7);
            const int64_t context = random.between(0, 100), total = context + tokens;
            const int64_t past = i % 3 == 2 ? total + 5 : context;
            check_attention(types, s, {batch, tokens, past, total}, context, 72 + static_cast<uint64_t>(i), i % 2);
        }
    }
}

TEST(latent_attention_whole_vectors) {
    for (const AttentionTypes& types : attention_types) {
        AttentionSettings s = small;
        s.nope = s.value = 32;
        for (const int64_t heads : {8, 16, 17}) {
            s.heads = heads;
            s.interleave = heads == 16;
            check_attention(types, s, {2, 1, 150, 1}, 33, 130 + static_cast<uint64_t>(heads));
            check_attention(types, s, {1, 2, 70, 72}, 70, 140 + static_cast<uint64_t>(heads));
        }
    }
}

TEST(latent_attention_wide_latents) {
    for (const AttentionTypes& types : attention_types) {
        AttentionSettings s = small;
        s.rank = 512;
        s.rope = 64;
        s.nope = s.value = 128;
        s.heads = 2;
        s.interleave = true;
        check_attention(types, s, {1, 1, 70, 71}, 70, 101);
        s.rank = 258;
        s.heads = 9;
        check_attention(types, s, {1, 2, 33, 2}, 31, 102);
    }
}

TEST(latent_attention_many_splits) {
    for (const AttentionTypes& types : attention_types) {
        check_attention(types, small, {1, 1, 1500, 1501}, 1500, 103);
        check_attention(types, small, {2, 2, 1500, 2}, 637, 104);
    }
}

TEST(latent_attention_tokens_four_at_a_time) {
    for (const AttentionTypes& types : attention_types) {
        AttentionSettings s = small;
        s.heads = 50;
        s.nope = s.value = 8;
        s.rank = 24;
        check_attention(types, s, {2, 7, 5, 12}, 5, 105);
    }
}

TEST(latent_attention_one_column) {
    for (const AttentionTypes& types : attention_types) {
        check_attention(types, small, {3, 1, 0, 1}, 0, 106);
    }
}
