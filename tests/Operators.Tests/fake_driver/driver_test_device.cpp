#include "../../../runtime/ops/cuda/driver/driver_device.h"
#include "../../../runtime/ops/cuda/launch/operators.h"
#include "driver_test_fake.h"

#include <array>
#include <cstdlib>
#include <thread>

using namespace latentmoe;
using namespace latentmoe::test;
using cuda::DriverDevice;
using cuda::Modules;

namespace {

/// Host memory, which is the fake device's; not aligned where a test asks for that.
class HostScratch final : public cuda::ScratchMemory {
public:
    explicit HostScratch(size_t lead = 0) : lead(lead) {}
    ~HostScratch() override { std::free(block); }
    void* take(size_t bytes) override {
        block = std::aligned_alloc(256, (bytes + lead + 255) / 256 * 256);
        return static_cast<char*>(block) + lead;
    }

private:
    size_t lead;
    void* block = nullptr;
};

/// A device over modules of its own: each test loads its kernels anew.
struct Session {
    HostScratch scratch;
    Modules modules;
    DriverDevice device{modules, nullptr, scratch};

    Session() : modules((Modules::current(), cuda::driver())) {}

    /// y and sum of two rows of three.
    std::vector<float> add_norm() {
        const std::vector<float> x{1, 2, 3, 4, 5, 6}, residual{0, 1, 0, 1, 0, 1}, gain{1, 1, 2};
        std::vector<float> y(6), sum(6);
        cuda::add_rms_norm(device, cuda::Type::F32, x.data(), residual.data(), gain.data(), 0, 2, 3, y.data(), sum.data());
        y.insert(y.end(), sum.begin(), sum.end());
        return y;
    }
};

}  // namespace

TEST(device_runs_a_kernel) {
    FakeDriver fake;
    Session session;
    const std::vector<float> result = session.add_norm();
    const double first = 1 / std::sqrt((1. + 9 + 9) / 3), second = 1 / std::sqrt((25. + 25 + 49) / 3);
    close("y and sum", {first, 3 * first, 6 * first, 5 * second, 5 * second, 14 * second, 1, 3, 3, 5, 5, 7}, result.data(), 1e-6);
    require(fake->launches.size() == 1, fake->launches.size(), " launches");
    const fake::Launch launch = fake->launches[0];
    contains(launch.kernel, "add_rms_norm");
    require(launch.y == 1 && launch.z == 1, "grid ", launch.x, " x ", launch.y, " x ", launch.z);
    session.add_norm();
    require(fake->modules.size() == 1 && fake->modules[0] == "sm_90 " + launch.kernel, "loaded ", fake->modules.size(), " modules");
}

TEST(device_knows_its_properties) {
    FakeDriver fake;
    fake->multiprocessors = 78;
    Session session;
    const cuda::DeviceProperties& properties = session.device.properties();
    require(properties.major == 9 && properties.minor == 0 && properties.multiprocessors == 78, "properties");
    require(properties.shared_bytes == 232448, properties.shared_bytes);
}

TEST(modules_suit_the_device_and_the_driver) {
    for (const auto& [major, minor, version, target] : {std::array{8, 0, 12040, 80}, {8, 9, 12040, 80}, {9, 0, 11080, 90}, {9, 0, 11070, 80}, {12, 0, 12080, 90}}) {
        FakeDriver fake;
        fake->major = major;
        fake->minor = minor;
        fake->version = version;
        Session().add_norm();
        require(fake->modules.at(0).starts_with(test::text("sm_", target)), "compute capability ", major, '.', minor, ", CUDA ", version, ": ", fake->modules[0]);
    }
    FakeDriver fake;
    fake->major = 7;
    contains(error_of([] { Session(); }), "compute capability 7.0, and the kernels need 8.0");
}

TEST(modules_that_do_not_compile_say_why) {
    FakeDriver fake;
    Session session;
    fake->compile_log = "ptxas line 7: what is this?";
    const std::string message = error_of([&] { session.add_norm(); });
    contains(message, "does not compile the CUDA kernel add_rms_norm");
    contains(message, "saying: ptxas line 7: what is this?: CUDA_ERROR_INVALID_PTX");
    fake->compile_log.clear();
    session.add_norm();
}

