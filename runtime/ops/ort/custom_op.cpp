#include "custom_op.h"

#include "cpu_backend.h"
#include "error.h"
#include "gpu_backend.h"
#include "session_host.h"

#include <new>

namespace latentmoe {

namespace {

/// A node with what each of its calls needs.
struct State {
    const CustomOp& op;
    std::string where;  // for messages
    std::vector<Tensor> constants;
    std::unique_ptr<NodeKernel> kernel;
    std::shared_ptr<ScratchPool> pool;         // of a node on the CPU
    std::unique_ptr<cuda::Provider> provider;  // of a node on a GPU
};

const CustomOp& self(const OrtCustomOp* op) { return *static_cast<const CustomOp*>(op); }

template <typename Where, typename Body>
OrtStatus* guarded(const Api& api, Where where, Body body) noexcept {
    try {
        try {
            body();
            return nullptr;
        } catch (const Error& e) {
            return api.status(ORT_INVALID_ARGUMENT, text(where(), ": ", e.what()));
        } catch (const std::bad_alloc&) {
            return api.status(ORT_FAIL, text(where(), ": out of memory"));
        } catch (const std::exception& e) {
            return api.status(ORT_FAIL, text(where(), ": ", e.what()));
        }
    } catch (...) {
        return api->CreateStatus(ORT_FAIL, "latentmoe: out of memory");
    }
}

std::string title(const CustomOp& op, const std::string& node) { return text(domain, '.', op.op.name, " '", node, "'"); }

void check_counts(const Operator& op, const Node& node) {
    if (node.inputs() > op.inputs.size() || node.outputs() != op.outputs.size()) {
        fail("the node has ", node.inputs(), " inputs and ", node.outputs(), " outputs, expected up to ", op.inputs.size(), " and ",
             op.outputs.size(), ": export the model again");
    }
}

// A later version of the domain says so on its nodes: ONNX Runtime does not tell a node which version the model imports.
void check_version(const Node& node) {
    constexpr const char* attribute = "version";
    if (node.has_integer(attribute)) {
        const int64_t version = node.integer(attribute, 1, INT64_MAX);
        if (version > domain_version) {
            fail("the model uses version ", version, " of the operators '", domain, "', and this library has version ", domain_version,
                 ": update liblatentmoe_ops.so, or run without it");
        }
    }
}

// Kernels are compiled here, not in a call, of which a CUDA graph may be taken.
void open_device(State& state) {
    const Operator& op = state.op.op;
    if (op.device == Device::Cpu) {
        state.pool = ScratchPool::shared();
        return;
    }
    state.provider = cuda::open_provider();
    state.provider->prepare(op.type, std::nullopt);
    for (const WeightType weight : op.weights) {
        state.provider->prepare(op.type, weight);
    }
}

OrtStatus* create(const OrtCustomOp* base, const OrtApi*, const OrtKernelInfo* info, void** kernel) {
    const CustomOp& op = self(base);
    std::string name;
    return guarded(op.api, [&] { return title(op, name); }, [&] {
        const Node node(op.api, info);
        name = node.name();
        check_version(node);
        check_counts(op.op, node);
        auto state = std::make_unique<State>(State{op, title(op, name), {}, nullptr, nullptr, nullptr});
        for (size_t i = 0; i < node.inputs(); ++i) {
            state->constants.push_back(node.constant(i));
        }
        state->kernel = op.op.create(node, op.op);
        open_device(*state);
        *kernel = state.release();
    });
}

OrtStatus* compute(void* kernel, OrtKernelContext* context) {
    const State& state = *static_cast<State*>(kernel);
    const Api& api = state.op.api;
    return guarded(api, [&] { return state.where; }, [&] {
        const auto run = [&](Backend& backend) {
            Call call(api, context, state.constants, backend);
            state.kernel->compute(call);
        };
        if (state.provider != nullptr) {
            GpuBackend backend(api, context, *state.provider);
            run(backend);
        } else {
            SessionHost host(api, context, *state.pool);
            CpuBackend backend(host, state.op.kernels);
            run(backend);
        }
    });
}

void destroy(void* kernel) { delete static_cast<State*>(kernel); }

OrtStatus* infer(const OrtCustomOp* base, OrtShapeInferContext* context) {
    // ONNX Runtime drops a status from here, some versions without freeing it.
    const CustomOp& op = self(base);
    op.api->ReleaseStatus(guarded(op.api, [&] { return std::string(op.op.name); }, [&] {
        Inference inference(op.api, context);
        op.op.infer(inference);
    }));
    return nullptr;
}

OrtCustomOpInputOutputCharacteristic characteristic(const Parameter& parameter) {
    return parameter.optional ? INPUT_OUTPUT_OPTIONAL : INPUT_OUTPUT_REQUIRED;
}

}  // namespace

CustomOp::CustomOp(const Api& api, const Operator& op, const Kernels& kernels) : OrtCustomOp{}, api(api), op(op), kernels(kernels) {
    version = Api::version;
    GetName = [](const OrtCustomOp* base) { return self(base).op.name; };
    GetExecutionProviderType = [](const OrtCustomOp* base) -> const char* {
        return self(base).op.device == Device::Cuda ? cuda::provider_name : nullptr;
    };
    GetInputTypeCount = [](const OrtCustomOp* base) { return self(base).op.inputs.size(); };
    GetOutputTypeCount = [](const OrtCustomOp* base) { return self(base).op.outputs.size(); };
    GetInputType = [](const OrtCustomOp* base, size_t index) { return self(base).op.inputs[index].type; };
    GetOutputType = [](const OrtCustomOp* base, size_t index) { return self(base).op.outputs[index].type; };
    GetInputCharacteristic = [](const OrtCustomOp* base, size_t index) { return characteristic(self(base).op.inputs[index]); };
    GetOutputCharacteristic = [](const OrtCustomOp* base, size_t index) { return characteristic(self(base).op.outputs[index]); };
    GetInputMemoryType = [](const OrtCustomOp*, size_t) { return OrtMemTypeDefault; };
    GetVariadicInputMinArity = GetVariadicOutputMinArity = [](const OrtCustomOp*) { return 1; };
    GetVariadicInputHomogeneity = GetVariadicOutputHomogeneity = [](const OrtCustomOp*) { return 1; };
    GetStartVersion = GetEndVersion = [](const OrtCustomOp*) { return domain_version; };
    InferOutputShapeFn = infer;
    CreateKernelV2 = create;
    KernelComputeV2 = compute;
    KernelDestroy = destroy;
}

}  // namespace latentmoe
