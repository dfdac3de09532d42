// A Host on threads of its own. Every scratch block is an allocation of exactly its size, filled with NaN, so that reads beyond
// it, of what was never written, or after the call show. Indices run from the last to the first.
#pragma once
#include "../../../runtime/ops/cpu/host.h"

#include <atomic>
#include <cstdlib>
#include <cstring>
#include <new>
#include <thread>
#include <vector>

namespace latentmoe::test {

class ThreadHost final : public Host {
public:
    explicit ThreadHost(int threads = 3) : threads(threads) {}
    ~ThreadHost() override { end_call(); }
    ThreadHost(const ThreadHost&) = delete;
    ThreadHost& operator=(const ThreadHost&) = delete;

    void* scratch(size_t bytes) override {
        void* block = nullptr;
        if (posix_memalign(&block, 64, bytes) != 0) {
            throw std::bad_alloc();
        }
        std::memset(block, 0xFF, bytes); // NaN in every float format, −1 as an integer
        blocks.push_back(block);
        return block;
    }

    /// Takes the scratch memory back, as the end of an operator's call does.
    void end_call() {
        for (void* block : blocks) {
            std::free(block);
        }
        blocks.clear();
    }

protected:
    void run(int64_t count, void (*body)(void*, size_t), void* context) override {
        std::atomic<int64_t> left = count;
        const auto work = [&] {
            for (int64_t index = --left; index >= 0; index = --left) {
                body(context, static_cast<size_t>(index));
            }
        };
        std::vector<std::thread> others;
        for (int i = 1; i < threads && i < count; i++) {
            others.emplace_back(work);
        }
        work();
        for (std::thread& other : others) {
            other.join();
        }
    }

private:
    int threads;
    std::vector<void*> blocks;
};

} // namespace latentmoe::test
