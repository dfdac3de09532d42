// What the shim's files share: the funnel of exceptions and the conversion of handles.
#pragma once
#include <ATen/core/Tensor.h>
#include <c10/util/Exception.h>

#include <string>

extern thread_local std::string last_error;

/// Runs the body; an exception becomes status -1 and its text last_error.
template <typename Body>
int32_t guarded(Body body) {
    try {
        body();
        return 0;
    } catch (const c10::Error& e) {
        last_error = e.what_without_backtrace();
    } catch (const std::exception& e) {
        last_error = e.what();
    } catch (...) {
        last_error = "unknown native exception";
    }
    return -1;
}

/// A further reference to the tensor of a handle; an undefined tensor for a null handle.
inline at::Tensor borrow(int64_t handle) {
    if (handle == 0) {
        return {};
    }
    auto* impl = reinterpret_cast<at::TensorImpl*>(handle);
    return at::Tensor(c10::intrusive_ptr<at::TensorImpl, at::UndefinedTensorImpl>::reclaim_copy(impl));
}
