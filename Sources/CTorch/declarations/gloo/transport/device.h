// See gloo/context.h: these classes are used through pointers alone.
#pragma once

#include <memory>

namespace gloo::transport {
class Device;
class UnboundBuffer;
}  // namespace gloo::transport
