#include "tensor.h"

#include "error.h"

#include <algorithm>

namespace latentmoe {

std::string describe(const Tensor& tensor) {
    std::string result = "(";
    for (size_t axis = 0; axis < tensor.rank; ++axis) {
        result += text(axis > 0 ? ", " : "", tensor.shape[axis]);
    }
    return result + ")";
}

static std::string describe(std::span<const Axis> axes) {
    std::string result = "(";
    for (const Axis& axis : axes) {
        result += text(result.size() > 1 ? ", " : "", axis.name);
        result += axis.size >= 0 ? text(" = ", axis.size) : axis.size == Axis::some ? " > 0" : "";
    }
    return result + ")";
}

void expect(const Tensor& tensor, const char* name, std::span<const Axis> axes, const char* because) {
    if (!tensor.present) {
        fail(name, " is absent, expected ", describe(axes), " ", because);
    }
    if (tensor.rank != axes.size() ||
        !std::equal(axes.begin(), axes.end(), tensor.shape.begin(), [](const Axis& axis, int64_t size) { return axis.fits(size); })) {
        fail(name, " has the shape ", describe(tensor), ", expected ", describe(axes), " ", because);
    }
}

}  // namespace latentmoe
