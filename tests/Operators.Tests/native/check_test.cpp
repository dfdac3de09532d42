// The comparisons themselves: what they must let pass, and planted faults that they must not.
#include "check.h"
#include "numbers.h"

using namespace latentmoe::test;

namespace {

template <typename Body>
std::string failure_of(Body body) {
    try {
        body();
    } catch (const Failure& failure) {
        return failure.what();
    }
    throw Failure("a planted fault went unseen");
}

void contains(const std::string& message, const std::string& part) {
    require(message.find(part) != std::string::npos, "\"", message, "\" lacks \"", part, "\"");
}

} // namespace

TEST(check_close_lets_rounding_pass) {
    const float actual[] = {1, -2, 3.000001f, NAN, INFINITY};
    close("y", {1, -2, 3, NAN, INFINITY}, actual);
    close("tiny", {0.0}, std::vector<float>{1e-7f}.data(), 2e-6, 1);
}

TEST(check_close_names_a_wrong_element) {
    const float actual[] = {1, -2.01f, 3};
    const std::string message = failure_of([&] { close("y", {1, -2, 3}, actual); });
    contains(message, "y: max abs diff 0.0");
    contains(message, "element 1 of 3");
}

TEST(check_close_sees_nan_and_infinity) {
    const float nan[] = {1, NAN}, infinite[] = {1, INFINITY}, finite[] = {1, 2};
    contains(failure_of([&] { close("y", {1, 2}, nan); }), "element 1 of 2 is nan, expected 2");
    contains(failure_of([&] { close("y", {1, 2}, infinite); }), "is inf");
    contains(failure_of([&] { close("y", {1, NAN}, finite); }), "expected nan");
    contains(failure_of([&] { close("y", {1, -INFINITY}, infinite); }), "expected -inf");
}

TEST(check_same_names_a_wrong_element) {
    const int32_t actual[] = {3, 5};
    same<int32_t>("experts", {3, 5}, actual);
    contains(failure_of([&] { same<int32_t>("experts", {3, 4}, actual); }), "experts: element 1 of 2 is 5, expected 4");
}

TEST(numbers_half_formats_round_to_nearest_even) {
    for (uint32_t bits = 0; bits < 0x10000; bits++) {
        const auto half = static_cast<uint16_t>(bits);
        if (!std::isnan(from_f16(half))) {
            require(to_f16(from_f16(half)) == half, "float16 ", bits, " comes back as ", to_f16(from_f16(half)));
        }
        if (!std::isnan(from_bf16(half))) {
            require(to_bf16(from_bf16(half)) == half, "bfloat16 ", bits, " comes back as ", to_bf16(from_bf16(half)));
        }
    }
    require(to_f16(1 + 0x1p-11) == 0x3C00 && to_f16(1 + 0x3p-11) == 0x3C02, "halfway goes to the even float16");
    require(to_f16(65519.9) == 0x7BFF && to_f16(65520) == 0x7C00 && to_f16(-1e9) == 0xFC00, "float16 ends at 65,504");
    require(to_f16(0x1p-25) == 0 && to_f16(0x1.8p-24) == 2, "float16 goes down to 2^-24");
    require(to_bf16(1 + 0x1p-8f) == 0x3F80 && to_bf16(1 + 0x3p-8f) == 0x3F82, "halfway goes to the even bfloat16");
}