TEST(modules_are_prepared_before_a_stream_is_captured) {
    FakeDriver fake;
    const auto symbol = [](const char* name) { return cuda::driver().symbol(name); };
    const auto begin = reinterpret_cast<int (*)(cuda::StreamHandle, int)>(symbol("cuStreamBeginCapture_v2"));
    const auto create = reinterpret_cast<int (*)(cuda::StreamHandle*, unsigned)>(symbol("cuStreamCreate"));
    const auto destroy = reinterpret_cast<int (*)(cuda::StreamHandle)>(symbol("cuStreamDestroy_v2"));
    Session session;
    cuda::StreamHandle stream = nullptr;
    create(&stream, 0);
    begin(stream, 0);
    contains(error_of([&] { session.add_norm(); }), "CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED");
    destroy(stream);
    create(&stream, 0);
    session.modules.prepare(cuda::Type::F32, std::nullopt);
    const size_t loaded = fake->modules.size();
    begin(stream, 0);
    session.add_norm();
    destroy(stream);
    require(fake->modules.size() == loaded, "loaded in a capture");
    for (const std::string& module : fake->modules) {
        require(module.find("f16") == std::string::npos && module.find("int") == std::string::npos, "prepared ", module);
    }
}

TEST(modules_load_a_kernel_once_from_many_threads) {
    FakeDriver fake;
    Session session;
    std::vector<std::thread> threads;
    for (int i = 0; i < 8; ++i) {
        threads.emplace_back([&] { session.modules.find("router_choice"); });
    }
    for (std::thread& thread : threads) {
        thread.join();
    }
    require(fake->modules.size() == 1, fake->modules.size(), " modules");
}

TEST(launches_beyond_the_limits_are_refused) {
    FakeDriver fake;
    Session session;
    DriverDevice& device = session.device;
    session.add_norm();
    const std::string kernel = fake->launches[0].kernel;
    fake->launches.clear();
    const auto refused = [&](const std::string& part, cuda::Grid grid, unsigned threads, size_t shared, auto... arguments) {
        const std::string message = error_of([&] { device.launch(kernel, grid, threads, shared, arguments...); });
        contains(message, part);
        contains(message, test::text("CUDA kernel ", kernel, ", grid ", grid.x, " x ", grid.y, " x ", grid.z, ", ", threads, " threads"));
    };
    float number = 0;
    float* pointer = &number;
    refused("grid is larger", {int64_t{1} << 31}, 32, 0, pointer);
    refused("grid is larger", {1, 65536}, 32, 0, pointer);
    refused("grid is larger", {1, 1, 65536}, 32, 0, pointer);
    refused("not compiled for so many threads", {1}, 2048, 0, pointer);
    refused("not compiled for so many threads", {1}, 0, 0, pointer);
    refused("less shared memory", {1}, 32, 232449, pointer);
    refused("arguments are not the kernel's parameters", {1}, 32, 0, pointer);
    contains(error_of([&] { device.launch("no_such_kernel", {1}, 32, 0); }), "there is no CUDA kernel no_such_kernel");
    require(fake->launches.empty(), "launched");
    device.launch("no_such_kernel", {0}, 32, 0);  // an empty grid
}

TEST(launches_that_fail_are_named) {
    FakeDriver fake;
    Session session;
    fake->failing["cuLaunchKernel"] = 719;
    const std::string message = error_of([&] { session.add_norm(); });
    contains(message, "CUDA kernel add_rms_norm");
    contains(message, "CUDA_ERROR_LAUNCH_FAILED (unspecified launch failure)");
}

TEST(device_clears_and_copies) {
    FakeDriver fake;
    Session session;
    std::vector<int32_t> numbers{1, 2, 3, 4};
    session.device.clear(numbers.data(), 8);
    session.device.copy(numbers.data(), numbers.data() + 2, 4);
    same("numbers", {3, 0, 3, 4}, numbers.data());
    session.device.clear(nullptr, 0);
    session.device.copy(nullptr, nullptr, 0);
    require(fake->cleared == 8 && fake->copied == 4, "cleared ", fake->cleared, ", copied ", fake->copied);
    fake->failing["cuMemsetD8Async"] = 1;
    contains(error_of([&] { session.device.clear(numbers.data(), 8); }), "clearing 8 bytes: CUDA_ERROR_INVALID_VALUE");
}

TEST(scratch_is_aligned) {
    FakeDriver fake;
    Session session;
    require(session.device.scratch(0) != nullptr, "no memory for nothing");
    HostScratch odd(16);
    DriverDevice device(session.modules, nullptr, odd);
    contains(error_of([&] { device.scratch(100); }), "not aligned to 256 bytes");
}

TEST(modules_of_a_thread_without_a_context_are_the_first_devices) {
    FakeDriver fake;
    Modules *here = &Modules::current(), *there = nullptr;
    std::thread([&] { there = &Modules::current(); }).join();
    require(here == there, "another context");
}
