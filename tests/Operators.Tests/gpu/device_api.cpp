#include "device_api.h"

#include "../../../runtime/ops/cuda/driver/modules.h"
#include "../../../runtime/ops/cuda/driver/status.h"
#include "../../../runtime/ops/ort/error.h"

#include <algorithm>
#include <utility>

namespace latentmoe::test {

namespace {

// Says what is wrong with the driver, device or build before anything else fails of it.
const cuda::Driver& usable_driver() {
    const cuda::Status status = cuda::status();
    if (!status.usable) {
        fail(status.text);
    }
    return cuda::driver();
}

}  // namespace

DeviceApi::DeviceApi() : driver(usable_driver()) {
    cuda::Modules::current();
    find(allocate, "cuMemAlloc_v2");
    find(release, "cuMemFree_v2");
    find(memory_info, "cuMemGetInfo_v2");
    find(upload, "cuMemcpyHtoD_v2");
    find(download, "cuMemcpyDtoH_v2");
    find(synchronize, "cuCtxSynchronize");
    find(stream_create, "cuStreamCreate");
    find(stream_destroy, "cuStreamDestroy_v2");
    find(event_create, "cuEventCreate");
    find(event_destroy, "cuEventDestroy_v2");
    find(event_record, "cuEventRecord");
    find(event_synchronize, "cuEventSynchronize");
    find(event_elapsed, "cuEventElapsedTime");
    find(capture_begin, "cuStreamBeginCapture_v2");
    find(capture_end, "cuStreamEndCapture");
    find(graph_instantiate, "cuGraphInstantiateWithFlags");
    find(graph_destroy, "cuGraphDestroy");
    find(graph_launch, "cuGraphLaunch");
    find(graph_run_destroy, "cuGraphExecDestroy");
}

template <typename F>
void DeviceApi::find(F*& function, const char* name) {
    function = reinterpret_cast<F*>(driver.symbol(name));
    if (function == nullptr) {
        fail("the NVIDIA driver has no ", name);
    }
}

const DeviceApi& device_api() {
    static const DeviceApi api;
    return api;
}

DeviceMemory::DeviceMemory(size_t bytes) : bytes_(bytes) {
    const DeviceApi& api = device_api();
    api.driver.check(api.allocate(&address_, std::max<size_t>(bytes, 1)), text(bytes, " bytes of device memory"));
}

DeviceMemory::DeviceMemory(DeviceMemory&& other) noexcept : address_(std::exchange(other.address_, 0)), bytes_(other.bytes_) {}

DeviceMemory& DeviceMemory::operator=(DeviceMemory&& other) noexcept {
    std::swap(address_, other.address_);
    std::swap(bytes_, other.bytes_);
    return *this;
}

DeviceMemory::~DeviceMemory() {
    if (address_ != 0) {
        device_api().release(address_);
    }
}

void DeviceMemory::upload(const void* source, size_t bytes) const {
    const DeviceApi& api = device_api();
    api.check(api.synchronize(), "the kernels before a copy to the device");
    if (bytes > 0) {
        api.check(api.upload(address_, source, bytes), "a copy to the device");
    }
}

void DeviceMemory::download(void* target, size_t bytes) const {
    const DeviceApi& api = device_api();
    api.check(api.synchronize(), "the kernels before a copy from the device");
    if (bytes > 0) {
        api.check(api.download(target, address_, bytes), "a copy from the device");
    }
}

void DeviceMemory::fill(unsigned char value) const {
    const DeviceApi& api = device_api();
    if (bytes_ > 0) {
        api.check(api.driver.set_bytes(address_, value, bytes_, nullptr), "filling device memory");
        api.check(api.synchronize(), "filling device memory");
    }
}

}  // namespace latentmoe::test
