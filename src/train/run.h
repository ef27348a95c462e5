// One run of kinglet-train: recipe to runs/NAME/, with its checkpoints, log, table and curves. A run has up to three phases:
// the head on a frozen trunk (freeze_epochs), everything, and quantization-aware training (quantize: qat).
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "train/trainer.h"

namespace kinglet::train {

struct RunOptions {
  std::filesystem::path recipe;         ///< may be empty with `from` and `data`: fine-tuning then (fine_tune.h)
  std::vector<std::string> overrides;   ///< key=value
  bool resume = false;
  std::string from, data;               ///< replace the recipe's when not empty
  std::filesystem::path runs = "runs";
  int threads = 0;                      ///< 0: the recipe's
  std::optional<uint64_t> seed;
  double minutes = 10;                  ///< fine-tuning without a recipe and epochs: how long it may take
};

struct RunResult {
  std::filesystem::path folder, best;
  std::filesystem::path int8;  ///< NAME_int8.kinglet after quantization-aware training, else empty
  double int8_top1 = -1;       ///< percent on val
  TrainResult result;          ///< of the float training
  int threads = 0;
};

/// `say` gets the lines that go to the log and to the user; `events` may set progress, on_step and stop, the rest
/// is filled in. Throws Error.
RunResult run(const RunOptions& options, TrainEvents events, const std::function<void(const std::string&)>& say);

}  // namespace kinglet::train
