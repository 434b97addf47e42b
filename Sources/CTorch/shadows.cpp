#include "shadows.hpp"

#include <ATen/ExpandUtils.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/empty_strided.h>
#include <ATen/ops/result_type.h>

#include <algorithm>
#include <string>
#include <unordered_map>
#include <vector>

namespace {

using Stack = torch::jit::Stack;

at::Tensor empty(at::IntArrayRef shape, at::ScalarType type) {
  return at::empty(shape, at::TensorOptions(c10::kMeta).dtype(type));
}

// Autocast does not apply to shadows, and most operators refuse to mix floating-point types. So
// every shadow of a half-precision tensor is in single precision.
at::ScalarType plain(at::ScalarType type) {
  return type == at::kHalf || type == at::kBFloat16 ? at::kFloat : type;
}

at::Tensor shadow(const at::Tensor &tensor) {
  if (!tensor.defined()) return tensor;
  auto type = plain(tensor.scalar_type());
  // oneDNN's own layouts have a shape but no strides.
  if (tensor.layout() != at::kStrided) return empty(tensor.sizes(), type);
  if (tensor.is_meta() && tensor.scalar_type() == type) return tensor;
  return at::empty_strided(tensor.sizes(), tensor.strides(),
                           at::TensorOptions(c10::kMeta).dtype(type));
}

c10::IValue shadow(const c10::IValue &value) {
  if (value.isTensor()) return shadow(value.toTensor());
  if (value.isTensorList()) {
    std::vector<at::Tensor> tensors;
    for (const at::Tensor &tensor : value.toTensorVector()) tensors.push_back(shadow(tensor));
    return tensors;
  }
  if (value.isOptionalTensorList()) {
    c10::List<std::optional<at::Tensor>> list;
    for (const std::optional<at::Tensor> &tensor : value.toOptionalTensorVector()) {
      list.push_back(tensor ? std::optional(shadow(*tensor)) : std::nullopt);
    }
    return list;
  }
  if (value.isDevice()) return c10::Device(c10::kMeta);
  if (value.isGenerator()) return {};
  return value;
}

bool is_written(const c10::Argument &parameter) {
  return parameter.alias_info() && parameter.alias_info()->isWrite();
}

at::Tensor like_first(const Stack &arguments) {
  const at::Tensor &first = arguments[0].toTensor();
  return empty(first.sizes(), first.scalar_type());
}

// The result of a convolution by `outputs` kernels of a height and a width.
at::Tensor convolved(const at::Tensor &from, int64_t outputs, at::IntArrayRef kernel,
                     at::IntArrayRef stride, at::IntArrayRef padding, at::IntArrayRef dilation) {
  std::vector<int64_t> shape = from.sizes().vec();
  shape.at(1) = outputs;
  for (size_t side = 0; side < 2; side++) {
    auto window = dilation.at(side) * (kernel.at(side) - 1) + 1;
    shape.at(side + 2) = (shape[side + 2] + 2 * padding.at(side) - window) / stride.at(side) + 1;
  }
  return empty(shape, from.scalar_type());
}

// The operators that this project calls and for which libtorch has no meta kernel in C++.
const std::unordered_map<std::string, c10::IValue (*)(const Stack &)> &rules() {
  static const std::unordered_map<std::string, c10::IValue (*)(const Stack &)> rules = {
      {"aten::abs", [](const Stack &in) -> c10::IValue { return like_first(in); }},
      {"aten::relu", [](const Stack &in) -> c10::IValue { return like_first(in); }},
      {"aten::relu6", [](const Stack &in) -> c10::IValue { return like_first(in); }},
      {"aten::layer_norm", [](const Stack &in) -> c10::IValue { return like_first(in); }},
      {"aten::conv2d",
       [](const Stack &in) -> c10::IValue {
         auto sizes = in[1].toTensor().sizes();
         return convolved(in[0].toTensor(), sizes.at(0), sizes.slice(2), in[3].toIntVector(),
                          in[4].toIntVector(), in[5].toIntVector());
       }},
      {"aten::adaptive_avg_pool2d",
       [](const Stack &in) -> c10::IValue {
         std::vector<int64_t> shape = in[0].toTensor().sizes().vec(), grid = in[1].toIntVector();
         std::copy(grid.begin(), grid.end(), shape.end() - 2);
         return empty(shape, in[0].toTensor().scalar_type());
       }},
      {"aten::max",
       [](const Stack &in) -> c10::IValue { return empty({}, in[0].toTensor().scalar_type()); }},
      {"aten::min",
       [](const Stack &in) -> c10::IValue { return empty({}, in[0].toTensor().scalar_type()); }},
      {"aten::allclose", [](const Stack &) -> c10::IValue { return false; }},
      {"aten::where",
       [](const Stack &in) -> c10::IValue {
         auto yes = in[1].toTensor(), no = in[2].toTensor();
         auto shape = at::infer_size(yes.sizes(), no.sizes());
         return empty(at::infer_size(shape, in[0].toTensor().sizes()), at::result_type(yes, no));
       }},
      {"aten::index_select",
       [](const Stack &in) -> c10::IValue {
         const at::Tensor &from = in[0].toTensor();
         std::vector<int64_t> shape = from.sizes().vec();
         shape.at(c10::maybe_wrap_dim(in[1].toInt(), from.dim())) = in[2].toTensor().numel();
         return empty(shape, from.scalar_type());
       }},
      {"aten::embedding",
       [](const Stack &in) -> c10::IValue {
         std::vector<int64_t> shape = in[1].toTensor().sizes().vec();
         shape.push_back(in[0].toTensor().size(-1));
         return empty(shape, in[0].toTensor().scalar_type());
       }},
      {"mkldnn::_reorder_linear_weight",
       [](const Stack &in) -> c10::IValue { return like_first(in); }},
      {"mkldnn::_linear_pointwise",
       [](const Stack &in) -> c10::IValue {
         std::vector<int64_t> shape = in[0].toTensor().sizes().vec();
         shape.back() = in[1].toTensor().size(0);
         return empty(shape, in[0].toTensor().scalar_type());
       }},
      {"onednn::qlinear_prepack", [](const Stack &in) -> c10::IValue { return like_first(in); }},
      {"onednn::qlinear_pointwise",
       [](const Stack &in) -> c10::IValue {
         std::vector<int64_t> shape = in[0].toTensor().sizes().vec();
         shape.back() = in[4].toTensor().numel();  // a scale per output
         return empty(shape, at::kFloat);
       }},
      {"mkldnn::_reorder_convolution_weight",
       [](const Stack &in) -> c10::IValue { return like_first(in); }},
      {"mkldnn::_convolution_pointwise",
       [](const Stack &in) -> c10::IValue {
         // The overload that adds a tensor has it as its second argument.
         if (in.size() > 10) return like_first({in[1]});
         auto sizes = in[1].toTensor().sizes();
         return convolved(in[0].toTensor(), sizes.at(0), sizes.slice(2), in[4].toIntVector(),
                          in[3].toIntVector(), in[5].toIntVector());
       }},
      {"aten::multinomial",
       [](const Stack &in) -> c10::IValue {
         std::vector<int64_t> shape = in[0].toTensor().sizes().vec();
         shape.back() = in[1].toInt();
         return empty(shape, at::kLong);
       }},
      {"aten::scaled_dot_product_attention",
       [](const Stack &in) -> c10::IValue {
         std::vector<int64_t> shape = in[0].toTensor().sizes().vec();
         shape.back() = in[2].toTensor().size(-1);
         return empty(shape, in[0].toTensor().scalar_type());
       }},
  };
  return rules;
}

}  // namespace

void call_shadow(const c10::OperatorHandle &op, Stack &stack) {
  at::NoGradGuard nothing_recorded;
  const auto &parameters = op.schema().arguments();
  for (size_t i = 0; i < parameters.size(); i++) {
    if (!is_written(parameters[i])) continue;
    // An operator that works in place returns the argument that it writes to.
    Stack unchanged(op.schema().returns().size(), stack[i]);
    stack = std::move(unchanged);
    return;
  }
  for (c10::IValue &value : stack) value = shadow(value);
  auto rule = rules().find(op.operator_name().name);
  if (rule == rules().end()) {
    op.callBoxed(stack);
  } else {
    c10::IValue result = rule->second(stack);
    stack.assign(1, std::move(result));
  }
}
