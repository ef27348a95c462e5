#include "train/environment.h"

#include <unistd.h>

#include <cstdlib>

namespace kinglet::train {

namespace {
constexpr const char* kMark = "KINGLET_TRAIN_ENVIRONMENT";
}

void prepare_environment(char** argv) {
  if (std::getenv(kMark)) return;
  setenv(kMark, "1", 1);
  unsetenv("OMP_WAIT_POLICY");
  setenv("GOMP_SPINCOUNT", "1000", 1);
  execv("/proc/self/exe", argv);
}

}  // namespace kinglet::train
