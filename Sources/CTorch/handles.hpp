// Shared by the sources of this target: conversions of handles to libtorch's own types.
#pragma once

#include "failures.hpp"

// Not ATen/ATen.h, which declares thousands of functions and takes seconds to read.
#include <ATen/core/Generator.h>
#include <ATen/core/Tensor.h>

#include <vector>

inline c10::TensorImpl *impl(ct_tensor handle) {
  return reinterpret_cast<c10::TensorImpl *>(handle);
}

// Returns a tensor for use during a call; the caller keeps its own reference.
inline at::Tensor borrowed(ct_tensor handle) {
  return at::Tensor(
      c10::intrusive_ptr<c10::TensorImpl, c10::UndefinedTensorImpl>::reclaim_copy(impl(handle)));
}

inline ct_tensor owned(at::Tensor &&tensor) {
  if (!tensor.defined()) return nullptr;
  return reinterpret_cast<ct_tensor>(tensor.unsafeReleaseTensorImpl());
}

// Returns the handle of a tensor that outlives the call to which the handle is passed.
inline ct_tensor handle(const at::Tensor &tensor) {
  return reinterpret_cast<ct_tensor>(tensor.unsafeGetTensorImpl());
}

inline at::Generator borrowed(ct_generator handle) {
  return at::Generator(c10::intrusive_ptr<c10::GeneratorImpl>::reclaim_copy(
      reinterpret_cast<c10::GeneratorImpl *>(handle)));
}

inline std::vector<at::Tensor> borrowed(const ct_tensor *handles, size_t count) {
  std::vector<at::Tensor> tensors;
  tensors.reserve(count);
  for (size_t i = 0; i < count; i++) tensors.push_back(borrowed(handles[i]));
  return tensors;
}

inline c10::Device device(int32_t type, int64_t index) {
  return c10::Device(static_cast<c10::DeviceType>(type), static_cast<c10::DeviceIndex>(index));
}
