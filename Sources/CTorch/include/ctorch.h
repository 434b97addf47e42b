// A small C interface to libtorch: tensors as opaque handles, every ATen operator through the
// dispatcher by name. No C++ type crosses this line, so Swift built against it runs with another
// libtorch by recompiling this target alone.
//
// Every function that can fail returns NULL on success, or a failure that the caller gives to
// ct_failure_free(). No function lets a C++ exception out.
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

/// Why a call failed.
typedef enum {
  CT_REFUSED,        ///< libtorch does not do this: a wrong shape or type, an unknown name
  CT_OUT_OF_MEMORY,  ///< the processor's or a device's memory does not suffice
  CT_DEVICE_FAILED,  ///< a device or its driver reported an error
} ct_reason;

/// What stopped a call.
typedef struct {
  ct_reason reason;
  const char *text;
} ct_failure;

/// Describes a failure; `text` is copied. Never NULL, even where no memory is left.
ct_failure *ct_failure_create(ct_reason reason, const char *text) CT_NOEXCEPT;
void ct_failure_free(ct_failure *failure) CT_NOEXCEPT;

/// A counted reference to a tensor; the receiver of one must give it to ct_tensor_release().
typedef struct ct_tensor_s *ct_tensor;
/// A counted reference to a random number generator; ends with ct_generator_release().
typedef struct ct_generator_s *ct_generator;
/// An operator of the dispatcher; lives as long as the process.
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

