// The course of a training as an SVG picture and as a table.
#pragma once

#include <string>
#include <vector>

#include "train/checkpoint.h"

namespace kinglet::train {

/// epoch,lr,loss,train_top1,val_top1,images_per_s,seconds; val_top1 is empty where nothing was evaluated.
std::string metrics_csv(const std::vector<EpochRecord>& records);
/// Loss above, accuracy on train and val below, over epochs; stands by itself.
std::string curves_svg(const std::vector<EpochRecord>& records, const std::string& title);

}  // namespace kinglet::train
