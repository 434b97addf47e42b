// Converts C++ exceptions into failures for callers in C: a reason and a text.
#include "failures.hpp"

#include <c10/util/Exception.h>

#include <cstdlib>
#include <cstring>
#include <exception>
#include <initializer_list>
#include <new>
#include <string>
#include <string_view>

namespace {

// A failure of a callback, which must pass through libtorch as an exception.
struct Raised : std::exception {
  ct_reason reason;
  std::string text;

  Raised(ct_reason reason, const char *text) : reason(reason), text(text) {}
  const char *what() const noexcept override { return text.c_str(); }
};

// The failure that is returned if there is no memory for a description.
ct_failure speechless = {CT_OUT_OF_MEMORY, "out of memory"};

bool contains_any(std::string_view text, std::initializer_list<std::string_view> parts) {
  for (std::string_view part : parts) {
    if (text.find(part) != std::string_view::npos) return true;
  }
  return false;
}

// The CPU allocator, the MPS backend and the libraries below CUDA's kernels throw errors that
// differ only in their texts.
ct_reason reason_of(std::string_view text) {
  if (contains_any(text, {"DefaultCPUAllocator: ", "out of memory", "_ALLOC_FAILED"})) {
    return CT_OUT_OF_MEMORY;
  }
  if (contains_any(text, {"CUDA error: ", "cuDNN error: ", "HIP error: ", "MPS error"})) {
    return CT_DEVICE_FAILED;
  }
  return CT_REFUSED;
}

ct_failure *described(ct_reason reason, const char *what, const char *text) {
  return ct_failure_create(reason, (std::string(what) + ": " + text).c_str());
}

}  // namespace

ct_failure *current_failure(const char *what) noexcept {
  try {
    try {
      throw;
    } catch (const Raised &error) {
      return described(error.reason, what, error.what());
    } catch (const c10::OutOfMemoryError &error) {
      return described(CT_OUT_OF_MEMORY, what, error.what_without_backtrace());
    } catch (const c10::Error &error) {
      const char *text = error.what_without_backtrace();
      return described(reason_of(text), what, text);
    } catch (const std::bad_alloc &) {
      return described(CT_OUT_OF_MEMORY, what, "out of memory");
    } catch (const std::exception &error) {
      return described(reason_of(error.what()), what, error.what());
    } catch (...) {
      return described(CT_REFUSED, what, "unknown C++ exception");
    }
  } catch (...) {
    return &speechless;
  }
}

void raise(ct_failure *failure) {
  Raised raised(failure->reason, failure->text);
  ct_failure_free(failure);
  throw raised;
}

extern "C" {

ct_failure *ct_failure_create(ct_reason reason, const char *text) noexcept {
  size_t size = std::strlen(text) + 1;
  auto *failure = static_cast<ct_failure *>(std::malloc(sizeof(ct_failure) + size));
  if (!failure) return &speechless;
  failure->reason = reason;
  failure->text = static_cast<char *>(std::memcpy(failure + 1, text, size));
  return failure;
}

void ct_failure_free(ct_failure *failure) noexcept {
  if (failure != &speechless) std::free(failure);
}

}  // extern "C"
