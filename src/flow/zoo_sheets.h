// A picture of each model's most confident mistakes on its own test split.
#pragma once

#include <filesystem>
#include <optional>

#include "base/progress.h"
#include "flow/zoo_models.h"

namespace kinglet::flow {

/// Writes FOLDER/NAME_mistakes.png of the int8 file (the float one where there is none); returns its path, or nullopt with
/// the reason in `why` when the pictures are not on this machine or no mistake was made.
std::optional<std::filesystem::path> write_zoo_sheet(const ZooModel& model, const std::filesystem::path& folder, std::string& why, int threads = 0,
                                                     const ProgressCallback& progress = {});

}  // namespace kinglet::flow
