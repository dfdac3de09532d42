// `add_rms_norm` over every instruction set of this machine, against double precision.
#include "../../../runtime/ops/cpu/operators.h"
#include "check.h"
#include "matrix.h"
#include "thread_host.h"

using namespace latentmoe;
using namespace latentmoe::test;

namespace {

struct Outputs {
    Exact<float> y, sum;
};

Outputs run(const Kernels& kernels, const Exact<float>& x, const Exact<float>& residual, const Exact<float>& gain, float epsilon, int threads = 3) {
    Outputs out{Exact<float>(x.size(), NAN), Exact<float>(x.size(), NAN)};
    ThreadHost host(threads);
    add_rms_norm(host, kernels, x.data(), residual.data(), gain.data(), epsilon, x.size() / gain.size(), gain.size(), out.y.data(),
                 out.sum.data());
    return out;
}

void check(const Kernels& kernels, int64_t rows, int64_t width, float epsilon, double deviation, uint64_t seed) {
    Random random(seed);
    const Exact<float> x(random.normal(rows * width, deviation)), residual(random.normal(rows * width, 2 * deviation));
    const Exact<float> gain(random.normal(width, 0.3, 1));
    std::vector<double> y, sum;
    for (int64_t row = 0; row < rows; row++) {
        double squares = 0;
        for (int64_t i = row * width; i < (row + 1) * width; i++) {
            sum.push_back(static_cast<double>(x[i]) + residual[i]);
            squares += sum.back() * sum.back();
        }
        const double factor = 1 / std::sqrt(squares / static_cast<double>(width) + epsilon);
        for (int64_t i = 0; i < width; i++) {
            y.push_back(factor * sum[static_cast<size_t>(row * width + i)] * gain[i]);
        }
    }
    const Outputs actual = run(kernels, x, residual, gain, epsilon);
    const std::string name = text(" of ", kernels.name, " [", rows, ", ", width, "], epsilon ", epsilon);
    close("y" + name, y, actual.y.data());
    close("sum" + name, sum, actual.sum.data());
}

} // namespace

TEST(add_rms_norm_any_shape) {
    for (const Kernels* kernels : instruction_sets()) {
        Random random(51);
        for (uint64_t i = 0; i < 40; i++) {
            check(*kernels, random.between(1, 20), random.between(1, 300), 1e-6f, 1, 500 + i);
        }
    }
}

TEST(add_rms_norm_in_parts) {
    for (const Kernels* kernels : instruction_sets()) {
        // Parts of many rows and an incomplete one; rows as long as a part, and longer.
        check(*kernels, 1001, 48, 1e-5f, 1, 52);
        check(*kernels, 3, 1 << 14, 1e-5f, 1, 53);
        check(*kernels, 2, (1 << 14) + 5, 1e-5f, 1, 54);
    }
}

TEST(add_rms_norm_epsilon_holds_small_sums_down) {
    for (const Kernels* kernels : instruction_sets()) {
        for (const float epsilon : {0.0f, 1e-6f, 1.0f}) {
            check(*kernels, 5, 40, epsilon, 1e-4, 55);
        }
    }
}

TEST(add_rms_norm_no_rows) {
    for (const Kernels* kernels : instruction_sets()) {
        const Exact<float> none(0), gain(8, 1.0f);
        require(run(*kernels, none, none, gain, 1e-6f).y.size() == 0, "rows out of nothing on ", kernels->name);
    }
}

TEST(add_rms_norm_row_alone_and_among_others_is_the_same) {
    for (const Kernels* kernels : instruction_sets()) {
        Random random(56);
        const int64_t rows = 600, width = 77;
        const Exact<float> x(random.normal(rows * width)), residual(random.normal(rows * width)), gain(random.normal(width));
        const Outputs together = run(*kernels, x, residual, gain, 1e-6f);
        for (const int64_t row : {int64_t{0}, int64_t{213}, rows - 1}) {
            const auto one = [&](const Exact<float>& all) {
                return Exact<float>(std::vector<float>(all.data() + row * width, all.data() + (row + 1) * width));
            };
            const Outputs alone = run(*kernels, one(x), one(residual), gain, 1e-6f, 1);
            same(text("y of row ", row, " on ", kernels->name), std::vector<float>(alone.y.data(), alone.y.data() + width),
                 together.y.data() + row * width);
        }
    }
}

TEST(add_rms_norm_nan_stays_in_its_row) {
    for (const Kernels* kernels : instruction_sets()) {
        for (const int64_t width : {int64_t{5}, int64_t{64}}) {
            Random random(57);
            Exact<float> x(random.normal(4 * width)), residual(random.normal(4 * width)), gain(random.normal(width, 0.1, 1));
            x[2 * width + width - 1] = NAN;
            const Outputs out = run(*kernels, x, residual, gain, 1e-6f);
            for (int64_t i = 0; i < out.y.size(); i++) {
                require(std::isnan(out.y[i]) == (i / width == 2), "y of ", kernels->name, ": element ", i, " is ", out.y[i], ", row 2 holds a NaN");
            }
        }
    }
}
