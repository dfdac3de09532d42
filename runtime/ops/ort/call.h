// One run of a node: its inputs, its outputs, and what computes them.
#pragma once
#include "api.h"
#include "backend.h"

#include <span>
#include <vector>

namespace latentmoe {

class Call {
public:
    Call(const Api& api, OrtKernelContext* context, const std::vector<Tensor>& constants, Backend& backend)
        : api_(api), context_(context), constants_(constants), backend_(backend) {}

    /// Absent where the node does not give it.
    Tensor input(size_t index) const;

    /// An output's memory; it may be null where the shape has no elements.
    void* output(size_t index, std::span<const int64_t> shape);
    template <typename T>
    T* output(size_t index, std::span<const int64_t> shape) {
        return static_cast<T*>(output(index, shape));
    }

    Backend& backend() { return backend_; }

private:
    const Api& api_;
    OrtKernelContext* context_;
    const std::vector<Tensor>& constants_;  // one for each input that the node gives
    Backend& backend_;
};

}  // namespace latentmoe
