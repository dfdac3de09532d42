// The instructions that kernels use, for clang and nvcc. Inline assembly serves both: clang has no CUDA headers here, and so knows none of
// nvcc's functions. The emulation of the tests has the same names.
#pragma once
#include <cstddef>
#include <cstdint>

#ifdef __clang__
#define __global__ __attribute__((global))
#define __device__ __attribute__((device))
#define __shared__ __attribute__((shared))
#define __launch_bounds__(...) __attribute__((launch_bounds(__VA_ARGS__)))
#endif
#define DEVICE __device__ __attribute__((always_inline)) inline

/// An entry point, run by blocks of at most `threads` threads. Parameters are pointers, 32-bit and 64-bit numbers.
#define KERNEL(name, threads, parameters) extern "C" __global__ void __launch_bounds__(threads) name parameters

// Before a loop: so many turns of it are written out.
#define LATENTMOE_PRAGMA(text) _Pragma(#text)
#define UNROLL(count) LATENTMOE_PRAGMA(unroll count)

namespace latentmoe::cuda {

struct alignas(8) u32x2 {
    uint32_t x, y;
};
struct alignas(16) u32x4 {
    uint32_t x, y, z, w;
};

/// Storage of 16-bit floats.
struct f16 {
    uint16_t bits;
};
struct bf16 {
    uint16_t bits;
};

#define LATENTMOE_REGISTER(name, type, constraint, source) \
    DEVICE type name() {                                   \
        type value;                                        \
        asm("mov.u32 %0, " source ";" : constraint(value)); \
        return value;                                      \
    }
LATENTMOE_REGISTER(thread_index, uint32_t, "=r", "%%tid.x")
LATENTMOE_REGISTER(block_threads, uint32_t, "=r", "%%ntid.x")
LATENTMOE_REGISTER(block_x, uint32_t, "=r", "%%ctaid.x")
LATENTMOE_REGISTER(block_y, uint32_t, "=r", "%%ctaid.y")
LATENTMOE_REGISTER(block_z, uint32_t, "=r", "%%ctaid.z")
LATENTMOE_REGISTER(grid_x, uint32_t, "=r", "%%nctaid.x")
LATENTMOE_REGISTER(grid_y, uint32_t, "=r", "%%nctaid.y")
#undef LATENTMOE_REGISTER

DEVICE uint32_t lane_index() { return thread_index() % 32; }
DEVICE uint32_t warp_index() { return thread_index() / 32; }

// Every kernel takes its shared memory at launch.
extern __shared__ __attribute__((aligned(128))) unsigned char dynamic_shared[];
DEVICE unsigned char* shared_memory() { return dynamic_shared; }

// Synchronisation. All threads of the block, or of the warp, come to the same call.
#ifdef __clang__
DEVICE void block_barrier() { __syncthreads(); }
#else
DEVICE void block_barrier() { __syncthreads(); }
#endif
DEVICE void warp_barrier() { asm volatile("bar.warp.sync 0xffffffff;" ::: "memory"); }

// Exchange within a warp of which all lanes take part.
DEVICE uint32_t shuffle(uint32_t value, uint32_t lane) {
    uint32_t result;
    asm volatile("shfl.sync.idx.b32 %0, %1, %2, 0x1f, 0xffffffff;" : "=r"(result) : "r"(value), "r"(lane));
    return result;
}
DEVICE uint32_t shuffle_xor(uint32_t value, uint32_t mask) {
    uint32_t result;
    asm volatile("shfl.sync.bfly.b32 %0, %1, %2, 0x1f, 0xffffffff;" : "=r"(result) : "r"(value), "r"(mask));
    return result;
}
/// Lanes below `distance` keep their own value.
DEVICE uint32_t shuffle_up(uint32_t value, uint32_t distance) {
    uint32_t result;
    asm volatile("shfl.sync.up.b32 %0, %1, %2, 0x0, 0xffffffff;" : "=r"(result) : "r"(value), "r"(distance));
    return result;
}
DEVICE uint32_t ballot(bool value) {
    uint32_t result;
    asm volatile("{ .reg .pred p; setp.ne.u32 p, %1, 0; vote.sync.ballot.b32 %0, p, 0xffffffff; }" : "=r"(result) : "r"(uint32_t(value)));
    return result;
}

/// Of all lanes.
DEVICE uint32_t warp_largest(uint32_t value) {
    uint32_t result;
    asm volatile("redux.sync.max.u32 %0, %1, 0xffffffff;" : "=r"(result) : "r"(value));
    return result;
}
DEVICE uint32_t warp_least(uint32_t value) {
    uint32_t result;
    asm volatile("redux.sync.min.u32 %0, %1, 0xffffffff;" : "=r"(result) : "r"(value));
    return result;
}

/// How many bits are set.
DEVICE int32_t population(uint32_t bits) {
    uint32_t result;
    asm("popc.b32 %0, %1;" : "=r"(result) : "r"(bits));
    return int32_t(result);
}

DEVICE uint32_t bits_of(float value) {
    uint32_t bits;
    asm("mov.b32 %0, %1;" : "=r"(bits) : "f"(value));
    return bits;
}
DEVICE float float_of(uint32_t bits) {
    float value;
    asm("mov.b32 %0, %1;" : "=f"(value) : "r"(bits));
    return value;
}

// 16-bit floats: to nearest, ties to even.
DEVICE float to_float(float value) { return value; }
DEVICE float to_float(f16 value) {
    float result;
    asm("cvt.f32.f16 %0, %1;" : "=f"(result) : "h"(value.bits));
    return result;
}
DEVICE float to_float(bf16 value) { return float_of(uint32_t(value.bits) << 16); }
DEVICE void from_float(float value, float& result) { result = value; }
DEVICE void from_float(float value, f16& result) { asm("cvt.rn.f16.f32 %0, %1;" : "=h"(result.bits) : "f"(value)); }
DEVICE void from_float(float value, bf16& result) { asm("cvt.rn.bf16.f32 %0, %1;" : "=h"(result.bits) : "f"(value)); }

/// Two numbers in 32 bits, the first in the low half.
template <typename T>
DEVICE uint32_t pack(float low, float high);
template <>
DEVICE uint32_t pack<f16>(float low, float high) {
    uint32_t result;
    asm("cvt.rn.f16x2.f32 %0, %1, %2;" : "=r"(result) : "f"(high), "f"(low));
    return result;
}
template <>
DEVICE uint32_t pack<bf16>(float low, float high) {
    uint32_t result;
    asm("cvt.rn.bf16x2.f32 %0, %1, %2;" : "=r"(result) : "f"(high), "f"(low));
    return result;
}

template <typename T>
DEVICE float low_of(uint32_t pair) { return to_float(T{uint16_t(pair)}); }
template <typename T>
DEVICE float high_of(uint32_t pair) { return to_float(T{uint16_t(pair >> 16)}); }

/// a · b + c on pairs, rounded once.
template <typename T>
DEVICE uint32_t fma_pair(uint32_t a, uint32_t b, uint32_t c);
template <>
DEVICE uint32_t fma_pair<f16>(uint32_t a, uint32_t b, uint32_t c) {
    uint32_t result;
    asm("fma.rn.f16x2 %0, %1, %2, %3;" : "=r"(result) : "r"(a), "r"(b), "r"(c));
    return result;
}
template <>
DEVICE uint32_t fma_pair<bf16>(uint32_t a, uint32_t b, uint32_t c) {
    uint32_t result;
    asm("fma.rn.bf16x2 %0, %1, %2, %3;" : "=r"(result) : "r"(a), "r"(b), "r"(c));
    return result;
}

/// Bitwise function of three operands by its truth table, as PTX's lop3.
template <int table>
DEVICE uint32_t lop3(uint32_t a, uint32_t b, uint32_t c) {
    uint32_t result;
    asm("lop3.b32 %0, %1, %2, %3, %4;" : "=r"(result) : "r"(a), "r"(b), "r"(c), "n"(table));
    return result;
}
/// Bytes of b:a (a lower) by the four nibbles of the selector.
DEVICE uint32_t byte_permute(uint32_t a, uint32_t b, uint32_t selector) {
    uint32_t result;
    asm("prmt.b32 %0, %1, %2, %3;" : "=r"(result) : "r"(a), "r"(b), "r"(selector));
    return result;
}

// Approximations within 2 units of the last place or so.
DEVICE float exp2_of(float value) {
    float result;
    asm("ex2.approx.f32 %0, %1;" : "=f"(result) : "f"(value));
    return result;
}
DEVICE float log2_of(float value) {
    float result;
    asm("lg2.approx.f32 %0, %1;" : "=f"(result) : "f"(value));
    return result;
}
DEVICE float rsqrt_of(float value) {
    float result;
    asm("rsqrt.approx.f32 %0, %1;" : "=f"(result) : "f"(value));
    return result;
}
/// Rounded to nearest.
DEVICE float fma_of(float a, float b, float c) {
    float result;
    asm("fma.rn.f32 %0, %1, %2, %3;" : "=f"(result) : "f"(a), "f"(b), "f"(c));
    return result;
}

/// 16 bytes of constant global memory, which stay out of the first cache: for weights that are read once.
DEVICE u32x4 load_once(const void* address) {
    u32x4 value;
    asm volatile("ld.global.nc.L1::no_allocate.v4.u32 {%0, %1, %2, %3}, [%4];"
                 : "=r"(value.x), "=r"(value.y), "=r"(value.z), "=r"(value.w)
                 : "l"(address));
    return value;
}

// Copies from global to shared memory that run beside arithmetic. Addresses are multiples of 16; of the 16 bytes at the target the first
// `bytes` are copied, the others are zeroed. A thread sees its copies after its wait, others after a barrier behind that.
DEVICE uint32_t shared_address(const void* shared) {
    uint64_t address;
    asm("cvta.to.shared.u64 %0, %1;" : "=l"(address) : "l"(shared));
    return uint32_t(address);
}
DEVICE void copy_async16(void* shared, const void* global, uint32_t bytes = 16) {
    asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;" ::"r"(shared_address(shared)), "l"(global), "r"(bytes) : "memory");
}
/// The same for 4 bytes, of which 4 or none are copied. Addresses are multiples of 4.
DEVICE void copy_async4(void* shared, const void* global, uint32_t bytes = 4) {
    asm volatile("cp.async.ca.shared.global [%0], [%1], 4, %2;" ::"r"(shared_address(shared)), "l"(global), "r"(bytes) : "memory");
}
DEVICE void copy_async_commit() { asm volatile("cp.async.commit_group;" ::: "memory"); }
/// Waits until at most `pending` of the thread's last groups are under way.
template <int pending>
DEVICE void copy_async_wait() { asm volatile("cp.async.wait_group %0;" ::"n"(pending) : "memory"); }

// Fragments of a matrix product. Lane 8i + j gives the address, in shared memory and a multiple of 16, of row j of the 8 by 8 matrix i.
DEVICE void load_matrices(uint32_t (&result)[4], const void* row) {
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0, %1, %2, %3}, [%4];"
                 : "=r"(result[0]), "=r"(result[1]), "=r"(result[2]), "=r"(result[3])
                 : "r"(shared_address(row))
                 : "memory");
}
DEVICE void load_matrices_transposed(uint32_t (&result)[4], const void* row) {
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0, %1, %2, %3}, [%4];"
                 : "=r"(result[0]), "=r"(result[1]), "=r"(result[2]), "=r"(result[3])
                 : "r"(shared_address(row))
                 : "memory");
}

