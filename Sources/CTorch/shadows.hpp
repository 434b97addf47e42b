// Runs operators on shapes, without elements.
#pragma once

#include <ATen/core/dispatch/Dispatcher.h>

// Replaces the arguments on the stack by results without elements; see ct_operator_shadow().
void call_shadow(const c10::OperatorHandle &op, torch::jit::Stack &stack);
