// Tensors, generators and devices.
#include "handles.hpp"
#include "rounding.h"

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/from_blob.h>
#include <dlfcn.h>
#include <torch/version.h>

#include <algorithm>
#include <limits>
#include <memory>
#include <mutex>
#include <utility>

namespace {

// A CUDA build has its kernels in a separate library, which registers itself when it is loaded. The
// program links only the CPU part, so that it also runs on machines without CUDA.
void load_accelerator_libraries() {
  static std::once_flag once;
  std::call_once(once, [] { dlopen("libtorch_cuda.so", RTLD_NOW | RTLD_GLOBAL); });
}

// The innermost RecoveryScope of this thread in Swift.
thread_local void *scope = nullptr;

}  // namespace

extern "C" {

void *ct_scope_exchange(void *next) noexcept { return std::exchange(scope, next); }
void *ct_scope_current(void) noexcept { return scope; }

ct_failure *ct_tensor_from_memory(void *memory, const int64_t *shape, const int64_t *strides,
                                  size_t rank, int8_t dtype, void (*release)(void *),
                                  void *context, ct_tensor *result) noexcept {
  return guarded("from_memory", [&] {
    // From here on, the context is released exactly once, even if a call fails.
    std::shared_ptr<void> owner(context, release);
    auto options = at::TensorOptions().dtype(static_cast<c10::ScalarType>(dtype));
    *result = owned(at::from_blob(memory, {shape, rank}, {strides, rank},
                                  [owner](void *) mutable { owner.reset(); }, options));
  });
}

void ct_tensor_retain(ct_tensor tensor) noexcept {
  c10::raw::intrusive_ptr::incref(impl(tensor));
}

void ct_tensor_release(ct_tensor tensor) noexcept {
  c10::raw::intrusive_ptr::decref(impl(tensor));
}

int64_t ct_tensor_rank(ct_tensor tensor) noexcept { return impl(tensor)->dim(); }

const int64_t *ct_tensor_shape(ct_tensor tensor) noexcept { return impl(tensor)->sizes().data(); }

const int64_t *ct_tensor_strides(ct_tensor tensor) noexcept {
  return impl(tensor)->strides().data();
}

int8_t ct_tensor_dtype(ct_tensor tensor) noexcept {
  return static_cast<int8_t>(at::typeMetaToScalarType(impl(tensor)->dtype()));
}

void ct_tensor_device(ct_tensor tensor, int32_t *type, int64_t *index) noexcept {
  c10::Device device = impl(tensor)->device();
  *type = static_cast<int32_t>(device.type());
  *index = device.index();
}

bool ct_tensor_is_contiguous(ct_tensor tensor) noexcept { return impl(tensor)->is_contiguous(); }
bool ct_tensor_is_shadow(ct_tensor tensor) noexcept { return impl(tensor)->is_meta(); }

void *ct_tensor_data(ct_tensor tensor) noexcept {
  if (impl(tensor)->is_meta() || !impl(tensor)->has_storage()) return nullptr;
  return impl(tensor)->mutable_data();
}

size_t ct_tensor_storage_use_count(ct_tensor tensor) noexcept {
  return impl(tensor)->has_storage() ? impl(tensor)->storage().use_count() : 1;
}

size_t ct_tensor_use_count(ct_tensor tensor) noexcept {
  return c10::raw::intrusive_ptr::use_count(impl(tensor));
}

ct_failure *ct_generator_create(int32_t device_type, int64_t device_index, uint64_t seed,
                          ct_generator *result) noexcept {
  return guarded("generator", [&] {
    auto where = device(device_type, device_index);
    at::Generator generator =
        where.is_cpu() ? at::detail::createCPUGenerator(seed)
                       : at::globalContext()
                             .getAcceleratorHooksInterface(where.type())
                             .getNewGenerator(where.index());
    generator.set_current_seed(seed);
    *result = reinterpret_cast<ct_generator>(generator.unsafeReleaseGeneratorImpl());
  });
}

void ct_generator_release(ct_generator generator) noexcept {
  c10::raw::intrusive_ptr::decref(reinterpret_cast<c10::GeneratorImpl *>(generator));
}

ct_failure *ct_generator_state(ct_generator generator, ct_tensor *result) noexcept {
  return guarded("generator", [&] { *result = owned(borrowed(generator).get_state()); });
}

ct_failure *ct_generator_set_state(ct_generator generator, ct_tensor state) noexcept {
  return guarded("generator", [&] { borrowed(generator).set_state(borrowed(state)); });
}

int64_t ct_device_count(int32_t device_type) noexcept {
  int64_t count = 0;
  ct_failure *failure = guarded("device", [&] {
    auto type = static_cast<c10::DeviceType>(device_type);
    if (type == c10::DeviceType::CPU) {
      count = 1;
    } else if (type == c10::DeviceType::CUDA) {
      load_accelerator_libraries();
      if (at::globalContext().hasCUDA()) {
        count = at::globalContext().getAcceleratorHooksInterface(type).deviceCount();
      }
    } else if (type == c10::DeviceType::MPS) {
      count = at::globalContext().hasMPS() ? 1 : 0;
    }
  });
  ct_failure_free(failure);
  return count;
}

ct_failure *ct_device_synchronize(int32_t device_type, int64_t device_index) noexcept {
  return guarded("synchronize", [&] {
    auto where = device(device_type, device_index);
    if (where.is_cpu()) return;
    c10::impl::VirtualGuardImpl(where.type()).synchronizeDevice(where.index());
  });
}

int64_t ct_thread_count(void) noexcept { return at::get_num_threads(); }

bool ct_multiplies_bfloat16(void) noexcept {
#if defined(__x86_64__)
  // Processors with AMX have AVX512-BF16 too.
  __builtin_cpu_init();
  return __builtin_cpu_supports("avx512bf16");
#else
  return false;
#endif
}

bool ct_multiplies_int8(void) noexcept {
#if defined(__x86_64__)
  __builtin_cpu_init();
  return __builtin_cpu_supports("avx512vnni") || __builtin_cpu_supports("avxvnni");
#else
  return false;
#endif
}

void ct_round_rows(ct_tensor numbers, ct_tensor integers, ct_tensor steps) noexcept {
  for (ct_tensor tensor : {numbers, integers, steps}) {
    if (ct_tensor_is_shadow(tensor) || impl(tensor)->numel() == 0) return;
  }
  int64_t count = impl(numbers)->sizes().back();
  round_rows(static_cast<const float *>(ct_tensor_data(numbers)), impl(numbers)->numel() / count,
             count, static_cast<uint8_t *>(ct_tensor_data(integers)),
             static_cast<float *>(ct_tensor_data(steps)));
}

const char *ct_version(void) noexcept { return TORCH_VERSION; }

ct_failure *ct_set_thread_count(int64_t count) noexcept {
  return guarded("threads", [&] {
    at::set_num_threads(static_cast<int>(
        std::clamp<int64_t>(count, 1, std::numeric_limits<int>::max())));
  });
}

}  // extern "C"
