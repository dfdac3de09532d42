// A launch: the threads of a few resident blocks as fibers of one program, in an order drawn from a seed. All lanes of a warp run, one
// after the other in a random order, up to their next common call; then the warp goes on, or another one does.
#pragma once
#include "context.h"
#include "registry.h"

#include <array>
#include <cstdint>
#include <cstdlib>
#include <exception>
#include <memory>
#include <random>
#include <source_location>
#include <string>
#include <vector>

namespace latentmoe::emulation {

/// What one lane brings to a common call of its warp.
using Operands = void* const (&)[32];
using Collective = void (*)(Operands lanes);

struct Grid {
    int64_t x, y, z;
};

/// A copy from global to shared memory that has not happened yet.
struct AsyncCopy {
    void* target;
    const void* source;
    uint32_t size, bytes;  // in shared memory, and of them from the source; the others are zeroed
    uint64_t group;        // the thread's commits before it
};

struct Warp;
struct Block;

struct Thread {
    explicit Thread(void (*entry)()) : context(entry) {}

    enum class State { Running, Collective, Barrier, Exited };

    Context context;
    Block* block = nullptr;
    Warp* warp = nullptr;
    uint32_t index = 0;
    State state = State::Exited;
    Collective collective = nullptr;
    void* operand = nullptr;
    std::source_location site;
    std::vector<AsyncCopy> copies;
    uint64_t commits = 0;
};

struct Warp {
    std::array<Thread*, 32> lanes{};
    uint32_t arrived = 0;            // lanes that stand at a call or have exited
    uint32_t first = 0, stride = 1;  // of the order in which they run; the stride is odd
    uint32_t rank = 0;
};

struct Block {
    int64_t x = 0, y = 0, z = 0;
    std::vector<Warp> warps;
    uint32_t waiting = 0, exited = 0;  // warps
    unsigned char* shared = nullptr;
};

/// The thread that runs; null outside of kernels.
inline Thread* current = nullptr;

class Scheduler {
public:
    Scheduler(const Kernel& kernel, Grid grid, uint32_t threads, size_t shared_bytes, void* const* values, uint64_t seed);

    /// Runs every block. Throws Error, which names kernel, block and thread, where threads break the rules.
    void run();

    const Kernel& kernel;
    const Grid grid;
    const uint32_t threads;
    const size_t shared_bytes;

    /// The current thread waits until all lanes of its warp have come to the same call, which is then performed for all.
    void meet(Collective collective, void* operand, const std::source_location& site);
    /// The current thread waits until all of its block have come to the same call.
    void barrier(const std::source_location& site);
    /// The current thread is done with its block; returns when it is to run another one.
    void exit();

    /// Random numbers below a limit.
    uint32_t below(uint32_t limit) { return static_cast<uint32_t>((uint64_t{static_cast<uint32_t>(engine())} * limit) >> 32); }

    void* const* arguments() const { return values; }

    void keep(std::exception_ptr exception) { failure = exception; }
    /// Ends the launch as it stands, from one of its threads.
    void end();

private:
    struct Free {
        void operator()(unsigned char* memory) const { std::free(memory); }
    };

    void start(Block& block);
    void release(Warp& warp);
    void arrive();
    Thread* settle(Warp& warp);
    void settle(Block& block);
    Thread* next();

    void* const* values;
    std::mt19937 engine;
    uint32_t staying;  // the chance, of 2³², that a warp goes on after a common call
    bool ranked;       // of the warps that can run the one of the highest rank does, else any
    Context program;
    std::vector<Block> blocks;  // resident
    std::vector<std::unique_ptr<unsigned char, Free>> shared;
    std::vector<Warp*> runnable;
    std::vector<int64_t> order;  // of the blocks not yet started
    std::exception_ptr failure;
};

/// The launch that runs; null outside of kernels.
inline Scheduler* launch = nullptr;

/// Throws Error: the message behind kernel, block and thread.
[[noreturn]] void fail_here(const std::string& message);

/// "add_rms_norm_f32, block (3, 0, 0), thread 17", or nothing outside of kernels.
std::string whereabouts();

}  // namespace latentmoe::emulation
