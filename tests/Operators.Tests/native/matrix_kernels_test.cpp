// The matrix kernels of every instruction set of this machine, for every type of weights, against double precision.
#include "check.h"
#include "matrix.h"

using namespace latentmoe;
using namespace latentmoe::test;

namespace {

struct Case {
    const Kernels& kernels;
    WeightType type;
    Random& random;

    std::string name(const char* tensor, int64_t a, int64_t b, int64_t c) const {
        return text(tensor, " of ", kernels.name, ", ", name_of(type), " [", a, ", ", b, ", ", c, "]");
    }

    /// A width that quantised blocks divide, and that is otherwise odd.
    int64_t columns(int64_t most) const { return type >= WeightType::Int8 ? 16 * random.between(1, most / 16) : random.between(1, most); }
};

template <typename Body>
void for_each_case(uint64_t seed, int repeats, Body body) {
    for (const Kernels* kernels : instruction_sets()) {
        for (const WeightType type : all_types) {
            Random random(seed + static_cast<uint64_t>(type));
            for (int i = 0; i < repeats; i++) {
                body(Case{*kernels, type, random});
            }
        }
    }
}

Rows random_rows(Random& random, int64_t count, int64_t width) {
    Rows rows(count, width, 0);
    for (Exact<float>& row : rows.rows) {
        for (int64_t k = 0; k < width; k++) {
            row[k] = static_cast<float>(random.normal());
        }
    }
    return rows;
}

void check_rows(const std::string& name, const std::vector<double>& expected, const Rows& actual, double size) {
    std::vector<float> values;
    for (const Exact<float>& row : actual.rows) {
        values.insert(values.end(), row.data(), row.data() + row.size());
    }
    require(expected.size() == values.size(), name, ": ", values.size(), " elements, expected ", expected.size());
    close(name, expected, values.data(), 2e-6, size);
}

void check_dot(const Case& c, const Matrix& w, const Rows& x, int64_t first, int64_t last) {
    const int64_t tokens = static_cast<int64_t>(x.rows.size());
    const Product expected = product(x.reading, w, first, last);
    for (const auto& [name, dot] : {std::pair{"dot", c.kernels.dot}, std::pair{"dot_near", c.kernels.dot_near}}) {
        Rows y(tokens, last - first, NAN);
        dot(w.weights(), first, last, x.reading.data(), tokens, y.starts.data());
        check_rows(c.name(name, tokens, last - first, w.columns()), expected.values, y, expected.size);
    }
}

/// b [depth, stride].
void check_multiply(const Case& c, const Rows& a, const Exact<float>& b, int64_t depth, int64_t stride, int64_t columns, bool add) {
    const int64_t tokens = static_cast<int64_t>(a.rows.size());
    Rows y = add ? random_rows(c.random, tokens, columns) : Rows(tokens, columns, NAN);
    std::vector<double> expected;
    for (const Exact<float>& row : y.rows) {
        const float* x = a.reading[static_cast<size_t>(&row - y.rows.data())];
        for (int64_t j = 0; j < columns; j++) {
            double sum = add ? row[j] : 0;
            for (int64_t k = 0; k < depth; k++) {
                sum += static_cast<double>(x[k]) * b[k * stride + j];
            }
            expected.push_back(sum);
        }
    }
    c.kernels.multiply(a.reading.data(), tokens, depth, b.data(), stride, y.starts.data(), columns, add);
    check_rows(c.name(add ? "multiply, adding," : "multiply", tokens, depth, columns), expected, y, std::sqrt(static_cast<double>(depth)));
}

Exact<float> random_matrix(Random& random, int64_t rows, int64_t stride) { return Exact<float>(random.normal(rows * stride)); }

} // namespace

TEST(kernels_are_found_by_name) {
    const Kernels& best = *best_kernels();
    require(find_kernels(best.name) == &best, "the best set, ", best.name, ", is not the one of its name");
    require(find_kernels("plain") != nullptr, "every machine has the plain set");
    for (const char* name : {"", "mmx", "AVX2", "plain "}) {
        require(find_kernels(name) == nullptr, "there is a set named \"", name, "\"");
    }
}

TEST(kernels_dot_any_shape) {
    for_each_case(1, 24, [](const Case& c) {
        const int64_t rows = c.random.between(1, 40), first = c.random.between(0, rows - 1);
        const Matrix w(c.type, rows, c.columns(c.random.between(0, 3) ? 90 : 700), c.random);
        check_dot(c, w, random_rows(c.random, c.random.between(1, c.kernels.few), w.columns()), first, c.random.between(first + 1, rows));
    });
}

TEST(kernels_dot_every_number_of_tokens_and_rows) {
    for_each_case(2, 1, [](const Case& c) {
        const Matrix w(c.type, 9, 48, c.random);
        for (int64_t tokens = 1; tokens <= c.kernels.few; tokens++) {
            const Rows x = random_rows(c.random, tokens, 48);
            for (int64_t last = 1; last <= 9; last++) {
                check_dot(c, w, x, 0, last);
            }
        }
    });
}

