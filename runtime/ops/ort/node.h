// A node when its session is created: name, attributes, and inputs that never change.
#pragma once
#include "api.h"

#include <string>
#include <vector>

namespace latentmoe {

class Node {
public:
    Node(const Api& api, const OrtKernelInfo* info) : api_(api), info_(info) {}

    /// The node's own name, or that of its first output.
    std::string name() const;

    size_t inputs() const;
    size_t outputs() const;

    /// An input that is a constant of the model; absent where it is computed or not given.
    Tensor constant(size_t index) const;

    // Attributes. All are required; a value out of range fails.
    int64_t integer(const char* name, int64_t least, int64_t most) const;
    bool flag(const char* name) const { return integer(name, 0, 1) != 0; }
    float number(const char* name) const;  // finite
    bool has_integer(const char* name) const;

    /// The index of the attribute's value in the list.
    size_t choice(const char* name, const std::vector<const char*>& values) const;

private:
    const Api& api_;
    const OrtKernelInfo* info_;
};

}  // namespace latentmoe
