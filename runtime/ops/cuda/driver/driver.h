// CUDA's driver interface as far as the library uses it, found when the program runs: no CUDA header, nothing to link.
#pragma once
#include <cstddef>
#include <cstdint>
#include <string>

struct CUctx_st;
struct CUmod_st;
struct CUfunc_st;
struct CUstream_st;

namespace latentmoe::cuda {

using Result = int;   // CUresult
using Ordinal = int;  // CUdevice
using ContextHandle = CUctx_st*;
using ModuleHandle = CUmod_st*;
using FunctionHandle = CUfunc_st*;
using StreamHandle = CUstream_st*;
using Address = unsigned long long;  // CUdeviceptr

inline constexpr Result success = 0;

/// Values of CUdevice_attribute, CUfunction_attribute and CUjit_option.
enum DeviceAttribute : int { multiprocessor_count = 16, capability_major = 75, capability_minor = 76, shared_memory_optin = 97 };
enum FunctionAttribute : int { most_dynamic_shared = 8 };
enum JitOption : int { error_log = 5, error_log_size = 6 };

/// The functions, by the names of the versions that are declared here.
class Driver {
public:
    static constexpr const char* file = "libcuda.so.1";

    /// Throws Error, with the reason, where the library or one of the functions is missing.
    Driver();

    /// Throws Error with what failed and CUDA's name and words for it.
    void check(Result result, const std::string& what) const {
        if (result != success) {
            raise(result, what);
        }
    }

    /// Null where the library has none of this name.
    void* symbol(const char* name) const;

    Result (*init)(unsigned flags);
    Result (*driver_version)(int* version);
    Result (*error_name)(Result, const char** name);
    Result (*error_string)(Result, const char** text);
    Result (*device_count)(int* count);
    Result (*device_get)(Ordinal* device, int index);
    Result (*device_name)(char* name, int size, Ordinal);
    Result (*device_attribute)(int* value, int attribute, Ordinal);
    Result (*context_current)(ContextHandle* context);
    Result (*context_set)(ContextHandle);
    Result (*context_device)(Ordinal* device);
    Result (*context_retain)(ContextHandle* context, Ordinal);
    Result (*module_load)(ModuleHandle* module, const void* image, unsigned options, int* names, void** values);
    Result (*module_unload)(ModuleHandle);
    Result (*module_function)(FunctionHandle* function, ModuleHandle, const char* name);
    Result (*function_attribute)(FunctionHandle, int attribute, int value);
    Result (*launch)(FunctionHandle, unsigned grid_x, unsigned grid_y, unsigned grid_z, unsigned block_x, unsigned block_y, unsigned block_z,
                     unsigned shared, StreamHandle, void** parameters, void** extra);
    Result (*set_bytes)(Address target, unsigned char value, size_t bytes, StreamHandle);
    Result (*copy_within)(Address target, Address source, size_t bytes, StreamHandle);

private:
    [[noreturn]] void raise(Result result, const std::string& what) const;

    template <typename F>
    void find(F*& function, const char* name);

    void* library_;
};

/// The process's driver, with CUDA initialised. Throws Error where there is none that can be used.
const Driver& driver();

/// The attribute's value on a device.
int attribute(const Driver& driver, DeviceAttribute attribute, Ordinal device);

}  // namespace latentmoe::cuda
