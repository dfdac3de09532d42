#include "driver.h"

#include "../../ort/error.h"

#include <dlfcn.h>

#include <memory>

namespace latentmoe::cuda {

// The library stays loaded: its functions are used until the process ends.
Driver::Driver() : library_(dlopen(file, RTLD_NOW | RTLD_LOCAL)) {
    if (library_ == nullptr) {
        const char* reason = dlerror();
        fail("no NVIDIA driver: ", reason != nullptr ? reason : file);
    }
    find(init, "cuInit");
    find(driver_version, "cuDriverGetVersion");
    find(error_name, "cuGetErrorName");
    find(error_string, "cuGetErrorString");
    find(device_count, "cuDeviceGetCount");
    find(device_get, "cuDeviceGet");
    find(device_name, "cuDeviceGetName");
    find(device_attribute, "cuDeviceGetAttribute");
    find(context_current, "cuCtxGetCurrent");
    find(context_set, "cuCtxSetCurrent");
    find(context_device, "cuCtxGetDevice");
    find(context_retain, "cuDevicePrimaryCtxRetain");
    find(module_load, "cuModuleLoadDataEx");
    find(module_unload, "cuModuleUnload");
    find(module_function, "cuModuleGetFunction");
    find(function_attribute, "cuFuncSetAttribute");
    find(launch, "cuLaunchKernel");
    find(set_bytes, "cuMemsetD8Async");
    find(copy_within, "cuMemcpyDtoDAsync_v2");
}

template <typename F>
void Driver::find(F*& function, const char* name) {
    function = reinterpret_cast<F*>(symbol(name));
    if (function == nullptr) {
        fail("the NVIDIA driver is too old: ", file, " has no ", name);
    }
}

void* Driver::symbol(const char* name) const { return dlsym(library_, name); }

void Driver::raise(Result result, const std::string& what) const {
    const char *name = nullptr, *words = nullptr;
    const bool named = error_name(result, &name) == success && name != nullptr;
    const bool described = error_string(result, &words) == success && words != nullptr;
    fail(what, ": ", named ? name : text("CUDA error ", result), described ? text(" (", words, ")") : "");
}

const Driver& driver() {
    static const Driver& instance = []() -> const Driver& {
        auto found = std::make_unique<Driver>();
        found->check(found->init(0), "the NVIDIA driver cannot be initialised");
        return *found.release();
    }();
    return instance;
}

int attribute(const Driver& driver, DeviceAttribute attribute, Ordinal device) {
    int value = 0;
    driver.check(driver.device_attribute(&value, attribute, device),
                 text("attribute ", static_cast<int>(attribute), " of CUDA device ", device));
    return value;
}

}  // namespace latentmoe::cuda
