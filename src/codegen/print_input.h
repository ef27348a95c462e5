// Prints a model's input contract as C99, over the same freestanding kernels that training and evaluation use: on the board
// the pixels of a camera become the same input bytes as here.
#pragma once

#include <string>
#include <vector>

#include "codegen/codegen.h"
#include "graph/graph.h"
#include "graph/input_spec.h"

namespace kinglet::codegen {

/// kinglet_preprocess.h and .c (the same for every model) and NAME_input.h and .c with
///     size_t NAME_scratch_bytes(int32_t height, int32_t width);
///     const char* NAME_prepare(const kinglet_picture* picture, void* scratch, int8_t* input);
/// prepare returns NULL, or what does not fit. `input` is of float32, int8 or uint8. Throws Error for a name that is no
/// identifier or a contract that cannot be run.
std::vector<File> print_input_c(const graph::InputSpec& spec, const graph::Value& input, const std::string& model_name);

}  // namespace kinglet::codegen
