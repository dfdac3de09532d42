// Tests run on the emulation.
#include "../emulation/emulated_device.h"
#include "test_device.h"

#include <cstdlib>
#include <cstring>

namespace latentmoe::test {
namespace {

class EmulatedTestDevice final : public TestDevice {
public:
    explicit EmulatedTestDevice(uint64_t seed) : emulated(seed) {}

    cuda::Device& device() override { return emulated; }
    void end_call() override { emulated.end_call(); }
    void* allocate(size_t bytes) override { return emulation::allocate(bytes); }
    void release(void* memory) override { std::free(memory); }
    void upload(void* target, const void* source, size_t bytes) override { emulated.copy(target, source, bytes); }
    void download(void* target, const void* source, size_t bytes) override { emulated.copy(target, source, bytes); }

private:
    emulation::EmulatedDevice emulated;
};

}  // namespace

std::unique_ptr<TestDevice> open_test_device(uint64_t seed) { return std::make_unique<EmulatedTestDevice>(seed); }

}  // namespace latentmoe::test
