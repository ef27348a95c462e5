// For tests only: a copy of one shipped model alone in a models folder, to be damaged.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <string>

#include "data/test_files.h"

namespace kinglet::flow {

class OneModel : public testing::Test {
 protected:
  OneModel() : copied_(copy()), models_("KINGLET_MODELS", folder_.path().string()) {}
  std::filesystem::path file(const std::string& name) const { return folder_.path() / "mnist_rep035" / name; }

 private:
  bool copy() {
    const std::filesystem::path from = std::filesystem::path(KINGLET_SOURCE_DIR) / "models";
    std::filesystem::copy(from / "mnist_rep035", folder_.path() / "mnist_rep035", std::filesystem::copy_options::recursive);
    std::filesystem::copy(from / "published.json", folder_.path() / "published.json");
    return true;
  }
  data::TempFolder folder_;
  bool copied_;
  data::ScopedEnvironment models_;
};

}  // namespace kinglet::flow
