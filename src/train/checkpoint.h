// The `train_state` section of last.kinglet: all that the next step depends on, so that a resumed run gives the numbers of
// an uninterrupted one to the bit.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/json.h"
#include "graph/model.h"

namespace kinglet::train {

/// One finished epoch, a row of metrics.csv.
struct EpochRecord {
  int epoch = 0;                 ///< from 1
  double lr = 0, loss = 0;       ///< at its last step; mean over its steps
  double train_top1 = 0;         ///< percent, on the changed pictures as trained
  double val_top1 = -1;          ///< percent; below 0: not evaluated
  double images_per_s = 0, seconds = 0;
};

struct TrainState {
  int64_t epoch = 0, step = 0;              ///< the next step to do, both from 0
  double loss_sum = 0;                      ///< over the steps of this epoch so far
  int64_t correct = 0, seen = 0;
  double epoch_seconds = 0;
  std::vector<float> first, second;         ///< the optimizer's
  int64_t optimizer_steps = 0;
  std::vector<float> average, average_statistics;
  int64_t average_updates = 0;
  double best_top1 = -1;
  int best_epoch = 0;
  int threads = 1;
  std::string recipe, recipe_hash;          ///< resolved YAML
  std::vector<EpochRecord> records;
};

std::vector<std::byte> encode_state(const TrainState& state);
/// Throws Error("where: ...") on damage.
TrainState decode_state(std::span<const std::byte> bytes, const std::string& where);

Json record_to_json(const EpochRecord& record);

}  // namespace kinglet::train
