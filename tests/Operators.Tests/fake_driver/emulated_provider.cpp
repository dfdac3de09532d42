// The operators' CUDA entries on ONNX Runtime's CPU, their kernels run by the emulation.
#include "../../../runtime/ops/cuda/driver/kernel_types.h"
#include "../../../runtime/ops/cuda/driver/provider.h"
#include "../../../runtime/ops/ort/error.h"
#include "../emulation/emulated_device.h"

#include <algorithm>
#include <atomic>
#include <utility>

namespace latentmoe::cuda {

const char* const provider_name = nullptr;

namespace {

using Prepared = std::vector<std::pair<Type, std::optional<WeightType>>>;

/// Refuses what a GPU would have to compile in the middle of a call.
class PreparedDevice final : public emulation::EmulatedDevice {
public:
    PreparedDevice(const Prepared& prepared, uint64_t seed) : EmulatedDevice(seed), prepared_(prepared) {}

protected:
    void run(std::string_view kernel, Grid grid, unsigned threads, size_t shared, std::span<void*> values,
             std::span<const size_t> sizes) override {
        if (std::none_of(prepared_.begin(), prepared_.end(), [&](const auto& types) { return is_for(kernel, types.first, types.second); })) {
            fail("the kernel ", kernel, " was not prepared when the node was created");
        }
        EmulatedDevice::run(kernel, grid, threads, shared, values, sizes);
    }

private:
    const Prepared& prepared_;
};

class EmulatedProvider final : public Provider {
public:
    void prepare(Type type, std::optional<WeightType> weight) override { prepared_.emplace_back(type, weight); }
    int ordinal() const override { return 0; }
    std::unique_ptr<Device> device(void*, ScratchMemory&) override { return std::make_unique<PreparedDevice>(prepared_, ++seed); }

private:
    static std::atomic<uint64_t> seed;
    Prepared prepared_;
};

std::atomic<uint64_t> EmulatedProvider::seed{0};

}  // namespace

std::unique_ptr<Provider> open_provider() { return std::make_unique<EmulatedProvider>(); }

}  // namespace latentmoe::cuda
