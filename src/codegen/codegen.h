// Prints a Plan as C99: one source with the weights as constants, a static arena, the steps in order and the text of the
// portable kernels that they need; one header. No heap, no standard library but <stdint.h>; int8 needs no libm.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "plan/plan.h"

namespace kinglet::codegen {

struct Options {
  std::string model_name = "model";  ///< a C identifier: names the files, NAME_run and the rest
};

struct File {
  std::string name;  ///< "model.c"
  std::string text;
};

/// NAME.h and NAME.c with `void NAME_run(const int8_t* input, int8_t* output)` (float or uint8_t as the ports are; with
/// more than one, input0, input1, ... output0, ...). Not reentrant: the arena is static. Throws Error for a plan that is not for target `portable`,
/// for a name that is no identifier, and for constants that are not finite.
std::vector<File> print_c(const plan::Plan& plan, const Options& options);

struct NamedPlan {
  std::string name;  ///< a C identifier, different from the others'
  const plan::Plan* plan;
};

/// The same for several models in one pair of files, which share the text of the kernels. `file_name` has no extension.
std::vector<File> print_c(std::span<const NamedPlan> models, const std::string& file_name);

}  // namespace kinglet::codegen
