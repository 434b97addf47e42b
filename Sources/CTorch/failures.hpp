// Shared by the sources of this target: exceptions as failures, and back.
#pragma once

#include "ctorch.h"

// Returns the exception that is being handled as a failure of `what`. Call it in a handler only.
ct_failure *current_failure(const char *what) noexcept;

// Throws a failure as an exception and frees it. current_failure() restores its reason and text.
[[noreturn]] void raise(ct_failure *failure);

// Runs `body` and returns the exception that it throws as a failure, so that no exception reaches
// Swift.
template <class Body>
ct_failure *guarded(const char *what, Body &&body) noexcept {
  try {
    body();
    return nullptr;
  } catch (...) {
    return current_failure(what);
  }
}
