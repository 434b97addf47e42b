#include "handles.hpp"

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <ATen/Parallel.h>
#include <ATen/core/dispatch/Dispatcher.h>
#include <dlfcn.h>

#if defined(__GLIBC__)
#include <malloc.h>
#endif

#include <mutex>
#include <sstream>
#include <string>
#include <vector>

namespace {

// Whether a parameter is a floating-point number, so that an integer must be widened for it.
bool wants_real(const c10::TypePtr &type) {
  if (auto optional = type->cast<c10::OptionalType>()) return wants_real(optional->getElementType());
  return type->kind() == c10::TypeKind::FloatType;
}

c10::IValue argument(const ct_value &value, const c10::TypePtr &type) {
  switch (value.kind) {
    case CT_NONE: return {};
    case CT_TENSOR: return borrowed(value.tensor);
    case CT_INTEGER:
      if (wants_real(type)) return static_cast<double>(value.integer);
      return value.integer;
    case CT_REAL: return value.real;
    case CT_BOOL: return value.integer != 0;
    case CT_INTEGERS:
      return c10::IValue(std::vector<int64_t>(value.integers, value.integers + value.count));
    case CT_REALS:
      return c10::IValue(std::vector<double>(value.reals, value.reals + value.count));
    case CT_TENSORS: return c10::IValue(borrowed(value.tensors, value.count));
    case CT_OPTIONAL_TENSORS: {
      c10::List<std::optional<at::Tensor>> list;
      list.reserve(value.count);
      for (int64_t i = 0; i < value.count; i++) {
        if (value.tensors[i]) {
          list.push_back(borrowed(value.tensors[i]));
        } else {
          list.push_back(std::nullopt);
        }
      }
      return list;
    }
    case CT_DTYPE: return value.integer;
    case CT_DEVICE: return device(value.device_type, value.count);
    case CT_STRING: return std::string(value.string, value.count);
    case CT_GENERATOR: return borrowed(value.generator);
  }
  TORCH_CHECK(false, "unknown kind of argument ", static_cast<int>(value.kind));
}

// "[2, 3] float" for each tensor among the arguments.
std::string described(const ct_value *arguments, size_t count) {
  std::ostringstream out;
  const char *separator = "";
  auto add = [&](ct_tensor handle) {
    if (!handle) return;
    out << separator << impl(handle)->sizes() << ' ' << c10::toString(at::typeMetaToScalarType(impl(handle)->dtype()));
    separator = ", ";
  };
  for (size_t i = 0; i < count; i++) {
    if (arguments[i].kind == CT_TENSOR) add(arguments[i].tensor);
    if (arguments[i].kind == CT_TENSORS || arguments[i].kind == CT_OPTIONAL_TENSORS) {
      for (int64_t j = 0; j < arguments[i].count; j++) add(arguments[i].tensors[j]);
    }
  }
  return out.str();
}

void append(c10::IValue &&value, ct_value *results, size_t room, size_t &count) {
  if (value.isTensorList()) {
    for (at::Tensor tensor : value.toTensorVector()) append(std::move(tensor), results, room, count);
    return;
  }
  TORCH_CHECK(count < room, "more results than the caller has room for");
  ct_value &result = results[count];
  result = ct_value{};
  if (value.isTensor()) {
    result.tensor = owned(std::move(value).toTensor());
    result.kind = result.tensor ? CT_TENSOR : CT_NONE;
  } else if (value.isInt() || value.isSymInt()) {
    result.kind = CT_INTEGER;
    result.integer = value.toInt();
  } else if (value.isDouble()) {
    result.kind = CT_REAL;
    result.real = value.toDouble();
  } else if (value.isBool()) {
    result.kind = CT_BOOL;
    result.integer = value.toBool();
  } else if (value.isScalar()) {
    result.kind = CT_REAL;
    result.real = value.toScalar().toDouble();
  } else {
    TORCH_CHECK(value.isNone(), "a result of a kind that has no place in ct_value");
  }
  count++;
}

// A CUDA build keeps its kernels in a library of their own that registers itself when loaded; the
// program links only the CPU part, so that it runs where there is no CUDA.
void load_accelerator_libraries() {
  static std::once_flag once;
  std::call_once(once, [] { dlopen("libtorch_cuda.so", RTLD_NOW | RTLD_GLOBAL); });
}

}  // namespace

