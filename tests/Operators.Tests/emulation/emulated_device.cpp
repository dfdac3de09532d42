#include "emulated_device.h"

#include "../../../runtime/ops/ort/error.h"
#include "scheduler.h"

#include <cstdlib>
#include <cstring>
#include <mutex>
#include <new>

extern "C" [[gnu::weak]] void __sanitizer_set_death_callback(void (*callback)());

namespace latentmoe::emulation {
namespace {

/// One launch at a time.
std::mutex running;

void check(const Kernel& kernel, cuda::Grid grid, unsigned threads, size_t shared, size_t shared_limit, std::span<const size_t> sizes) {
    constexpr int64_t most_x = (int64_t{1} << 31) - 1, most_yz = 65535;
    if (grid.x > most_x || grid.y > most_yz || grid.z > most_yz) {
        fail(kernel.name, ": the grid (", grid.x, ", ", grid.y, ", ", grid.z, ") is larger than (", most_x, ", ", most_yz, ", ", most_yz, ')');
    }
    if (threads == 0 || threads % 32 != 0 || threads > kernel.max_threads || threads > 1024) {
        fail(kernel.name, ": ", threads, " threads, expected a multiple of 32 up to ", kernel.max_threads);
    }
    if (shared > shared_limit) {
        fail(kernel.name, ": ", shared, " bytes of shared memory, of ", shared_limit);
    }
    if (sizes.size() != kernel.parameters.size()) {
        fail(kernel.name, ": ", sizes.size(), " arguments, expected ", kernel.parameters.size());
    }
    for (size_t i = 0; i < sizes.size(); i++) {
        if (sizes[i] != size_of(kernel.parameters[i])) {
            fail(kernel.name, ": argument ", i, " has ", sizes[i], " bytes, expected ", size_of(kernel.parameters[i]));
        }
    }
}

void tell_whereabouts() {
    const std::string place = whereabouts();
    if (!place.empty()) {
        std::fprintf(stderr, "in the kernel %s\n", place.c_str());
    }
}

}  // namespace

void* allocate(size_t bytes) {
    void* memory = nullptr;
    if (posix_memalign(&memory, 256, bytes) != 0) {
        throw std::bad_alloc();
    }
    std::memset(memory, 0xFF, bytes);  // NaN in every float format, −1 as an integer
    return memory;
}

EmulatedDevice::EmulatedDevice(uint64_t seed, cuda::DeviceProperties properties) : facts(properties), seed(seed) {
    if (__sanitizer_set_death_callback != nullptr) {
        __sanitizer_set_death_callback(tell_whereabouts);
    }
}

void* EmulatedDevice::scratch(size_t bytes) {
    blocks.push_back(allocate(bytes));
    return blocks.back();
}

void EmulatedDevice::end_call() {
    for (void* block : blocks) {
        std::free(block);
    }
    blocks.clear();
}

void EmulatedDevice::clear(void* memory, size_t bytes) {
    if (bytes > 0) {
        std::memset(memory, 0, bytes);
    }
}

void EmulatedDevice::copy(void* target, const void* source, size_t bytes) {
    if (bytes > 0) {
        std::memcpy(target, source, bytes);
    }
}

void EmulatedDevice::run(std::string_view name, cuda::Grid grid, unsigned threads, size_t shared, std::span<void*> values,
                         std::span<const size_t> sizes) {
    const Kernel& kernel = find_kernel(name);
    check(kernel, grid, threads, shared, facts.shared_bytes, sizes);
    const std::lock_guard lock(running);
    Scheduler(kernel, {grid.x, grid.y, grid.z}, threads, shared, values.data(), seed + 0x9E3779B97F4A7C15 * ++count).run();
}

}  // namespace latentmoe::emulation
