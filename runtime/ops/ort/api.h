// ONNX Runtime's C API as of version 1.17, the oldest that this library serves, and what newer versions do cheaper.
#pragma once
#include "tensor.h"

#include <onnxruntime_c_api.h>

namespace latentmoe {

class Api {
public:
    static constexpr uint32_t version = 17;

    /// Fails where ONNX Runtime is older.
    explicit Api(const OrtApiBase& base);

    const OrtApi* operator->() const { return api_; }

    /// Throws what a failed call says, and frees it.
    void check(OrtStatus* status) const {
        if (status != nullptr) {
            raise(status);
        }
    }

    /// Shape and data of a tensor value; absent for null. Fails at more than max_rank axes.
    Tensor read(const OrtValue* value) const;

    OrtStatus* status(OrtErrorCode code, const std::string& message) const { return api_->CreateStatus(code, message.c_str()); }

private:
    [[noreturn]] void raise(OrtStatus* status) const;
    void shape(const OrtValue* value, Tensor& tensor) const;

    const OrtApi* api_;
    const OrtApi* newer_ = nullptr;  // has GetTensorElementTypeAndShapeDataReference, which copies nothing
};

}  // namespace latentmoe
