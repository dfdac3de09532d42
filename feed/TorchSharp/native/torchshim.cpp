// The C surface that the managed side calls. Any ATen operator is reached by its schema name through the c10 dispatcher,
// so no operator is named here. Tensor handles are TensorImpl pointers: the ones passed in are borrowed, the ones returned
// are owned by the caller. No exception crosses the boundary: a call returns 0, or -1 and ts_last_error() says why.
#include "torchshim.h"
#include "guarded.h"

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <ATen/Parallel.h>
#include <ATen/core/dispatch/Dispatcher.h>
#include <c10/core/InferenceMode.h>
#include <c10/core/impl/VirtualGuardImpl.h>
#include <torch/csrc/api/include/torch/version.h>
#include <torch/csrc/autograd/autograd.h>
#include <torch/csrc/autograd/variable.h>

#include <cstring>
#include <string>
#include <vector>

thread_local std::string last_error;

namespace {

#if TORCH_VERSION_MAJOR > 2 || (TORCH_VERSION_MAJOR == 2 && TORCH_VERSION_MINOR >= 4)
using OptionalTensor = std::optional<at::Tensor>;
#else
using OptionalTensor = c10::optional<at::Tensor>;
#endif

struct Operator {
    c10::OperatorHandle handle;
    const c10::FunctionSchema& schema;
};

int64_t own(at::Tensor tensor) {
    return tensor.defined() ? reinterpret_cast<int64_t>(tensor.unsafeReleaseTensorImpl()) : 0;
}

std::vector<at::Tensor> borrow_list(const int64_t* handles, int32_t count) {
    std::vector<at::Tensor> tensors;
    tensors.reserve(count);
    for (int32_t i = 0; i < count; i++) {
        tensors.push_back(borrow(handles[i]));
    }
    return tensors;
}

at::Generator generator_of(int64_t handle) {
    auto* impl = reinterpret_cast<c10::GeneratorImpl*>(handle);
    return at::Generator(c10::intrusive_ptr<c10::GeneratorImpl>::reclaim_copy(impl));
}

double number_of(int64_t bits) {
    double number;
    std::memcpy(&number, &bits, sizeof number);
    return number;
}

c10::IValue to_ivalue(const ts_slot& slot) {
    const auto* integers = reinterpret_cast<const int64_t*>(slot.value);
    switch (slot.kind) {
        case TS_NONE: return {};
        case TS_TENSOR: return borrow(slot.value);
        case TS_INT: return slot.value;
        case TS_BOOL: return slot.value != 0;
        case TS_DOUBLE: return number_of(slot.value);
        case TS_STRING: return std::string(reinterpret_cast<const char*>(slot.value), slot.length);
        case TS_DEVICE: return c10::Device(static_cast<c10::DeviceType>(slot.value >> 32), static_cast<c10::DeviceIndex>(slot.value));
        case TS_GENERATOR: return generator_of(slot.value);
        case TS_INT_LIST: return c10::List<int64_t>(c10::ArrayRef<int64_t>(integers, slot.length));
        case TS_TENSOR_LIST: {
            c10::List<at::Tensor> list;
            list.reserve(slot.length);
            for (int32_t i = 0; i < slot.length; i++) {
                list.push_back(borrow(integers[i]));
            }
            return list;
        }
        case TS_OPTIONAL_TENSOR_LIST: {
            c10::List<OptionalTensor> list;
            list.reserve(slot.length);
            for (int32_t i = 0; i < slot.length; i++) {
                list.push_back(integers[i] == 0 ? OptionalTensor() : OptionalTensor(borrow(integers[i])));
            }
            return list;
        }
        default: TORCH_CHECK(false, "unknown argument kind ", slot.kind);
    }
}

void from_ivalue(c10::IValue value, ts_slot& slot) {
    slot = {0, TS_NONE, 0};
    if (value.isTensor()) {
        slot.value = own(std::move(value).toTensor());
        slot.kind = slot.value == 0 ? TS_NONE : TS_TENSOR;
    } else if (value.isInt()) {
        slot.value = value.toInt();
        slot.kind = TS_INT;
    } else if (value.isBool()) {
        slot.value = value.toBool();
        slot.kind = TS_BOOL;
    } else if (value.isDouble()) {
        const double number = value.toDouble();
        std::memcpy(&slot.value, &number, sizeof number);
        slot.kind = TS_DOUBLE;
    } else if (value.isTensorList()) {
        auto list = std::move(value).toTensorVector();
        auto* handles = new int64_t[list.size()];
        for (size_t i = 0; i < list.size(); i++) {
            handles[i] = own(std::move(list[i]));
        }
        slot = {reinterpret_cast<int64_t>(handles), TS_TENSOR_LIST, static_cast<int32_t>(list.size())};
    } else {
        TORCH_CHECK(value.isNone(), "unsupported result ", value.tagKind());
    }
}

}  // namespace

