// C declarations of the shim. The layouts of ts_slot and ts_description are mirrored by Internals/Native.cs.
#pragma once
#include <stdint.h>

#define TS_EXPORT extern "C" __attribute__((visibility("default")))

enum ts_kind {
    TS_NONE, TS_TENSOR, TS_INT, TS_BOOL, TS_DOUBLE, TS_STRING, TS_DEVICE, TS_GENERATOR,
    TS_INT_LIST, TS_TENSOR_LIST, TS_OPTIONAL_TENSOR_LIST
};
enum ts_thread_operation { TS_THREADS_SET, TS_THREADS_GET, TS_THREADS_SET_INTEROP, TS_THREADS_GET_INTEROP };

// One argument or result. value holds a number's bits, a handle, a device (type << 32 | index), or a pointer to length elements.
struct ts_slot {
    int64_t value;
    int32_t kind;
    int32_t length;
};

struct ts_description {
    int64_t numel, storage_offset;
    int32_t dim, element_size, dtype, device_type, device_index, contiguous, requires_grad, leaf;
};

TS_EXPORT const char* ts_last_error();
TS_EXPORT int32_t ts_find_operator(const char* name, const char* overload, void** result);
// Arguments missing at the end take the schema's defaults. A list result is freed with ts_free_list.
TS_EXPORT int32_t ts_call(void* op, const ts_slot* arguments, int32_t count, ts_slot* results, int32_t capacity);
TS_EXPORT void ts_free_list(int64_t* handles);

TS_EXPORT void ts_release(int64_t handle);
TS_EXPORT int64_t ts_retain(int64_t handle);
TS_EXPORT int32_t ts_describe(int64_t handle, ts_description* result);
TS_EXPORT int32_t ts_sizes(int64_t handle, int64_t* sizes, int64_t* strides);
TS_EXPORT int32_t ts_data(int64_t handle, void** result);

TS_EXPORT int32_t ts_set_requires_grad(int64_t handle, int32_t value);
TS_EXPORT int32_t ts_retain_grad(int64_t handle);
TS_EXPORT int32_t ts_grad(int64_t handle, int64_t* result);
TS_EXPORT int32_t ts_set_grad(int64_t handle, int64_t value);
TS_EXPORT int32_t ts_backward(const int64_t* tensors, int32_t count, const int64_t* gradients, int32_t gradient_count,
                              int32_t retain_graph, int32_t create_graph, const int64_t* inputs, int32_t input_count);
TS_EXPORT int32_t ts_autograd_grad(const int64_t* outputs, int32_t count, const int64_t* inputs, int32_t input_count,
                                   const int64_t* gradients, int32_t gradient_count, int32_t retain_graph, int32_t create_graph,
                                   int32_t allow_unused, int64_t* results);
TS_EXPORT int32_t ts_grad_enabled();
TS_EXPORT void ts_set_grad_enabled(int32_t value);
TS_EXPORT int32_t ts_inference_mode_enabled();
TS_EXPORT void* ts_enter_inference_mode(int32_t enabled);
TS_EXPORT void ts_leave_inference_mode(void* guard);

TS_EXPORT int32_t ts_default_generator(int64_t* result);
TS_EXPORT int32_t ts_new_generator(int64_t seed, int64_t* result);
TS_EXPORT void ts_release_generator(int64_t handle);
TS_EXPORT int32_t ts_generator_seed(int64_t handle, int64_t* seed);
TS_EXPORT int32_t ts_set_generator_seed(int64_t handle, int64_t seed);
TS_EXPORT int32_t ts_generator_state(int64_t handle, int64_t* result);
TS_EXPORT int32_t ts_set_generator_state(int64_t handle, int64_t state);
TS_EXPORT int32_t ts_manual_seed(int64_t seed);

TS_EXPORT int32_t ts_threads(int32_t operation, int32_t count, int32_t* result);
TS_EXPORT int32_t ts_cuda_device_count(int32_t* result);
TS_EXPORT int32_t ts_cuda_synchronize(int32_t index);
// A negative value only reads the setting.
TS_EXPORT int32_t ts_allow_tf32(int32_t value, int32_t* result);

struct ts_adamw_options {
    double beta1, beta2;
    double decay;            // 1 - rate * weight decay
    double root_correction;  // the square root of 1 - beta2^t
    double epsilon;
    double step;             // rate / (1 - beta1^t)
};

// One step for tensors of float32 in CPU memory; parameters, means and squares are contiguous.
TS_EXPORT int32_t ts_adamw(const int64_t* parameters, const int64_t* gradients, const int64_t* means, const int64_t* squares,
                           int32_t count, const ts_adamw_options* options);
