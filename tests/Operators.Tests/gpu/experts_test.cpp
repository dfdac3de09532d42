// `mix_experts` of every pair of types, each way that it can take, against double precision.
#include "../native/check.h"
#include "experts_case.h"

using namespace latentmoe;
using namespace latentmoe::test;
using namespace latentmoe::test::experts;

// Each way and each activation type at least once.
static constexpr Types some_pairs[] = {
    {Type::F32, WeightType::F32},
    {Type::F16, WeightType::F16},
    {Type::F16, WeightType::Int4},
    {Type::BF16, WeightType::Int8},
};

TEST(experts_of_any_layer) {
    for (const Types types : all_pairs) {
        Random random(31);
        check(types, {128, 64, 5, 64}, 11, 3, all_ways(types), at_random(5, random));
        check(types, {64, 64, 4, 0}, 2, 2, all_ways(types), at_random(4, random));
        check(types, {96, 32, 4, 96}, 2, 3, {Way::ByToken, Way::Any}, at_random(4, random));
        check(types, {64, 32, 3, 16}, 2, 3, {Way::ByToken, Way::Any}, at_random(3, random));
    }
}

// Neither whole chunks of 16 bytes nor whole tiles.
TEST(experts_of_odd_sizes) {
    for (const Types types : all_pairs) {
        Random random(32);
        const int64_t step = types.quantised() ? 16 : 1;
        for (const Shape shape : {Shape{3, 5, 3, 1}, {1, 1, 2, 0}, {5, 3, 4, 3}}) {
            check(types, {shape.width * step, shape.hidden * step, shape.experts, shape.shared * step}, 3, 2, {Way::ByToken, Way::Plain},
                  at_random(shape.experts, random));
        }
    }
}

TEST(experts_of_sizes_that_fill_no_tile) {
    for (const Types types : {Types{Type::F16, WeightType::F16}, {Type::BF16, WeightType::BF16}}) {
        Random random(33);
        check(types, {24, 40, 3, 8}, 19, 2, all_ways(types), at_random(3, random));
        check(types, {200, 8, 4, 72}, 37, 1, all_ways(types), at_random(4, random));
    }
}

TEST(experts_unaligned) {
    for (const Types types : all_pairs) {
        Random random(34);
        check(types, {64, 64, 3, 64}, 2, 2, {Way::ByToken, Way::Plain}, at_random(3, random), 2);
        check(types, {64, 64, 3, 64}, 2, 2, {Way::ByToken, Way::Plain}, at_random(3, random), 3);
    }
}

TEST(experts_all_tokens_to_one) {
    for (const Types types : some_pairs) {
        for (const int64_t tokens : {8, 33}) {
            check(types, {64, 64, 6, 0}, tokens, 3, all_ways(types), [](int64_t, int64_t slot) { return slot == 1 ? 4 : -1; });
        }
    }
    const Types types{Type::F16, WeightType::F16};
    check(types, {64, 64, 6, 0}, 130, 3, all_ways(types), [](int64_t, int64_t slot) { return slot == 1 ? 4 : -1; });
}

TEST(experts_empty_slots) {
    for (const Types types : some_pairs) {
        check(types, {64, 64, 7, 0}, 13, 3, all_ways(types),
              [](int64_t token, int64_t slot) { return slot == 1 || token % 5 == 3 ? -1 : (token + slot) % 7; });
        for (const int64_t shared : {0, 64}) {
            check(types, {64, 64, 5, shared}, 9, 2, all_ways(types), [](int64_t, int64_t) { return -1; });
        }
    }
}

TEST(experts_one_expert_in_two_slots) {
    for (const Types types : some_pairs) {
        check(types, {64, 64, 4, 0}, 10, 2, all_ways(types), [](int64_t token, int64_t) { return token % 4; });
    }
}

TEST(experts_of_many_pairs) {
    Random random(35);
    check({Type::F16, WeightType::F16}, {8, 8, 300, 0}, 700, 5, {Way::Tile8, Way::Tile128}, at_random(300, random));
}

TEST(experts_in_the_way_that_the_operator_chooses) {
    for (const Types types : all_pairs) {
        Random random(36);
        for (const int64_t tokens : {0, 1, 34}) {
            check(types, {64, 64, 9, 64}, tokens, 3, {Way::Any}, at_random(9, random));
        }
        check(types, {48, 16, 9, 0}, 34, 3, {Way::Any}, at_random(9, random));
    }
    for (const Types types : some_pairs) {
        Random random(38);
        check(types, {64, 64, 9, 64}, 9, 3, {Way::Any}, at_random(9, random));
        check(types, {64, 64, 9, 64}, 34, 3, {Way::Any}, at_random(9, random), 4);
    }
}

TEST(experts_nan_stays_with_its_token) {
    for (const Types types : some_pairs) {
        Random random(37);
        const Layer layer(types.weights, {64, 64, 3, 64}, random);
        Case c = make_case(layer.shape, 10, 2, random, at_random(3, random));
        c.x[3] = NAN;
        c.x[64 * 7] = NAN;
        compare(layer, c, types, all_ways(types));
    }
}

TEST(experts_out_of_range_make_their_token_nan) {
    for (const Types types : some_pairs) {
        check(types, {64, 64, 5, 64}, 11, 2, all_ways(types), [](int64_t token, int64_t slot) -> int64_t {
            constexpr int64_t wrong[] = {5, -2, INT32_MAX, INT32_MIN};
            return token % 3 == 1 && slot == token % 2 ? wrong[token % 4] : (token + slot) % 5;
        });
    }
}
