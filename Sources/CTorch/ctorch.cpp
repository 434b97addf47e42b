#include "ctorch.h"

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <ATen/Parallel.h>
#include <ATen/autocast_mode.h>
#include <ATen/core/dispatch/Dispatcher.h>
#include <dlfcn.h>
#include <torch/csrc/autograd/autograd.h>
#include <torch/csrc/autograd/custom_function.h>

#if defined(__GLIBC__)
#include <malloc.h>
#endif

#include <cstring>
#include <mutex>
#include <sstream>
#include <string>
#include <vector>

namespace {

char *copied(const std::string &text) { return strdup(text.c_str()); }

// Runs `body`; what it throws becomes a message, and nothing C++ reaches Swift.
template <class Body>
char *guarded(const char *what, Body &&body) {
  try {
    body();
    return nullptr;
  } catch (const c10::Error &error) {
    return copied(std::string(what) + ": " + error.what_without_backtrace());
  } catch (const std::exception &error) {
    return copied(std::string(what) + ": " + error.what());
  } catch (...) {
    return copied(std::string(what) + ": unknown C++ exception");
  }
}

c10::TensorImpl *impl(ct_tensor handle) { return reinterpret_cast<c10::TensorImpl *>(handle); }

// A tensor for the duration of a call, sharing the caller's reference.
at::Tensor borrowed(ct_tensor handle) {
  return at::Tensor(
      c10::intrusive_ptr<c10::TensorImpl, c10::UndefinedTensorImpl>::reclaim_copy(impl(handle)));
}

ct_tensor owned(at::Tensor &&tensor) {
  if (!tensor.defined()) return nullptr;
  return reinterpret_cast<ct_tensor>(tensor.unsafeReleaseTensorImpl());
}

at::Generator borrowed(ct_generator handle) {
  return at::Generator(c10::intrusive_ptr<c10::GeneratorImpl>::reclaim_copy(
      reinterpret_cast<c10::GeneratorImpl *>(handle)));
}

std::vector<at::Tensor> borrowed(const ct_tensor *handles, size_t count) {
  std::vector<at::Tensor> tensors;
  tensors.reserve(count);
  for (size_t i = 0; i < count; i++) tensors.push_back(borrowed(handles[i]));
  return tensors;
}

c10::Device device(int32_t type, int64_t index) {
  return c10::Device(static_cast<c10::DeviceType>(type), static_cast<c10::DeviceIndex>(index));
}

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

// The type this thread casts to on a kind of device, or -1.
int32_t autocast_dtype(c10::DeviceType type) {
  if (!at::autocast::is_autocast_enabled(type)) return -1;
  return static_cast<int32_t>(at::autocast::get_autocast_dtype(type));
}

int32_t exchange_autocast(c10::DeviceType type, int32_t dtype) {
  int32_t before = autocast_dtype(type);
  at::autocast::set_autocast_enabled(type, dtype >= 0);
  if (dtype >= 0) {
    at::autocast::set_autocast_dtype(type, static_cast<at::ScalarType>(dtype));
  } else if (before >= 0) {
    at::autocast::clear_cache();
  }
  return before;
}

// A stretch of the model that keeps its input alone and is computed again when gradients come.
struct Recomputation : torch::CustomClassHolder {
  char *(*forward)(void *, ct_tensor, ct_tensor *);
  void (*release)(void *);
  void *context;
  // The autocast types in force on the processor and the GPU when the stretch first ran.
  int32_t cpu = autocast_dtype(c10::DeviceType::CPU);
  int32_t cuda = autocast_dtype(c10::DeviceType::CUDA);

  Recomputation(char *(*forward)(void *, ct_tensor, ct_tensor *), void (*release)(void *),
                void *context)
      : forward(forward), release(release), context(context) {}
  ~Recomputation() override { release(context); }

