#include "bench_timer.h"

#include <algorithm>

namespace latentmoe::test {

namespace {

// CU_STREAM_NON_BLOCKING, CU_STREAM_CAPTURE_MODE_RELAXED.
constexpr unsigned non_blocking = 1;
constexpr int relaxed = 2;

class Event {
public:
    Event() { device_api().check(device_api().event_create(&handle_, 0), "an event"); }
    Event(const Event&) = delete;
    ~Event() { device_api().event_destroy(handle_); }
    EventHandle handle() const { return handle_; }

private:
    EventHandle handle_ = nullptr;
};

double microseconds(EventHandle begin, EventHandle end) {
    const DeviceApi& api = device_api();
    float milliseconds = 0;
    api.check(api.event_synchronize(end), "the kernels before an event");
    api.check(api.event_elapsed(&milliseconds, begin, end), "the time between two events");
    return 1000.0 * static_cast<double>(milliseconds);
}

/// What was launched to a stream while it was captured.
class Graph {
public:
    Graph(cuda::StreamHandle stream, const std::function<void()>& work) {
        const DeviceApi& api = device_api();
        api.check(api.capture_begin(stream, relaxed), "capturing a stream");
        GraphHandle graph = nullptr;
        try {
            work();
        } catch (...) {
            api.capture_end(stream, &graph);
            throw;
        }
        api.check(api.capture_end(stream, &graph), "a captured graph");
        const cuda::Result made = api.graph_instantiate(&handle_, graph, 0);
        api.graph_destroy(graph);
        api.check(made, "a graph to run");
    }
    Graph(const Graph&) = delete;
    ~Graph() { device_api().graph_run_destroy(handle_); }

    void launch(cuda::StreamHandle stream) const { device_api().check(device_api().graph_launch(handle_, stream), "a graph"); }

private:
    GraphRunHandle handle_ = nullptr;
};

}  // namespace

/// Puts events around each launch while it traces.
class BenchTimer::TracedDevice final : public cuda::DriverDevice {
public:
    using DriverDevice::DriverDevice;

    struct Launch {
        std::string kernel;
        Event begin, end;
    };
    bool tracing = false;
    std::deque<Launch> launches;
    cuda::StreamHandle stream = nullptr;

protected:
    void run(std::string_view kernel, cuda::Grid grid, unsigned threads, size_t shared, std::span<void*> values,
             std::span<const size_t> sizes) override {
        if (!tracing) {
            DriverDevice::run(kernel, grid, threads, shared, values, sizes);
            return;
        }
        const DeviceApi& api = device_api();
        Launch& launch = launches.emplace_back(std::string(kernel));
        api.check(api.event_record(launch.begin.handle(), stream), "an event");
        DriverDevice::run(kernel, grid, threads, shared, values, sizes);
        api.check(api.event_record(launch.end.handle(), stream), "an event");
    }
};

void* BenchTimer::Scratch::take(size_t bytes) {
    if (used == blocks.size()) {
        blocks.emplace_back(bytes);
    } else if (blocks[used].size() < bytes) {
        device_api().synchronize();
        blocks[used] = DeviceMemory(bytes);
    }
    return blocks[used++].data();
}

BenchTimer::BenchTimer(int runs) : runs_(runs) {
    api_.check(api_.stream_create(&stream_, non_blocking), "a stream");
    api_.check(api_.event_create(&begin_, 0), "an event");
    api_.check(api_.event_create(&end_, 0), "an event");
    device_ = std::make_unique<TracedDevice>(cuda::Modules::current(), stream_, scratch_);
    device_->stream = stream_;
}

BenchTimer::~BenchTimer() {
    api_.synchronize();
    api_.event_destroy(begin_);
    api_.event_destroy(end_);
    api_.stream_destroy(stream_);
}

cuda::Device& BenchTimer::device() { return *device_; }

template <typename Launch>
BenchTimes BenchTimer::measure(int64_t repetitions, const Launch& launch) {
    std::vector<double> times;
    for (int run = 0; run < runs_; run++) {
        api_.check(api_.event_record(begin_, stream_), "an event");
        launch();
        api_.check(api_.event_record(end_, stream_), "an event");
        times.push_back(microseconds(begin_, end_) / static_cast<double>(repetitions));
    }
    std::sort(times.begin(), times.end());
    return {times[times.size() / 2], times.front(), times.back(), runs_};
}

BenchTimes BenchTimer::time(int64_t repetitions, const std::function<void()>& work, bool graph) {
    work();
    api_.check(api_.synchronize(), "the kernels of a warm-up");
    if (!graph) {
        return measure(repetitions, work);
    }
    const Graph captured(stream_, work);
    captured.launch(stream_);
    return measure(repetitions, [&] { captured.launch(stream_); });
}

std::map<std::string, double> BenchTimer::kernels(const std::function<void()>& work) {
    device_->tracing = true;
    try {
        work();
    } catch (...) {
        device_->tracing = false;
        throw;
    }
    device_->tracing = false;
    std::map<std::string, double> times;
    for (const auto& launch : device_->launches) {
        times[launch.kernel] += microseconds(launch.begin.handle(), launch.end.handle());
    }
    device_->launches.clear();
    return times;
}

}  // namespace latentmoe::test
