#include "train/environment.h"

#include <malloc.h>
#include <unistd.h>

#include <cstdlib>

namespace kinglet::train {

namespace {
constexpr const char* kMark = "KINGLET_TRAIN_ENVIRONMENT";

/// Every step asks for the same megabytes again: giving them back to the system in between costs a page fault for each 4 KiB.
void keep_freed_memory() {
#ifdef __GLIBC__
  mallopt(M_MMAP_THRESHOLD, 1 << 30);
  mallopt(M_TRIM_THRESHOLD, 1 << 30);
  mallopt(M_TOP_PAD, 64 << 20);
#endif
}

}  // namespace

void prepare_environment(char** argv) {
  keep_freed_memory();
  if (std::getenv(kMark)) return;
  setenv(kMark, "1", 1);
  unsetenv("OMP_WAIT_POLICY");
  setenv("GOMP_SPINCOUNT", "1000", 1);
  execv("/proc/self/exe", argv);
}

}  // namespace kinglet::train
