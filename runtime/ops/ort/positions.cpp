#include "positions.h"

#include "error.h"

#include <algorithm>

namespace latentmoe {

// 1 + the last mask column that any row uses; searched from the end, where it mostly is.
static int64_t used_columns(const PositionsToCheck& call) {
    int64_t used = 0;
    for (int64_t row = 0; row < call.batch; ++row) {
        int64_t column = call.total;
        while (column > used && call.mask[row * call.total + column - 1] == 0) {
            --column;
        }
        used = std::max(used, column);
    }
    return used;
}

void check_positions(const PositionsToCheck& call) {
    const int64_t offset = std::max<int64_t>(used_columns(call) - call.tokens, 0);
    for (int64_t row = 0; row < call.batch; ++row) {
        const int64_t* mask = call.mask + row * call.total + offset;
        for (int64_t token = 0; token < call.tokens; ++token) {
            const int64_t position = call.positions[row * call.tokens + token];
            if (position >= call.positions_limit) {
                fail("position_ids[", row, ", ", token, "] is ", position, ", expected less than ", call.positions_limit,
                     ", the model's longest context: feed fewer tokens");
            }
            if (position >= call.columns && mask[token] != 0) {
                fail("position_ids[", row, ", ", token, "] is ", position, ", expected less than ", call.columns,
                     ", the columns of the cache: feed a longer cache or a mask that covers this position");
            }
        }
    }
}

}  // namespace latentmoe
