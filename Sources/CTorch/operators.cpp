// Finds and calls operators of libtorch's dispatcher.
#include "handles.hpp"
#include "shadows.hpp"

#include <ATen/core/dispatch/Dispatcher.h>

#include <sstream>
#include <string>
#include <vector>

namespace {

// Whether a parameter is a floating-point number, so that an integer argument must be converted.
bool wants_real(const c10::TypePtr &type) {
  if (auto optional = type->cast<c10::OptionalType>()) {
    return wants_real(optional->getElementType());
  }
  return type->kind() == c10::TypeKind::FloatType;
}

// Returns the type of a list's elements, or the type itself if it is not a list's.
c10::TypePtr element(const c10::TypePtr &type) {
  auto list = type->cast<c10::ListType>();
  return list ? list->getElementType() : type;
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
      if (value.count == 0 && type->kind() == c10::TypeKind::ListType) {
        // Without elements the list has the type that the operator expects.
        return c10::impl::GenericList(type->expectRef<c10::ListType>().getElementType());
      }
      return c10::IValue(std::vector<int64_t>(value.integers, value.integers + value.count));
    case CT_REALS: {
      if (auto optional = element(type)->cast<c10::OptionalType>()) {
        c10::impl::GenericList list(optional);
        list.reserve(value.count);
        for (int64_t i = 0; i < value.count; i++) list.push_back(value.reals[i]);
        return list;
      }
      return c10::IValue(std::vector<double>(value.reals, value.reals + value.count));
    }
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
  TORCH_CHECK(false, "an argument has the unknown kind ", static_cast<int>(value.kind));
}

// Lists the shape and the type of each tensor argument, such as "[2, 3] Float, [3] Float".
std::string shapes(const ct_value *arguments, size_t count) {
  std::ostringstream out;
  const char *separator = "";
  auto add = [&](ct_tensor handle) {
    if (!handle) return;
    out << separator << impl(handle)->sizes() << ' '
        << c10::toString(at::typeMetaToScalarType(impl(handle)->dtype()));
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
    for (at::Tensor tensor : value.toTensorVector()) {
      append(std::move(tensor), results, room, count);
    }
    return;
  }
  TORCH_CHECK(count < room, "returned more than the ", room, " results that the caller expects");
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
    TORCH_CHECK(value.isNone(), "returned a value of a kind that ct_value cannot hold");
  }
  count++;
}

// Appends the shapes of the arguments to the text of a failure.
ct_failure *with_shapes(ct_failure *failure, const ct_value *arguments, size_t count) noexcept {
  try {
    std::string found = shapes(arguments, count);
    if (found.empty()) return failure;
    std::string text = std::string(failure->text) + " (arguments: " + found + ")";
    ct_failure *longer = ct_failure_create(failure->reason, text.c_str());
    ct_failure_free(failure);
    return longer;
  } catch (...) {
    return failure;
  }
}

// Puts the arguments on a stack, calls `run` to replace them by the results, and copies these to
// `results`. On entry, `result_count` is the capacity of `results`; on return, the number of them.
template <class Run>
ct_failure *call(ct_operator op, const ct_value *arguments, size_t argument_count,
                 ct_value *results, size_t &result_count, Run &&run) noexcept {
  auto &handle = *reinterpret_cast<c10::OperatorHandle *>(op);
  size_t count = 0;
  ct_failure *failure = guarded(handle.operator_name().name.c_str(), [&] {
    const auto &parameters = handle.schema().arguments();
    TORCH_CHECK(argument_count <= parameters.size(), "accepts at most ", parameters.size(),
                " arguments, but the caller passed ", argument_count);
    torch::jit::Stack stack;
    stack.reserve(parameters.size());
    for (size_t i = 0; i < argument_count; i++) {
      stack.push_back(argument(arguments[i], parameters[i].type()));
    }
    for (size_t i = argument_count; i < parameters.size(); i++) {
      const auto &fallback = parameters[i].default_value();
      TORCH_CHECK(fallback.has_value(), "the required argument ", parameters[i].name(),
                  " is missing");
      stack.push_back(*fallback);
    }
    run(handle, stack);
    for (auto &value : stack) append(std::move(value), results, result_count, count);
  });
  if (failure) {
    for (size_t i = 0; i < count; i++) {
      if (results[i].kind == CT_TENSOR) ct_tensor_release(results[i].tensor);
    }
    failure = with_shapes(failure, arguments, argument_count);
    count = 0;
  }
  result_count = count;
  return failure;
}

}  // namespace

extern "C" {

ct_failure *ct_operator_find(const char *name, const char *overload, ct_operator *result) noexcept {
  return guarded(name, [&] {
    auto found = c10::Dispatcher::singleton().findSchema({name, overload});
    TORCH_CHECK(found.has_value(), "libtorch has no operator ", name, ".", overload);
    *result = reinterpret_cast<ct_operator>(new c10::OperatorHandle(*found));
  });
}

ct_failure *ct_operator_call(ct_operator op, const ct_value *arguments, size_t argument_count,
                             ct_value *results, size_t *result_count) noexcept {
  return call(op, arguments, argument_count, results, *result_count,
              [](const c10::OperatorHandle &handle, torch::jit::Stack &stack) {
                handle.callBoxed(stack);
              });
}

ct_failure *ct_operator_shadow(ct_operator op, const ct_value *arguments, size_t argument_count,
                               ct_value *results, size_t *result_count) noexcept {
  return call(op, arguments, argument_count, results, *result_count, call_shadow);
}

}  // extern "C"
