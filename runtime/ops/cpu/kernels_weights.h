// Reading weights: any vector of a row as floats, and panels of rows side by side.
#pragma once
#include "half.h"
#include "kernels.h"

namespace latentmoe {
namespace {

/// One row. Vectors start at multiples of the width; a quantised vector lies within a block.
template <class V, WeightType type>
struct Row {
    using F = typename V::Floats;
    const std::byte* data = nullptr;
    const uint16_t* scales = nullptr;
    const float* wide = nullptr;  // the scales, where they were widened beforehand

    Row() = default;
    Row(const Weights& w, int64_t index) : data(w.row(index)), scales(w.quantised() ? w.row_scales(index) : nullptr) {}

    /// Without the scale.
    F raw(int64_t k) const {
        if constexpr (type == WeightType::F32) {
            return V::load(reinterpret_cast<const float*>(data) + k);
        } else if constexpr (type == WeightType::BF16) {
            return V::load_bf16(reinterpret_cast<const uint16_t*>(data) + k);
        } else if constexpr (type == WeightType::F16) {
            return V::load_f16(reinterpret_cast<const uint16_t*>(data) + k);
        } else if constexpr (type == WeightType::Int8) {
            return V::load_int8(reinterpret_cast<const int8_t*>(data) + k);
        } else {
            return V::load_int4(reinterpret_cast<const uint8_t*>(data) + k / 2);
        }
    }

    F load(int64_t k, int64_t block) const {
        if constexpr (type == WeightType::Int8 || type == WeightType::Int4) {
            return V::mul(raw(k), V::all(V::half(scales[block == 32 ? k >> 5 : k >> 4])));
        } else {
            return raw(k);
        }
    }

    F load_wide(int64_t k, int64_t block) const {
        if constexpr (type == WeightType::Int8 || type == WeightType::Int4) {
            return V::mul(raw(k), V::all(wide[block == 32 ? k >> 5 : k >> 4]));
        } else {
            return raw(k);
        }
    }

    /// One column; float types only, for what is left behind the last whole vector.
    float element(int64_t k) const {
        if constexpr (type == WeightType::F32) {
            float value;
            std::memcpy(&value, data + 4 * k, sizeof value);
            return value;
        } else {
            uint16_t value;
            std::memcpy(&value, data + 2 * k, sizeof value);
            return type == WeightType::BF16 ? float_of_bf16(value) : float_of_f16(value);
        }
    }
};

template <WeightType type>
constexpr bool is_float = type == WeightType::F32 || type == WeightType::BF16 || type == WeightType::F16;

/// Calls body with the weight type as a constant.
template <typename Body>
void with_type(WeightType type, Body body) {
    switch (type) {
        case WeightType::F32: return body.template operator()<WeightType::F32>();
        case WeightType::BF16: return body.template operator()<WeightType::BF16>();
        case WeightType::F16: return body.template operator()<WeightType::F16>();
        case WeightType::Int8: return body.template operator()<WeightType::Int8>();
        case WeightType::Int4: return body.template operator()<WeightType::Int4>();
    }
}

template <class V>
struct Panels {
    using F = typename V::Floats;
    static constexpr int64_t panel = V::tile * V::width;

    static void pack(const Weights& w, int64_t first, int64_t count, float* out) {
        with_type(w.type, [&]<WeightType type>() { pack_as<type>(w, first, count, out); });
    }

    static void widen(const Weights& w, int64_t row, float* out) {
        with_type(w.type, [&]<WeightType type>() {
            Row<V, type> source(w, row);
            int64_t k = 0;
            for (; k + V::width <= w.columns; k += V::width) {
                V::store(out + k, source.load(k, w.block));
            }
            if constexpr (is_float<type>) {
                for (; k < w.columns; k++) {
                    out[k] = source.element(k);
                }
            }
        });
    }

private:
    template <WeightType type>
    static void pack_as(const Weights& w, int64_t first, int64_t count, float* out) {
        for (int64_t group = 0; group < panel; group += V::width) {
            int64_t rows = count - group < V::width ? count - group : V::width;
            if (rows == V::width) {
                pack_group<type, true>(w, first + group, V::width, out + group);
            } else {
                pack_group<type, false>(w, first + group, rows, out + group);
            }
        }
    }

    // A square of the matrix at a time: a vector of columns from each row, turned.
    template <WeightType type, bool whole>
    static void pack_group(const Weights& w, int64_t first, int64_t rows, float* out) {
        int64_t k = 0;
        for (; k + V::width <= w.columns; k += V::width) {
            F square[V::width];
            for (int i = 0; i < V::width; i++) {
                square[i] = whole || i < rows ? Row<V, type>(w, first + i).load(k, w.block) : V::zero();
            }
            V::transpose(square);
            for (int i = 0; i < V::width; i++) {
                V::store(out + (k + i) * panel, square[i]);
            }
        }
        if constexpr (is_float<type>) {
            for (; k < w.columns; k++) {
                for (int64_t i = 0; i < V::width; i++) {
                    out[k * panel + i] = i < rows ? Row<V, type>(w, first + i).element(k) : 0.0f;
                }
            }
        }
    }
};

}  // namespace
}  // namespace latentmoe
