#include "kernels_amx_present.h"

#if defined(__x86_64__) && defined(__linux__)
#include <cpuid.h>
#include <cstdint>
#include <sys/syscall.h>
#include <unistd.h>

namespace latentmoe {
namespace {

// In leaf 7 of cpuid, and in its first subleaf.
constexpr unsigned kAmxBf16 = 1u << 22, kAmxTile = 1u << 24, kAvx512Bf16 = 1u << 5;
constexpr unsigned kSaveEnabled = 1u << 27;
constexpr uint64_t kTileState = 3u << 17;  // of the registers that the system saves: shapes and contents of tiles
constexpr long kRequestPermission = 0x1023, kTileData = 18;

uint64_t saved_state() {
    uint32_t low, high;
    asm volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    return static_cast<uint64_t>(high) << 32 | low;
}

bool find() {
    unsigned a, b, c, d;
    if (!__get_cpuid(1, &a, &b, &c, &d) || (c & kSaveEnabled) == 0) {
        return false;
    }
    if (!__get_cpuid_count(7, 0, &a, &b, &c, &d) || (d & kAmxBf16) == 0 || (d & kAmxTile) == 0) {
        return false;
    }
    if (!__get_cpuid_count(7, 1, &a, &b, &c, &d) || (a & kAvx512Bf16) == 0 || (saved_state() & kTileState) != kTileState) {
        return false;
    }
    // For all threads of the process, those to come too.
    return syscall(SYS_arch_prctl, kRequestPermission, kTileData) == 0;
}

}  // namespace

bool amx_present() {
    static const bool present = find();
    return present;
}

}  // namespace latentmoe
#else

namespace latentmoe {

bool amx_present() { return false; }

}  // namespace latentmoe
#endif
