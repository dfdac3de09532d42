// The kernels of one context: found in the images that suit its device, and compiled by the driver one by one.
#pragma once
#include "../launch/device.h"
#include "../launch/operators.h"
#include "driver.h"
#include "ptx.h"

#include <functional>
#include <map>
#include <optional>
#include <shared_mutex>
#include <string>

namespace latentmoe::cuda {

struct LoadedKernel {
    const PtxEntry* entry;
    ModuleHandle module;
    FunctionHandle function;
};

class Modules {
public:
    /// Those of the calling thread's context, kept until the process ends. Where it has none, the first device's primary one becomes its
    /// context. Throws Error.
    static Modules& current();

    explicit Modules(const Driver& driver);
    ~Modules();
    Modules(const Modules&) = delete;
    Modules& operator=(const Modules&) = delete;

    /// Loads the kernels of such activations that read no weights or, where given, these: so that none is loaded while a stream is captured.
    void prepare(Type type, std::optional<WeightType> weight);

    /// The kernel, loaded if need be. Throws Error where there is none of this name, or the driver refuses it.
    const LoadedKernel& find(std::string_view name);

    const Driver& driver() const { return driver_; }
    const DeviceProperties& properties() const { return properties_; }
    Ordinal device() const { return device_; }

private:
    struct Source {
        const Ptx* ptx;
        const PtxEntry* entry;
    };

    void choose_images();
    LoadedKernel load(const Source& source) const;

    const Driver& driver_;
    Ordinal device_ = 0;
    DeviceProperties properties_;
    std::map<std::string, Source, std::less<>> sources_;
    std::shared_mutex mutex_;
    std::map<std::string, LoadedKernel, std::less<>> loaded_;
};

}  // namespace latentmoe::cuda
