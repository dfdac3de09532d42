// What runs the operators' CUDA entries. One definition is linked: provider.cpp's is the GPU.
#pragma once
#include "driver_device.h"

#include <memory>

namespace latentmoe::cuda {

/// ONNX Runtime's execution provider of the CUDA entries; null is its CPU, on which they stand in for the CPU's.
extern const char* const provider_name;

class Provider {
public:
    virtual ~Provider() = default;

    /// See Modules.
    virtual void prepare(Type type, std::optional<WeightType> weight) = 0;

    /// ONNX Runtime's number of the device.
    virtual int ordinal() const = 0;

    virtual std::unique_ptr<Device> device(void* stream, ScratchMemory& memory) = 0;
};

/// Of the calling thread's context. Throws Error where kernels cannot run here.
std::unique_ptr<Provider> open_provider();

}  // namespace latentmoe::cuda
