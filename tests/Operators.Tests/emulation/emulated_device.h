// A device of host memory, whose kernels the emulation runs at once.
#pragma once
#include "../../../runtime/ops/cuda/launch/device.h"

#include <string>
#include <vector>

namespace latentmoe::emulation {

class EmulatedDevice : public cuda::Device {
public:
    /// Every launch draws its schedule from the seed and its number.
    explicit EmulatedDevice(uint64_t seed = 1, cuda::DeviceProperties properties = {8, 0, 108, 166912});
    ~EmulatedDevice() override { end_call(); }
    EmulatedDevice(const EmulatedDevice&) = delete;
    EmulatedDevice& operator=(const EmulatedDevice&) = delete;

    const cuda::DeviceProperties& properties() const override { return facts; }

    /// Blocks of exactly their size, filled with NaN.
    void* scratch(size_t bytes) override;
    void clear(void* memory, size_t bytes) override;
    void copy(void* target, const void* source, size_t bytes) override;

    /// Takes the scratch memory back, as the end of an operator's call does.
    void end_call();

    /// How many kernels have run, clears and copies not counted.
    uint64_t launches() const { return count; }

protected:
    void run(std::string_view kernel, cuda::Grid grid, unsigned threads, size_t shared, std::span<void*> values,
             std::span<const size_t> sizes) override;

private:
    cuda::DeviceProperties facts;
    uint64_t seed, count = 0;
    std::vector<void*> blocks;
};

/// Memory of exactly `bytes`, aligned to 256 and filled with NaN.
void* allocate(size_t bytes);

}  // namespace latentmoe::emulation
