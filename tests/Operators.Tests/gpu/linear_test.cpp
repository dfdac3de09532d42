// `linear` of every activation type and weights' format that a package may have, against double precision.
#include "../native/check.h"
#include "tensors.h"

using namespace latentmoe;
using namespace latentmoe::test;

namespace {

struct Pair {
    Type activations;
    WeightType weights;
};

constexpr std::array pairs = {
    Pair{Type::F32, WeightType::F32},  Pair{Type::F32, WeightType::BF16},  Pair{Type::F32, WeightType::F16},
    Pair{Type::F32, WeightType::Int8}, Pair{Type::F32, WeightType::Int4},  Pair{Type::F16, WeightType::F16},
    Pair{Type::F16, WeightType::Int8}, Pair{Type::F16, WeightType::Int4},  Pair{Type::BF16, WeightType::BF16},
    Pair{Type::BF16, WeightType::Int8}, Pair{Type::BF16, WeightType::Int4}};

/// Sums are float32: results lack their own rounding, and what sums of so many terms lose.
double limit(Type type) { return type == Type::F32 ? 2e-6 : step_of(type) * 0.51; }

std::string name(const Pair& pair, int64_t tokens, int64_t rows, int64_t columns) {
    return text("y of ", name_of(pair.activations), ", ", name_of(pair.weights), " [", tokens, ", ", rows, ", ", columns, "]");
}

std::vector<float> run(const Pair& pair, const Weights& w, const Tensor& x, TestDevice& device, int64_t lead = 0) {
    const int64_t tokens = x.size() / w.columns;
    const Tensor y(device, pair.activations, tokens * w.rows, lead);
    linear(device.device(), pair.activations, w, x.data(), tokens, y.data());
    device.end_call();
    return y.numbers();
}

std::vector<const float*> rows_of(const std::vector<float>& x, int64_t width) {
    std::vector<const float*> rows;
    for (size_t i = 0; i < x.size(); i += static_cast<size_t>(width)) {
        rows.push_back(x.data() + i);
    }
    return rows;
}

/// The error of each element is measured by the largest of the results, or their typical size.
void require_close(const std::string& tensor, Type type, const Product& expected, const std::vector<float>& y) {
    close(tensor, expected.values, y.data(), limit(type), expected.size);
}

/// The matrix and x begin `lead` elements behind an aligned address.
void check(const Pair& pair, int64_t tokens, int64_t rows, int64_t columns, int64_t lead = 0, uint64_t seed = 1) {
    const auto device = open_test_device(seed);
    Random random(seed);
    const Matrix w(pair.weights, rows, columns, random);
    const DeviceMatrix held(*device, w, lead);
    const Tensor x(*device, pair.activations, random.normal(tokens * columns), lead);
    const std::vector<float> numbers = x.numbers();
    require_close(name(pair, tokens, rows, columns), pair.activations, product(rows_of(numbers, columns), w, 0, rows),
                  run(pair, held.weights(), x, *device, lead));
}

}  // namespace

TEST(linear_one_token) {
    for (const Pair& pair : pairs) {
        check(pair, 1, 37, 32);
        check(pair, 1, 130, 64);
        check(pair, 1, 5, 1088);
        check(pair, 1, 3, 4096);
        check(pair, 1, 1, 96);
    }
}

TEST(linear_few_tokens) {
    for (const Pair& pair : pairs) {
        for (int64_t tokens = 2; tokens <= 5; tokens++) {
            check(pair, tokens, 35, 64, 0, static_cast<uint64_t>(tokens));
            check(pair, tokens, 6, 544);
        }
    }
}

// So many rows that a lane takes several at once, for each of which it still has 16 bytes.
TEST(linear_few_tokens_many_rows) {
    for (const Pair& pair : pairs) {
        const bool quantised = pair.weights >= WeightType::Int8;
        const int64_t columns = pair.weights == WeightType::F32 ? 256 : pair.weights == WeightType::Int4 ? 2048 : quantised ? 1024 : 512;
        check(pair, 1, 4230, columns);
        if (!quantised && pair.activations != Type::F32) {
            check(pair, 2, 4230, columns);
        }
    }
}

TEST(linear_some_tokens) {
    for (const Pair& pair : pairs) {
        for (const int64_t tokens : {8, 9, 17, 33, 64}) {
            check(pair, tokens, 50, 64);
        }
        check(pair, 7, 17, 1024);
        check(pair, 16, 16, 576);
        check(pair, 30, 100, 192);
    }
}