extern "C" {

char *ct_operator_find(const char *name, const char *overload, ct_operator *result) {
  return guarded(name, [&] {
    auto found = c10::Dispatcher::singleton().findSchema({name, overload});
    TORCH_CHECK(found.has_value(), "libtorch has no operator ", name, ".", overload);
    *result = reinterpret_cast<ct_operator>(new c10::OperatorHandle(*found));
  });
}

char *ct_operator_call(ct_operator op, const ct_value *arguments, size_t argument_count,
                       ct_value *results, size_t *result_count) {
  auto &handle = *reinterpret_cast<c10::OperatorHandle *>(op);
  size_t count = 0;
  char *failure = guarded(handle.operator_name().name.c_str(), [&] {
    const auto &parameters = handle.schema().arguments();
    TORCH_CHECK(argument_count <= parameters.size(), "takes ", parameters.size(),
                " arguments, got ", argument_count);
    torch::jit::Stack stack;
    stack.reserve(parameters.size());
    for (size_t i = 0; i < argument_count; i++) {
      stack.push_back(argument(arguments[i], parameters[i].type()));
    }
    for (size_t i = argument_count; i < parameters.size(); i++) {
      const auto &fallback = parameters[i].default_value();
      TORCH_CHECK(fallback.has_value(), "needs the argument ", parameters[i].name());
      stack.push_back(*fallback);
    }
    handle.callBoxed(stack);
    for (auto &value : stack) append(std::move(value), results, *result_count, count);
  });
  if (failure) {
    for (size_t i = 0; i < count; i++) {
      if (results[i].kind == CT_TENSOR) ct_tensor_release(results[i].tensor);
    }
    std::string shapes = described(arguments, argument_count);
    if (!shapes.empty()) {
      std::string message = std::string(failure) + " (arguments: " + shapes + ")";
      free(failure);
      failure = copied(message);
    }
    count = 0;
  }
  *result_count = count;
  return failure;
}

char *ct_tensor_from_memory(void *memory, const int64_t *shape, const int64_t *strides,
                            size_t rank, int8_t dtype, void (*release)(void *), void *context,
                            ct_tensor *result) {
  return guarded("from_memory", [&] {
    auto options = at::TensorOptions().dtype(static_cast<c10::ScalarType>(dtype));
    *result = owned(at::from_blob(memory, {shape, rank}, {strides, rank},
                                  [release, context](void *) { release(context); }, options));
  });
}

void ct_tensor_retain(ct_tensor tensor) { c10::raw::intrusive_ptr::incref(impl(tensor)); }
void ct_tensor_release(ct_tensor tensor) { c10::raw::intrusive_ptr::decref(impl(tensor)); }
int64_t ct_tensor_rank(ct_tensor tensor) { return impl(tensor)->dim(); }
const int64_t *ct_tensor_shape(ct_tensor tensor) { return impl(tensor)->sizes().data(); }
const int64_t *ct_tensor_strides(ct_tensor tensor) { return impl(tensor)->strides().data(); }

int8_t ct_tensor_dtype(ct_tensor tensor) {
  return static_cast<int8_t>(at::typeMetaToScalarType(impl(tensor)->dtype()));
}

void ct_tensor_device(ct_tensor tensor, int32_t *type, int64_t *index) {
  c10::Device device = impl(tensor)->device();
  *type = static_cast<int32_t>(device.type());
  *index = device.index();
}

bool ct_tensor_is_contiguous(ct_tensor tensor) { return impl(tensor)->is_contiguous(); }
void *ct_tensor_data(ct_tensor tensor) { return impl(tensor)->mutable_data(); }

size_t ct_tensor_storage_use_count(ct_tensor tensor) {
  return impl(tensor)->storage().use_count();
}

size_t ct_tensor_use_count(ct_tensor tensor) {
  return c10::raw::intrusive_ptr::use_count(impl(tensor));
}

char *ct_generator_create(int32_t device_type, int64_t device_index, uint64_t seed,
                          ct_generator *result) {
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

void ct_generator_release(ct_generator generator) {
  c10::raw::intrusive_ptr::decref(reinterpret_cast<c10::GeneratorImpl *>(generator));
}

char *ct_generator_set_seed(ct_generator generator, uint64_t seed) {
  return guarded("generator", [&] { borrowed(generator).set_current_seed(seed); });
}

char *ct_generator_state(ct_generator generator, ct_tensor *result) {
  return guarded("generator", [&] { *result = owned(borrowed(generator).get_state()); });
}

char *ct_generator_set_state(ct_generator generator, ct_tensor state) {
  return guarded("generator", [&] { borrowed(generator).set_state(borrowed(state)); });
}

int64_t ct_device_count(int32_t device_type) {
  int64_t count = 0;
  char *failure = guarded("device", [&] {
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
  free(failure);
  return count;
}

char *ct_device_synchronize(int32_t device_type, int64_t device_index) {
  return guarded("synchronize", [&] {
    auto where = device(device_type, device_index);
    if (where.is_cpu()) return;
    c10::impl::VirtualGuardImpl(where.type()).synchronizeDevice(where.index());
  });
}

void ct_keep_freed_memory(void) {
#if defined(__GLIBC__)
  // One heap for all threads, never a mapping of its own for a large block, never trimmed.
  mallopt(M_ARENA_MAX, 1);
  mallopt(M_MMAP_MAX, 0);
  mallopt(M_TRIM_THRESHOLD, -1);
  mallopt(M_TOP_PAD, 64 << 20);
#endif
}

int64_t ct_thread_count(void) { return at::get_num_threads(); }
void ct_set_thread_count(int64_t count) { at::set_num_threads(static_cast<int>(count)); }

}  // extern "C"