const char* ts_last_error() { return last_error.c_str(); }

int32_t ts_find_operator(const char* name, const char* overload, void** result) {
    return guarded([&] {
        auto handle = c10::Dispatcher::singleton().findSchemaOrThrow(name, overload);
        *result = new Operator{handle, handle.schema()};
    });
}

int32_t ts_call(void* op, const ts_slot* arguments, int32_t count, ts_slot* results, int32_t capacity) {
    return guarded([&] {
        const auto* target = static_cast<const Operator*>(op);
        const auto& formals = target->schema.arguments();
        torch::jit::Stack stack;
        stack.reserve(formals.size());
        for (int32_t i = 0; i < count; i++) {
            stack.push_back(to_ivalue(arguments[i]));
        }
        for (size_t i = count; i < formals.size(); i++) {
            const auto& value = formals[i].default_value();
            TORCH_CHECK(value.has_value(), target->schema.name(), ": argument '", formals[i].name(), "' is missing");
            stack.push_back(*value);
        }
        target->handle.callBoxed(&stack);
        for (int32_t i = 0; i < capacity && i < static_cast<int32_t>(stack.size()); i++) {
            from_ivalue(std::move(stack[i]), results[i]);
        }
    });
}

void ts_free_list(int64_t* handles) { delete[] handles; }

void ts_release(int64_t handle) {
    c10::intrusive_ptr<at::TensorImpl, at::UndefinedTensorImpl>::reclaim(reinterpret_cast<at::TensorImpl*>(handle));
}

int64_t ts_retain(int64_t handle) { return own(borrow(handle)); }

int32_t ts_describe(int64_t handle, ts_description* result) {
    return guarded([&] {
        const auto tensor = borrow(handle);
        const auto device = tensor.device();
        *result = {tensor.numel(), tensor.storage_offset(), static_cast<int32_t>(tensor.dim()),
                   static_cast<int32_t>(tensor.element_size()), static_cast<int32_t>(tensor.scalar_type()),
                   static_cast<int32_t>(device.type()), device.index(), tensor.is_contiguous() ? 1 : 0,
                   tensor.requires_grad() ? 1 : 0, tensor.is_leaf() ? 1 : 0};
    });
}

int32_t ts_sizes(int64_t handle, int64_t* sizes, int64_t* strides) {
    return guarded([&] {
        const auto tensor = borrow(handle);
        std::copy(tensor.sizes().begin(), tensor.sizes().end(), sizes);
        std::copy(tensor.strides().begin(), tensor.strides().end(), strides);
    });
}

int32_t ts_data(int64_t handle, void** result) {
    return guarded([&] { *result = borrow(handle).data_ptr(); });
}

int32_t ts_set_requires_grad(int64_t handle, int32_t value) {
    return guarded([&] { borrow(handle).set_requires_grad(value != 0); });
}

int32_t ts_retain_grad(int64_t handle) {
    return guarded([&] { borrow(handle).retain_grad(); });
}

int32_t ts_grad(int64_t handle, int64_t* result) {
    return guarded([&] { *result = own(borrow(handle).grad()); });
}

int32_t ts_set_grad(int64_t handle, int64_t value) {
    return guarded([&] { borrow(handle).mutable_grad() = borrow(value); });
}

int32_t ts_backward(const int64_t* tensors, int32_t count, const int64_t* gradients, int32_t gradient_count, int32_t retain_graph,
                    int32_t create_graph, const int64_t* inputs, int32_t input_count) {
    return guarded([&] {
        torch::autograd::backward(borrow_list(tensors, count), borrow_list(gradients, gradient_count), retain_graph != 0,
                                  create_graph != 0, borrow_list(inputs, input_count));
    });
}

