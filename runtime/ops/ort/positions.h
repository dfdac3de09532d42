// The check of a call's positions and mask against its cache.
#pragma once
#include <cstdint>

namespace latentmoe {

struct PositionsToCheck {
    const int64_t* positions;  // [batch, tokens]
    const int64_t* mask;       // [batch, total], total ≥ tokens
    int64_t batch, tokens, total;
    int64_t columns;          // of the cache
    int64_t positions_limit;  // rows of the rotary tables
};

/// Fails where a token has no rotary angle, or a live one no column to be written to.
void check_positions(const PositionsToCheck& call);

}  // namespace latentmoe
