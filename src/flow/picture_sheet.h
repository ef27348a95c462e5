// A contact sheet of pictures with what the model said of each; mistakes in red with the true class.
#pragma once

#include <filesystem>

#include "data/dataset.h"
#include "eval/accuracy.h"

namespace kinglet::flow {

/// The report's first pictures, up to `count`, as a PNG.
void write_picture_sheet(const eval::EvalReport& report, const data::Dataset& pictures, int count, const std::filesystem::path& path);

/// The report's most confident mistakes, the worst first, as many as EvalOptions::mistakes kept, as a PNG.
void write_mistake_sheet(const eval::EvalReport& report, const data::Dataset& pictures, const std::filesystem::path& path);

}  // namespace kinglet::flow
