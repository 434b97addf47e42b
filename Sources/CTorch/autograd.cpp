// Gradients, recomputation and autocast.
#include "handles.hpp"

#include <ATen/autocast_mode.h>
#include <torch/csrc/autograd/autograd.h>
#include <torch/csrc/autograd/custom_function.h>

#include <memory>
#include <utility>

namespace {

// The type to which autocast converts on this thread for a kind of device, or -1 if it is off.
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

// Sets the autocast types of the processor and the GPU, and restores the previous ones at its end.
class Autocast {
 public:
  Autocast(int32_t cpu, int32_t cuda)
      : cpu(exchange_autocast(c10::DeviceType::CPU, cpu)),
        cuda(exchange_autocast(c10::DeviceType::CUDA, cuda)) {}
  ~Autocast() {
    exchange_autocast(c10::DeviceType::CPU, cpu);
    exchange_autocast(c10::DeviceType::CUDA, cuda);
  }
  Autocast(const Autocast &) = delete;
  Autocast &operator=(const Autocast &) = delete;

 private:
  int32_t cpu;
  int32_t cuda;
};

// A caller's pointer, which is released when it is no longer needed.
using Context = std::unique_ptr<void, void (*)(void *)>;

// A part of the model that keeps only its input and runs again in the backward pass.
struct Recomputation : torch::CustomClassHolder {
  ct_failure *(*forward)(void *, ct_tensor, ct_tensor *);
  Context context;
  // The autocast types of the processor and the GPU during the first run.
  int32_t cpu = autocast_dtype(c10::DeviceType::CPU);
  int32_t cuda = autocast_dtype(c10::DeviceType::CUDA);

  Recomputation(ct_failure *(*forward)(void *, ct_tensor, ct_tensor *), Context context)
      : forward(forward), context(std::move(context)) {}

  at::Tensor run(const at::Tensor &input) const {
    ct_tensor result = nullptr;
    at::Tensor argument = input;
    ct_tensor handle = owned(std::move(argument));
    ct_failure *failure = forward(context.get(), handle, &result);
    c10::raw::intrusive_ptr::decref(impl(handle));
    if (failure) raise(failure);
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
      Autocast as_before(body->cpu, body->cuda);
      output = body->run(input);
    }
    torch::autograd::backward({output}, gradients);
    return {input.grad(), at::Tensor()};
  }
};

// A function of the caller with a derivative of its own.
struct Custom : torch::CustomClassHolder {
  ct_function forward;
  ct_function backward;
  Context context;

  Custom(ct_function forward, ct_function backward, Context context)
      : forward(forward), backward(backward), context(std::move(context)) {}

  at::Tensor run(ct_function function, const at::Tensor &input) const {
    ct_tensor result = nullptr;
    if (ct_failure *failure = function(context.get(), handle(input), &result)) raise(failure);
    return at::Tensor(c10::intrusive_ptr<c10::TensorImpl, c10::UndefinedTensorImpl>::reclaim(
        impl(result)));
  }
};

struct CustomFunction : torch::autograd::Function<CustomFunction> {
  static at::Tensor forward(torch::autograd::AutogradContext *ctx, const at::Tensor &input,
                            const c10::intrusive_ptr<Custom> &body) {
    ctx->saved_data["body"] = c10::IValue::make_capsule(body);
    return body->run(body->forward, input);
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext *ctx,
                                                 torch::autograd::variable_list gradients) {
    auto body =
        c10::static_intrusive_pointer_cast<Custom>(ctx->saved_data["body"].toCapsule());
    return {body->run(body->backward, gradients[0]), at::Tensor()};
  }
};

// Tells the caller that the gradient of a leaf is complete.
struct GradientHook : torch::autograd::PostAccumulateGradHook {
  ct_failure *(*notify)(void *);
  Context context;

  GradientHook(ct_failure *(*notify)(void *), Context context)
      : notify(notify), context(std::move(context)) {}

  void operator()(const at::Tensor &) override {
    if (ct_failure *failure = notify(context.get())) raise(failure);
  }
};

}  // namespace

extern "C" {

bool ct_tensor_requires_grad(ct_tensor tensor) noexcept {
  return borrowed(tensor).requires_grad();
}

ct_failure *ct_tensor_set_requires_grad(ct_tensor tensor, bool requires_grad) noexcept {
  return guarded("requires_grad", [&] { borrowed(tensor).set_requires_grad(requires_grad); });
}

ct_failure *ct_tensor_grad(ct_tensor tensor, ct_tensor *result) noexcept {
  return guarded("grad", [&] { *result = owned(at::Tensor(borrowed(tensor).grad())); });
}

ct_failure *ct_tensor_set_grad(ct_tensor tensor, ct_tensor gradient) noexcept {
  return guarded("set_grad", [&] {
    borrowed(tensor).mutable_grad() = gradient ? borrowed(gradient) : at::Tensor();
  });
}

ct_failure *ct_backward(const ct_tensor *outputs, size_t count) noexcept {
  return guarded("backward", [&] { torch::autograd::backward(borrowed(outputs, count)); });
}

ct_failure *ct_gradients(const ct_tensor *outputs, size_t output_count, const ct_tensor *inputs,
                         size_t input_count, bool retain_graph, bool create_graph,
                         ct_tensor *results) noexcept {
  return guarded("gradients", [&] {
    auto gradients =
        torch::autograd::grad(borrowed(outputs, output_count), borrowed(inputs, input_count), {},
                              retain_graph, create_graph, /*allow_unused=*/true);
    for (size_t i = 0; i < input_count; i++) results[i] = owned(std::move(gradients[i]));
  });
}

bool ct_grad_mode_exchange(bool enabled) noexcept {
  bool before = c10::GradMode::is_enabled();
  c10::GradMode::set_enabled(enabled);
  return before;
}

ct_failure *ct_checkpoint(ct_tensor input,
                          ct_failure *(*forward)(void *, ct_tensor, ct_tensor *),
                          void (*release)(void *), void *context, ct_tensor *result) noexcept {
  Context owner(context, release);
  return guarded("checkpoint", [&] {
    auto body = c10::make_intrusive<Recomputation>(forward, std::move(owner));
    *result = owned(Checkpoint::apply(borrowed(input), body));
  });
}

ct_failure *ct_custom(ct_tensor input, ct_function forward, ct_function backward,
                      void (*release)(void *), void *context, ct_tensor *result) noexcept {
  Context owner(context, release);
  return guarded("function", [&] {
    auto body = c10::make_intrusive<Custom>(forward, backward, std::move(owner));
    *result = owned(CustomFunction::apply(borrowed(input), body));
  });
}

ct_failure *ct_tensor_on_gradient(ct_tensor tensor, ct_failure *(*notify)(void *),
                                  void (*release)(void *), void *context) noexcept {
  std::unique_ptr<torch::autograd::PostAccumulateGradHook> hook;
  return guarded("on_gradient", [&] {
    if (notify) hook = std::make_unique<GradientHook>(notify, Context(context, release));
    torch::autograd::impl::set_post_acc_grad_hooks(borrowed(tensor), std::move(hook));
  });
}

ct_failure *ct_autocast_exchange(int32_t device_type, int32_t dtype, int32_t *before) noexcept {
  return guarded("autocast", [&] {
    *before = exchange_autocast(static_cast<c10::DeviceType>(device_type), dtype);
  });
}

}  // extern "C"
