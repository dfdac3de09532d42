// What lanes of a warp do together, and copies that run beside them.
#pragma once
#include "scheduler.h"

namespace latentmoe::emulation {

void meet_only(Operands lanes);

struct Exchange {
    uint32_t value, argument, result;
};

void shuffle(Operands lanes);
void shuffle_xor(Operands lanes);
void shuffle_up(Operands lanes);
void ballot(Operands lanes);
void largest(Operands lanes);
void least(Operands lanes);

uint32_t exchange(Collective operation, uint32_t value, uint32_t argument, const std::source_location& site);

/// Of 8 by 8 numbers of 16 bits.
struct MatrixRows {
    const void* row;
    uint32_t* result;  // [4]
};

void matrices(Operands lanes);
void matrices_transposed(Operands lanes);
void load_matrices(Collective operation, uint32_t* result, const void* row, const std::source_location& site);

struct Fragments {
    float* d;           // [4]
    const uint32_t* a;  // [4]
    const uint32_t* b;  // [2]
};

void products_f16(Operands lanes);
void products_bf16(Operands lanes);

void multiply_accumulate(Collective operation, float (&d)[4], const uint32_t (&a)[4], const uint32_t (&b)[2],
                         const std::source_location& site);

/// Throws Error where an address is no multiple of `bytes`.
void require_aligned(const void* address, size_t bytes, const char* what);

/// Reads memory on behalf of the kernel, whose sanitizers see it.
[[gnu::always_inline]] inline void touch(const void* memory, uint32_t bytes) {
    for (uint32_t i = 0; i < bytes; i++) {
        static_cast<void>(static_cast<const volatile unsigned char*>(memory)[i]);
    }
}

/// Happens now or at the wait, as the schedule has it: of `size` bytes of shared memory the first `bytes` are copied, others zeroed.
void copy_async(uint32_t size, void* shared, const void* global, uint32_t bytes);
void copy_async_wait(uint32_t pending);

}  // namespace latentmoe::emulation
