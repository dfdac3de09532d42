#include "operator.h"

#include "../cuda/driver/provider.h"

namespace latentmoe {

const Operators& all_operators() {
    static const auto* const operators = [] {
        auto* all = new Operators();
        add_linear(*all);
        add_moe_router(*all);
        add_moe_experts(*all);
        add_latent_attention(*all);
        add_add_rms_norm(*all);
        add_select_token(*all);
        if (cuda::provider_name == nullptr) {
            std::erase_if(*all, [](const Operator& op) { return op.device == Device::Cpu; });
        }
        return all;
    }();
    return *operators;
}

}  // namespace latentmoe
