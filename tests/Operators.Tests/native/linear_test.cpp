// `linear` over every instruction set of this machine and every type of weights, against double precision.
#include "../../../runtime/ops/cpu/operators.h"
#include "check.h"
#include "matrix.h"
#include "thread_host.h"

using namespace latentmoe;
using namespace latentmoe::test;

namespace {

std::vector<const float*> rows_of(const Exact<float>& x, int64_t width) {
    std::vector<const float*> rows;
    for (int64_t i = 0; i < x.size(); i += width) {
        rows.push_back(x.data() + i);
    }
    return rows;
}

Exact<float> run(const Kernels& kernels, const Matrix& w, const Exact<float>& x, int threads = 3) {
    const int64_t tokens = x.size() / w.columns();
    Exact<float> y(tokens * w.rows(), NAN);
    ThreadHost host(threads);
    linear(host, kernels, w.weights(), x.data(), tokens, y.data());
    return y;
}

void check(const Kernels& kernels, WeightType type, int64_t tokens, int64_t rows, int64_t columns, uint64_t seed) {
    Random random(seed);
    const Matrix w(type, rows, columns, random);
    const Exact<float> x(random.normal(tokens * columns));
    const Product expected = product(rows_of(x, columns), w, 0, rows);
    const Exact<float> y = run(kernels, w, x);
    close(text("y of ", kernels.name, ", ", name_of(type), " [", tokens, ", ", rows, ", ", columns, "]"), expected.values, y.data(), 2e-6,
          expected.size);
}

} // namespace

TEST(linear_any_shape) {
    for (const Kernels* kernels : instruction_sets()) {
        for (const WeightType type : all_types) {
            Random random(21 + static_cast<uint64_t>(type));
            for (uint64_t i = 0; i < 16; i++) {
                const int64_t columns = type >= WeightType::Int8 ? 16 * random.between(1, 16) : random.between(1, 200);
                check(*kernels, type, random.between(1, i % 2 ? 40 : 4), random.between(1, 130), columns, 100 + i);
            }
        }
    }
}

TEST(linear_every_batch) {
    for (const Kernels* kernels : instruction_sets()) {
        for (const WeightType type : all_types) {
            for (int64_t tokens = 1; tokens <= 34; tokens++) {
                check(*kernels, type, tokens, 37, 48, 22);
            }
        }
    }
}

TEST(linear_large) {
    for (const Kernels* kernels : instruction_sets()) {
        for (const WeightType type : all_types) {
            check(*kernels, type, 600, 67, 176, 23);
            check(*kernels, type, 1, 700, 528, 24);
            check(*kernels, type, 16, 530, 304, 25);
        }
    }
}

TEST(linear_row_alone_and_among_others) {
    for (const Kernels* kernels : instruction_sets()) {
        for (const WeightType type : all_types) {
            Random random(26);
            const Matrix w(type, 83, 208, random);
            const Exact<float> x(random.normal(17 * 208));
            const Exact<float> together = run(*kernels, w, x);
            for (const int64_t row : {0, 7, 16}) {
                const Exact<float> alone = run(*kernels, w, Exact<float>(std::vector<float>(x.data() + row * 208, x.data() + (row + 1) * 208)));
                const std::vector<double> expected(alone.data(), alone.data() + 83);
                close(text("row ", row, " of ", kernels->name, ", ", name_of(type)), expected, together.data() + row * 83, 2e-6);
            }
        }
    }
}

TEST(linear_does_not_depend_on_the_threads) {
    for (const Kernels* kernels : instruction_sets()) {
        for (const int64_t tokens : {1, 5, 90}) {
            Random random(27);
            const Matrix w(WeightType::BF16, 301, 96, random);
            const Exact<float> x(random.normal(tokens * 96)), one = run(*kernels, w, x, 1), four = run(*kernels, w, x, 4);
            same(text("y of ", kernels->name, " on four threads"), std::vector<float>(one.data(), one.data() + one.size()), four.data());
        }
    }
}

TEST(linear_nan_stays_in_its_row_and_column) {
    for (const Kernels* kernels : instruction_sets()) {
        for (const WeightType type : all_types) {
            for (const int64_t tokens : {2, 60}) {
                Random random(28);
                Matrix w(type, 45, 64, random);
                w.spoil(44, 1);
                Exact<float> x(random.normal(tokens * 64));
                x[63] = NAN;
                x[64] = INFINITY;
                const Product expected = product(rows_of(x, 64), w, 0, 45);
                const Exact<float> y = run(*kernels, w, x);
                close(text("y of ", kernels->name, ", ", name_of(type), ", tokens ", tokens), expected.values, y.data(), 2e-6, expected.size);
            }
        }
    }
}
