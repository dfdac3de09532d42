#include "warp.h"

#include "../../../runtime/ops/ort/error.h"

#include <algorithm>
#include <cstring>

namespace latentmoe::emulation {
namespace {

Exchange& of(void* lane) { return *static_cast<Exchange*>(lane); }

/// Throws where so many bytes, to which the address is aligned, do not lie in the block's shared memory.
void require_shared(const void* address, size_t bytes, const char* what) {
    require_aligned(address, bytes, what);
    const auto offset = reinterpret_cast<uintptr_t>(address) - reinterpret_cast<uintptr_t>(current->block->shared);
    if (offset > launch->shared_bytes || launch->shared_bytes - offset < bytes) {
        fail_here(text(what, ": an address is not in the block's ", launch->shared_bytes, " bytes of shared memory"));
    }
}

void perform(const AsyncCopy& copy) {
    std::memset(copy.target, 0, copy.size);
    if (copy.bytes > 0) {
        std::memcpy(copy.target, copy.source, copy.bytes);
    }
}

}  // namespace

void meet_only(Operands) {}

uint32_t exchange(Collective operation, uint32_t value, uint32_t argument, const std::source_location& site) {
    Exchange exchange{value, argument, 0};
    launch->meet(operation, &exchange, site);
    return exchange.result;
}

void shuffle(Operands lanes) {
    for (void* lane : lanes) {
        of(lane).result = of(lanes[of(lane).argument % 32]).value;
    }
}

void shuffle_xor(Operands lanes) {
    for (uint32_t i = 0; i < 32; i++) {
        const uint32_t source = i ^ of(lanes[i]).argument;
        of(lanes[i]).result = of(lanes[source < 32 ? source : i]).value;
    }
}

void shuffle_up(Operands lanes) {
    for (uint32_t i = 0; i < 32; i++) {
        const uint32_t distance = of(lanes[i]).argument;
        of(lanes[i]).result = of(lanes[distance <= i ? i - distance : i]).value;
    }
}

void ballot(Operands lanes) {
    uint32_t votes = 0;
    for (uint32_t i = 0; i < 32; i++) {
        votes |= uint32_t{of(lanes[i]).value != 0} << i;
    }
    for (void* lane : lanes) {
        of(lane).result = votes;
    }
}

template <typename Choose>
void reduce(Operands lanes, Choose choose) {
    uint32_t result = of(lanes[0]).value;
    for (void* lane : lanes) {
        result = choose(result, of(lane).value);
    }
    for (void* lane : lanes) {
        of(lane).result = result;
    }
}

void largest(Operands lanes) {
    reduce(lanes, [](uint32_t a, uint32_t b) { return std::max(a, b); });
}
void least(Operands lanes) {
    reduce(lanes, [](uint32_t a, uint32_t b) { return std::min(a, b); });
}

void load_matrices(Collective operation, uint32_t* result, const void* row, const std::source_location& site) {
    require_shared(row, 16, "load_matrices");
    MatrixRows rows{row, result};
    launch->meet(operation, &rows, site);
}

// Lane l gets of matrix i the numbers 2(l mod 4) and the next one, of row l / 4.
void matrices(Operands lanes) {
    for (uint32_t lane = 0; lane < 32; lane++) {
        for (uint32_t i = 0; i < 4; i++) {
            const auto* row = static_cast<const unsigned char*>(static_cast<MatrixRows*>(lanes[8 * i + lane / 4])->row);
            std::memcpy(&static_cast<MatrixRows*>(lanes[lane])->result[i], row + lane % 4 * 4, 4);
        }
    }
}

// Lane l gets of matrix i the number l / 4 of rows 2(l mod 4) and the next one.
void matrices_transposed(Operands lanes) {
    for (uint32_t lane = 0; lane < 32; lane++) {
        for (uint32_t i = 0; i < 4; i++) {
            uint16_t pair[2];
            for (uint32_t half = 0; half < 2; half++) {
                const auto* row = static_cast<const unsigned char*>(static_cast<MatrixRows*>(lanes[8 * i + lane % 4 * 2 + half])->row);
                std::memcpy(&pair[half], row + lane / 4 * 2, 2);
            }
            std::memcpy(&static_cast<MatrixRows*>(lanes[lane])->result[i], pair, 4);
        }
    }
}

void multiply_accumulate(Collective operation, float (&d)[4], const uint32_t (&a)[4], const uint32_t (&b)[2],
                         const std::source_location& site) {
    Fragments fragments{d, a, b};
    launch->meet(operation, &fragments, site);
}

void require_aligned(const void* address, size_t bytes, const char* what) {
    if (reinterpret_cast<uintptr_t>(address) % bytes != 0) {
        fail_here(text(what, ": the address ", address, " is no multiple of ", bytes));
    }
}

void copy_async(uint32_t size, void* shared, const void* global, uint32_t bytes) {
    require_shared(shared, size, "copy_async");
    require_aligned(global, size, "copy_async");
    if (bytes > size) {
        fail_here(text("copy_async of ", bytes, " bytes, of ", size));
    }
    const AsyncCopy copy{shared, global, size, bytes, current->commits};
    if (launch->below(4) == 0) {
        perform(copy);
    } else {
        current->copies.push_back(copy);
    }
}

void copy_async_wait(uint32_t pending) {
    Thread& thread = *current;
    std::erase_if(thread.copies, [&](const AsyncCopy& copy) {
        const bool due = copy.group + pending < thread.commits;
        if (due) {
            perform(copy);
        }
        return due;
    });
}

}  // namespace latentmoe::emulation
