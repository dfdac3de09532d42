#include "../../../runtime/ops/cuda/driver/images.h"
#include "../../../runtime/ops/cuda/driver/ptx.h"
#include "../../../runtime/ops/cuda/driver/status.h"
#include "driver_test_fake.h"

#include <set>

using namespace latentmoe;
using namespace latentmoe::test;

static void unusable(const std::string& part) {
    const cuda::Status status = cuda::status();
    require(!status.usable, "usable: ", status.text);
    contains(status.text, part);
    require(status.text.find('\n') == std::string::npos, "more than one line: ", status.text);
}

TEST(status_names_the_device) {
    FakeDriver fake;
    const cuda::Status status = cuda::status();
    require(status.usable, status.text);
    require(status.text == "Emulated GPU, compute capability 9.0, driver for CUDA 12.4", status.text);
}

TEST(status_says_why_not) {
    FakeDriver fake;
    fake->version = 11030;
    unusable("serves CUDA 11.3, and the kernels need 11.4");
    fake->version = 11040;
    fake->devices = 0;
    unusable("finds no device");
    fake->devices = 1;
    fake->major = 7;
    fake->minor = 5;
    unusable("Emulated GPU has compute capability 7.5, and the kernels need 8.0");
    fake->failing["cuDeviceGetCount"] = 100;
    unusable("CUDA_ERROR_NO_DEVICE (no CUDA-capable device is detected)");
    fake->failing["cuDeviceGetCount"] = 12345;  // one that has no name
    unusable("CUDA error 12345");
}

TEST(status_fits_any_buffer) {
    FakeDriver fake;
    using Function = int (*)(char*, size_t);
    extern int cuda_status(char*, size_t) asm("LatentMoE_CudaStatus");
    const Function status = cuda_status;
    std::vector<char> text(9, 'x');
    require(status(text.data(), 8) == 0, "not usable");
    require(std::string(text.data()) == "Emulate" && text[8] == 'x', "cut to '", text.data(), "'");
    require(status(nullptr, 0) == 0, "not usable without a buffer");
    fake->devices = 0;
    require(status(text.data(), 8) != 0, "usable without a device");
}

TEST(images_are_complete) {
    require(!cuda::images().empty(), "there are no images");
    std::map<int, std::set<std::string>> kernels;
    for (const cuda::Image& image : cuda::images()) {
        const cuda::Ptx ptx = cuda::parse_ptx(image.ptx);
        require(ptx.version == (ptx.target == 80 ? 74 : 78), image.source, ": PTX ", ptx.version, " of sm_", ptx.target);
        require(!ptx.entries.empty(), image.source, " has no kernels");
        for (const cuda::PtxEntry& entry : ptx.entries) {
            require(kernels[ptx.target].insert(entry.name).second, entry.name, " is there twice");
            const cuda::Ptx alone = cuda::parse_ptx(ptx.alone(entry));
            require(alone.entries.size() == 1 && alone.entries[0].name == entry.name && alone.entries[0].parameters == entry.parameters, entry.name,
                    " does not stand alone");
        }
    }
    require(kernels.size() == 2 && kernels[80] == kernels[90], "the targets have different kernels");
}
