// PyTorch checkpoints (.pth, .pt): the ZIP of torch 1.6 and later, the older stream of pickles, and the tar of 0.1. State dictionaries
// and whole checkpoints come in through an unpickler that builds data only; a state dictionary goes out.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "formats/state_dict.h"

namespace kinglet::formats::torch_pth {

bool is_torch_pth(std::span<const std::byte> bytes);

/// The tensors of the state dictionary in the file, float64, float16 and bfloat16 as float32. Where the file is a whole checkpoint its
/// "state_dict", "model_state_dict", "model", ... is taken; other dictionaries of tensors beside it are a warning.
/// Throws Error for anything in the pickle that is no tensor, container, number or text, by name.
StateDict read_state(std::span<const std::byte> bytes, const std::string& where, const WarningCallback& warn = {});

/// A state dictionary as torch.save writes it, loadable with weights_only=True. The metadata are attributes of the dictionary, so that
/// load_state_dict sees tensors only.
std::vector<std::byte> write_state(const StateDict& state);

}  // namespace kinglet::formats::torch_pth
