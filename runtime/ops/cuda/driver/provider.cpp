#include "provider.h"

namespace latentmoe::cuda {

const char* const provider_name = "CUDAExecutionProvider";

namespace {

class DriverProvider final : public Provider {
public:
    explicit DriverProvider(Modules& modules) : modules_(modules) {}

    void prepare(Type type, std::optional<WeightType> weight) override { modules_.prepare(type, weight); }
    int ordinal() const override { return modules_.device(); }
    std::unique_ptr<Device> device(void* stream, ScratchMemory& memory) override {
        return std::make_unique<DriverDevice>(modules_, static_cast<StreamHandle>(stream), memory);
    }

private:
    Modules& modules_;
};

}  // namespace

std::unique_ptr<Provider> open_provider() { return std::make_unique<DriverProvider>(Modules::current()); }

}  // namespace latentmoe::cuda
