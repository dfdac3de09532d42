// The emulation refuses launches that a device would, and finds accesses out of bounds.
#include "../../../runtime/ops/cuda/kernels/portable.cuh"
#include "../emulation/emulated_device.h"
#include "refusal.h"

#include <sys/wait.h>
#include <unistd.h>

using namespace latentmoe;
using namespace latentmoe::cuda;
using namespace latentmoe::test;

namespace {

KERNEL(test_parameters, 64, (const float* x, float a, int32_t b, uint32_t c, int64_t d, float* y)) {
    if (thread_index() == 0) {
        *y = *x + a + float(b) + float(c) + float(d);
    }
}

KERNEL(test_indices, 64, (uint32_t* y)) {
    const uint32_t block = (block_z() * grid_y() + block_y()) * grid_x() + block_x();
    y[block * block_threads() + thread_index()] = block << 8 | warp_index() << 5 | lane_index();
}

KERNEL(test_reach, 64, (const float* x, int64_t global, int64_t shared, int64_t global16, float* y)) {
    auto* memory = reinterpret_cast<float*>(shared_memory());
    if (thread_index() == 63) {
        memory[shared] = x[global];
        y[0] = memory[shared] + float(load_once(x + global16).x);
    }
}

struct Reach {
    int64_t global = 15, shared = 31, global16 = 12;
};

void reach(const Reach& reach) {
    const auto device = open_test_device();
    const Buffer<float> x(*device, std::vector<float>(16, 1.0f)), y(*device, 1);
    device->device().launch("test_reach", {1}, 64, 32 * 4, x.data(), reach.global, reach.shared, reach.global16, y.data());
}

#ifdef __SANITIZE_ADDRESS__
/// What a child process writes that reaches so far, and ends with.
std::pair<int, std::string> reach_in_child(const Reach& far) {
    int ends[2];
    require(pipe(ends) == 0, "no pipe");
    const pid_t child = fork();
    if (child == 0) {
        dup2(ends[1], 2);
        try {
            reach(far);
        } catch (const std::exception& error) {
            _exit(3);
        }
        _exit(0);
    }
    close(ends[1]);
    std::string words;
    char part[4096];
    for (ssize_t count; (count = read(ends[0], part, sizeof part)) > 0;) {
        words.append(part, static_cast<size_t>(count));
    }
    close(ends[0]);
    int status = 0;
    waitpid(child, &status, 0);
    return {WIFEXITED(status) ? WEXITSTATUS(status) : -1, words};
}
#endif

}  // namespace

TEST(emulation_arguments_arrive) {
    const auto device = open_test_device();
    const Buffer<float> x(*device, std::vector<float>{0.5f}), y(*device, 1);
    device->device().launch("test_parameters", {1}, 32, 0, static_cast<const float*>(x.data()), 0.25f, int32_t{-3}, uint32_t{5}, int64_t{7}, y.data());
    require(y.values()[0] == 9.75f, "y is ", y.values()[0]);
}

TEST(emulation_indices_are_each_once) {
    for (uint64_t seed = 1; seed <= 4; seed++) {
        const auto device = open_test_device(seed);
        const Buffer<uint32_t> y(*device, 5 * 3 * 2 * 64);
        device->device().launch("test_indices", {5, 3, 2}, 64, 0, y.data());
        std::vector<uint32_t> expected;
        for (uint32_t block = 0; block < 30; block++) {
            for (uint32_t thread = 0; thread < 64; thread++) {
                expected.push_back(block << 8 | thread);
            }
        }
        same("indices", expected, y.values().data());
    }
}

TEST(emulation_refuses_what_does_not_fit) {
    emulation::EmulatedDevice own(1, {8, 6, 1, 1000});
    Device& device = own;
    const auto launch = [&](Grid grid, unsigned threads, size_t shared) {
        device.launch("test_parameters", grid, threads, shared, static_cast<const float*>(nullptr), 0.0f, int32_t{0}, uint32_t{0}, int64_t{0},
                      static_cast<float*>(nullptr));
    };
    refused("there is no kernel test_nothing", [&] { device.launch("test_nothing", {1}, 32, 0); });
    refused("the grid (2147483648, 1, 1)", [&] { launch({int64_t{1} << 31}, 32, 0); });
    refused("the grid (1, 65536, 1)", [&] { launch({1, 65536}, 32, 0); });
    refused("the grid (1, 1, 65536)", [&] { launch({1, 1, 65536}, 32, 0); });
    for (const unsigned threads : {0u, 33u, 96u}) {
        refused(text(threads, " threads, expected a multiple of 32 up to 64"), [&] { launch({1}, threads, 0); });
    }
    refused("1001 bytes of shared memory, of 1000", [&] { launch({1}, 32, 1001); });
    refused("1 arguments, expected 6", [&] { device.launch("test_parameters", {1}, 32, 0, int64_t{0}); });
    refused("argument 1 has 8 bytes, expected 4", [&] {
        device.launch("test_parameters", {1}, 32, 0, int64_t{0}, int64_t{0}, int32_t{0}, uint32_t{0}, int64_t{0}, int64_t{0});
    });
    require(own.launches() == 0, "something was launched");
    // An empty grid is no launch at all.
    launch({0, 1, 1}, 32, 0);
}

TEST(emulation_refuses_misaligned_loads) {
    refused("test_reach, block (0, 0, 0), thread 63: load_once", [] { reach({.global16 = 3}); });
}

TEST(emulation_finds_accesses_out_of_bounds) {
    reach({});
#ifdef __SANITIZE_ADDRESS__
    for (const Reach& far : {Reach{.global = 16}, Reach{.global = -1}, Reach{.shared = 32}, Reach{.shared = -1}, Reach{.global16 = 16}}) {
        const auto [code, words] = reach_in_child(far);
        require(code == 1 && words.find("heap-buffer-overflow") != std::string::npos, "exit code ", code, " instead of a finding:\n", words);
        require(words.find("in the kernel test_reach, block (0, 0, 0), thread 63") != std::string::npos, "the thread is not named:\n", words);
    }
#endif
}

TEST(emulation_scratch_is_nan_until_the_call_ends) {
    emulation::EmulatedDevice device;
    auto* memory = static_cast<float*>(device.scratch(12));
    require(reinterpret_cast<uintptr_t>(memory) % 256 == 0, "scratch is not aligned");
    require(std::isnan(memory[0]) && std::isnan(memory[2]), "scratch is not NaN");
    device.clear(memory, 8);
    require(memory[1] == 0 && std::isnan(memory[2]), "8 bytes are not cleared");
    device.copy(memory + 2, memory, 4);
    require(memory[2] == 0, "4 bytes are not copied");
}
