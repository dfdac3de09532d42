#include "operator.h"

namespace latentmoe {

const Operators& all_operators() {
    static const auto* const operators = [] {
        auto* all = new Operators();
        add_linear(*all);
        add_moe_router(*all);
        add_moe_experts(*all);
        add_latent_attention(*all);
        add_add_rms_norm(*all);
        return all;
    }();
    return *operators;
}

}  // namespace latentmoe
