#include "bench_limits.h"

#include "../../../runtime/ops/cuda/driver/ptx.h"
#include "../../../runtime/ops/ort/error.h"

#include <algorithm>
#include <array>
#include <fstream>
#include <sstream>

namespace latentmoe::test {

namespace {

constexpr unsigned threads = 256, blocks_each = 8;

// As bench_limits.cu has them, in a round of a warp: products of 16 · 8 · 16, or fused multiply-adds.
constexpr double product_flops = 8 * 2.0 * 16 * 8 * 16, add_flops = 32 * 2.0 * 8 * 4;

std::string read_text(const std::string& path) {
    std::ifstream file(path);
    if (!file) {
        fail(path, ": no such file; the folder ptx of the bundle belongs there");
    }
    std::ostringstream content;
    content << file.rdbuf();
    return content.str();
}

/// The benchmark's own kernels, compiled by the driver.
class LimitKernels {
public:
    LimitKernels(BenchTimer& timer, const std::string& images) : timer_(timer) {
        const cuda::DeviceProperties& properties = timer.device().properties();
        multiprocessors_ = static_cast<unsigned>(properties.multiprocessors);
        text_ = read_text(images + (properties.major >= 9 ? "/sm_90" : "/sm_80") + "/bench_limits.ptx");
        ptx_ = cuda::parse_ptx(text_);
    }

    /// Of as many blocks as run together.
    template <typename... A>
    double microseconds(const char* name, A... arguments) const {
        const Loaded kernel(api_, ptx_, name);
        std::array<void*, sizeof...(A)> values{&arguments...};
        const auto launch = [&] {
            const auto stream = timer_.stream();
            api_.check(api_.driver.launch(kernel.function, blocks(), 1, 1, threads, 1, 1, 0, stream, values.data(), nullptr), name);
        };
        return timer_.time(1, launch, false).least;
    }

    unsigned blocks() const { return multiprocessors_ * blocks_each; }
    double warps() const { return static_cast<double>(blocks()) * threads / 32; }

private:
    /// One kernel in a module of its own, as the library loads them.
    struct Loaded {
        Loaded(const DeviceApi& api, const cuda::Ptx& ptx, const std::string& name) : driver(api.driver) {
            const auto entry = std::ranges::find(ptx.entries, name, &cuda::PtxEntry::name);
            if (entry == ptx.entries.end()) {
                fail("bench_limits.ptx has no kernel ", name);
            }
            driver.check(driver.module_load(&module, ptx.alone(*entry).c_str(), 0, nullptr, nullptr), name);
            driver.check(driver.module_function(&function, module, name.c_str()), name);
        }
        Loaded(const Loaded&) = delete;
        ~Loaded() { driver.module_unload(module); }

        const cuda::Driver& driver;
        cuda::ModuleHandle module = nullptr;
        cuda::FunctionHandle function = nullptr;
    };

    BenchTimer& timer_;
    const DeviceApi& api_ = device_api();
    unsigned multiprocessors_ = 0;
    std::string text_;
    cuda::Ptx ptx_;  // of views into the text
};

}  // namespace

BenchLimits measure_limits(BenchTimer& timer, const std::string& images, bool tiny) {
    const LimitKernels kernels(timer, images);
    // Larger than every cache.
    const size_t bytes = tiny ? size_t{1} << 16 : size_t{2} << 30;
    const int32_t rounds = tiny ? 1 : 20'000;
    const DeviceMemory source(bytes), target(bytes), sink(static_cast<size_t>(kernels.blocks()) * threads * sizeof(float));
    source.fill(1);
    const void* from = source.data();
    void *to = target.data(), *sums = sink.data();
    const auto count = static_cast<int64_t>(bytes / 16);
    const auto rate = [](double amount, double microseconds) { return amount / microseconds * 1e6; };
    const auto moved = static_cast<double>(bytes), products = kernels.warps() * rounds * product_flops;
    const double copied = kernels.microseconds("bench_copy", from, to, count);
    const double by_driver = timer.time(1, [&] { timer.device().copy(to, from, bytes); }, false).least;
    return {rate(2 * moved, std::min(copied, by_driver)),
            rate(moved, kernels.microseconds("bench_read", from, sums, count)),
            rate(products, kernels.microseconds("bench_multiply_f16", sums, rounds)),
            rate(products, kernels.microseconds("bench_multiply_bf16", sums, rounds)),
            rate(kernels.warps() * rounds * add_flops, kernels.microseconds("bench_multiply_f32", sums, rounds))};
}

}  // namespace latentmoe::test
