// Process groups: the store in which processes meet, and collectives.
#include "groups.hpp"
#include "handles.hpp"

#define USE_C10D_GLOO
#include <torch/csrc/distributed/c10d/PrefixStore.hpp>
#include <torch/csrc/distributed/c10d/ProcessGroupGloo.hpp>
#include <torch/csrc/distributed/c10d/TCPStore.hpp>

#include <arpa/inet.h>
#include <netdb.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <utility>

#if !defined(CT_NCCL)
c10::intrusive_ptr<c10d::Backend> nccl_group(const c10::intrusive_ptr<c10d::Store> &, int, int,
                                             c10::Device device, std::chrono::milliseconds) {
  TORCH_CHECK(false, "processes with tensors on ", device.str(),
              " exchange them through NCCL, and this program was built without it: build it where"
              " libtorch is one for CUDA and nccl.h is installed, or train on the device cpu");
}
#endif

namespace {

using Backend = c10d::Backend;
using Milliseconds = std::chrono::milliseconds;

// A handle owns one reference.
template <class Object, class Handle>
c10::intrusive_ptr<Object> shared(Handle handle) {
  return c10::intrusive_ptr<Object>::reclaim_copy(reinterpret_cast<Object *>(handle));
}

template <class Handle, class Object>
Handle owned_handle(c10::intrusive_ptr<Object> &&object) {
  return reinterpret_cast<Handle>(object.release());
}

template <class Object, class Handle>
void release(Handle handle) noexcept {
  // Destructors of sockets may throw.
  if (ct_failure *failure = guarded("release", [&] {
        c10::intrusive_ptr<Object>::reclaim(reinterpret_cast<Object *>(handle));
      })) {
    ct_failure_free(failure);
  }
}

// The address of this machine from which it reaches a host. For a loopback address it is the
// loopback device, so that a group on one machine is not reachable from others.
std::string address_towards(const std::string &host) {
  addrinfo hints = {};
  hints.ai_socktype = SOCK_DGRAM;
  addrinfo *list = nullptr;
  int problem = getaddrinfo(host.c_str(), "1", &hints, &list);
  TORCH_CHECK(problem == 0, "the host '", host, "' is unknown: ", gai_strerror(problem));
  std::unique_ptr<addrinfo, void (*)(addrinfo *)> owner(list, freeaddrinfo);
  for (addrinfo *entry = list; entry; entry = entry->ai_next) {
    int end = socket(entry->ai_family, SOCK_DGRAM, 0);
    if (end < 0) continue;
    sockaddr_storage own = {};
    socklen_t size = sizeof own;
    // A datagram socket only looks up the route; it sends nothing.
    bool routed = connect(end, entry->ai_addr, entry->ai_addrlen) == 0 &&
                  getsockname(end, reinterpret_cast<sockaddr *>(&own), &size) == 0;
    close(end);
    char text[NI_MAXHOST];
    if (routed && getnameinfo(reinterpret_cast<sockaddr *>(&own), size, text, sizeof text, nullptr,
                              0, NI_NUMERICHOST) == 0) {
      return text;
    }
  }
  TORCH_CHECK(false, "this machine has no route to the host '", host, "'");
}

c10::intrusive_ptr<Backend> gloo_group(const c10::intrusive_ptr<c10d::Store> &store, int rank,
                                       int size, const std::string &host, Milliseconds timeout) {
  auto options = c10d::ProcessGroupGloo::Options::create(timeout);
  const char *interface = std::getenv("GLOO_SOCKET_IFNAME");
  options->devices.push_back(
      interface && *interface
          ? c10d::ProcessGroupGloo::createDeviceForInterface(interface)
          : c10d::ProcessGroupGloo::createDeviceForHostname(address_towards(host)));
  return c10::make_intrusive<c10d::ProcessGroupGloo>(store, rank, size, std::move(options));
}

// Waits until work is complete, successfully or not; returns false if the time is over first.
bool completes(c10d::Work &work, Milliseconds time) {
  if (dynamic_cast<c10d::ProcessGroupGloo::AsyncWork *>(&work)) {
    try {
      work.wait(time);
    } catch (const std::exception &) {
      return work.isCompleted();
    }
    return true;
  }
  // NCCL would give up the work if a wait with a limit came to its end.
  auto end = std::chrono::steady_clock::now() + time;
  while (!work.isCompleted()) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::sleep_for(std::chrono::microseconds(50));
  }
  return true;
}

}  // namespace

