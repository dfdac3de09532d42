// An entry of the table as ONNX Runtime's OrtCustomOp. Every callback that may fail returns a status; no exception leaves.
#pragma once
#include "../cpu/kernels.h"
#include "operator.h"

namespace latentmoe {

class CustomOp final : public OrtCustomOp {
public:
    CustomOp(const Api& api, const Operator& op, const Kernels& kernels);

    const Api api;
    const Operator& op;
    const Kernels& kernels;
};

}  // namespace latentmoe
