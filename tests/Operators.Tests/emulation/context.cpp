#include "context.h"

#include <cstdint>
#include <cstring>
#include <new>
#include <sys/mman.h>
#ifndef __x86_64__
#include <ucontext.h>
#endif

extern "C" {
[[gnu::weak]] void __sanitizer_start_switch_fiber(void** save, const void* bottom, size_t size);
[[gnu::weak]] void __sanitizer_finish_switch_fiber(void* save, const void** bottom, size_t* size);
[[gnu::weak]] void __asan_unpoison_memory_region(const volatile void* start, size_t size);
}

#ifdef __x86_64__
extern "C" void latentmoe_switch_stack(void** save, void* next);
// The registers that a called function keeps, on the stack that it leaves.
asm(R"(
.text
.hidden latentmoe_switch_stack
.globl latentmoe_switch_stack
.type latentmoe_switch_stack, @function
latentmoe_switch_stack:
    pushq %rbp
    pushq %rbx
    pushq %r12
    pushq %r13
    pushq %r14
    pushq %r15
    movq %rsp, (%rdi)
    movq %rsi, %rsp
    popq %r15
    popq %r14
    popq %r13
    popq %r12
    popq %rbx
    popq %rbp
    ret
.size latentmoe_switch_stack, . - latentmoe_switch_stack
)");
#endif

namespace latentmoe::emulation {
namespace {

constexpr size_t guard_bytes = 1 << 16, stack_bytes = 1 << 18, pitch = guard_bytes + stack_bytes;

/// One after the other, each behind memory that may not be touched.
unsigned char* stacks() {
    static unsigned char* const memory = [] {
        void* all = mmap(nullptr, Context::most * pitch, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        return all == MAP_FAILED ? throw std::bad_alloc() : static_cast<unsigned char*>(all);
    }();
    return memory;
}

size_t used = 0;
Context* left = nullptr;  // by a switch between the program's stack and another

}  // namespace

Context::Context(void (*entry)()) : entry(entry), size(stack_bytes) {
    unsigned char* start = stacks() + used * pitch + guard_bytes;
    if (used == most || mprotect(start, stack_bytes, PROT_READ | PROT_WRITE) != 0) {
        throw std::bad_alloc();
    }
    used++;
    stack = start;
    restart();
}

void Context::prepare(Context& from, Context& to) {
    if (__sanitizer_start_switch_fiber == nullptr || (from.entry != nullptr && to.entry != nullptr)) {
        return;
    }
    left = &from;
    if (to.entry != nullptr) {
        __sanitizer_start_switch_fiber(&from.saved, stacks(), most * pitch);
    } else {
        __sanitizer_start_switch_fiber(&from.saved, to.stack, to.size);
    }
}

void Context::settle(void* saved) {
    if (left == nullptr) {
        return;
    }
    const void* bottom = nullptr;
    size_t bytes = 0;
    __sanitizer_finish_switch_fiber(saved, &bottom, &bytes);
    if (left->entry == nullptr) {
        left->stack = bottom;
        left->size = bytes;
    }
    left = nullptr;
}

void Context::prepare_to_throw() {
    if (__sanitizer_start_switch_fiber != nullptr) {
        void* own = nullptr;
        __sanitizer_start_switch_fiber(&own, stack, size);
        __sanitizer_finish_switch_fiber(own, nullptr, nullptr);
    }
}

#ifdef __x86_64__

Context::~Context() = default;

void Context::restart() {
    if (__asan_unpoison_memory_region != nullptr) {
        __asan_unpoison_memory_region(stack, size);
    }
    // Six registers, the address that the switch returns to, and what `entry` takes for the address of its caller.
    constexpr size_t words = 8;
    void** top = const_cast<void**>(static_cast<void* const*>(stack)) + size / sizeof(void*);
    std::memset(top - words, 0, words * sizeof(void*));
    top[-2] = reinterpret_cast<void*>(entry);
    position = top - words;
}

void Context::swap(Context& from, Context& to) {
    prepare(from, to);
    latentmoe_switch_stack(&from.position, to.position);
    settle(from.saved);
}

#else

Context::~Context() { delete static_cast<ucontext_t*>(position); }

void Context::restart() {
    if (__asan_unpoison_memory_region != nullptr) {
        __asan_unpoison_memory_region(stack, size);
    }
    auto* state = position != nullptr ? static_cast<ucontext_t*>(position) : new ucontext_t;
    position = state;
    getcontext(state);
    state->uc_stack.ss_sp = const_cast<void*>(stack);
    state->uc_stack.ss_size = stack_bytes;
    state->uc_link = nullptr;
    makecontext(state, entry, 0);
}

void Context::swap(Context& from, Context& to) {
    if (from.position == nullptr) {
        from.position = new ucontext_t;
    }
    prepare(from, to);
    swapcontext(static_cast<ucontext_t*>(from.position), static_cast<ucontext_t*>(to.position));
    settle(from.saved);
}

#endif

}  // namespace latentmoe::emulation
