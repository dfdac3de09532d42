// `add_rms_norm` of every activation type, against double precision.
#include "../native/check.h"
#include "tensors.h"

using namespace latentmoe;
using namespace latentmoe::test;

namespace {

struct Case {
    int64_t rows, width;
    float epsilon = 1e-6f;
    double deviation = 1;
    int64_t lead = 0;
    uint64_t seed = 1;
};

void check(Type type, const Case& c) {
    const auto device = open_test_device(c.seed);
    Random random(c.seed);
    const Tensor x(*device, type, random.normal(c.rows * c.width, c.deviation), c.lead);
    const Tensor residual(*device, type, random.normal(c.rows * c.width, 2 * c.deviation), c.lead);
    const std::vector<float> gains = random.normal(c.width, 0.3, 1);
    const Buffer<float> gain(*device, gains, c.lead);
    const Tensor y(*device, type, c.rows * c.width, c.lead), sum(*device, type, c.rows * c.width, c.lead);
    add_rms_norm(device->device(), type, x.data(), residual.data(), gain.data(), c.epsilon, c.rows, c.width, y.data(), sum.data());
    device->end_call();

    const std::vector<float> x_values = x.numbers(), residual_values = residual.numbers();
    std::vector<float> sums;
    std::vector<double> expected;
    for (int64_t row = 0; row < c.rows; row++) {
        double squares = 0;
        for (size_t i = size_t(row * c.width); i < size_t((row + 1) * c.width); i++) {
            sums.push_back(rounded(type, x_values[i] + residual_values[i]));
            squares += static_cast<double>(sums[i]) * sums[i];
        }
        const double factor = 1 / std::sqrt(squares / static_cast<double>(c.width) + c.epsilon);
        for (size_t i = 0; i < size_t(c.width); i++) {
            expected.push_back(factor * sums[size_t(row * c.width) + i] * gains[i]);
        }
    }
    const std::string name = text(" of ", name_of(type), " [", c.rows, ", ", c.width, "], epsilon ", c.epsilon, ", lead ", c.lead);
    same("sum" + name, sums, sum.numbers().data());
    close("y" + name, expected, y.numbers().data(), std::max(2e-6, step_of(type) / 2));
}

}  // namespace

TEST(add_rms_norm_any_shape) {
    for (const Type type : activation_types) {
        for (const int64_t width : {1, 2, 7, 8, 31, 33, 64, 100, 256, 320, 510, 512, 1024, 2048}) {
            check(type, {.rows = 1 + width % 6, .width = width, .seed = static_cast<uint64_t>(width)});
        }
        check(type, {.rows = 70, .width = 48});
        // More rows than multiprocessors: several share a block.
        check(type, {.rows = 301, .width = 512});
        check(type, {.rows = 141, .width = 48});
        check(type, {.rows = 135, .width = 520});
        check(type, {.rows = 1, .width = 4096});
        check(type, {.rows = 2, .width = 5003});
    }
}

TEST(add_rms_norm_epsilon_holds_small_sums_down) {
    for (const Type type : activation_types) {
        for (const float epsilon : {0.0f, 1e-6f, 1.0f}) {
            check(type, {.rows = 5, .width = 40, .epsilon = epsilon, .deviation = 1e-3});
        }
    }
}

TEST(add_rms_norm_unaligned) {
    for (const Type type : activation_types) {
        for (const int64_t lead : {1, 2, 3, 4, 5}) {
            check(type, {.rows = 3, .width = 512, .lead = lead});
        }
    }
}

TEST(add_rms_norm_no_rows) {
    for (const Type type : activation_types) {
        check(type, {.rows = 0, .width = 64});
    }
}

TEST(add_rms_norm_nan_stays_in_its_row) {
    for (const Type type : activation_types) {
        for (const int64_t width : {5, 64, 512}) {
            const auto device = open_test_device();
            Random random(3);
            std::vector<float> values = random.normal(4 * width);
            values[size_t(3 * width - 1)] = NAN;
            const Tensor x(*device, type, values), residual(*device, type, random.normal(4 * width)), y(*device, type, 4 * width),
                sum(*device, type, 4 * width);
            const Buffer<float> gain(*device, random.normal(width, 0.1, 1));
            add_rms_norm(device->device(), type, x.data(), residual.data(), gain.data(), 1e-6f, 4, width, y.data(), sum.data());
            device->end_call();
            const std::vector<float> result = y.numbers();
            for (size_t i = 0; i < result.size(); i++) {
                require(std::isnan(result[i]) == (i / size_t(width) == 2), "y of ", name_of(type), ": element ", i, " is ", result[i],
                        ", row 2 holds a NaN");
            }
        }
    }
}
