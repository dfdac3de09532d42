// Units of unequal length over few workers: each worker takes the next units that are left, and has scratch memory of its own.
#pragma once
#include "host.h"

#include <algorithm>
#include <atomic>
#include <thread>

namespace latentmoe::attention {

class Workers {
public:
    /// Scratch of `floats` a worker.
    Workers(Host& host, int64_t floats)
        : host_(host), floats_((floats + 15) / 16 * 16), scratch_(floats_ > 0 ? host.array<float>(cores() * floats_) : nullptr) {}

    /// body(unit, scratch) for each unit; `work` is about how many multiplications they are in all, and decides whether threads pay.
    /// Of many units a worker takes up to `together` neighbours at once.
    template <typename Body>
    void run(int64_t units, double work, Body&& body, int64_t together = 1) {
        const auto worth = static_cast<int64_t>(std::min(1 + work / worker_work, 1e6));
        const int64_t workers = std::min({units, worth, cores()}), step = std::clamp<int64_t>(units / (2 * cores()), 1, together);
        std::atomic<int64_t> next{0};
        host_.parallel(workers, [&](int64_t worker) {
            for (int64_t first; (first = next.fetch_add(step, std::memory_order_relaxed)) < units;) {
                for (int64_t unit = first; unit < std::min(first + step, units); unit++) {
                    body(unit, scratch_ + worker * floats_);
                }
            }
        });
    }

private:
    static constexpr double worker_work = 200'000;  // A few microseconds: what waking a thread costs.

    static int64_t cores() {
        static const int64_t count = std::max<int64_t>(1, std::thread::hardware_concurrency());
        return count;
    }

    Host& host_;
    int64_t floats_;
    float* scratch_;
};

}  // namespace latentmoe::attention