TEST(linear_many_tokens) {
    for (const Pair& pair : pairs) {
        check(pair, 130, 67, 64);
        check(pair, 1, 4300, 32);
    }
}

// So many rows that the largest tiles fill the GPU, and so many columns that each of their buffers is used again.
TEST(linear_largest_tiles) {
    for (const Pair& pair : pairs) {
        if (pair.activations != Type::F32) {
            check(pair, 70, 7000, pair.weights >= WeightType::Int8 ? 256 : 200);
        }
    }
}

TEST(linear_parts_of_rows) {
    for (const Pair& pair : pairs) {
        const auto device = open_test_device();
        for (const int64_t columns : {80, 256}) {  // in blocks of 16 and of 32
            for (const int64_t tokens : {1, 11}) {
                Random random(5);
                const int64_t first = columns == 80 ? 16 : 128;
                const Matrix w(pair.weights, 21, columns, random);
                const DeviceMatrix held(*device, w);
                std::vector<float> values(static_cast<size_t>(tokens * columns)), part;
                for (size_t i = 0; i < values.size(); i++) {
                    const int64_t column = static_cast<int64_t>(i) % columns;
                    if (column >= first && column < first + 64) {
                        values[i] = rounded(pair.activations, random.normal());
                        part.push_back(values[i]);
                    }
                }
                require_close(name(pair, tokens, 21, 64), pair.activations, product(rows_of(values, columns), w, 0, 21),
                              run(pair, held.weights().band(first, 64), Tensor(*device, pair.activations, part), *device));
            }
        }
    }
}

TEST(linear_nan_stays_in_its_row_and_column) {
    for (const Pair& pair : pairs) {
        for (const int64_t tokens : {2, 4, 12, 40}) {
            for (const int64_t columns : {48, 192}) {
                const auto device = open_test_device();
                Random random(28);
                Matrix w(pair.weights, 45, columns, random);
                w.spoil(44, 1);
                std::vector<float> values = random.normal(tokens * columns);
                values[static_cast<size_t>(columns - 1)] = NAN;
                values[static_cast<size_t>(columns)] = INFINITY;
                const Tensor x(*device, pair.activations, values);
                const std::vector<float> numbers = x.numbers();
                const DeviceMatrix held(*device, w);
                require_close(name(pair, tokens, 45, columns), pair.activations, product(rows_of(numbers, columns), w, 0, 45),
                              run(pair, held.weights(), x, *device));
            }
        }
    }
}

TEST(linear_row_alone_and_among_others) {
    for (const Pair& pair : pairs) {
        const auto device = open_test_device();
        Random random(26);
        const Matrix w(pair.weights, 83, 192, random);
        const DeviceMatrix held(*device, w);
        const std::vector<float> values = random.normal(35 * 192);
        const std::vector<float> together = run(pair, held.weights(), Tensor(*device, pair.activations, values), *device);
        for (const int64_t row : {0, 7, 34}) {
            const std::vector<float> own(values.begin() + row * 192, values.begin() + (row + 1) * 192);
            const std::vector<float> alone = run(pair, held.weights(), Tensor(*device, pair.activations, own), *device);
            close(text("row ", row, " of ", name(pair, 35, 83, 192)), std::vector<double>(alone.begin(), alone.end()),
                  &together[size_t(row * 83)], limit(pair.activations) * 2);
        }
    }
}

TEST(linear_any_width) {
    for (const Pair& pair : pairs) {
        const bool quantised = pair.weights >= WeightType::Int8;
        for (const int64_t width : {1, 3, 7, 8, 40, 48, 72, 80, 100, 136}) {
            const int64_t columns = quantised ? (width + 15) / 16 * 16 : width;
            check(pair, 1 + width % 3, 5, columns);
            check(pair, 6 + width % 15, 70, columns);
        }
    }
}

TEST(linear_unaligned) {
    for (const Pair& pair : pairs) {
        for (const int64_t tokens : {1, 9, 20}) {
            for (const int64_t lead : {1, 4, 8}) {
                check(pair, tokens, 20, 64, lead);
            }
        }
    }
}

TEST(linear_nothing) {
    for (const Pair& pair : pairs) {
        check(pair, 0, 8, 64);
        check(pair, 5, 0, 64);
    }
}
