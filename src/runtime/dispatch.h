// From a kernel's name in the Plan to its function.
#pragma once

#include "plan/kernel.h"

namespace kinglet::runtime {

struct KernelEntry {
  void (*invoke)(const void* args, void* const* pointers) = nullptr;  ///< null when not built for this machine
  size_t pointer_count = 0;
  bool (*takes)(const plan::Args& args) = nullptr;
};

const KernelEntry& kernel_entry(plan::Kernel kernel);

}  // namespace kinglet::runtime
