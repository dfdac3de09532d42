// The emulation's schedules: kernels that lack a barrier, or do not come to one together, are found out; those that have it are right.
#include "../../../runtime/ops/cuda/kernels/portable.cuh"
#include "../native/check.h"
#include "refusal.h"

using namespace latentmoe;
using namespace latentmoe::cuda;
using namespace latentmoe::test;

namespace {

/// Each thread tells another one, `distance` away, its number.
template <bool wait>
DEVICE void pass_on(uint32_t distance, uint32_t* y) {
    auto* told = reinterpret_cast<uint32_t*>(shared_memory());
    told[thread_index()] = thread_index();
    if (wait) {
        block_barrier();
    }
    y[block_x() * block_threads() + thread_index()] = told[(thread_index() + distance) % block_threads()];
}

KERNEL(test_pass_on, 128, (uint32_t distance, uint32_t* y)) { pass_on<true>(distance, y); }
KERNEL(test_pass_on_at_once, 128, (uint32_t distance, uint32_t* y)) { pass_on<false>(distance, y); }

/// A place is written again after all have read it, or while they read.
template <bool wait>
DEVICE void write_twice(uint32_t* y) {
    auto* place = reinterpret_cast<uint32_t*>(shared_memory());
    for (uint32_t turn = 0; turn < 4; turn++) {
        if (thread_index() == 0) {
            *place = turn;
        }
        block_barrier();
        y[thread_index() * 4 + turn] = *place;
        if (wait) {
            block_barrier();
        }
    }
}

KERNEL(test_write_twice, 128, (uint32_t* y)) { write_twice<true>(y); }
KERNEL(test_write_twice_at_once, 128, (uint32_t* y)) { write_twice<false>(y); }

/// The last block sums up what all have written.
template <bool wait>
DEVICE void last_block(int32_t* parts, int32_t* done, int32_t* y) {
    const uint32_t first = block_x() * block_threads();
    auto* last = reinterpret_cast<int32_t*>(shared_memory());
    parts[first + thread_index()] = 1;
    device_fence();
    if (wait) {
        block_barrier();
    }
    if (thread_index() == 0) {
        *last = atomic_add(done, 1) == int32_t(grid_x()) - 1;
    }
    block_barrier();
    if (*last && thread_index() == 0) {
        int32_t sum = 0;
        for (uint32_t i = 0; i < grid_x() * block_threads(); i++) {
            sum += parts[i];
        }
        *y = sum;
    }
}

KERNEL(test_last_block, 128, (int32_t* parts, int32_t* done, int32_t* y)) { last_block<true>(parts, done, y); }
KERNEL(test_last_block_at_once, 128, (int32_t* parts, int32_t* done, int32_t* y)) { last_block<false>(parts, done, y); }

KERNEL(test_barrier_of_some_warps, 64, ()) {
    if (warp_index() == 0) {
        block_barrier();
    }
}
KERNEL(test_barrier_of_some_lanes, 32, ()) {
    if (lane_index() < 5) {
        block_barrier();
    }
    warp_barrier();
}
KERNEL(test_two_barriers, 64, ()) {
    if (warp_index() == 0) {
        block_barrier();
    } else {
        block_barrier();
    }
}
KERNEL(test_shuffle_of_some_lanes, 32, (uint32_t* y)) {
    if (lane_index() == 7) {
        return;
    }
    y[lane_index()] = shuffle_xor(lane_index(), 1);
}
KERNEL(test_shuffle_here_and_there, 32, (uint32_t* y)) {
    if (lane_index() == 0) {
        y[0] = shuffle(0u, 1);
    } else {
        y[lane_index()] = shuffle(1u, 0);
    }
}

constexpr uint64_t seeds = 12;

/// How many of the schedules give what is expected.
template <typename Run>
uint64_t right(const Run& run) {
    uint64_t count = 0;
    for (uint64_t seed = 1; seed <= seeds; seed++) {
        count += run(seed);
    }
    return count;
}

bool told(std::string_view kernel, uint32_t distance, uint64_t seed) {
    const auto device = open_test_device(seed);
    const Buffer<uint32_t> y(*device, 3 * 128);
    device->device().launch(kernel, {3}, 128, 128 * 4, distance, y.data());
    device->end_call();
    const std::vector<uint32_t> values = y.values();
    for (uint32_t i = 0; i < values.size(); i++) {
        if (values[i] != (i + distance) % 128) {
            return false;
        }
    }
    return true;
}

bool written(std::string_view kernel, uint64_t seed) {
    const auto device = open_test_device(seed);
    const Buffer<uint32_t> y(*device, 4 * 128);
    device->device().launch(kernel, {1}, 128, 4, y.data());
    device->end_call();
    const std::vector<uint32_t> values = y.values();
    for (uint32_t i = 0; i < values.size(); i++) {
        if (values[i] != i % 4) {
            return false;
        }
    }
    return true;
}

bool summed(std::string_view kernel, uint64_t seed) {
    const auto device = open_test_device(seed);
    const Buffer<int32_t> parts(*device, 5 * 128), done(*device, std::vector<int32_t>{0}), y(*device, 1);
    device->device().launch(kernel, {5}, 128, 4, parts.data(), done.data(), y.data());
    device->end_call();
    return y.values()[0] == 5 * 128;
}

}  // namespace

TEST(emulation_barriers_are_kept) {
    const auto count = [](auto run) { return right(run); };
    require(count([](uint64_t seed) { return told("test_pass_on", 1, seed) && told("test_pass_on", 64, seed); }) == seeds, "pass_on is wrong");
    require(count([](uint64_t seed) { return written("test_write_twice", seed); }) == seeds, "write_twice is wrong");
    require(count([](uint64_t seed) { return summed("test_last_block", seed); }) == seeds, "last_block is wrong");
}

TEST(emulation_missing_barriers_show) {
    for (const uint32_t distance : {1, 3, 32, 127}) {
        const uint64_t unseen = right([&](uint64_t seed) { return told("test_pass_on_at_once", distance, seed); });
        require(unseen == 0, "pass_on over ", distance, " is right without its barrier in ", unseen, " schedules");
    }
    const uint64_t unseen = right([](uint64_t seed) { return written("test_write_twice_at_once", seed); });
    require(unseen <= seeds / 4, "write_twice is right without its barrier in ", unseen, " of ", seeds, " schedules");
    const uint64_t unsummed = right([](uint64_t seed) { return summed("test_last_block_at_once", seed); });
    require(unsummed <= seeds * 3 / 4, "last_block is right without its barrier in ", unsummed, " of ", seeds, " schedules");
}

TEST(emulation_divergence_is_refused) {
    for (uint64_t seed = 1; seed <= seeds; seed++) {
        const auto device = open_test_device(seed);
        const Buffer<uint32_t> y(*device, 32);
        refused("test_barrier_of_some_warps, block (0, 0, 0)", [&] { device->device().launch("test_barrier_of_some_warps", {1}, 64, 0); });
        refused("has exited", [&] { device->device().launch("test_shuffle_of_some_lanes", {1}, 32, 0, y.data()); });
        refused("divergent: lane 0 is at the block's barrier", [&] { device->device().launch("test_barrier_of_some_lanes", {1}, 32, 0); });
        refused("divergent: warp 0", [&] { device->device().launch("test_two_barriers", {1}, 64, 0); });
        refused("emulation_schedule_test.cpp:", [&] { device->device().launch("test_shuffle_here_and_there", {1}, 32, 0, y.data()); });
        // A launch that failed leaves nothing behind.
        require(told("test_pass_on", 1, seed), "pass_on is wrong after a failure");
    }
}
