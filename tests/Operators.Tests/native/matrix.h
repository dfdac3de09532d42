// A random weight matrix of any type, and its elements in double precision.
#pragma once
#include "../../../runtime/ops/cpu/kernels.h"
#include "amx_tiles.h"
#include "exact.h"
#include "numbers.h"

#include <array>
#include <string>

namespace latentmoe::test {

inline constexpr std::array all_types = {WeightType::F32, WeightType::BF16, WeightType::F16, WeightType::Int8, WeightType::Int4};

inline const char* name_of(WeightType type) {
    constexpr const char* names[] = {"f32", "bf16", "f16", "int8", "int4"};
    return names[static_cast<int>(type)];
}

/// The sets of this machine, and AMX's kernels over modelled tiles.
inline std::vector<const Kernels*> instruction_sets() {
    std::vector<const Kernels*> sets;
    for (const char* name : {"plain", "avx2", "avx512", "avx512vnni", "amx"}) {
        if (const Kernels* kernels = find_kernels(name)) {
            sets.push_back(kernels);
        }
    }
    if (const Kernels* kernels = emulated_amx()) {
        sets.push_back(kernels);
    }
    return sets;
}

class Matrix {
public:
    /// Elements have about the given deviation. Quantised columns are multiples of 16, and of the block; 0 stands for the largest block.
    Matrix(WeightType type, int64_t rows, int64_t columns, Random& random, double deviation = 1, int64_t block = 0)
        : shape{type, nullptr, nullptr, rows, columns, block != 0 ? block : columns % 32 ? 16 : 32},
          bytes(lead() + rows * shape.bytes(columns)),
          scales(shape.quantised() ? rows * columns / shape.block : 0) {
        for (int64_t i = 0; i < rows * columns; i++) {
            fill(i, random, deviation);
        }
        for (int64_t i = 0; i < scales.size(); i++) {
            const double sign = random.between(0, 1) ? 1 : -1;
            scales[i] = to_f16(sign * deviation * (0.5 + random.uniform()) / (type == WeightType::Int8 ? 64 : 4));
        }
    }

    Weights weights() const {
        Weights w = shape;
        w.data = start();
        w.scales = shape.quantised() ? scales.data() : nullptr;
        return w;
    }

    double at(int64_t row, int64_t column) const {
        const int64_t i = row * shape.columns + column;
        switch (shape.type) {
            case WeightType::F32: return reinterpret_cast<const float*>(start())[i];
            case WeightType::BF16: return from_bf16(reinterpret_cast<const uint16_t*>(start())[i]);
            case WeightType::F16: return from_f16(reinterpret_cast<const uint16_t*>(start())[i]);
            case WeightType::Int8: return static_cast<int8_t>(start()[i]) * from_f16(scales[i / shape.block]);
            case WeightType::Int4: return ((start()[i / 2] >> (i % 2 * 4) & 15) - 8) * from_f16(scales[i / shape.block]);
        }
        return 0;
    }

    /// Makes rows first to first + count − 1 NaN: their elements, or their scales.
    void spoil(int64_t first, int64_t count) {
        for (int64_t i = first * shape.columns; i < (first + count) * shape.columns; i++) {
            switch (shape.type) {
                case WeightType::F32: reinterpret_cast<float*>(start())[i] = NAN; break;
                case WeightType::BF16: reinterpret_cast<uint16_t*>(start())[i] = to_bf16(NAN); break;
                case WeightType::F16: reinterpret_cast<uint16_t*>(start())[i] = to_f16(NAN); break;
                default: scales[i / shape.block] = to_f16(NAN);
            }
        }
    }

    int64_t rows() const { return shape.rows; }
    int64_t columns() const { return shape.columns; }

private:
    void fill(int64_t i, Random& random, double deviation) {
        switch (shape.type) {
            case WeightType::F32: reinterpret_cast<float*>(start())[i] = static_cast<float>(deviation * random.normal()); break;
            case WeightType::BF16: reinterpret_cast<uint16_t*>(start())[i] = to_bf16(static_cast<float>(deviation * random.normal())); break;
            case WeightType::F16: reinterpret_cast<uint16_t*>(start())[i] = to_f16(deviation * random.normal()); break;
            case WeightType::Int8: start()[i] = static_cast<uint8_t>(random.between(-128, 127)); break;
            case WeightType::Int4:
                start()[i / 2] = static_cast<uint8_t>((i % 2 ? start()[i / 2] & 15 : 0) | random.between(0, 15) << (i % 2 * 4));
                break;
        }
    }

    // Exact's first byte lies behind an aligned one: so many more are up to the alignment of an element.
    int64_t lead() const { return shape.quantised() ? 0 : shape.bytes(1) - 1; }
    uint8_t* start() { return bytes.data() + lead(); }
    const uint8_t* start() const { return bytes.data() + lead(); }

    Weights shape;
    Exact<uint8_t> bytes;
    Exact<uint16_t> scales;
};

/// x [tokens, columns] · wᵀ in double precision, and the size that rounding errors are measured by.
struct Product {
    std::vector<double> values; // [tokens, last − first]
    double size = 0;
};

inline Product product(const std::vector<const float*>& x, const Matrix& w, int64_t first, int64_t last) {
    const size_t rows = static_cast<size_t>(last - first);
    Product result{std::vector<double>(x.size() * rows)};
    std::vector<double> row(static_cast<size_t>(w.columns()));
    for (size_t i = 0; i < rows; i++) {
        for (size_t k = 0; k < row.size(); k++) {
            row[k] = w.at(first + static_cast<int64_t>(i), static_cast<int64_t>(k));
        }
        for (size_t t = 0; t < x.size(); t++) {
            double sum = 0, squares = 0;
            for (size_t k = 0; k < row.size(); k++) {
                const double term = x[t][k] * row[k];
                sum += term;
                squares += term * term;
            }
            result.values[t * rows + i] = sum;
            result.size = std::isfinite(squares) ? std::max(result.size, std::sqrt(squares)) : result.size;
        }
    }
    return result;
}

} // namespace latentmoe::test