/// d (16, 8) += a (16, 16) · b (16, 8), as PTX's mma.m16n8k16 lays them out over the lanes.
template <typename T>
DEVICE void multiply_accumulate(float (&d)[4], const uint32_t (&a)[4], const uint32_t (&b)[2]);
template <>
DEVICE void multiply_accumulate<f16>(float (&d)[4], const uint32_t (&a)[4], const uint32_t (&b)[2]) {
    asm volatile("mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};"
                 : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
                 : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
}
template <>
DEVICE void multiply_accumulate<bf16>(float (&d)[4], const uint32_t (&a)[4], const uint32_t (&b)[2]) {
    asm volatile("mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};"
                 : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
                 : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
}

// Results are the memory's former content.
DEVICE int32_t atomic_add(int32_t* address, int32_t value) {
    int32_t old;
    asm volatile("atom.add.s32 %0, [%1], %2;" : "=r"(old) : "l"(address), "r"(value) : "memory");
    return old;
}
DEVICE int32_t atomic_max(int32_t* address, int32_t value) {
    int32_t old;
    asm volatile("atom.max.s32 %0, [%1], %2;" : "=r"(old) : "l"(address), "r"(value) : "memory");
    return old;
}

/// What the thread wrote before is seen by whoever sees what it writes after, on the whole device.
DEVICE void device_fence() { asm volatile("membar.gl;" ::: "memory"); }

}  // namespace latentmoe::cuda
