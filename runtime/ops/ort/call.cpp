#include "call.h"

namespace latentmoe {

Tensor Call::input(size_t index) const {
    if (index >= constants_.size()) {
        return {};
    }
    if (constants_[index].present) {
        return constants_[index];
    }
    const OrtValue* value = nullptr;
    api_.check(api_->KernelContext_GetInput(context_, index, &value));
    return api_.read(value);
}

void* Call::output(size_t index, std::span<const int64_t> shape) {
    OrtValue* value = nullptr;
    api_.check(api_->KernelContext_GetOutput(context_, index, shape.data(), shape.size(), &value));
    void* data = nullptr;
    if (value != nullptr) {
        api_.check(api_->GetTensorMutableData(value, &data));
    }
    return data;
}

}  // namespace latentmoe
