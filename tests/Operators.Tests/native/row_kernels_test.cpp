// The kernels over one row, of every instruction set of this machine, against double precision.
#include "check.h"
#include "matrix.h"

using namespace latentmoe;
using namespace latentmoe::test;

namespace {

// Around every width of a vector and of an unrolled loop.
constexpr int64_t lengths[] = {0, 1, 2, 3, 7, 8, 9, 15, 16, 17, 31, 32, 33, 47, 64, 65, 100, 257};

template <typename Body>
void for_each_length(Body body) {
    for (const Kernels* kernels : instruction_sets()) {
        Random random(11);
        for (const int64_t length : lengths) {
            body(*kernels, length, random);
        }
    }
}

std::string name(const char* tensor, const Kernels& kernels, int64_t length) { return text(tensor, " of ", kernels.name, ", length ", length); }

// Relative to every element: values of all sizes count alike.
void close_each(const std::string& tensor, const std::vector<double>& expected, const Exact<float>& actual, double limit, double smallest) {
    for (size_t i = 0; i < expected.size(); i++) {
        const double e = expected[i], a = actual[static_cast<int64_t>(i)];
        const bool equal = std::isfinite(e) ? std::abs(e - a) <= limit * std::abs(e) + smallest : (std::isnan(e) && std::isnan(a)) || e == a;
        require(equal, tensor, ": element ", i, " is ", a, ", expected ", e);
    }
}

} // namespace

TEST(kernels_maximum_passes_over_nan) {
    for_each_length([](const Kernels& kernels, int64_t length, Random& random) {
        Exact<float> x(random.normal(length));
        double largest = -INFINITY;
        for (int64_t i = 0; i < length; i++) {
            x[i] = i % 5 == 1 ? NAN : x[i] - 10;
            largest = std::isnan(x[i]) ? largest : std::max(largest, static_cast<double>(x[i]));
        }
        const float actual = kernels.maximum(x.data(), length);
        close(name("maximum", kernels, length), {largest}, &actual, 0);
        if (length > 0) {
            x[length - 1] = INFINITY;
            require(kernels.maximum(x.data(), length) == INFINITY, name("maximum", kernels, length), " misses the last element");
        }
        x.fill(NAN);
        const float none = kernels.maximum(x.data(), length);
        require(none == -INFINITY, name("maximum", kernels, length), " of NaN alone is ", none);
    });
}

TEST(kernels_exponentials_and_their_sum) {
    for_each_length([](const Kernels& kernels, int64_t length, Random& random) {
        Exact<float> x(length);
        std::vector<double> expected;
        double sum = 0;
        const float shift = 3.25f;
        for (int64_t i = 0; i < length; i++) {
            x[i] = i % 9 == 4 ? -INFINITY : i % 9 == 5 ? -1e9f : static_cast<float>(shift - 90 * random.uniform() * random.uniform());
            expected.push_back(std::exp(static_cast<double>(x[i] - shift)));
            sum += expected.back();
        }
        const float actual = kernels.exponentials(x.data(), length, shift);
        close_each(name("exponentials", kernels, length), expected, x, 5e-7, 1e-37);
        close(name("sum of exponentials", kernels, length), {sum}, &actual, 2e-6, 1);
    });
}

TEST(kernels_exponentials_reach_from_zero_to_infinity) {
    for (const Kernels* kernels : instruction_sets()) {
        Exact<float> x(std::vector<float>{NAN, INFINITY, -INFINITY, 0, -0.0f, 88, 200, -87, -104, -1e30f, 1, 40, 80, -80, -40, -1, 0.5f});
        std::vector<double> expected;
        for (int64_t i = 0; i < x.size(); i++) {
            expected.push_back(static_cast<float>(std::exp(static_cast<double>(x[i]))));
        }
        kernels->exponentials(x.data(), x.size(), 0);
        close_each(name("exponentials", *kernels, x.size()), expected, x, 5e-7, 1e-37);
    }
}

TEST(kernels_swiglu_of_all_sizes) {
    for_each_length([](const Kernels& kernels, int64_t length, Random& random) {
        Exact<float> gate(random.normal(length, 4)), up(random.normal(length)), out(length, NAN);
        constexpr float special[] = {-1000, -90, -0.0f, 0, 90, 1000, INFINITY, NAN};
        for (int64_t i = 0; i < length; i++) {
            gate[i] = i % 3 == 2 ? special[i / 3 % 8] : gate[i];
        }
        std::vector<double> expected;
        for (int64_t i = 0; i < length; i++) {
            expected.push_back(gate[i] / (1 + std::exp(-static_cast<double>(gate[i]))) * up[i]);
        }
        kernels.swiglu(gate.data(), up.data(), out.data(), length);
        close_each(name("swiglu", kernels, length), expected, out, 1e-6, 1e-30);
    });
}

