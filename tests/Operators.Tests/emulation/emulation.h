// The model of the instructions in gpu.cuh, under the same names, that tests run kernels on.
#pragma once
#include "../../../runtime/ops/cpu/half.h"
#include "half_arithmetic.h"
#include "warp.h"

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>

#define DEVICE __attribute__((always_inline)) inline

#define KERNEL(name, most_threads, signature)                                                                                           \
    static void name signature;                                                                                                         \
    static const latentmoe::emulation::KernelRegistration registration_of_##name{                                                       \
        {#name, most_threads, latentmoe::emulation::Entry<name>::parameters, latentmoe::emulation::Entry<name>::call, __FILE__}};       \
    static void name signature

#define UNROLL(count)

namespace latentmoe::cuda {

struct alignas(8) u32x2 {
    uint32_t x, y;
};
struct alignas(16) u32x4 {
    uint32_t x, y, z, w;
};

struct f16 {
    uint16_t bits;
};
struct bf16 {
    uint16_t bits;
};

using Site = std::source_location;

DEVICE uint32_t thread_index() { return emulation::current->index; }
DEVICE uint32_t block_threads() { return emulation::launch->threads; }
DEVICE uint32_t block_x() { return uint32_t(emulation::current->block->x); }
DEVICE uint32_t block_y() { return uint32_t(emulation::current->block->y); }
DEVICE uint32_t block_z() { return uint32_t(emulation::current->block->z); }
DEVICE uint32_t grid_x() { return uint32_t(emulation::launch->grid.x); }
DEVICE uint32_t grid_y() { return uint32_t(emulation::launch->grid.y); }
DEVICE uint32_t lane_index() { return thread_index() % 32; }
DEVICE uint32_t warp_index() { return thread_index() / 32; }
DEVICE unsigned char* shared_memory() { return emulation::current->block->shared; }

DEVICE void block_barrier(Site site = Site::current()) { emulation::launch->barrier(site); }
DEVICE void warp_barrier(Site site = Site::current()) { emulation::launch->meet(emulation::meet_only, nullptr, site); }
DEVICE uint32_t shuffle(uint32_t value, uint32_t lane, Site site = Site::current()) {
    return emulation::exchange(emulation::shuffle, value, lane, site);
}
DEVICE uint32_t shuffle_xor(uint32_t value, uint32_t mask, Site site = Site::current()) {
    return emulation::exchange(emulation::shuffle_xor, value, mask, site);
}
DEVICE uint32_t shuffle_up(uint32_t value, uint32_t distance, Site site = Site::current()) {
    return emulation::exchange(emulation::shuffle_up, value, distance, site);
}
DEVICE uint32_t ballot(bool value, Site site = Site::current()) { return emulation::exchange(emulation::ballot, value, 0, site); }
DEVICE uint32_t warp_largest(uint32_t value, Site site = Site::current()) { return emulation::exchange(emulation::largest, value, 0, site); }
DEVICE uint32_t warp_least(uint32_t value, Site site = Site::current()) { return emulation::exchange(emulation::least, value, 0, site); }

DEVICE int32_t population(uint32_t bits) { return __builtin_popcount(bits); }
DEVICE uint32_t bits_of(float value) { return bits_of_float(value); }
DEVICE float float_of(uint32_t bits) { return float_of_bits(bits); }

DEVICE float to_float(float value) { return value; }
DEVICE float to_float(f16 value) { return float_of_f16(value.bits); }
DEVICE float to_float(bf16 value) { return float_of_bf16(value.bits); }
DEVICE void from_float(float value, float& result) { result = value; }
DEVICE void from_float(float value, f16& result) { result.bits = emulation::narrow_f16(value); }
DEVICE void from_float(float value, bf16& result) { result.bits = emulation::narrow_bf16(value); }

template <typename T>
DEVICE uint32_t pack(float low, float high) {
    T a, b;
    from_float(low, a);
    from_float(high, b);
    return a.bits | uint32_t(b.bits) << 16;
}
template <typename T>
DEVICE float low_of(uint32_t pair) { return to_float(T{uint16_t(pair)}); }
template <typename T>
DEVICE float high_of(uint32_t pair) { return to_float(T{uint16_t(pair >> 16)}); }

template <typename T>
DEVICE uint32_t fma_pair(uint32_t a, uint32_t b, uint32_t c);
template <>
DEVICE uint32_t fma_pair<f16>(uint32_t a, uint32_t b, uint32_t c) {
    const uint32_t low = emulation::narrow_f16(emulation::fma_to_odd(low_of<f16>(a), low_of<f16>(b), low_of<f16>(c)));
    return low | uint32_t(emulation::narrow_f16(emulation::fma_to_odd(high_of<f16>(a), high_of<f16>(b), high_of<f16>(c)))) << 16;
}
template <>
DEVICE uint32_t fma_pair<bf16>(uint32_t a, uint32_t b, uint32_t c) {
    const uint32_t low = emulation::narrow_bf16(emulation::fma_to_odd(low_of<bf16>(a), low_of<bf16>(b), low_of<bf16>(c)));
    return low | uint32_t(emulation::narrow_bf16(emulation::fma_to_odd(high_of<bf16>(a), high_of<bf16>(b), high_of<bf16>(c)))) << 16;
}

template <int table>
DEVICE uint32_t lop3(uint32_t a, uint32_t b, uint32_t c) {
    uint32_t result = 0;
    for (int row = 0; row < 8; row++) {
        if (table >> row & 1) {
            result |= (row & 4 ? a : ~a) & (row & 2 ? b : ~b) & (row & 1 ? c : ~c);
        }
    }
    return result;
}
DEVICE uint32_t byte_permute(uint32_t a, uint32_t b, uint32_t selector) {
    const uint64_t bytes = uint64_t(b) << 32 | a;
    uint32_t result = 0;
    for (int i = 0; i < 4; i++) {
        const uint32_t choice = selector >> (4 * i) & 15, byte = uint32_t(bytes >> (choice % 8 * 8)) & 0xFF;
        // The selector's highest bit asks for the byte's sign.
        result |= (choice < 8 ? byte : byte >> 7 ? 0xFF : 0) << (8 * i);
    }
    return result;
}

DEVICE float exp2_of(float value) { return std::exp2(value); }
DEVICE float log2_of(float value) { return std::log2(value); }
DEVICE float rsqrt_of(float value) { return 1 / std::sqrt(value); }
DEVICE float fma_of(float a, float b, float c) { return std::fma(a, b, c); }

DEVICE u32x4 load_once(const void* address) {
    emulation::require_aligned(address, 16, "load_once");
    return *static_cast<const u32x4*>(address);
}

DEVICE uint32_t shared_address(const void* shared) { return uint32_t(static_cast<const unsigned char*>(shared) - shared_memory()); }
DEVICE void copy_async16(void* shared, const void* global, uint32_t bytes = 16) {
    emulation::touch(global, bytes);
    emulation::copy_async(16, shared, global, bytes);
}
DEVICE void copy_async4(void* shared, const void* global, uint32_t bytes = 4) {
    emulation::touch(global, bytes);
    emulation::copy_async(4, shared, global, bytes);
}
DEVICE void copy_async_commit() { emulation::current->commits++; }
template <int pending>
DEVICE void copy_async_wait() { emulation::copy_async_wait(pending); }

DEVICE void load_matrices(uint32_t (&result)[4], const void* row, Site site = Site::current()) {
    emulation::load_matrices(emulation::matrices, result, row, site);
}
DEVICE void load_matrices_transposed(uint32_t (&result)[4], const void* row, Site site = Site::current()) {
    emulation::load_matrices(emulation::matrices_transposed, result, row, site);
}

template <typename T>
DEVICE void multiply_accumulate(float (&d)[4], const uint32_t (&a)[4], const uint32_t (&b)[2], Site site = Site::current());
template <>
DEVICE void multiply_accumulate<f16>(float (&d)[4], const uint32_t (&a)[4], const uint32_t (&b)[2], Site site) {
    emulation::multiply_accumulate(emulation::products_f16, d, a, b, site);
}
template <>
DEVICE void multiply_accumulate<bf16>(float (&d)[4], const uint32_t (&a)[4], const uint32_t (&b)[2], Site site) {
    emulation::multiply_accumulate(emulation::products_bf16, d, a, b, site);
}

DEVICE int32_t atomic_add(int32_t* address, int32_t value) {
    const int32_t old = *address;
    *address = int32_t(uint32_t(old) + uint32_t(value));
    return old;
}
DEVICE int32_t atomic_max(int32_t* address, int32_t value) {
    const int32_t old = *address;
    *address = old > value ? old : value;
    return old;
}

DEVICE void device_fence() {}

}  // namespace latentmoe::cuda
