// Stacks that a program switches between. AddressSanitizer, where it is linked, takes all of them for one, so that it need not be told of
// every switch.
#pragma once
#include <cstddef>

namespace latentmoe::emulation {

class Context {
public:
    static constexpr size_t most = 1024;

    /// The program's own stack, to be switched away from.
    Context() = default;
    /// A stack of its own, one of `most` in the program's life, on which `entry` runs at the first switch to it, and never returns.
    explicit Context(void (*entry)());
    ~Context();
    Context(const Context&) = delete;
    Context& operator=(const Context&) = delete;

    /// Forgets where it was: the next switch to it runs `entry` from the start.
    void restart();

    /// Runs `to` until something switches back here.
    static void swap(Context& from, Context& to);

    /// The first call in `entry`.
    static void entered() { settle(nullptr); }

    /// Tells AddressSanitizer that this is the stack of the exception to be thrown.
    void prepare_to_throw();

private:
    static void prepare(Context& from, Context& to);
    static void settle(void* saved);

    void (*entry)() = nullptr;      // none: the program's own stack
    const void* stack = nullptr;    // its lowest address
    size_t size = 0;
    void* position = nullptr;
    void* saved = nullptr;          // the sanitizer's
};

}  // namespace latentmoe::emulation
