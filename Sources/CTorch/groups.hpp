// Groups of processes whose tensors are on GPUs.
#pragma once

#include <c10/core/Device.h>
#include <torch/csrc/distributed/c10d/Backend.hpp>
#include <torch/csrc/distributed/c10d/Store.hpp>

#include <chrono>

// Returns NCCL's group; throws if this program was built without NCCL.
c10::intrusive_ptr<c10d::Backend> nccl_group(const c10::intrusive_ptr<c10d::Store> &store,
                                             int rank, int size, c10::Device device,
                                             std::chrono::milliseconds timeout);
