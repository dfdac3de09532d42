// What ONNX Runtime is told of an operator, and what runs it. One entry for each name, combination of element types, and device.
#pragma once
#include "call.h"
#include "inference.h"
#include "node.h"

#include <memory>
#include <vector>

namespace latentmoe {

/// The operators' domain, and the version of it that this library implements.
inline constexpr const char* domain = "latentmoe";
inline constexpr int domain_version = 1;

/// A node of a session. Calls come from any thread, several at a time.
class NodeKernel {
public:
    virtual ~NodeKernel() = default;
    virtual void compute(Call& call) const = 0;
};

enum class Device { Cpu, Cuda };

struct Parameter {
    const char* name;
    ONNXTensorElementDataType type;
    bool optional = false;
};

struct Operator {
    const char* name;
    Device device;
    Type type;                        // of activations
    std::vector<WeightType> weights;  // that its kernels read, be it a cache's rows
    std::vector<Parameter> inputs, outputs;
    std::unique_ptr<NodeKernel> (*create)(const Node& node, const Operator& op);
    void (*infer)(Inference& inference);
};

using Operators = std::vector<Operator>;

void add_linear(Operators& operators);
void add_moe_router(Operators& operators);
void add_moe_experts(Operators& operators);
void add_latent_attention(Operators& operators);
void add_add_rms_norm(Operators& operators);
void add_select_token(Operators& operators);

/// All entries, those of one name side by side. Where there is no provider for them, the CUDA entries stand in for the CPU's.
const Operators& all_operators();

}  // namespace latentmoe
