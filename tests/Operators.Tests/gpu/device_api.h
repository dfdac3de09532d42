// The driver beyond what the library uses: memory, streams, events and graphs, for tests and benchmarks on a GPU.
#pragma once
#include "../../../runtime/ops/cuda/driver/driver.h"

#include <cstddef>
#include <string>

namespace latentmoe::test {

using EventHandle = struct CUevent_st*;
using GraphHandle = struct CUgraph_st*;
using GraphRunHandle = struct CUgraphExec_st*;

/// Of the first device's primary context, which becomes the thread's.
class DeviceApi {
public:
    /// Throws Error where there is no usable GPU.
    DeviceApi();

    const cuda::Driver& driver;
    void check(cuda::Result result, const char* what) const { driver.check(result, what); }

    cuda::Result (*allocate)(cuda::Address* memory, size_t bytes);
    cuda::Result (*release)(cuda::Address memory);
    cuda::Result (*memory_info)(size_t* free, size_t* total);
    cuda::Result (*upload)(cuda::Address target, const void* source, size_t bytes);
    cuda::Result (*download)(void* target, cuda::Address source, size_t bytes);
    cuda::Result (*synchronize)();
    cuda::Result (*stream_create)(cuda::StreamHandle* stream, unsigned flags);
    cuda::Result (*stream_destroy)(cuda::StreamHandle);
    cuda::Result (*event_create)(EventHandle* event, unsigned flags);
    cuda::Result (*event_destroy)(EventHandle);
    cuda::Result (*event_record)(EventHandle, cuda::StreamHandle);
    cuda::Result (*event_synchronize)(EventHandle);
    cuda::Result (*event_elapsed)(float* milliseconds, EventHandle begin, EventHandle end);
    cuda::Result (*capture_begin)(cuda::StreamHandle, int mode);
    cuda::Result (*capture_end)(cuda::StreamHandle, GraphHandle* graph);
    cuda::Result (*graph_instantiate)(GraphRunHandle* run, GraphHandle, unsigned long long flags);
    cuda::Result (*graph_destroy)(GraphHandle);
    cuda::Result (*graph_launch)(GraphRunHandle, cuda::StreamHandle);
    cuda::Result (*graph_run_destroy)(GraphRunHandle);

private:
    template <typename F>
    void find(F*& function, const char* name);
};

/// The process's. Throws as its constructor.
const DeviceApi& device_api();

/// Device memory of exactly so many bytes, freed at the end.
class DeviceMemory {
public:
    explicit DeviceMemory(size_t bytes);
    DeviceMemory(DeviceMemory&& other) noexcept;
    DeviceMemory& operator=(DeviceMemory&& other) noexcept;
    ~DeviceMemory();

    void* data() const { return reinterpret_cast<void*>(address_); }
    size_t size() const { return bytes_; }

    /// The first bytes, from and to the host; both wait for all work of the device.
    void upload(const void* source, size_t bytes) const;
    void download(void* target, size_t bytes) const;

    void fill(unsigned char value) const;

private:
    cuda::Address address_ = 0;
    size_t bytes_ = 0;
};

}  // namespace latentmoe::test