TEST(kernels_scale_and_accumulate) {
    for_each_length([](const Kernels& kernels, int64_t length, Random& random) {
        const Exact<float> x(random.normal(length));
        Exact<float> scaled(random.normal(length)), sum(random.normal(length));
        std::vector<double> products, sums;
        for (int64_t i = 0; i < length; i++) {
            products.push_back(static_cast<double>(scaled[i]) * -0.7f);
            sums.push_back(sum[i] + static_cast<double>(x[i]) * 1.3f);
        }
        kernels.scale(scaled.data(), length, -0.7f);
        close(name("scale", kernels, length), products, scaled.data(), 1e-6, 1);
        kernels.accumulate(sum.data(), x.data(), length, 1.3f);
        close(name("accumulate", kernels, length), sums, sum.data(), 1e-6, 1);
    });
}

TEST(kernels_squares) {
    for_each_length([](const Kernels& kernels, int64_t length, Random& random) {
        const Exact<float> x(random.normal(length));
        double expected = 0;
        for (int64_t i = 0; i < length; i++) {
            expected += static_cast<double>(x[i]) * x[i];
        }
        const float actual = kernels.squares(x.data(), length);
        close(name("squares", kernels, length), {expected}, &actual, 1e-6);
    });
}

TEST(kernels_add_and_its_squares) {
    for_each_length([](const Kernels& kernels, int64_t length, Random& random) {
        const Exact<float> a(random.normal(length)), b(random.normal(length));
        Exact<float> out(length, NAN);
        std::vector<double> sums;
        double squares = 0;
        for (int64_t i = 0; i < length; i++) {
            sums.push_back(a[i] + b[i]);
            squares += sums.back() * sums.back();
        }
        const float actual = kernels.add(a.data(), b.data(), out.data(), length);
        close(name("add", kernels, length), sums, out.data(), 0);
        close(name("squares of add", kernels, length), {squares}, &actual, 1e-6);
    });
}

TEST(kernels_normalise) {
    for_each_length([](const Kernels& kernels, int64_t length, Random& random) {
        const Exact<float> x(random.normal(length)), gain(random.normal(length, 0.3, 1));
        Exact<float> out(length, NAN);
        std::vector<double> expected;
        for (int64_t i = 0; i < length; i++) {
            expected.push_back(static_cast<double>(x[i]) * 1.7f * gain[i]);
        }
        kernels.normalise(x.data(), gain.data(), 1.7f, out.data(), length);
        close_each(name("normalise", kernels, length), expected, out, 3e-7, 1e-37);
    });
}

TEST(kernels_widen16_every_number) {
    for (const Kernels* kernels : instruction_sets()) {
        Exact<uint16_t> halves(0x10000);
        std::vector<double> expected;
        for (int64_t i = 0; i < 0x10000; i++) {
            halves[i] = static_cast<uint16_t>(i);
            expected.push_back(from_f16(halves[i]));
        }
        Exact<float> actual(0x10000, NAN);
        kernels->widen16(halves.data(), actual.data(), 0x10000);
        close_each(name("widen16", *kernels, 0x10000), expected, actual, 0, 0);
    }
}

TEST(kernels_narrow16_rounds_to_nearest_even) {
    for (const Kernels* kernels : instruction_sets()) {
        Random random(12);
        std::vector<float> values = {0, -0.0f, 65504, 65519.9f, 65520, -1e9f, INFINITY, -INFINITY, 0x1p-24f, 0x1p-25f, 0x1.8p-24f, 0x1p-14f, 1e-30f};
        for (int i = 0; i < 4000; i++) {
            // All exponents of the format and some beyond; every other number halfway between two neighbours.
            const double value = std::ldexp(1024 + random.uniform() * 1024, static_cast<int>(random.between(-40, 8)));
            values.push_back(static_cast<float>(i % 2 ? value : (from_f16(to_f16(value)) + from_f16(static_cast<uint16_t>(to_f16(value) + 1))) / 2));
        }
        std::vector<uint16_t> expected;
        for (const float value : values) {
            expected.push_back(to_f16(value));
        }
        const Exact<float> x(values);
        Exact<uint16_t> actual(x.size(), 0xFFFF);
        kernels->narrow16(x.data(), actual.data(), x.size());
        same(name("narrow16", *kernels, x.size()), expected, actual.data());
        const Exact<float> nan(std::vector<float>(5, NAN));
        kernels->narrow16(nan.data(), actual.data(), 5);
        for (int64_t i = 0; i < 5; i++) {
            require(std::isnan(from_f16(actual[i])), name("narrow16", *kernels, 5), " makes ", actual[i], " of a NaN");
        }
    }
}

TEST(kernels_half_rows_of_any_length) {
    for_each_length([](const Kernels& kernels, int64_t length, Random& random) {
        const Exact<float> x(random.normal(length));
        std::vector<uint16_t> expected;
        for (int64_t i = 0; i < length; i++) {
            expected.push_back(to_f16(x[i]));
        }
        Exact<uint16_t> narrow(length, 0xFFFF);
        kernels.narrow16(x.data(), narrow.data(), length);
        same(name("narrow16", kernels, length), expected, narrow.data());
        Exact<float> wide(length, NAN);
        kernels.widen16(narrow.data(), wide.data(), length);
        for (int64_t i = 0; i < length; i++) {
            require(wide[i] == from_f16(narrow[i]), name("widen16", kernels, length), ": element ", i, " is ", wide[i]);
        }
    });
}
