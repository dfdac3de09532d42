// Shapes of a node's outputs when a model is loaded. Nothing is refused here: what is unknown stays open, what is wrong fails in the call.
#pragma once
#include "api.h"

#include <optional>
#include <string>
#include <vector>

namespace latentmoe {

/// A size, or the name of one that is known only in a call; neither where it has no name.
struct Extent {
    int64_t size = -1;
    std::string name;

    bool known() const { return size >= 0 || !name.empty(); }
};

using Extents = std::vector<Extent>;

class Inference {
public:
    Inference(const Api& api, OrtShapeInferContext* context) : api_(api), context_(context) {}

    /// Empty where the input is absent or its rank is unknown.
    Extents input(size_t index) const;

    /// Nothing where the attribute is absent or no positive integer.
    std::optional<int64_t> integer(const char* name) const;

    /// An input's element type; undefined where it is absent.
    ONNXTensorElementDataType element(size_t index) const;

    void output(size_t index, const Extents& extents, ONNXTensorElementDataType element);

private:
    const OrtTensorTypeAndShapeInfo* info(size_t index) const;  // null where the input is absent

    const Api& api_;
    OrtShapeInferContext* context_;
};

}  // namespace latentmoe
