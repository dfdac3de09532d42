// Times work of the GPU by its own events, launched one by one or captured in a graph.
#pragma once
#include "../../../runtime/ops/cuda/driver/driver_device.h"
#include "device_api.h"

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace latentmoe::test {

/// Microseconds of one of the repetitions that a timing takes.
struct BenchTimes {
    double median, least, most;
    int runs;
};

class BenchTimer {
public:
    explicit BenchTimer(int runs);
    ~BenchTimer();
    BenchTimer(const BenchTimer&) = delete;

    cuda::Device& device();
    cuda::StreamHandle stream() const { return stream_; }

    /// Ends an operator's call: the next one may have its working memory.
    void end_call() { scratch_.used = 0; }

    /// Work of `repetitions` equal parts, after a run that loads kernels and allocates.
    BenchTimes time(int64_t repetitions, const std::function<void()>& work, bool graph);

    /// Microseconds of each kernel in one run of the work, launches apart.
    std::map<std::string, double> kernels(const std::function<void()>& work);

private:
    struct Scratch final : cuda::ScratchMemory {
        void* take(size_t bytes) override;
        std::deque<DeviceMemory> blocks;
        size_t used = 0;
    };
    class TracedDevice;

    template <typename Launch>
    BenchTimes measure(int64_t repetitions, const Launch& launch);

    const DeviceApi& api_ = device_api();
    const int runs_;
    Scratch scratch_;
    cuda::StreamHandle stream_ = nullptr;
    EventHandle begin_ = nullptr, end_ = nullptr;
    std::unique_ptr<TracedDevice> device_;
};

}  // namespace latentmoe::test
