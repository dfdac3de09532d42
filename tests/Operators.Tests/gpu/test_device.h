// A device for tests, a real one or the emulation, and buffers in its memory.
#pragma once
#include "../../../runtime/ops/cuda/launch/device.h"

#include <cstdint>
#include <memory>
#include <vector>

namespace latentmoe::test {

class TestDevice {
public:
    virtual ~TestDevice() = default;

    /// What an operator's call is given. Scratch memory lasts until end_call.
    virtual cuda::Device& device() = 0;

    /// Ends an operator's call: waits for its kernels, and throws where one failed.
    virtual void end_call() = 0;

    /// Device memory filled with bytes 0xFF, which are NaN in every float format and −1 in integers: exactly so much, aligned to 256.
    virtual void* allocate(size_t bytes) = 0;
    virtual void release(void* memory) = 0;

    virtual void upload(void* target, const void* source, size_t bytes) = 0;
    virtual void download(void* target, const void* source, size_t bytes) = 0;
};

/// The emulation draws the order of threads from the seed; a real device has its own.
std::unique_ptr<TestDevice> open_test_device(uint64_t seed = 1);

/// Device memory that ends with its last element, `lead` elements behind an address that is a multiple of 256.
template <typename T>
class Buffer {
public:
    /// Of NaN, or −1.
    Buffer(TestDevice& device, int64_t count, int64_t lead = 0)
        : device(&device), block(device.allocate(bytes(count + lead))), start(static_cast<T*>(block) + lead), count(count) {}

    Buffer(TestDevice& device, const std::vector<T>& values, int64_t lead = 0) : Buffer(device, static_cast<int64_t>(values.size()), lead) {
        set(values);
    }

    Buffer(Buffer&& other) noexcept : device(other.device), block(other.block), start(other.start), count(other.count) {
        other.block = nullptr;
    }
    Buffer& operator=(Buffer&&) = delete;
    ~Buffer() {
        if (block != nullptr) {
            device->release(block);
        }
    }

    /// In device memory.
    T* data() const { return start; }
    int64_t size() const { return count; }

    std::vector<T> values() const {
        std::vector<T> result(static_cast<size_t>(count));
        device->download(result.data(), start, bytes(count));
        return result;
    }

    void set(const std::vector<T>& values) { device->upload(start, values.data(), bytes(count)); }

private:
    static size_t bytes(int64_t elements) { return static_cast<size_t>(elements) * sizeof(T); }

    TestDevice* device;
    void* block;
    T* start;
    int64_t count;
};

}  // namespace latentmoe::test