/// An argument or a result of an operator. Arguments are borrowed, results are owned.
typedef struct {
  ct_kind kind;
  int32_t device_type;   ///< CT_DEVICE: c10::DeviceType
  int64_t count;         ///< length of the lists; CT_DEVICE: the device's index
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

/// Calls an operator. Missing trailing arguments take the schema's defaults; a returned list of
/// tensors is spread over several results. `result_count` is the room on entry, the number of
/// results on return.
ct_failure *ct_operator_call(ct_operator op, const ct_value *arguments, size_t argument_count,
                       ct_value *results, size_t *result_count) CT_NOEXCEPT;

/// Gives what ct_operator_call() would, as tensors that have a shape and a type but no elements
/// (libtorch's meta tensors). It computes nothing, needs no memory, changes no argument and draws
/// from no generator; numbers and truth values are 0. Any argument may be such a tensor.
ct_failure *ct_operator_shadow(ct_operator op, const ct_value *arguments, size_t argument_count,
                         ct_value *results, size_t *result_count) CT_NOEXCEPT;

/// Whether a tensor has a shape and no elements.
bool ct_tensor_is_shadow(ct_tensor tensor) CT_NOEXCEPT;

/// Sets a pointer that belongs to this thread and returns the one before; NULL at first.
void *ct_scope_exchange(void *scope) CT_NOEXCEPT;
void *ct_scope_current(void) CT_NOEXCEPT;

/// Wraps memory without copying it. `release(context)` is called once, when the tensor is no longer
/// used or this call fails.
ct_failure *ct_tensor_from_memory(void *memory, const int64_t *shape, const int64_t *strides,
                            size_t rank, int8_t dtype, void (*release)(void *), void *context,
                            ct_tensor *result) CT_NOEXCEPT;
void ct_tensor_retain(ct_tensor tensor) CT_NOEXCEPT;
void ct_tensor_release(ct_tensor tensor) CT_NOEXCEPT;
int64_t ct_tensor_rank(ct_tensor tensor) CT_NOEXCEPT;
/// Borrowed; lives as long as the tensor.
const int64_t *ct_tensor_shape(ct_tensor tensor) CT_NOEXCEPT;
const int64_t *ct_tensor_strides(ct_tensor tensor) CT_NOEXCEPT;
int8_t ct_tensor_dtype(ct_tensor tensor) CT_NOEXCEPT;
void ct_tensor_device(ct_tensor tensor, int32_t *type, int64_t *index) CT_NOEXCEPT;
bool ct_tensor_is_contiguous(ct_tensor tensor) CT_NOEXCEPT;
/// Address of the first element (in the device's address space); NULL where there are no elements.
void *ct_tensor_data(ct_tensor tensor) CT_NOEXCEPT;
/// How many tensors share the memory of this one, itself included.
size_t ct_tensor_storage_use_count(ct_tensor tensor) CT_NOEXCEPT;
/// How many references there are to this very tensor, the caller's included; libtorch keeps some
/// for gradients.
size_t ct_tensor_use_count(ct_tensor tensor) CT_NOEXCEPT;

bool ct_tensor_requires_grad(ct_tensor tensor) CT_NOEXCEPT;
ct_failure *ct_tensor_set_requires_grad(ct_tensor tensor, bool requires_grad) CT_NOEXCEPT;
/// The accumulated gradient, or NULL in `result` if there is no gradient.
ct_failure *ct_tensor_grad(ct_tensor tensor, ct_tensor *result) CT_NOEXCEPT;
/// Replaces the accumulated gradient; NULL clears it.
ct_failure *ct_tensor_set_grad(ct_tensor tensor, ct_tensor gradient) CT_NOEXCEPT;
ct_failure *ct_backward(const ct_tensor *outputs, size_t count) CT_NOEXCEPT;
/// Gradients of the sum of `outputs`; entries of `results` are NULL where an input is unused.
ct_failure *ct_gradients(const ct_tensor *outputs, size_t output_count, const ct_tensor *inputs,
                         size_t input_count, bool retain_graph, bool create_graph,
                         ct_tensor *results) CT_NOEXCEPT;
/// Sets whether this thread records gradients and returns what it did before.
bool ct_grad_mode_exchange(bool enabled) CT_NOEXCEPT;
/// Runs `forward` on `input` without recording and gives its result; when gradients come back,
/// runs it again with recording, on whichever thread computes them. `forward` must compute the same
/// both times and returns NULL or a failure. `context` is released when no gradient can come any
/// more, and where this call fails.
ct_failure *ct_checkpoint(ct_tensor input, ct_failure *(*forward)(void *, ct_tensor, ct_tensor *),
                    void (*release)(void *), void *context, ct_tensor *result) CT_NOEXCEPT;

/// Sets this thread's autocast type for a kind of device; a negative type turns autocast off.
/// `before` is the type that was set, or -1.
ct_failure *ct_autocast_exchange(int32_t device_type, int32_t dtype, int32_t *before) CT_NOEXCEPT;

ct_failure *ct_generator_create(int32_t device_type, int64_t device_index, uint64_t seed,
                          ct_generator *result) CT_NOEXCEPT;
void ct_generator_release(ct_generator generator) CT_NOEXCEPT;
/// The whole state, as a tensor of bytes.
ct_failure *ct_generator_state(ct_generator generator, ct_tensor *result) CT_NOEXCEPT;
ct_failure *ct_generator_set_state(ct_generator generator, ct_tensor state) CT_NOEXCEPT;

/// Number of usable devices of a kind; 0 where libtorch or the machine has none.
int64_t ct_device_count(int32_t device_type) CT_NOEXCEPT;
/// Waits until the device has done all that was asked of it.
ct_failure *ct_device_synchronize(int32_t device_type, int64_t device_index) CT_NOEXCEPT;
int64_t ct_thread_count(void) CT_NOEXCEPT;
/// The version of libtorch, such as "2.9.0+cpu".
const char *ct_version(void) CT_NOEXCEPT;
/// Makes this process keep memory that it frees for its next allocations, rather than give it back
/// to the system and get it again, page by page. For work that allocates the same sizes over and
/// over. Does nothing where the allocator is not glibc's.
void ct_keep_freed_memory(void) CT_NOEXCEPT;
/// Gives memory that was freed back to the system, also from the middle of the heap.
void ct_return_freed_memory(void) CT_NOEXCEPT;
ct_failure *ct_set_thread_count(int64_t count) CT_NOEXCEPT;

#ifdef __cplusplus
}
#endif
