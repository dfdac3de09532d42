#include "scheduler.h"

#include "../../../runtime/ops/ort/error.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <numeric>

namespace latentmoe::emulation {
namespace {

/// What threads run: one block's kernel after the other's.
void run_blocks() {
    Context::entered();
    for (;;) {
        try {
            launch->kernel.call(launch->arguments());
            launch->exit();
            continue;
        } catch (...) {
            launch->keep(std::current_exception());
        }
        launch->end();
    }
}

/// The threads of all launches, one launch at a time.
std::vector<std::unique_ptr<Thread>>& fibers() {
    static std::vector<std::unique_ptr<Thread>> threads;
    return threads;
}

std::string place(const std::source_location& site) {
    const std::string_view file = site.file_name();
    return text(file.substr(file.rfind('/') + 1), ':', site.line());
}

bool same_site(const std::source_location& a, const std::source_location& b) {
    return a.line() == b.line() && a.column() == b.column() && std::strcmp(a.file_name(), b.file_name()) == 0;
}

std::string standing(const Thread& thread) {
    return thread.state == Thread::State::Exited ? std::string("has exited")
           : thread.state == Thread::State::Barrier ? "is at the block's barrier at " + place(thread.site)
                                                    : "is at " + place(thread.site);
}

}  // namespace

Scheduler::Scheduler(const Kernel& kernel, Grid grid, uint32_t threads, size_t shared_bytes, void* const* values, uint64_t seed)
    : kernel(kernel), grid(grid), threads(threads), shared_bytes(shared_bytes), values(values), engine(static_cast<uint32_t>(seed)) {
    constexpr std::array<uint32_t, 3> chances{0, 0xC0000000, 0xFC000000};
    staying = chances[below(chances.size())];
    ranked = below(2) != 0;
    order.resize(static_cast<size_t>(grid.x * grid.y * grid.z));
    std::iota(order.begin(), order.end(), 0);
    std::ranges::shuffle(order, engine);
    const size_t resident = std::min<size_t>({order.size(), 2 + below(3), std::max(1u, static_cast<uint32_t>(Context::most) / threads)});
    blocks.resize(resident);
    while (fibers().size() < resident * threads) {
        fibers().push_back(std::make_unique<Thread>(run_blocks));
    }
    for (size_t i = 0; i < resident; i++) {
        Block& block = blocks[i];
        void* memory = nullptr;
        if (posix_memalign(&memory, 128, shared_bytes) != 0) {
            throw std::bad_alloc();
        }
        shared.emplace_back(static_cast<unsigned char*>(memory));
        block.shared = shared.back().get();
        block.warps.resize(threads / 32);
        for (uint32_t index = 0; index < threads; index++) {
            Thread& thread = *fibers()[i * threads + index];
            thread.block = &block;
            thread.warp = &block.warps[index / 32];
            thread.index = index;
            thread.warp->lanes[index % 32] = &thread;
        }
        start(block);
    }
}

void Scheduler::run() {
    Thread* first = next();
    launch = this;
    current = first;
    Context::swap(program, first->context);
    current = nullptr;
    launch = nullptr;
    if (failure) {
        for (const Block& block : blocks) {
            for (const Warp& warp : block.warps) {
                std::ranges::for_each(warp.lanes, [](Thread* thread) { thread->context.restart(); });
            }
        }
        std::rethrow_exception(failure);
    }
}

void Scheduler::start(Block& block) {
    const int64_t index = order.back();
    order.pop_back();
    block.x = index % grid.x;
    block.y = index / grid.x % grid.y;
    block.z = index / grid.x / grid.y;
    block.waiting = block.exited = 0;
    std::memset(block.shared, 0xFF, shared_bytes);  // NaN in every float format, −1 as an integer
    for (Warp& warp : block.warps) {
        for (Thread* thread : warp.lanes) {
            thread->copies.clear();
            thread->commits = 0;
        }
        warp.rank = below(1u << 31);
        release(warp);
    }
}

void Scheduler::release(Warp& warp) {
    for (Thread* thread : warp.lanes) {
        thread->state = Thread::State::Running;
    }
    warp.arrived = 0;
    warp.first = below(32);
    warp.stride = 2 * below(16) + 1;
    runnable.push_back(&warp);
}

void Scheduler::meet(Collective collective, void* operand, const std::source_location& site) {
    current->state = Thread::State::Collective;
    current->collective = collective;
    current->operand = operand;
    current->site = site;
    arrive();
}

void Scheduler::barrier(const std::source_location& site) {
    current->state = Thread::State::Barrier;
    current->site = site;
    arrive();
}

void Scheduler::exit() {
    current->state = Thread::State::Exited;
    arrive();
}

void Scheduler::arrive() {
    Thread& self = *current;
    Warp& warp = *self.warp;
    Thread* following = ++warp.arrived < 32 ? warp.lanes[(warp.first + warp.arrived * warp.stride) % 32] : settle(warp);
    if (following == nullptr) {
        Context::swap(self.context, program);
    } else if (following != &self) {
        current = following;
        Context::swap(self.context, following->context);
    }
}

Thread* Scheduler::settle(Warp& warp) {
    const Thread& first = *warp.lanes[0];
    for (const Thread* other : warp.lanes) {
        if (other->state != first.state ||
            (first.state != Thread::State::Exited && !same_site(other->site, first.site)) ||
            (first.state == Thread::State::Collective && other->collective != first.collective)) {
            fail_here(text("divergent: lane 0 ", standing(first), ", lane ", other->index % 32, ' ', standing(*other)));
        }
    }
    Block& block = *first.block;
    switch (first.state) {
        case Thread::State::Collective: {
            void* operands[32];
            std::ranges::transform(warp.lanes, operands, [](const Thread* thread) { return thread->operand; });
            first.collective(operands);
            release(warp);
            if (static_cast<uint32_t>(engine()) < staying) {
                runnable.pop_back();
                return warp.lanes[warp.first];
            }
            return next();
        }
        case Thread::State::Barrier: block.waiting++; break;
        default: block.exited++;
    }
    settle(block);
    return next();
}

void Scheduler::settle(Block& block) {
    if (block.waiting > 0 && block.exited > 0) {
        fail_here("divergent: some threads of the block are at a barrier, others have exited");
    }
    if (block.exited == block.warps.size() && !order.empty()) {
        start(block);
    }
    if (block.waiting == block.warps.size()) {
        const Thread& first = *block.warps[0].lanes[0];
        for (const Warp& warp : block.warps) {
            if (!same_site(warp.lanes[0]->site, first.site)) {
                fail_here(text("divergent: warp 0 ", standing(first), ", warp ", warp.lanes[0]->index / 32, ' ', standing(*warp.lanes[0])));
            }
        }
        block.waiting = 0;
        for (Warp& warp : block.warps) {
            release(warp);
        }
    }
}

Thread* Scheduler::next() {
    if (runnable.empty()) {
        return nullptr;
    }
    const auto chosen = ranked ? std::ranges::max_element(runnable, {}, &Warp::rank) : runnable.begin() + below(static_cast<uint32_t>(runnable.size()));
    std::swap(*chosen, runnable.back());
    const Warp& warp = *runnable.back();
    runnable.pop_back();
    return warp.lanes[warp.first];
}

void Scheduler::end() { Context::swap(current->context, program); }

std::string whereabouts() {
    if (current == nullptr) {
        return {};
    }
    const Block& block = *current->block;
    return text(launch->kernel.name, ", block (", block.x, ", ", block.y, ", ", block.z, "), thread ", current->index);
}

void fail_here(const std::string& message) {
    current->context.prepare_to_throw();
    fail(whereabouts(), ": ", message);
}

}  // namespace latentmoe::emulation
