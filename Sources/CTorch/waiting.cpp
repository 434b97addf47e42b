// How libtorch's threads wait for each other.
#include "ctorch.h"

#include <dlfcn.h>

#include <chrono>
#include <cstdlib>
#include <thread>

namespace {

// The entry of a parallel region in libgomp: a function runs on some threads of a team.
using parallel_region = void (*)(void (*)(void *), void *, unsigned, unsigned);

bool is_set(const char *variable) { return std::getenv(variable) != nullptr; }

}  // namespace

extern "C" {

// By default libgomp's threads spin for some milliseconds at the end of a parallel region, and an
// encoder has hundreds of them. If another process keeps one of two processors busy, both threads
// spin in turn while the other does not run: encoding took 15 times as long as with one thread.
// libgomp reads its settings before main(), but it almost does without spinning while a process has
// more threads in teams than there are processors. So a team of idle threads is kept for that.
void ct_wait_without_spinning(void) noexcept {
  if (is_set("OMP_WAIT_POLICY") || is_set("GOMP_SPINCOUNT")) return;
  auto region = reinterpret_cast<parallel_region>(dlsym(RTLD_DEFAULT, "GOMP_parallel"));
  if (!region) return;
  static const bool is_kept = [region] {
    unsigned processors = std::thread::hardware_concurrency();
    std::thread([region, processors] {
      region([](void *) {}, nullptr, processors + 2, 0);
      // The team lasts as long as the thread that began it.
      for (;;) std::this_thread::sleep_for(std::chrono::hours(24));
    }).detach();
    return true;
  }();
  (void)is_kept;
}

}  // extern "C"
