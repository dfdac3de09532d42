// Errors, devices and contexts.
#include "handles.h"

#include <cstdlib>
#include <cstring>
#include <sstream>

namespace latentmoe::fake {

using cuda::Ordinal;
using cuda::Result;
using cuda::success;

State::State() {
    const char* script = std::getenv("FAKE_CUDA");
    std::istringstream stream(script != nullptr ? script : "");
    for (std::string part; std::getline(stream, part, ',');) {
        const size_t equals = part.find('=');
        failing[part.substr(0, equals)] = std::stoi(part.substr(equals + 1));
    }
}

State& state() {
    static State instance;
    return instance;
}

Result scripted(const char* function) {
    const auto found = state().failing.find(function);
    return found == state().failing.end() ? success : found->second;
}

namespace {

const std::map<Result, std::pair<const char*, const char*>> errors{
    {success, {"CUDA_SUCCESS", "no error"}},
    {invalid_value, {"CUDA_ERROR_INVALID_VALUE", "invalid argument"}},
    {100, {"CUDA_ERROR_NO_DEVICE", "no CUDA-capable device is detected"}},
    {invalid_context, {"CUDA_ERROR_INVALID_CONTEXT", "invalid device context"}},
    {invalid_ptx, {"CUDA_ERROR_INVALID_PTX", "a PTX JIT compilation failed"}},
    {not_found, {"CUDA_ERROR_NOT_FOUND", "named symbol not found"}},
    {launch_failed, {"CUDA_ERROR_LAUNCH_FAILED", "unspecified launch failure"}},
    {capture_unsupported, {"CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED", "operation not permitted when stream is capturing"}},
};

CUctx_st primary;
thread_local cuda::ContextHandle current = nullptr;

}  // namespace

}  // namespace latentmoe::fake

using namespace latentmoe::fake;

extern "C" {

State* fake_driver_state() { return &state(); }

Result cuInit(unsigned) { return scripted("cuInit"); }

Result cuDriverGetVersion(int* version) {
    *version = state().version;
    return scripted("cuDriverGetVersion");
}

Result cuGetErrorName(Result result, const char** name) {
    const auto found = errors.find(result);
    *name = found == errors.end() ? nullptr : found->second.first;
    return found == errors.end() ? invalid_value : success;
}

Result cuGetErrorString(Result result, const char** words) {
    const auto found = errors.find(result);
    *words = found == errors.end() ? nullptr : found->second.second;
    return found == errors.end() ? invalid_value : success;
}

Result cuDeviceGetCount(int* count) {
    *count = state().devices;
    return scripted("cuDeviceGetCount");
}

Result cuDeviceGet(Ordinal* device, int index) {
    *device = index;
    return index < state().devices ? scripted("cuDeviceGet") : 101;
}

Result cuDeviceGetName(char* name, int size, Ordinal) {
    std::strncpy(name, "Emulated GPU", static_cast<size_t>(size));
    return scripted("cuDeviceGetName");
}

Result cuDeviceGetAttribute(int* value, int attribute, Ordinal) {
    switch (attribute) {
        case latentmoe::cuda::multiprocessor_count: *value = state().multiprocessors; break;
        case latentmoe::cuda::capability_major: *value = state().major; break;
        case latentmoe::cuda::capability_minor: *value = state().minor; break;
        case latentmoe::cuda::shared_memory_optin: *value = state().shared; break;
        default: return invalid_value;
    }
    return scripted("cuDeviceGetAttribute");
}

Result cuDevicePrimaryCtxRetain(latentmoe::cuda::ContextHandle* context, Ordinal) {
    *context = &primary;
    return scripted("cuDevicePrimaryCtxRetain");
}

Result cuCtxGetCurrent(latentmoe::cuda::ContextHandle* context) {
    *context = current;
    return scripted("cuCtxGetCurrent");
}

Result cuCtxSetCurrent(latentmoe::cuda::ContextHandle context) {
    current = context;
    return scripted("cuCtxSetCurrent");
}

Result cuCtxGetDevice(Ordinal* device) {
    *device = 0;
    return current == nullptr ? invalid_context : scripted("cuCtxGetDevice");
}

Result cuCtxSynchronize() { return capturing() ? capture_unsupported : scripted("cuCtxSynchronize"); }
}
