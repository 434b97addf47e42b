// The processor's memory in a process that allocates the same sizes again and again.
#include "ctorch.h"

#include <c10/core/Allocator.h>
#include <c10/core/CPUAllocator.h>

#include <cstdint>
#include <cstdlib>

#if defined(__GLIBC__)
#include <malloc.h>

namespace {

// Blocks of malloc, aligned here.
//
// libtorch asks posix_memalign, which glibc 2.36 serves from a hole that is larger than the block.
// The hole that a gradient leaves between blocks that stay is exactly as large, so that the next
// step's gradient goes elsewhere: a training process then holds twice its gradients in holes. malloc
// finds the hole again.
class AlignedAllocator final : public c10::Allocator {
 public:
  c10::DataPtr allocate(size_t count) override {
    void *data = count == 0 ? nullptr : aligned(count);
    return {data, data, &release, c10::Device(c10::DeviceType::CPU)};
  }

  c10::DeleterFnPtr raw_deleter() const override { return &release; }

  void copy_data(void *to, const void *from, size_t count) const override {
    default_copy_data(to, from, count);
  }

 private:
  // That of libtorch's own allocator.
  static constexpr size_t alignment = 64;
  // Room for the address of malloc's block, which stands before the aligned one.
  static constexpr size_t room = sizeof(void *) + alignment - 1;

  static void *aligned(size_t count) {
    void *block = count > SIZE_MAX - room ? nullptr : std::malloc(count + room);
    TORCH_CHECK_WITH(OutOfMemoryError, block, "DefaultCPUAllocator: can't allocate memory: you ",
                     "tried to allocate ", count, " bytes.");
    auto first = reinterpret_cast<uintptr_t>(block) + room;
    auto *data = reinterpret_cast<void **>(first - first % alignment);
    data[-1] = block;
    return data;
  }

  static void release(void *data) {
    if (data) std::free(static_cast<void **>(data)[-1]);
  }
};

// Installed before main() and never again: libtorch asks the current allocator both for a block and,
// later, for what frees it. Never destroyed: tensors may outlive main(). Of two allocators of one
// priority, the last counts.
[[maybe_unused]] const bool isInstalled = [] {
  c10::SetCPUAllocator(new AlignedAllocator);
  return true;
}();

}  // namespace
#endif

extern "C" {

void ct_keep_freed_memory(void) noexcept {
#if defined(__GLIBC__)
  // All threads share one heap, large blocks get no mapping of their own, and the heap is never
  // trimmed.
  mallopt(M_ARENA_MAX, 1);
  mallopt(M_MMAP_MAX, 0);
  mallopt(M_TRIM_THRESHOLD, -1);
  mallopt(M_TOP_PAD, 64 << 20);
#endif
}

void ct_return_freed_memory(void) noexcept {
#if defined(__GLIBC__)
  malloc_trim(0);
#endif
}

}  // extern "C"
