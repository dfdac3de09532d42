#include "driver_device.h"

#include "../../ort/error.h"

#include <algorithm>

namespace latentmoe::cuda {

namespace {

constexpr size_t alignment = 256;

// The bounds that CUDA sets on every device.
constexpr int64_t most_x = INT32_MAX, most_yz = UINT16_MAX;

std::string describe(std::string_view kernel, Grid grid, unsigned threads, size_t shared) {
    return text("CUDA kernel ", kernel, ", grid ", grid.x, " x ", grid.y, " x ", grid.z, ", ", threads, " threads, ", shared,
                " bytes of shared memory");
}

// What is wrong with a launch; null where nothing is.
const char* refusal(const PtxEntry& entry, const DeviceProperties& properties, Grid grid, unsigned threads, size_t shared,
                    std::span<const size_t> sizes) {
    if (grid.x > most_x || grid.y > most_yz || grid.z > most_yz) {
        return "the grid is larger than CUDA allows";
    }
    if (threads == 0 || threads > entry.threads) {
        return "the kernel was not compiled for so many threads";
    }
    if (shared > properties.shared_bytes) {
        return "the device has less shared memory for a block";
    }
    if (!std::equal(sizes.begin(), sizes.end(), entry.parameters.begin(), entry.parameters.end())) {
        return "the arguments are not the kernel's parameters";
    }
    return nullptr;
}

}  // namespace

void* DriverDevice::scratch(size_t bytes) {
    void* memory = memory_.take(std::max<size_t>(bytes, 1));
    if (reinterpret_cast<uintptr_t>(memory) % alignment != 0) {
        fail("working memory for a CUDA kernel is not aligned to ", alignment, " bytes");
    }
    return memory;
}

void DriverDevice::clear(void* memory, size_t bytes) {
    if (bytes > 0) {
        const Driver& driver = modules_.driver();
        driver.check(driver.set_bytes(reinterpret_cast<Address>(memory), 0, bytes, stream_), text("clearing ", bytes, " bytes"));
    }
}

void DriverDevice::copy(void* target, const void* source, size_t bytes) {
    if (bytes > 0) {
        const Driver& driver = modules_.driver();
        driver.check(driver.copy_within(reinterpret_cast<Address>(target), reinterpret_cast<Address>(source), bytes, stream_),
                     text("copying ", bytes, " bytes"));
    }
}

void DriverDevice::run(std::string_view kernel, Grid grid, unsigned threads, size_t shared, std::span<void*> values,
                       std::span<const size_t> sizes) {
    const LoadedKernel& loaded = modules_.find(kernel);
    if (const char* reason = refusal(*loaded.entry, properties(), grid, threads, shared, sizes)) {
        fail(describe(kernel, grid, threads, shared), ": ", reason);
    }
    const Result result = modules_.driver().launch(loaded.function, static_cast<unsigned>(grid.x), static_cast<unsigned>(grid.y),
                                                   static_cast<unsigned>(grid.z), threads, 1, 1, static_cast<unsigned>(shared), stream_,
                                                   values.data(), nullptr);
    if (result != success) {
        modules_.driver().check(result, describe(kernel, grid, threads, shared));
    }
}

}  // namespace latentmoe::cuda
