// What an operator's launches need of the GPU: its size, working memory, and a stream of kernels. Nothing here waits for the device.
#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <type_traits>

namespace latentmoe::cuda {

struct DeviceProperties {
    int major = 0, minor = 0;
    int multiprocessors = 0;
    size_t shared_bytes = 0;  // that one block may have
};

struct Grid {
    int64_t x = 1, y = 1, z = 1;
};

class Device {
public:
    virtual ~Device() = default;

    virtual const DeviceProperties& properties() const = 0;

    /// Device memory of at least `bytes`, aligned to 256, until the operator's call ends. Its content is arbitrary. Throws std::bad_alloc.
    virtual void* scratch(size_t bytes) = 0;

    template <typename T>
    T* array(int64_t count) {
        return static_cast<T*>(scratch(static_cast<size_t>(count) * sizeof(T)));
    }

    /// Sets memory to zero bytes, in the order of the launches.
    virtual void clear(void* memory, size_t bytes) = 0;

    /// Copies within device memory, in the order of the launches. The two do not overlap.
    virtual void copy(void* target, const void* source, size_t bytes) = 0;

    /// Runs a kernel after the ones before it. An empty grid runs nothing. Arguments have the very types of the kernel's parameters.
    /// Throws Error where the grid, the shared memory or the arguments are beyond what the kernel or the device takes.
    template <typename... A>
    void launch(std::string_view kernel, Grid grid, unsigned threads, size_t shared, A... arguments) {
        static_assert((... && (std::is_pointer_v<A> || std::is_same_v<A, float> || std::is_same_v<A, int32_t> || std::is_same_v<A, uint32_t> ||
                               std::is_same_v<A, int64_t>)));
        if (grid.x > 0 && grid.y > 0 && grid.z > 0) {
            std::array<void*, sizeof...(A)> values{const_cast<void*>(static_cast<const void*>(&arguments))...};
            std::array<size_t, sizeof...(A)> sizes{sizeof(A)...};
            run(kernel, grid, threads, shared, values, sizes);
        }
    }

protected:
    virtual void run(std::string_view kernel, Grid grid, unsigned threads, size_t shared, std::span<void*> values, std::span<const size_t> sizes) = 0;
};

}  // namespace latentmoe::cuda