int32_t ts_autograd_grad(const int64_t* outputs, int32_t count, const int64_t* inputs, int32_t input_count, const int64_t* gradients,
                         int32_t gradient_count, int32_t retain_graph, int32_t create_graph, int32_t allow_unused, int64_t* results) {
    return guarded([&] {
        auto list = torch::autograd::grad(borrow_list(outputs, count), borrow_list(inputs, input_count),
                                          borrow_list(gradients, gradient_count), retain_graph != 0, create_graph != 0,
                                          allow_unused != 0);
        for (size_t i = 0; i < list.size(); i++) {
            results[i] = own(std::move(list[i]));
        }
    });
}

int32_t ts_grad_enabled() { return at::GradMode::is_enabled() ? 1 : 0; }

void ts_set_grad_enabled(int32_t value) { at::GradMode::set_enabled(value != 0); }

int32_t ts_inference_mode_enabled() { return c10::InferenceMode::is_enabled() ? 1 : 0; }

void* ts_enter_inference_mode(int32_t enabled) { return new c10::InferenceMode(enabled != 0); }

void ts_leave_inference_mode(void* guard) { delete static_cast<c10::InferenceMode*>(guard); }

int32_t ts_default_generator(int64_t* result) {
    return guarded([&] {
        at::Generator generator = at::detail::getDefaultCPUGenerator();
        *result = reinterpret_cast<int64_t>(generator.unsafeReleaseGeneratorImpl());
    });
}

int32_t ts_new_generator(int64_t seed, int64_t* result) {
    return guarded([&] {
        auto generator = at::make_generator<at::CPUGeneratorImpl>(static_cast<uint64_t>(seed));
        *result = reinterpret_cast<int64_t>(generator.unsafeReleaseGeneratorImpl());
    });
}

void ts_release_generator(int64_t handle) {
    c10::intrusive_ptr<c10::GeneratorImpl>::reclaim(reinterpret_cast<c10::GeneratorImpl*>(handle));
}

int32_t ts_generator_seed(int64_t handle, int64_t* seed) {
    return guarded([&] { *seed = static_cast<int64_t>(generator_of(handle).current_seed()); });
}

int32_t ts_set_generator_seed(int64_t handle, int64_t seed) {
    return guarded([&] {
        auto generator = generator_of(handle);
        std::lock_guard<std::mutex> lock(generator.mutex());
        generator.set_current_seed(static_cast<uint64_t>(seed));
    });
}

int32_t ts_generator_state(int64_t handle, int64_t* result) {
    return guarded([&] { *result = own(generator_of(handle).get_state()); });
}

int32_t ts_set_generator_state(int64_t handle, int64_t state) {
    return guarded([&] { generator_of(handle).set_state(borrow(state)); });
}

int32_t ts_manual_seed(int64_t seed) {
    return guarded([&] { at::manual_seed(static_cast<uint64_t>(seed)); });
}

int32_t ts_threads(int32_t operation, int32_t count, int32_t* result) {
    return guarded([&] {
        switch (operation) {
            case TS_THREADS_SET: at::set_num_threads(count); break;
            case TS_THREADS_SET_INTEROP: at::set_num_interop_threads(count); break;
            case TS_THREADS_GET: *result = at::get_num_threads(); break;
            default: *result = at::get_num_interop_threads(); break;
        }
    });
}

int32_t ts_cuda_device_count(int32_t* result) {
    return guarded([&] {
        const bool linked = c10::impl::hasDeviceGuardImpl(c10::DeviceType::CUDA);
        *result = linked ? c10::impl::VirtualGuardImpl(c10::DeviceType::CUDA).deviceCount() : 0;
    });
}

int32_t ts_cuda_synchronize(int32_t index) {
    return guarded([&] {
        const c10::impl::VirtualGuardImpl guard(c10::DeviceType::CUDA);
        const auto device = index < 0 ? guard.getDevice() : c10::Device(c10::DeviceType::CUDA, static_cast<c10::DeviceIndex>(index));
        guard.getStream(device).synchronize();
    });
}

int32_t ts_allow_tf32(int32_t value, int32_t* result) {
    return guarded([&] {
        auto& context = at::globalContext();
        if (value >= 0) {
            context.setAllowTF32CuBLAS(value != 0);
        }
        *result = context.allowTF32CuBLAS() ? 1 : 0;
    });
}
