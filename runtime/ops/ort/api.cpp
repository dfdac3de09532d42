#include "api.h"

#include "error.h"

#include <algorithm>
#include <cstdio>

namespace latentmoe {

static constexpr uint32_t shape_reference_version = 24;

Api::Api(const OrtApiBase& base) : api_(base.GetApi(version)) {
    const char* name = base.GetVersionString();
    if (api_ == nullptr) {
        fail("liblatentmoe_ops.so needs ONNX Runtime 1.", version, " or later, and this is ", name, ": update ONNX Runtime");
    }
    // Asking an older version for its newer interface would make it print an error.
    unsigned major = 0, minor = 0;
    if (std::sscanf(name, "%u.%u", &major, &minor) == 2 && (major > 1 || minor >= shape_reference_version)) {
        newer_ = base.GetApi(shape_reference_version);
    }
}

void Api::raise(OrtStatus* status) const {
    const std::string message = api_->GetErrorMessage(status);
    api_->ReleaseStatus(status);
    throw Error(message);
}

Tensor Api::read(const OrtValue* value) const {
    Tensor tensor;
    if (value == nullptr) {
        return tensor;
    }
    tensor.present = true;
    shape(value, tensor);
    void* data = nullptr;
    check(api_->GetTensorMutableData(const_cast<OrtValue*>(value), &data));
    tensor.data = data;
    return tensor;
}

static void check_rank(size_t rank) {
    if (rank > max_rank) {
        fail("a tensor has ", rank, " axes, and at most ", max_rank, " are supported");
    }
}

void Api::shape(const OrtValue* value, Tensor& tensor) const {
    if (newer_ != nullptr) {
        ONNXTensorElementDataType type;
        const int64_t* sizes = nullptr;
        check(newer_->GetTensorElementTypeAndShapeDataReference(value, &type, &sizes, &tensor.rank));
        check_rank(tensor.rank);
        std::copy_n(sizes, tensor.rank, tensor.shape.begin());
        return;
    }
    OrtTensorTypeAndShapeInfo* info = nullptr;
    check(api_->GetTensorTypeAndShape(value, &info));
    OrtStatus* status = api_->GetDimensionsCount(info, &tensor.rank);
    if (status == nullptr && tensor.rank <= max_rank) {
        status = api_->GetDimensions(info, tensor.shape.data(), tensor.rank);
    }
    api_->ReleaseTensorTypeAndShapeInfo(info);
    check(status);
    check_rank(tensor.rank);
}

}  // namespace latentmoe
