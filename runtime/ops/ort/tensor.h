// A tensor of a call, and the check of its shape.
#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>

namespace latentmoe {

/// The most axes that an input may have.
inline constexpr size_t max_rank = 8;

struct Tensor {
    bool present = false;
    const void* data = nullptr;  // in the device's memory where the node runs on one; may be null in a tensor without elements
    size_t rank = 0;
    std::array<int64_t, max_rank> shape{};

    template <typename T>
    const T* as() const {
        return static_cast<const T*>(data);
    }

    /// The product of the sizes of axes first to last − 1.
    int64_t count(size_t first, size_t last) const {
        int64_t product = 1;
        for (size_t axis = first; axis < last; ++axis) {
            product *= shape[axis];
        }
        return product;
    }
};

/// An axis that a tensor must have: of one size, of any, or of at least one.
struct Axis {
    enum : int64_t { any = -1, some = -2 };

    const char* name;
    int64_t size = any;

    bool fits(int64_t found) const { return size == any || (size == some ? found > 0 : found == size); }
};

/// "(2, 3)"
std::string describe(const Tensor& tensor);

/// Fails, with the reason why these sizes are expected, unless the tensor has the axes.
void expect(const Tensor& tensor, const char* name, std::span<const Axis> axes, const char* because);

inline void expect(const Tensor& tensor, const char* name, std::initializer_list<Axis> axes, const char* because) {
    expect(tensor, name, std::span(axes.begin(), axes.size()), because);
}

}  // namespace latentmoe
