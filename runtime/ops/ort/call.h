// One run of a node: its inputs, its outputs and the session that runs it.
#pragma once
#include "session_host.h"
#include "tensor.h"

#include <span>
#include <vector>

namespace latentmoe {

class Call {
public:
    Call(const Api& api, OrtKernelContext* context, ScratchPool& pool, const std::vector<Tensor>& constants)
        : api_(api), context_(context), constants_(constants), host_(api, context, pool) {}

    /// Absent where the node does not give it.
    Tensor input(size_t index) const;

    /// An output's memory; it may be null where the shape has no elements.
    template <typename T>
    T* output(size_t index, std::span<const int64_t> shape) {
        return static_cast<T*>(output_data(index, shape));
    }

    Host& host() { return host_; }

private:
    void* output_data(size_t index, std::span<const int64_t> shape);

    const Api& api_;
    OrtKernelContext* context_;
    const std::vector<Tensor>& constants_;  // one for each input that the node gives
    SessionHost host_;
};

}  // namespace latentmoe
