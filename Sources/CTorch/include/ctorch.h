// A small C interface to libtorch. Tensors are opaque handles, and ATen operators are called by
// name through the dispatcher. The interface contains no C++ types, so only this target must be
// compiled again for another libtorch.
//
// Every function that can fail returns NULL on success, or a failure that the caller must pass to
// ct_failure_free(). No C++ exception leaves a function.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
#define CT_NOEXCEPT noexcept
extern "C" {
#else
#define CT_NOEXCEPT
#endif

/// The reason why a call failed.
typedef enum {
  CT_REFUSED,        ///< libtorch refused the call, for a wrong shape or type or an unknown name
  CT_OUT_OF_MEMORY,  ///< the machine or a device ran out of memory
  CT_DEVICE_FAILED,  ///< a device or its driver reported an error
} ct_reason;

/// A failed call: the reason and a text for people.
typedef struct {
  ct_reason reason;
  const char *text;
} ct_failure;

/// Creates a failure with a copy of `text`. Never returns NULL, even if no memory is left.
ct_failure *ct_failure_create(ct_reason reason, const char *text) CT_NOEXCEPT;
void ct_failure_free(ct_failure *failure) CT_NOEXCEPT;

/// A counted reference to a tensor. Whoever receives one must pass it to ct_tensor_release().
typedef struct ct_tensor_s *ct_tensor;
/// A counted reference to a random number generator, for ct_generator_release().
typedef struct ct_generator_s *ct_generator;
/// An operator of the dispatcher, which is never released.
typedef struct ct_operator_s *ct_operator;

typedef enum {
  CT_NONE,
  CT_TENSOR,
  CT_INTEGER,
  CT_REAL,
  CT_BOOL,
  CT_INTEGERS,
  CT_REALS,
  CT_TENSORS,
  CT_OPTIONAL_TENSORS,  ///< a list of tensors in which NULL stands for None
  CT_DTYPE,
  CT_DEVICE,
  CT_STRING,
  CT_GENERATOR,
} ct_kind;

/// An argument or a result of an operator. Arguments are borrowed; the caller must release results.
typedef struct {
  ct_kind kind;
  int32_t device_type;   ///< CT_DEVICE: c10::DeviceType
  int64_t count;         ///< length of a list or string; CT_DEVICE: the device's index
  union {
    ct_tensor tensor;
    int64_t integer;     ///< CT_INTEGER, CT_BOOL, CT_DTYPE (c10::ScalarType)
    double real;
    const int64_t *integers;
    const double *reals;
    const ct_tensor *tensors;
    const char *string;
    ct_generator generator;
  };
} ct_value;

/// Looks up an operator such as ("aten::add", "Tensor").
ct_failure *ct_operator_find(const char *name, const char *overload,
                             ct_operator *result) CT_NOEXCEPT;

/// Calls an operator. Missing trailing arguments have the defaults of the schema. A returned list
/// of tensors becomes one result per tensor. On entry, `result_count` is the capacity of `results`;
/// on return, the number of results.
ct_failure *ct_operator_call(ct_operator op, const ct_value *arguments, size_t argument_count,
                       ct_value *results, size_t *result_count) CT_NOEXCEPT;

/// Returns the results of ct_operator_call() as tensors that have a shape and a type but no
/// elements (libtorch's meta tensors). It computes nothing, allocates no elements, changes no
/// argument and draws from no generator. Numbers and truth values are 0. Any argument may be such a
/// tensor.
ct_failure *ct_operator_shadow(ct_operator op, const ct_value *arguments, size_t argument_count,
                         ct_value *results, size_t *result_count) CT_NOEXCEPT;

/// Returns whether a tensor has a shape but no elements.
bool ct_tensor_is_shadow(ct_tensor tensor) CT_NOEXCEPT;

/// Sets the calling thread's scope, a pointer that libtorch never uses, and returns the previous
/// one. It is NULL at first.
void *ct_scope_exchange(void *scope) CT_NOEXCEPT;
/// Returns the calling thread's scope.
void *ct_scope_current(void) CT_NOEXCEPT;

/// Wraps memory without copying it. Calls `release(context)` once, when the tensor is no longer
/// used or this call fails.
ct_failure *ct_tensor_from_memory(void *memory, const int64_t *shape, const int64_t *strides,
                            size_t rank, int8_t dtype, void (*release)(void *), void *context,
                            ct_tensor *result) CT_NOEXCEPT;
void ct_tensor_retain(ct_tensor tensor) CT_NOEXCEPT;
void ct_tensor_release(ct_tensor tensor) CT_NOEXCEPT;
int64_t ct_tensor_rank(ct_tensor tensor) CT_NOEXCEPT;
/// The sizes; the pointer is valid while the tensor is alive and unchanged.
const int64_t *ct_tensor_shape(ct_tensor tensor) CT_NOEXCEPT;
const int64_t *ct_tensor_strides(ct_tensor tensor) CT_NOEXCEPT;
int8_t ct_tensor_dtype(ct_tensor tensor) CT_NOEXCEPT;
void ct_tensor_device(ct_tensor tensor, int32_t *type, int64_t *index) CT_NOEXCEPT;
bool ct_tensor_is_contiguous(ct_tensor tensor) CT_NOEXCEPT;
/// The address of the first element in the device's address space; NULL if there are no elements.
void *ct_tensor_data(ct_tensor tensor) CT_NOEXCEPT;
/// The number of tensors that share this tensor's memory, including itself.
size_t ct_tensor_storage_use_count(ct_tensor tensor) CT_NOEXCEPT;
/// The number of references to this tensor, including the caller's. libtorch holds some for
/// gradients.
size_t ct_tensor_use_count(ct_tensor tensor) CT_NOEXCEPT;

bool ct_tensor_requires_grad(ct_tensor tensor) CT_NOEXCEPT;
ct_failure *ct_tensor_set_requires_grad(ct_tensor tensor, bool requires_grad) CT_NOEXCEPT;
/// Sets `result` to the accumulated gradient, or to NULL if there is none.
ct_failure *ct_tensor_grad(ct_tensor tensor, ct_tensor *result) CT_NOEXCEPT;
/// Replaces the accumulated gradient; NULL clears it.
ct_failure *ct_tensor_set_grad(ct_tensor tensor, ct_tensor gradient) CT_NOEXCEPT;
/// Adds the gradients of scalar outputs to the leaves from which they were computed.
ct_failure *ct_backward(const ct_tensor *outputs, size_t count) CT_NOEXCEPT;
/// Computes the gradients of the sum of `outputs`, one per input. The entry in `results` is NULL if
/// no output depends on the input.
ct_failure *ct_gradients(const ct_tensor *outputs, size_t output_count, const ct_tensor *inputs,
                         size_t input_count, bool retain_graph, bool create_graph,
                         ct_tensor *results) CT_NOEXCEPT;
/// Sets whether this thread records gradients and returns the previous setting.
bool ct_grad_mode_exchange(bool enabled) CT_NOEXCEPT;
/// Runs `forward` on `input` without recording and sets `result`. In the backward pass, runs it
/// again with recording, on the thread that computes the gradients. `forward` must compute the same
/// result both times; it returns NULL or a failure. `context` is released when `result` can receive
/// no more gradients, or if this call fails.
ct_failure *ct_checkpoint(ct_tensor input, ct_failure *(*forward)(void *, ct_tensor, ct_tensor *),
                    void (*release)(void *), void *context, ct_tensor *result) CT_NOEXCEPT;

/// A function of the caller: sets `result` for a borrowed input, and returns NULL or a failure.
typedef ct_failure *(*ct_function)(void *context, ct_tensor input, ct_tensor *result);
/// Runs `forward` on `input` without recording and sets `result`. In the backward pass, `backward`
/// receives the gradient of the result and returns that of the input. `context` is released as that
/// of ct_checkpoint().
ct_failure *ct_custom(ct_tensor input, ct_function forward, ct_function backward,
                      void (*release)(void *), void *context, ct_tensor *result) CT_NOEXCEPT;
/// Makes every backward pass call `notify(context)` once the gradient of a leaf is complete, on the
/// thread that computed it. `context` is released with the leaf, or when another call replaces it;
/// NULL for `notify` removes it.
ct_failure *ct_tensor_on_gradient(ct_tensor tensor, ct_failure *(*notify)(void *),
                                  void (*release)(void *), void *context) CT_NOEXCEPT;

/// Sets this thread's autocast type for a kind of device. A negative type turns autocast off.
/// `before` receives the previous type, or -1 if autocast was off.
ct_failure *ct_autocast_exchange(int32_t device_type, int32_t dtype, int32_t *before) CT_NOEXCEPT;

ct_failure *ct_generator_create(int32_t device_type, int64_t device_index, uint64_t seed,
                          ct_generator *result) CT_NOEXCEPT;
void ct_generator_release(ct_generator generator) CT_NOEXCEPT;
/// Sets `result` to the whole state, as a tensor of bytes.
ct_failure *ct_generator_state(ct_generator generator, ct_tensor *result) CT_NOEXCEPT;
ct_failure *ct_generator_set_state(ct_generator generator, ct_tensor state) CT_NOEXCEPT;

/// The number of usable devices of a kind; 0 if the machine has none or libtorch does not support
/// them.
int64_t ct_device_count(int32_t device_type) CT_NOEXCEPT;
/// Waits until the device has finished all queued work.
ct_failure *ct_device_synchronize(int32_t device_type, int64_t device_index) CT_NOEXCEPT;
int64_t ct_thread_count(void) CT_NOEXCEPT;
/// Whether the processor has instructions that multiply bfloat16 numbers (AVX512-BF16, AMX), so that
/// libtorch's products of them are faster than those of single precision.
bool ct_multiplies_bfloat16(void) CT_NOEXCEPT;
/// Whether the processor has instructions for products of 8-bit integers: AVX512-VNNI or AVX-VNNI,
/// which processors with AMX have too.
bool ct_multiplies_int8(void) CT_NOEXCEPT;
/// Rounds the rows of `numbers` `[…, N]`, which are contiguous and in single precision, to integers
/// from -127 to 127 and adds 128. `integers` `[…, N]` are bytes, `steps` `[…, 1]` the size of a step
/// of each row. Does nothing if one of them has no elements.
void ct_round_rows(ct_tensor numbers, ct_tensor integers, ct_tensor steps) CT_NOEXCEPT;
/// The version of libtorch, such as "2.9.0+cpu".
const char *ct_version(void) CT_NOEXCEPT;
/// Makes the threads of libtorch's operators sleep while they wait for each other, whenever other
/// processes need the processors. Does nothing if they are not libgomp's, or if the environment
/// decides how they wait.
void ct_share_processors(void) CT_NOEXCEPT;
/// Makes this process keep freed memory for its next allocations, instead of returning it to the
/// system and requesting it again page by page. This helps work that allocates the same sizes again
/// and again. Does nothing if the allocator is not glibc's.
void ct_keep_freed_memory(void) CT_NOEXCEPT;
/// Returns freed memory to the system, including memory in the middle of the heap.
void ct_return_freed_memory(void) CT_NOEXCEPT;
ct_failure *ct_set_thread_count(int64_t count) CT_NOEXCEPT;

// Process groups. Calls wait at most the given time.

/// The keys and values that processes share, for ct_store_release(). Threads may share it.
typedef struct ct_store_s *ct_store;
/// A process's place in a group of processes, for ct_group_release().
typedef struct ct_group_s *ct_group;
/// A collective in progress, for ct_work_release().
typedef struct ct_work_s *ct_work;

/// Connects to the store of a host, and serves it if `hosts` is set, for as long as the handle
/// lives.
ct_failure *ct_store_create(const char *host, uint16_t port, bool hosts, int64_t milliseconds,
                            ct_store *result) CT_NOEXCEPT;
void ct_store_release(ct_store store) CT_NOEXCEPT;
ct_failure *ct_store_set(ct_store store, const char *key, const uint8_t *bytes,
                         size_t count) CT_NOEXCEPT;
/// Sets `result` to the value of a key as a tensor of bytes, or to NULL if there is none. Does not
/// wait for it.
ct_failure *ct_store_get(ct_store store, const char *key, ct_tensor *result) CT_NOEXCEPT;

/// Connects all processes that give the same name: by Gloo for tensors of the processor, by NCCL for
/// those of a CUDA GPU. `host` is reachable from every process.
ct_failure *ct_group_create(ct_store store, const char *name, int32_t rank, int32_t size,
                            int32_t device_type, int64_t device_index, const char *host,
                            int64_t milliseconds, ct_group *result) CT_NOEXCEPT;
/// Waits until all work has ended, then closes the connections.
void ct_group_release(ct_group group) CT_NOEXCEPT;
/// Starts to replace a tensor without gaps by its sum over the processes.
ct_failure *ct_group_all_reduce(ct_group group, ct_tensor tensor, int64_t milliseconds,
                                ct_work *result) CT_NOEXCEPT;
/// Starts to fill `output`, which has as many times the rows of `input` as there are processes, with
/// the rows of all of them by rank.
ct_failure *ct_group_all_gather(ct_group group, ct_tensor input, ct_tensor output,
                                int64_t milliseconds, ct_work *result) CT_NOEXCEPT;
/// Starts to replace a tensor by that of the process `source`.
ct_failure *ct_group_broadcast(ct_group group, ct_tensor tensor, int32_t source,
                               int64_t milliseconds, ct_work *result) CT_NOEXCEPT;
/// Waits for a collective, and sets `is_done` to whether it has ended. If it has, operators on its
/// tensors follow it.
ct_failure *ct_work_wait(ct_work work, int64_t milliseconds, bool *is_done) CT_NOEXCEPT;
void ct_work_release(ct_work work) CT_NOEXCEPT;

#ifdef __cplusplus
}
#endif