  at::Tensor run(const at::Tensor &input) const {
    ct_tensor result = nullptr;
    at::Tensor argument = input;
    ct_tensor handle = owned(std::move(argument));
    char *failure = forward(context, handle, &result);
    c10::raw::intrusive_ptr::decref(impl(handle));
    if (failure) {
      std::string message = failure;
      free(failure);
      TORCH_CHECK(false, message);
    }
    return at::Tensor(c10::intrusive_ptr<c10::TensorImpl, c10::UndefinedTensorImpl>::reclaim(
        impl(result)));
  }
};

struct Checkpoint : torch::autograd::Function<Checkpoint> {
  static at::Tensor forward(torch::autograd::AutogradContext *ctx, const at::Tensor &input,
                            const c10::intrusive_ptr<Recomputation> &body) {
    ctx->save_for_backward({input});
    ctx->saved_data["body"] = c10::IValue::make_capsule(body);
    return body->run(input);
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext *ctx,
                                                 torch::autograd::variable_list gradients) {
    auto body = c10::static_intrusive_pointer_cast<Recomputation>(
        ctx->saved_data["body"].toCapsule());
    at::Tensor input = ctx->get_saved_variables()[0].detach().requires_grad_(true);
    at::Tensor output;
    {
      at::AutoGradMode recording(true);
      int32_t cpu = exchange_autocast(c10::DeviceType::CPU, body->cpu);
      int32_t cuda = exchange_autocast(c10::DeviceType::CUDA, body->cuda);
      output = body->run(input);
      exchange_autocast(c10::DeviceType::CPU, cpu);
      exchange_autocast(c10::DeviceType::CUDA, cuda);
    }
    torch::autograd::backward({output}, gradients);
    return {input.grad(), at::Tensor()};
  }
};

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

bool ct_tensor_requires_grad(ct_tensor tensor) { return borrowed(tensor).requires_grad(); }

char *ct_tensor_set_requires_grad(ct_tensor tensor, bool requires_grad) {
  return guarded("requires_grad", [&] { borrowed(tensor).set_requires_grad(requires_grad); });
}

char *ct_tensor_grad(ct_tensor tensor, ct_tensor *result) {
  return guarded("grad", [&] { *result = owned(at::Tensor(borrowed(tensor).grad())); });
}

char *ct_tensor_set_grad(ct_tensor tensor, ct_tensor gradient) {
  return guarded("set_grad", [&] {
    borrowed(tensor).mutable_grad() = gradient ? borrowed(gradient) : at::Tensor();
  });
}

char *ct_backward(const ct_tensor *outputs, size_t count) {
  return guarded("backward", [&] { torch::autograd::backward(borrowed(outputs, count)); });
}

char *ct_gradients(const ct_tensor *outputs, size_t output_count, const ct_tensor *inputs,
                   size_t input_count, bool retain_graph, bool create_graph, ct_tensor *results) {
  return guarded("gradients", [&] {
    auto gradients =
        torch::autograd::grad(borrowed(outputs, output_count), borrowed(inputs, input_count), {},
                              retain_graph, create_graph, /*allow_unused=*/true);
    for (size_t i = 0; i < input_count; i++) results[i] = owned(std::move(gradients[i]));
  });
}

bool ct_grad_mode_exchange(bool enabled) {
  bool before = c10::GradMode::is_enabled();
  c10::GradMode::set_enabled(enabled);
  return before;
}

char *ct_checkpoint(ct_tensor input, char *(*forward)(void *, ct_tensor, ct_tensor *),
                    void (*release)(void *), void *context, ct_tensor *result) {
  auto body = c10::make_intrusive<Recomputation>(forward, release, context);
  return guarded("checkpoint", [&] {
    *result = owned(Checkpoint::apply(borrowed(input), body));
  });
}

int32_t ct_autocast_exchange(int32_t device_type, int32_t dtype) {
  return exchange_autocast(static_cast<c10::DeviceType>(device_type), dtype);
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
