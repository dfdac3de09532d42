// Sorts (token, slot) pairs by expert, and cuts each expert's part into tiles: a block for each expert, which counts for itself. Pairs of
// an expert keep their order, so that the result does not depend on that of the threads.
#include "experts_tile_list.cuh"

namespace latentmoe::cuda {

constexpr int group_warps = 8, ids_of_lane = 4;  // ids that are read at once

DEVICE int32_t warp_total(int32_t value) {
    for (uint32_t mask = 16; mask > 0; mask /= 2) {
        value += int32_t(shuffle_xor(uint32_t(value), mask));
    }
    return value;
}

/// Ids at first + lane and then every 32, of those below `end`.
DEVICE void read_ids(const int32_t* chosen, int32_t first, int32_t end, int32_t (&ids)[ids_of_lane]) {
    UNROLL(4)
    for (int j = 0; j < ids_of_lane; j++) {
        const int32_t i = first + 32 * j + int32_t(lane_index());
        ids[j] = i < end ? chosen[i] : no_expert;
    }
}

/// order [pairs]: pairs of the experts one after the other; those without an expert are left out.
KERNEL(experts_group, 256, (const int32_t* chosen, int32_t pairs, int32_t experts, int32_t tile_tokens, int32_t* order, int32_t* tiles)) {
    auto* counts = reinterpret_cast<int32_t*>(shared_memory());  // (warps, 2): of lower experts, and of this one
    const int32_t expert = int32_t(block_x()), warp = int32_t(warp_index());
    constexpr int32_t step = 32 * ids_of_lane;
    const int32_t part = (pairs + group_warps * step - 1) / (group_warps * step) * step;
    const int32_t begin = warp * part < pairs ? warp * part : pairs, end = part < pairs - begin ? begin + part : pairs;

    int32_t lower = 0, same = 0, ids[ids_of_lane];
    for (int32_t i = begin; i < end; i += step) {
        read_ids(chosen, i, end, ids);
        UNROLL(4)
        for (int j = 0; j < ids_of_lane; j++) {
            lower += ids[j] >= 0 && ids[j] < expert;
            same += ids[j] == expert;
        }
    }
    lower = warp_total(lower);
    same = warp_total(same);
    if (lane_index() == 0) {
        counts[2 * warp] = lower;
        counts[2 * warp + 1] = same;
    }
    block_barrier();

    int32_t start = 0, count = 0, before = 0;
    for (int32_t w = 0; w < group_warps; w++) {
        start += counts[2 * w];
        before += w < warp ? counts[2 * w + 1] : 0;
        count += counts[2 * w + 1];
    }
    int32_t place = start + before;
    for (int32_t i = begin; i < end; i += step) {
        read_ids(chosen, i, end, ids);
        UNROLL(4)
        for (int j = 0; j < ids_of_lane; j++) {
            const uint32_t lane = lane_index(), members = ballot(ids[j] == expert);
            if (ids[j] == expert) {
                order[place + population(members & ((1u << lane) - 1))] = i + 32 * j + int32_t(lane);
            }
            place += population(members);
        }
    }

    const int32_t first = tile_place(expert, start, tile_tokens);
    const int32_t last = expert == experts - 1 ? pairs / tile_tokens + experts : tile_place(expert + 1, start + count, tile_tokens);
    for (int32_t i = first + int32_t(thread_index()); i < last; i += int32_t(block_threads())) {
        const int32_t skipped = (i - first) * tile_tokens, left = count - skipped;
        write_tile(tiles, i, {expert, start + skipped, left < 0 ? 0 : left < tile_tokens ? left : tile_tokens});
    }
}

}  // namespace latentmoe::cuda
