#include "status.h"

#include "../../ort/error.h"
#include "images.h"

#include <algorithm>
#include <array>
#include <cstring>

namespace latentmoe::cuda {

namespace {

// CUDA counts its versions as 12040 for 12.4.
std::string version_text(int version) { return text(version / 1000, '.', version % 1000 / 10); }

std::string describe_device() {
    if (images().empty()) {
        fail("this build of liblatentmoe_ops.so has no CUDA kernels");
    }
    const Driver& d = driver();
    int version = 0, count = 0;
    d.check(d.driver_version(&version), "the NVIDIA driver does not tell its version");
    if (version < least_driver) {
        fail("the NVIDIA driver is too old: it serves CUDA ", version_text(version), ", and the kernels need ", version_text(least_driver));
    }
    d.check(d.device_count(&count), "the NVIDIA driver cannot count its devices");
    if (count == 0) {
        fail("the NVIDIA driver finds no device");
    }
    Ordinal device = 0;
    d.check(d.device_get(&device, 0), "CUDA device 0");
    std::array<char, 256> name{};
    d.check(d.device_name(name.data(), static_cast<int>(name.size()) - 1, device), "the name of CUDA device 0");
    const int major = attribute(d, capability_major, device), minor = attribute(d, capability_minor, device);
    if (major * 10 + minor < least_target) {
        fail(name.data(), " has compute capability ", major, '.', minor, ", and the kernels need 8.0");
    }
    return text(name.data(), ", compute capability ", major, '.', minor, ", driver for CUDA ", version_text(version));
}

}  // namespace

Status status() noexcept {
    try {
        return {true, describe_device()};
    } catch (const std::exception& e) {
        try {
            std::string reason = e.what();
            std::replace(reason.begin(), reason.end(), '\n', ' ');
            return {false, reason};
        } catch (...) {
            return {};
        }
    }
}

}  // namespace latentmoe::cuda

/// 0 where kernels can run here. The text is cut to `size` bytes with its closing zero.
extern "C" __attribute__((visibility("default"))) int LatentMoE_CudaStatus(char* text, size_t size) {
    const latentmoe::cuda::Status status = latentmoe::cuda::status();
    if (text != nullptr && size > 0) {
        const size_t length = std::min(status.text.size(), size - 1);
        std::memcpy(text, status.text.data(), length);
        text[length] = '\0';
    }
    return status.usable ? 0 : 1;
}