TEST(kernels_dot_nan_and_infinity_stay_in_their_rows) {
    for_each_case(3, 1, [](const Case& c) {
        Matrix w(c.type, 11, 80, c.random);
        w.spoil(4, 1);
        Rows x = random_rows(c.random, c.kernels.few, 80);
        x.rows[0][79] = NAN;
        if (c.kernels.few > 1) {
            x.rows[1][33] = INFINITY;
        }
        check_dot(c, w, x, 1, 11);
    });
}

TEST(kernels_dot_long_rows) {
    for_each_case(7, 1, [](const Case& c) {
        for (const int64_t columns : {1008, 1024, 1040, 2176}) {
            const Matrix w(c.type, 6, columns, c.random);
            check_dot(c, w, random_rows(c.random, std::min<int64_t>(c.kernels.few, 6), columns), 0, 6);
        }
    });
}

// Whole numbers would overflow, or lose what is small beside the others.
TEST(kernels_dot_tokens_of_any_size) {
    for_each_case(8, 1, [](const Case& c) {
        const Matrix w(c.type, 9, 96, c.random);
        for (const float size : {0.0f, 1e-36f, 1e-30f, 1e-6f, 1e6f, 1e36f}) {
            Rows x = random_rows(c.random, 1, 96);
            for (int64_t k = 0; k < 96; k++) {
                x.rows[0][k] *= size;
            }
            check_dot(c, w, x, 0, 9);
        }
    });
}

TEST(kernels_dot_largest_numbers_of_equal_sign) {
    for (const Kernels* kernels : instruction_sets()) {
        for (const int8_t weight : {-128, 127}) {
            const Exact<uint8_t> bytes(64, static_cast<uint8_t>(weight));
            const Exact<uint16_t> scales(2, to_f16(1));
            const Weights w{WeightType::Int8, bytes.data(), scales.data(), 1, 64, 32};
            const Exact<float> x(64, -3.25f);
            const float* from = x.data();
            float y = 0, *to = &y;
            kernels->dot(w, 0, 1, &from, 1, &to);
            close(text("dot of ", kernels->name, " with ", +weight), {-3.25 * 64 * weight}, &y, 1e-6);
        }
    }
}

TEST(kernels_pack_and_widen_are_exact) {
    for_each_case(4, 12, [](const Case& c) {
        const int64_t panel = c.kernels.panel, count = c.random.between(1, panel), rows = count + c.random.between(0, 5);
        const int64_t first = c.random.between(0, rows - count), columns = c.columns(c.random.between(0, 2) ? 70 : 300);
        const Matrix w(c.type, rows, columns, c.random);
        std::vector<double> expected(static_cast<size_t>(columns * panel)), row(static_cast<size_t>(columns));
        for (int64_t k = 0; k < columns; k++) {
            for (int64_t i = 0; i < count; i++) {
                expected[static_cast<size_t>(k * panel + i)] = w.at(first + i, k);
            }
            row[static_cast<size_t>(k)] = w.at(first, k);
        }
        Exact<float> packed(columns * panel, NAN), widened(columns, NAN);
        c.kernels.pack(w.weights(), first, count, packed.data());
        close(c.name("pack", first, count, columns), expected, packed.data(), 0);
        c.kernels.widen(w.weights(), first, widened.data());
        close(c.name("widen", first, 1, columns), row, widened.data(), 0);
    });
}

TEST(kernels_multiply_any_shape) {
    for (const Kernels* kernels : instruction_sets()) {
        Random random(5);
        const Case c{*kernels, WeightType::F32, random};
        for (int i = 0; i < 80; i++) {
            const int64_t tokens = random.between(1, 20), depth = random.between(1, i % 8 ? 40 : 600), columns = random.between(1, i % 5 ? 40 : 300);
            const int64_t stride = columns + (i % 2 ? random.between(0, 20) : 0);
            check_multiply(c, random_rows(random, tokens, depth), random_matrix(random, depth, stride), depth, stride, columns, i % 3 == 0);
        }
    }
}

TEST(kernels_multiply_nan_and_infinity_stay_in_their_rows_and_columns) {
    for (const Kernels* kernels : instruction_sets()) {
        Random random(6);
        const Case c{*kernels, WeightType::F32, random};
        Rows a = random_rows(random, 17, 50);
        a.rows[3][49] = NAN;
        a.rows[12][0] = -INFINITY;
        Exact<float> b = random_matrix(random, 50, 70);
        b[20 * 70 + 66] = NAN;
        b[7 * 70 + 5] = INFINITY;
        check_multiply(c, a, b, 50, 70, 67, false);
        check_multiply(c, a, b, 50, 70, 67, true);
    }
}

TEST(kernels_multiply_rows_do_not_depend_on_each_other) {
    for (const Kernels* kernels : instruction_sets()) {
        Random random(7);
        const Rows a = random_rows(random, 33, 129);
        const Exact<float> b = random_matrix(random, 129, 83);
        Rows together(33, 83, NAN), alone(33, 83, NAN);
        kernels->multiply(a.reading.data(), 33, 129, b.data(), 83, together.starts.data(), 83, false);
        for (size_t t = 0; t < 33; t++) {
            kernels->multiply(&a.reading[t], 1, 129, b.data(), 83, &alone.starts[t], 83, false);
            same(text("multiply of ", kernels->name, ", row ", t, " alone"), std::vector<float>(together.starts[t], together.starts[t] + 83),
                 alone.starts[t]);
        }
    }
}
