#include "node.h"

#include "error.h"

#include <cmath>

namespace latentmoe {

// Text of the given getter, which tells the length (with the closing zero) when asked without a buffer.
template <typename Get>
static std::string read_text(const Api& api, Get get) {
    size_t size = 0;
    api.check(get(nullptr, &size));
    std::string result(size, '\0');
    api.check(get(result.data(), &size));
    result.resize(size > 0 ? size - 1 : 0);
    return result;
}

// Attributes are fixed by version 1 of the domain; a later exporter or a damaged file may differ.
static void check_attribute(const Api& api, OrtStatus* status, const char* name, const char* kind) {
    if (status != nullptr) {
        api->ReleaseStatus(status);
        fail("attribute ", name, " is missing or is no ", kind, ": export the model again");
    }
}

std::string Node::name() const {
    std::string name = read_text(api_, [&](char* out, size_t* size) { return api_->KernelInfo_GetNodeName(info_, out, size); });
    return !name.empty() ? name
                         : read_text(api_, [&](char* out, size_t* size) { return api_->KernelInfo_GetOutputName(info_, 0, out, size); });
}

size_t Node::inputs() const {
    size_t count = 0;
    api_.check(api_->KernelInfo_GetInputCount(info_, &count));
    return count;
}

size_t Node::outputs() const {
    size_t count = 0;
    api_.check(api_->KernelInfo_GetOutputCount(info_, &count));
    return count;
}

Tensor Node::constant(size_t index) const {
    int constant = 0;
    const OrtValue* value = nullptr;
    api_.check(api_->KernelInfoGetConstantInput_tensor(info_, index, &constant, &value));
    return api_.read(constant != 0 ? value : nullptr);
}

int64_t Node::integer(const char* name, int64_t least, int64_t most) const {
    int64_t value = 0;
    check_attribute(api_, api_->KernelInfoGetAttribute_int64(info_, name, &value), name, "integer");
    if (value < least || value > most) {
        fail("attribute ", name, " is ", value, ", expected ", least, " to ", most);
    }
    return value;
}

float Node::number(const char* name) const {
    float value = 0;
    check_attribute(api_, api_->KernelInfoGetAttribute_float(info_, name, &value), name, "number");
    if (!std::isfinite(value)) {
        fail("attribute ", name, " is ", value, ", expected a finite number");
    }
    return value;
}

bool Node::has_integer(const char* name) const {
    int64_t value = 0;
    OrtStatus* status = api_->KernelInfoGetAttribute_int64(info_, name, &value);
    api_->ReleaseStatus(status);
    return status == nullptr;
}

size_t Node::choice(const char* name, const std::vector<const char*>& values) const {
    size_t size = 0;
    check_attribute(api_, api_->KernelInfoGetAttribute_string(info_, name, nullptr, &size), name, "text");
    const std::string value =
        read_text(api_, [&](char* out, size_t* length) { return api_->KernelInfoGetAttribute_string(info_, name, out, length); });
    std::string known;
    for (size_t i = 0; i < values.size(); ++i) {
        if (value == values[i]) {
            return i;
        }
        known += text(i > 0 ? ", " : "", values[i]);
    }
    fail("attribute ", name, " is '", value, "', expected one of ", known);
}

}  // namespace latentmoe