extern "C" {

ct_failure *ct_store_create(const char *host, uint16_t port, bool hosts, int64_t milliseconds,
                            ct_store *result) noexcept {
  return guarded("store", [&] {
    c10d::TCPStoreOptions options;
    options.port = port;
    options.isServer = hosts;
    options.waitWorkers = false;
    options.timeout = Milliseconds(milliseconds);
    *result = owned_handle<ct_store>(c10::make_intrusive<c10d::TCPStore>(host, options));
  });
}

void ct_store_release(ct_store store) noexcept { release<c10d::TCPStore>(store); }

ct_failure *ct_store_set(ct_store store, const char *key, const uint8_t *bytes,
                         size_t count) noexcept {
  return guarded("store", [&] {
    shared<c10d::TCPStore>(store)->set(key, std::vector<uint8_t>(bytes, bytes + count));
  });
}

ct_failure *ct_store_get(ct_store store, const char *key, ct_tensor *result) noexcept {
  return guarded("store", [&] {
    auto pointer = shared<c10d::TCPStore>(store);
    if (!pointer->check({key})) return;
    std::vector<uint8_t> bytes = pointer->get(key);
    at::Tensor tensor = at::empty({static_cast<int64_t>(bytes.size())}, at::kByte);
    std::copy(bytes.begin(), bytes.end(), tensor.data_ptr<uint8_t>());
    *result = owned(std::move(tensor));
  });
}

ct_failure *ct_group_create(ct_store store, const char *name, int32_t rank, int32_t size,
                            int32_t device_type, int64_t device_index, const char *host,
                            int64_t milliseconds, ct_group *result) noexcept {
  return guarded("group", [&] {
    auto keys = c10::make_intrusive<c10d::PrefixStore>(name, shared<c10d::TCPStore>(store));
    Milliseconds timeout(milliseconds);
    c10::Device kind = device(device_type, device_index);
    TORCH_CHECK(kind.is_cpu() || kind.is_cuda(), "no backend exchanges tensors of the device ",
                kind.str());
    auto backend = kind.is_cpu() ? gloo_group(keys, rank, size, host, timeout)
                                 : nccl_group(keys, rank, size, kind, timeout);
    *result = owned_handle<ct_group>(std::move(backend));
  });
}

void ct_group_release(ct_group group) noexcept { release<Backend>(group); }

ct_failure *ct_group_all_reduce(ct_group group, ct_tensor tensor, int64_t milliseconds,
                                ct_work *result) noexcept {
  return guarded("all-reduce", [&] {
    std::vector<at::Tensor> tensors = {borrowed(tensor)};
    c10d::AllreduceOptions options;
    options.timeout = Milliseconds(milliseconds);
    *result = owned_handle<ct_work>(shared<Backend>(group)->allreduce(tensors, options));
  });
}

ct_failure *ct_group_all_gather(ct_group group, ct_tensor input, ct_tensor output,
                                int64_t milliseconds, ct_work *result) noexcept {
  return guarded("all-gather", [&] {
    at::Tensor to = borrowed(output), from = borrowed(input);
    c10d::AllgatherOptions options;
    options.timeout = Milliseconds(milliseconds);
    *result = owned_handle<ct_work>(shared<Backend>(group)->_allgather_base(to, from, options));
  });
}

ct_failure *ct_group_broadcast(ct_group group, ct_tensor tensor, int32_t source,
                               int64_t milliseconds, ct_work *result) noexcept {
  return guarded("broadcast", [&] {
    std::vector<at::Tensor> tensors = {borrowed(tensor)};
    c10d::BroadcastOptions options;
    options.rootRank = source;
    options.timeout = Milliseconds(milliseconds);
    *result = owned_handle<ct_work>(shared<Backend>(group)->broadcast(tensors, options));
  });
}

ct_failure *ct_work_wait(ct_work work, int64_t milliseconds, bool *is_done) noexcept {
  return guarded("collective", [&] {
    auto pointer = shared<c10d::Work>(work);
    *is_done = completes(*pointer, Milliseconds(milliseconds));
    // Does not block any more, and throws the failure of the work.
    if (*is_done) pointer->wait();
  });
}

void ct_work_release(ct_work work) noexcept { release<c10d::Work>(work); }

}  // extern "C"
