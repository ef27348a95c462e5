// The training itself: a Recipe in, checkpoints and figures out. Knows neither files nor terminals; run.h does.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/progress.h"
#include "data/dataset.h"
#include "graph/model.h"
#include "train/checkpoint.h"
#include "train/recipe.h"

namespace kinglet::train {

/// Where a running epoch stands.
struct StepReport {
  std::string phase;                                   ///< "head", "qat" or empty
  int64_t epoch = 0, epochs = 0, step = 0, steps = 0;  ///< epoch from 1, steps done
  double loss = 0;                                     ///< mean of the epoch so far
  double images_per_s = 0, seconds_left = 0;
  double val_top1 = -1;                                ///< of the last evaluation
};

struct TrainEvents {
  ProgressCallback progress;                                      ///< reading the pictures
  std::function<void(const StepReport&)> on_step;
  std::function<void(const EpochRecord&)> on_epoch;
  std::function<void(const graph::Model& last)> save_last;        ///< with section train_state
  std::function<void(const graph::Model& best)> save_best;
  std::function<bool()> stop;                                     ///< asked after every step
};

struct TrainResult {
  bool stopped = false;      ///< by `stop`, after save_last
  int epochs = 0;            ///< finished
  double top1 = -1;          ///< of the model kept as best, percent on val; below 0: never evaluated
  double images_per_s = 0;   ///< over all finished epochs, without evaluation
  std::vector<EpochRecord> records;
};

struct TrainInput {
  Recipe recipe;                      ///< threads resolved
  graph::Model model;                 ///< the training graph
  data::DatasetPtr train, val;        ///< val may be null
  const TrainState* resume = nullptr; ///< model then is the checkpoint's
  std::shared_ptr<const graph::Model> teacher;  ///< null: none
};

/// Throws Error when data and model do not fit (classes, sizes) or the loss is no longer finite.
TrainResult train(TrainInput input, const TrainEvents& events);

}  // namespace kinglet::train
