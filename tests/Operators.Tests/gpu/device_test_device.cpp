// Tests run on the GPU.
#include "../../../runtime/ops/cuda/driver/driver_device.h"
#include "device_api.h"
#include "test_device.h"

#include <map>
#include <vector>

namespace latentmoe::test {
namespace {

constexpr unsigned char nan_bytes = 0xFF;

/// Allocations of exactly their size, so that compute-sanitizer finds what reaches beyond.
class CallScratch final : public cuda::ScratchMemory {
public:
    void* take(size_t bytes) override {
        blocks_.emplace_back(bytes).fill(nan_bytes);
        return blocks_.back().data();
    }
    void clear() { blocks_.clear(); }

private:
    std::vector<DeviceMemory> blocks_;
};

class DriverTestDevice final : public TestDevice {
public:
    DriverTestDevice() : api_(device_api()), device_(cuda::Modules::current(), nullptr, scratch_) {}
    ~DriverTestDevice() override { api_.synchronize(); }

    cuda::Device& device() override { return device_; }

    void end_call() override {
        api_.check(api_.synchronize(), "the kernels of a call");
        scratch_.clear();
    }

    void* allocate(size_t bytes) override {
        DeviceMemory memory(bytes);
        memory.fill(nan_bytes);
        void* start = memory.data();
        allocated_.emplace(start, std::move(memory));
        return start;
    }
    void release(void* memory) override { allocated_.erase(memory); }

    void upload(void* target, const void* source, size_t bytes) override {
        if (bytes > 0) {
            api_.check(api_.upload(reinterpret_cast<cuda::Address>(target), source, bytes), "a copy to the device");
        }
    }
    void download(void* target, const void* source, size_t bytes) override {
        if (bytes > 0) {
            api_.check(api_.download(target, reinterpret_cast<cuda::Address>(source), bytes), "a copy from the device");
        }
    }

private:
    const DeviceApi& api_;
    std::map<void*, DeviceMemory> allocated_;
    CallScratch scratch_;
    cuda::DriverDevice device_;
};

}  // namespace

std::unique_ptr<TestDevice> open_test_device(uint64_t) { return std::make_unique<DriverTestDevice>(); }

}  // namespace latentmoe::test
