// NCCL's groups, if this program is built against a libtorch for CUDA and NCCL's headers are there;
// groups.cpp has what stands in for them elsewhere.
#if defined(CT_NCCL)

#include "groups.hpp"

#define USE_C10D_NCCL
#include <torch/csrc/distributed/c10d/ProcessGroupNCCL.hpp>

c10::intrusive_ptr<c10d::Backend> nccl_group(const c10::intrusive_ptr<c10d::Store> &store,
                                             int rank, int size, c10::Device device,
                                             std::chrono::milliseconds timeout) {
  auto options = c10d::ProcessGroupNCCL::Options::create();
  options->timeout = timeout;
  auto group = c10::make_intrusive<c10d::ProcessGroupNCCL>(store, rank, size, options);
  group->setBoundDeviceId(device);
  return group;
}

#endif
