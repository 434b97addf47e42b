// Stands in for Gloo's header, which PyTorch's wheel leaves out although libtorch's own header of
// its Gloo groups includes it.
//
// This is sound because libtorch_cpu contains Gloo, and this project never uses
// it: ProcessGroupGloo.hpp holds Gloo's objects by std::shared_ptr alone, so that the size and the
// layout of its classes do not depend on them. It names their members only in inline functions that
// groups.cpp never calls, and its virtual tables are in libtorch. A libtorch that has Gloo's headers
// uses those, because its folder is searched first.
#pragma once

#include <chrono>

namespace gloo {
class Context {
 public:
  void setTimeout(std::chrono::milliseconds timeout);
};
}  // namespace gloo
