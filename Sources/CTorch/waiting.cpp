// How libtorch's threads wait for each other.
//
// By default libgomp's threads spin for some milliseconds at the end of a parallel region, and an
// encoder has hundreds of them. That is fastest while the processors are free. If another process
// keeps one of two processors busy, both threads spin in turn while the other does not run, and
// encoding takes many times as long as with one thread.
//
// libgomp reads its settings before main(). But it does almost without spinning while a process has
// more threads in teams than there are processors, so a team of idle threads is kept for as long as
// other processes are busy.
#include "ctorch.h"

#if defined(__linux__)

#include <dlfcn.h>
#include <sys/resource.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <future>
#include <memory>
#include <mutex>
#include <thread>

namespace {

// The entry of a parallel region in libgomp: a function runs on some threads of a team.
using parallel_region = void (*)(void (*)(void *), void *, unsigned, unsigned);

// Threads that do nothing but count.
class IdleTeam {
 public:
  IdleTeam(parallel_region region, unsigned size) {
    thread_ = std::thread([region, size, until = end_.get_future()] {
      region([](void *) {}, nullptr, size, 0);
      // The team lasts as long as the thread that began it.
      until.wait();
    });
  }

  ~IdleTeam() {
    end_.set_value();
    thread_.join();
  }

 private:
  std::promise<void> end_;
  std::thread thread_;
};

// Seconds of processor time since the start, of the system and of this process.
struct Times {
  double busy = 0, idle = 0, own = 0;
  bool are_known = false;

  static Times now() {
    Times times;
    rusage used;
    std::unique_ptr<FILE, int (*)(FILE *)> file(std::fopen("/proc/stat", "re"), &std::fclose);
    unsigned long long user, nice, system, idle, wait, interrupts, soft, stolen;
    if (!file || getrusage(RUSAGE_SELF, &used) != 0 ||
        std::fscanf(file.get(), "cpu %llu %llu %llu %llu %llu %llu %llu %llu", &user, &nice,
                    &system, &idle, &wait, &interrupts, &soft, &stolen) != 8) {
      return times;
    }
    double tick = 1.0 / sysconf(_SC_CLK_TCK);
    times.busy = tick * (user + nice + system + interrupts + soft + stolen);
    times.idle = tick * (idle + wait);
    auto seconds = [](const timeval &time) { return time.tv_sec + 1e-6 * time.tv_usec; };
    times.own = seconds(used.ru_utime) + seconds(used.ru_stime);
    times.are_known = true;
    return times;
  }
};

// Keeps an idle team while others need the processors that this process could use.
void watch(parallel_region region) {
  constexpr double pause = 0.1;    // seconds
  constexpr int calm_pauses = 20;  // after which the team ends
  std::unique_ptr<IdleTeam> team;
  int calm = 0;
  for (Times before = Times::now(); before.are_known;) {
    std::this_thread::sleep_for(std::chrono::duration<double>(pause));
    Times now = Times::now();
    double all = now.busy + now.idle - before.busy - before.idle;
    double own = now.own - before.own;
    double others = now.busy - before.busy - own, idle = now.idle - before.idle;
    before = now;
    // The system counts in steps of 10 ms, so a fifth of a processor is more than noise.
    bool is_crowded = others > 0.2 * pause && idle < 0.1 * all;
    calm = is_crowded ? 0 : calm + 1;
    if (is_crowded && own > 0.5 * pause && !team) {
      team = std::make_unique<IdleTeam>(region, std::thread::hardware_concurrency() + 2);
    } else if (calm == calm_pauses) {
      team.reset();
    }
  }
}

}  // namespace

#endif

extern "C" {

void ct_share_processors(void) noexcept {
#if defined(__linux__)
  static std::once_flag once;
  std::call_once(once, [] {
    if (std::getenv("OMP_WAIT_POLICY") || std::getenv("GOMP_SPINCOUNT")) return;
    auto region = reinterpret_cast<parallel_region>(dlsym(RTLD_DEFAULT, "GOMP_parallel"));
    if (region) std::thread(watch, region).detach();
  });
#endif
}

}  // extern "C"
