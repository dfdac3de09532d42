// Products by tiles of bfloat16, over modelled tiles and, where the machine has them, its own, against double precision.
#include "check.h"
#include "../../../runtime/ops/cpu/matrix_unit_check.h"
#include "matrix.h"

#include <cfloat>

using namespace latentmoe;
using namespace latentmoe::test;

namespace {

std::vector<const Kernels*> units() {
    std::vector<const Kernels*> sets = instruction_sets();
    std::erase_if(sets, [](const Kernels* set) { return set->unit == nullptr; });
    return sets;
}

// Of tokens x with rows first to first + count − 1.
Rows multiply(const Kernels& kernels, const Weights& w, int64_t first, int64_t count, const Rows& x) {
    const int64_t tokens = static_cast<int64_t>(x.rows.size()), bytes = kernels.unit->block_bytes(w.columns);
    require(bytes % 64 == 0, "a block of ", w.columns, " columns has ", bytes, " bytes, no multiple of 64");
    std::vector<std::byte> memory(static_cast<size_t>((tokens + 15) / 16 * bytes + 63), std::byte{0xff});
    std::byte* blocks = memory.data() + (64 - reinterpret_cast<uintptr_t>(memory.data()) % 64) % 64;
    for (int64_t t = 0; t < tokens; t += 16) {
        // In two parts, as two threads would.
        const int64_t middle = w.columns / 64 * 32;
        for (const auto& [from, to] : {std::pair{middle, w.columns}, std::pair{int64_t{0}, middle}}) {
            kernels.unit->arrange(x.reading.data() + t, std::min<int64_t>(16, tokens - t), from, to, blocks + t / 16 * bytes);
        }
    }
    Rows y(tokens, count, NAN);
    kernels.unit->product(w, first, count, x.reading.data(), blocks, tokens, y.starts.data());
    return y;
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

// Each element, to a share of the sum of its terms' sizes.
void check(const std::string& name, const Matrix& w, int64_t first, const Rows& x, const Rows& y, double limit) {
    for (size_t t = 0; t < y.rows.size(); t++) {
        for (int64_t i = 0; i < y.rows[t].size(); i++) {
            double sum = 0, size = 0;
            for (int64_t k = 0; k < w.columns(); k++) {
                const double term = x.rows[t][k] * w.at(first + i, k);
                sum += term;
                size += std::abs(term);
            }
            const double actual = y.rows[t][i];
            if (!std::isfinite(size)) {
                require(!std::isfinite(actual), name, ": element [", t, ", ", i, "] is ", actual, ", expected ", sum);
            } else {
                require(std::abs(actual - sum) <= limit * size, name, ": element [", t, ", ", i, "] is ", actual, ", expected ", sum,
                        "; the difference is ", std::abs(actual - sum) / size, " of the terms' sizes, the limit ", limit);
            }
        }
    }
}

std::string name(const Kernels& kernels, WeightType type, const char* what = "y") { return text(what, " of ", kernels.name, ", ", name_of(type)); }

} // namespace

TEST(amx_product_any_shape) {
    for (const Kernels* kernels : units()) {
        for (const WeightType type : all_types) {
            Random random(51 + static_cast<uint64_t>(type));
            for (int i = 0; i < 24; i++) {
                const int64_t rows = random.between(1, 80), first = random.between(0, rows - 1), count = std::min(rows - first, kernels->panel);
                const int64_t most = i % 8 ? 80 : 1100, tokens = random.between(1, i % 4 ? 20 : 70);
                const int64_t columns = type >= WeightType::Int8 ? 16 * random.between(1, most / 16) : random.between(4, most);
                const Matrix w(type, rows, columns, random);
                const Rows x = random_rows(random, tokens, columns);
                check(text(name(*kernels, type), " [", tokens, ", ", count, ", ", columns, "]"), w, first, x,
                      multiply(*kernels, w.weights(), first, count, x), 4e-6);
            }
        }
    }
}

TEST(amx_product_of_bf16_and_16_bits_is_exact) {
    for (const Kernels* kernels : units()) {
        Random random(56);
        for (const int64_t columns : {1, 8, 29}) {
            Exact<uint16_t> weights(20 * columns);
            for (int64_t i = 0; i < weights.size(); i++) {
                weights[i] = to_bf16(static_cast<float>(random.between(-8, 8)));
            }
            Rows x(5, columns, 0);
            for (Exact<float>& row : x.rows) {
                for (int64_t k = 0; k < columns; k++) {
                    row[k] = static_cast<float>(random.between(-65535, 65535));
                }
            }
            const Rows y = multiply(*kernels, {WeightType::BF16, weights.data(), nullptr, 20, columns}, 0, 20, x);
            for (size_t t = 0; t < 5; t++) {
                std::vector<float> expected(20);
                for (int64_t i = 0; i < 20; i++) {
                    for (int64_t k = 0; k < columns; k++) {
                        expected[static_cast<size_t>(i)] += x.rows[t][k] * from_bf16(weights[i * columns + k]);
                    }
                }
                same(name(*kernels, WeightType::BF16), expected, y.starts[t]);
            }
        }
    }
}

TEST(amx_product_huge_tiny_and_zero) {
    for (const Kernels* kernels : units()) {
        for (const double size : {0.0, 1e-30, 1e-20, 1e25, 1e30}) {
            Random random(57);
            const Matrix w(WeightType::F32, 19, 50, random, size);
            Rows x = random_rows(random, 18, 50);
            for (Exact<float>& row : x.rows) {
                for (int64_t k = 0; k < 50; k++) {
                    row[k] *= static_cast<float>(size > 1 ? 1 / size : 1);
                }
            }
            check(text(name(*kernels, WeightType::F32), ", weights of size ", size), w, 0, x, multiply(*kernels, w.weights(), 0, 19, x), 4e-6);
        }
    }
}

TEST(amx_product_near_the_largest_number) {
    for (const Kernels* kernels : units()) {
        Random random(58);
        Exact<float> weights(16 * 32, FLT_MAX);
        Rows x(16, 32, 0);
        for (int64_t t = 0; t < 16; t++) {
            x.rows[static_cast<size_t>(t)][t] = t % 2 ? 0.5f : FLT_MAX;
            weights[t * 32 + t] = t % 2 ? -FLT_MAX : 0.75f;
        }
        const Rows y = multiply(*kernels, {WeightType::F32, weights.data(), nullptr, 16, 32}, 0, 16, x);
        for (int64_t t = 0; t < 16; t++) {
            const double expected = static_cast<double>(x.rows[static_cast<size_t>(t)][t]) * weights[t * 32 + t];
            const double actual = y.rows[static_cast<size_t>(t)][t];
            require(std::abs(actual - expected) <= 4e-6 * std::abs(expected), kernels->name, ": token ", t, " is ", actual, ", expected ", expected);
        }
    }
}

TEST(amx_product_infinite_and_nan_weights_spoil_their_row) {
    for (const Kernels* kernels : units()) {
        for (const WeightType type : {WeightType::F32, WeightType::BF16, WeightType::F16}) {
            for (const float value : {NAN, INFINITY, -INFINITY}) {
                Random random(59);
                Exact<float> wide(random.normal(33 * 40));
                wide[17 * 40 + 39] = value;
                wide[32 * 40 + 1] = value;
                Exact<uint16_t> half(33 * 40);
                for (int64_t i = 0; i < half.size(); i++) {
                    half[i] = type == WeightType::BF16 ? to_bf16(wide[i]) : to_f16(wide[i]);
                }
                const void* data = type == WeightType::F32 ? static_cast<const void*>(wide.data()) : half.data();
                const Rows x = random_rows(random, 21, 40), y = multiply(*kernels, {type, data, nullptr, 33, 40}, 0, 33, x);
                for (const Exact<float>& row : y.rows) {
                    for (int64_t i = 0; i < 33; i++) {
                        require(std::isfinite(row[i]) == (i != 17 && i != 32), name(*kernels, type), ": row ", i, " is ", row[i], " where ", value,
                                " is a weight of rows 17 and 32");
                    }
                }
            }
        }
    }
}

TEST(amx_product_infinite_and_nan_tokens_are_as_with_vectors) {
    for (const Kernels* kernels : units()) {
        for (const WeightType type : all_types) {
            Random random(60);
            const Matrix w(type, 30, 48, random);
            Rows x = random_rows(random, 35, 48);
            x.rows[0][47] = NAN;
            x.rows[15][0] = INFINITY;
            x.rows[16][20] = -INFINITY;
            x.rows[34][31] = INFINITY;
            const Rows y = multiply(*kernels, w.weights(), 2, 28, x);
            check(name(*kernels, type), w, 2, x, y, 4e-6);
            for (const size_t t : {0, 15, 16, 34}) {
                std::vector<float> expected(28);
                float* out = expected.data();
                kernels->dot(w.weights(), 2, 30, &x.reading[t], 1, &out);
                // NaN is not equal to itself.
                for (size_t i = 0; i < 28; i++) {
                    const float value = y.starts[t][i];
                    require((std::isnan(value) && std::isnan(expected[i])) || value == expected[i], name(*kernels, type), ": token ", t, ", row ", i,
                            " is ", value, ", expected ", expected[i]);
                }
            }
        }
    }
}

TEST(amx_product_tokens_do_not_depend_on_each_other) {
    for (const Kernels* kernels : units()) {
        for (const WeightType type : all_types) {
            Random random(61);
            const Matrix w(type, 45, 560, random);
            const Rows x = random_rows(random, 40, 560), together = multiply(*kernels, w.weights(), 0, 45, x);
            for (size_t t : {size_t{0}, size_t{17}, size_t{39}}) {
                Rows one(1, 560, 0);
                std::copy_n(x.reading[t], 560, one.starts[0]);
                const Rows alone = multiply(*kernels, w.weights(), 0, 45, one);
                same(text(name(*kernels, type), ", token ", t, " alone"), std::vector<float>(together.starts[t], together.starts[t] + 45),
                     alone.starts[0]);
            }
        }
    }
}

TEST(amx_tiles_of_this_machine_are_as_modelled) {
    const Kernels *modelled = emulated_amx(), *own = find_kernels("amx");
    if (own == nullptr) {
        return;  // nothing to compare with
    }
    Random random(62);
    const Matrix w(WeightType::F32, 64, 512, random);
    const Rows x = random_rows(random, 64, 512), expected = multiply(*modelled, w.weights(), 0, 64, x), y = multiply(*own, w.weights(), 0, 64, x);
    for (size_t t = 0; t < 64; t++) {
        close(text("token ", t), std::vector<double>(expected.starts[t], expected.starts[t] + 64), y.starts[t], 1e-6);
    }
}

TEST(amx_is_used_only_where_it_agrees_with_vectors) {
    for (const Kernels* set : units()) {
        require(unit_agrees(*set), set->name, " differs from its own vectors");
        // A unit that leaves one product out.
        static MatrixUnit broken;
        static decltype(MatrixUnit::product) right;
        broken = *set->unit;
        right = broken.product;
        broken.product = [](const Weights& w, int64_t first, int64_t count, const float* const* a, const void* blocks, int64_t tokens,
                            float* const* c) {
            right(w, first, count, a, blocks, tokens, c);
            c[tokens - 1][count - 1] = 0;
        };
        Kernels copy = *set;
        copy.unit = &broken;
        require(!unit_agrees(copy), "a broken unit was not noticed");
    }
}
