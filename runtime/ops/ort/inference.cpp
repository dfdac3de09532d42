#include "inference.h"

#include "error.h"

#include <algorithm>
#include <atomic>

namespace latentmoe {

const OrtTensorTypeAndShapeInfo* Inference::info(size_t index) const {
    size_t inputs = 0;
    api_.check(api_->ShapeInferContext_GetInputCount(context_, &inputs));
    OrtTensorTypeAndShapeInfo* info = nullptr;  // the context's
    if (index < inputs) {
        api_.check(api_->ShapeInferContext_GetInputTypeShape(context_, index, &info));
    }
    return info;
}

ONNXTensorElementDataType Inference::element(size_t index) const {
    ONNXTensorElementDataType element = ONNX_TENSOR_ELEMENT_DATA_TYPE_UNDEFINED;
    if (const OrtTensorTypeAndShapeInfo* input = info(index)) {
        api_.check(api_->GetTensorElementType(input, &element));
    }
    return element;
}

Extents Inference::input(size_t index) const {
    const OrtTensorTypeAndShapeInfo* info = this->info(index);
    size_t rank = 0;
    if (info != nullptr) {
        api_.check(api_->GetDimensionsCount(info, &rank));
    }
    if (rank == 0) {
        return {};
    }
    std::vector<int64_t> sizes(rank);
    std::vector<const char*> names(rank);
    api_.check(api_->GetDimensions(info, sizes.data(), rank));
    api_.check(api_->GetSymbolicDimensions(info, names.data(), rank));
    Extents extents(rank);
    for (size_t i = 0; i < rank; ++i) {
        extents[i] = {std::max<int64_t>(sizes[i], -1), names[i] != nullptr ? names[i] : ""};
    }
    return extents;
}

std::optional<int64_t> Inference::integer(const char* name) const {
    const OrtOpAttr* attribute = nullptr;
    int64_t value = 0;
    size_t size = 0;
    OrtStatus* status = api_->ShapeInferContext_GetAttribute(context_, name, &attribute);
    if (status == nullptr) {
        status = api_->ReadOpAttr(attribute, ORT_OP_ATTR_INT, &value, sizeof value, &size);
    }
    api_->ReleaseStatus(status);
    return status == nullptr && value > 0 ? std::optional(value) : std::nullopt;
}

// ONNX Runtime would take a size without a name for the number −1, so each gets one that no other has.
static std::string fresh_name() {
    static std::atomic<uint64_t> count{0};
    return text("latentmoe_", ++count);
}

void Inference::output(size_t index, const Extents& extents, ONNXTensorElementDataType element) {
    std::vector<int64_t> sizes;
    std::vector<std::string> texts;
    std::vector<const char*> names;
    for (const Extent& extent : extents) {
        sizes.push_back(extent.size);
        texts.push_back(extent.size >= 0 ? "" : !extent.name.empty() ? extent.name : fresh_name());
    }
    for (const std::string& name : texts) {
        names.push_back(name.c_str());
    }
    OrtTensorTypeAndShapeInfo* info = nullptr;
    api_.check(api_->CreateTensorTypeAndShapeInfo(&info));
    OrtStatus* status = api_->SetTensorElementType(info, element);
    if (status == nullptr) {
        status = api_->SetDimensions(info, sizes.data(), sizes.size());
    }
    if (status == nullptr) {
        status = api_->SetSymbolicDimensions(info, names.data(), names.size());
    }
    if (status == nullptr) {
        status = api_->ShapeInferContext_SetOutputTypeShape(context_, index, info);
    }
    api_->ReleaseTensorTypeAndShapeInfo(info);
    api_.check(status);
}

}  // namespace latentmoe
