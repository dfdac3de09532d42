// A weight matrix as a model file holds it. Nothing is copied or repacked: kernels read the mapped file.
#pragma once
#include <cstddef>
#include <cstdint>

#define LATENTMOE_INLINE [[gnu::always_inline]] inline

namespace latentmoe {

enum class WeightType { F32, BF16, F16, Int8, Int4 };

/// [rows, columns], row-major. Int8 and Int4 carry float16 scales [rows, columns / block]; an Int4 byte holds two columns, the even one
/// in its low four bits, as value + 8.
struct Weights {
    WeightType type = WeightType::F32;
    const void* data = nullptr;
    const uint16_t* scales = nullptr;
    int64_t rows = 0, columns = 0;
    int64_t block = 0;
    int64_t stride = 0;  // columns from one row to the next; 0 where it is `columns`

    // Inlined wherever they are used: a copy compiled for a newer instruction set must not serve the others.
    LATENTMOE_INLINE bool quantised() const { return type == WeightType::Int8 || type == WeightType::Int4; }

    /// Bytes of the first `count` columns of a row.
    LATENTMOE_INLINE int64_t bytes(int64_t count) const {
        switch (type) {
            case WeightType::F32: return count * 4;
            case WeightType::BF16:
            case WeightType::F16: return count * 2;
            case WeightType::Int8: return count;
            case WeightType::Int4: return count / 2;
        }
        return 0;
    }

    LATENTMOE_INLINE int64_t pitch() const { return stride != 0 ? stride : columns; }
    LATENTMOE_INLINE const std::byte* row(int64_t index) const { return static_cast<const std::byte*>(data) + index * bytes(pitch()); }
    LATENTMOE_INLINE const uint16_t* row_scales(int64_t index) const { return scales + index * (pitch() / block); }

    /// Rows first to first + count − 1, as an expert's part of a stack.
    LATENTMOE_INLINE Weights slice(int64_t first, int64_t count) const {
        Weights part = *this;
        part.data = row(first);
        part.scales = quantised() ? row_scales(first) : nullptr;
        part.rows = count;
        return part;
    }

    /// Columns first to first + count − 1 of every row; first is a multiple of a block.
    LATENTMOE_INLINE Weights band(int64_t first, int64_t count) const {
        Weights part = *this;
        part.data = static_cast<const std::byte*>(data) + bytes(first);
        part.scales = quantised() ? scales + first / block : nullptr;
        part.columns = count;
        part.stride = pitch();
        return part;
    }
};

}  // namespace latentmoe
