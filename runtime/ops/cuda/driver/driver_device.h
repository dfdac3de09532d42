// A stream of the driver as the operators' launches see it, for one call of an operator.
#pragma once
#include "modules.h"

namespace latentmoe::cuda {

/// Where a call's working memory comes from: device memory aligned to 256, valid until the call ends. Throws where there is none left.
class ScratchMemory {
public:
    virtual ~ScratchMemory() = default;
    virtual void* take(size_t bytes) = 0;
};

class DriverDevice : public Device {
public:
    /// The context of the modules is the thread's current one, as long as this lives.
    DriverDevice(Modules& modules, StreamHandle stream, ScratchMemory& memory) : modules_(modules), stream_(stream), memory_(memory) {}

    const DeviceProperties& properties() const override { return modules_.properties(); }
    void* scratch(size_t bytes) override;
    void clear(void* memory, size_t bytes) override;
    void copy(void* target, const void* source, size_t bytes) override;

protected:
    void run(std::string_view kernel, Grid grid, unsigned threads, size_t shared, std::span<void*> values,
             std::span<const size_t> sizes) override;

private:
    Modules& modules_;
    StreamHandle stream_;
    ScratchMemory& memory_;
};

}  // namespace latentmoe::cuda
