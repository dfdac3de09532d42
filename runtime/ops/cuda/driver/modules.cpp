#include "modules.h"

#include "../../ort/error.h"
#include "images.h"
#include "kernel_types.h"
#include "status.h"

#include <algorithm>
#include <array>
#include <memory>
#include <mutex>

namespace latentmoe::cuda {

namespace {

const std::map<const Image*, Ptx>& parsed_images() {
    static const auto* const all = [] {
        auto result = std::make_unique<std::map<const Image*, Ptx>>();
        for (const Image& image : images()) {
            result->emplace(&image, parse_ptx(image.ptx));
        }
        return result.release();
    }();
    return *all;
}

// PTX 7.4 came with CUDA 11.4, and 8.0 with 12.0.
int driver_of(int ptx_version) { return (ptx_version / 10 + 4) * 1000 + ptx_version % 10 * 10; }

}  // namespace

Modules& Modules::current() {
    static std::mutex mutex;
    static auto* const contexts = new std::map<ContextHandle, std::unique_ptr<Modules>>();
    const Driver& driver = cuda::driver();
    ContextHandle context = nullptr;
    driver.check(driver.context_current(&context), "the thread's CUDA context");
    if (context == nullptr) {
        Ordinal device = 0;
        driver.check(driver.device_get(&device, 0), "CUDA device 0");
        driver.check(driver.context_retain(&context, device), "the primary context of CUDA device 0");
        driver.check(driver.context_set(context), "the primary context of CUDA device 0");
    }
    const std::lock_guard lock(mutex);
    auto& entry = (*contexts)[context];
    if (entry == nullptr) {
        entry = std::make_unique<Modules>(driver);
    }
    return *entry;
}

Modules::Modules(const Driver& driver) : driver_(driver) {
    driver.check(driver.context_device(&device_), "the device of the CUDA context");
    properties_.major = attribute(driver, capability_major, device_);
    properties_.minor = attribute(driver, capability_minor, device_);
    properties_.multiprocessors = attribute(driver, multiprocessor_count, device_);
    properties_.shared_bytes = static_cast<size_t>(attribute(driver, shared_memory_optin, device_));
    choose_images();
}

Modules::~Modules() {
    for (const auto& [name, kernel] : loaded_) {
        driver_.module_unload(kernel.module);
    }
}

// Of each source the newest target that device and driver know.
void Modules::choose_images() {
    int version = 0;
    driver_.check(driver_.driver_version(&version), "the NVIDIA driver does not tell its version");
    const int target = properties_.major * 10 + properties_.minor;
    for (const auto& [image, ptx] : parsed_images()) {
        if (ptx.target > target || driver_of(ptx.version) > version) {
            continue;
        }
        for (const PtxEntry& entry : ptx.entries) {
            Source& source = sources_[entry.name];
            if (source.ptx == nullptr || source.ptx->target < ptx.target) {
                source = {&ptx, &entry};
            }
        }
    }
    if (sources_.empty()) {
        const Status reason = status();
        fail(reason.usable ? text("no kernel suits CUDA device ", device_, " of compute capability ", properties_.major, '.', properties_.minor)
                           : reason.text);
    }
}

void Modules::prepare(Type type, std::optional<WeightType> weight) {
    for (const auto& [name, source] : sources_) {
        if (is_for(name, type, weight)) {
            find(name);
        }
    }
}

const LoadedKernel& Modules::find(std::string_view name) {
    {
        const std::shared_lock lock(mutex_);
        if (const auto found = loaded_.find(name); found != loaded_.end()) {
            return found->second;
        }
    }
    const auto source = sources_.find(name);
    if (source == sources_.end()) {
        fail("there is no CUDA kernel ", name);
    }
    const std::lock_guard lock(mutex_);
    if (const auto found = loaded_.find(name); found != loaded_.end()) {
        return found->second;
    }
    return loaded_.emplace(name, load(source->second)).first->second;
}

LoadedKernel Modules::load(const Source& source) const {
    const std::string& name = source.entry->name;
    const std::string ptx = source.ptx->alone(*source.entry);
    std::array<char, 4096> log{};
    std::array<int, 2> options{error_log, error_log_size};
    std::array<void*, 2> values{log.data(), reinterpret_cast<void*>(log.size() - 1)};
    ModuleHandle module = nullptr;
    const Result result = driver_.module_load(&module, ptx.c_str(), options.size(), options.data(), values.data());
    driver_.check(result, text("the driver does not compile the CUDA kernel ", name, log[0] != '\0' ? ", saying: " : "", log.data()));
    FunctionHandle function = nullptr;
    Result failed = driver_.module_function(&function, module, name.c_str());
    if (failed == success) {
        failed = driver_.function_attribute(function, most_dynamic_shared, static_cast<int>(properties_.shared_bytes));
    }
    if (failed != success) {
        driver_.module_unload(module);
        driver_.check(failed, text("the CUDA kernel ", name));
    }
    return {source.entry, module, function};
}

}  // namespace latentmoe::cuda
