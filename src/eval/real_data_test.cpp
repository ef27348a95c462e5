// Published files on the original CIFAR-10 test pictures: every output equal to the frozen ones, and the accuracy that
// follows from them.
#include <gtest/gtest.h>

#include <cstring>
#include <map>
#include <sstream>

#include "base/error.h"
#include "base/file.h"
#include "eval/accuracy.h"
#include "eval/compare.h"
#include "formats/formats.h"

namespace kinglet::eval {
namespace {

namespace fs = std::filesystem;

const fs::path kModels = fs::path(KINGLET_SHARED) / "models";

/// Null when the pictures are not on this machine.
data::DatasetPtr cifar10_test() {
  try {
    return data::open_dataset("cifar10:test", "test");
  } catch (const Error&) {
    return nullptr;
  }
}

struct Published {
  const char *file, *outputs;
  double top1, top5;
};

class RealDataCifar10 : public ::testing::TestWithParam<Published> {};

TEST_P(RealDataCifar10, OutputsAndAccuracyAreTheFrozenOnes) {
  const fs::path file = kModels / GetParam().file, frozen_file = kModels / "golden/cifar10_test" / GetParam().outputs;
  if (!fs::exists(file) || !fs::exists(frozen_file)) GTEST_SKIP() << "needs " << file << " and " << frozen_file;
  const auto pictures = cifar10_test();
  if (!pictures) GTEST_SKIP() << "needs CIFAR-10 in KINGLET_DATA";
  const auto model = formats::import_file(file);
  const auto engine = session_engine(model.graph, plan::host_target());
  EvalOptions options;
  options.keep_outputs = true;
  const EvalReport report = evaluate(*engine, model, *pictures, options);
  EXPECT_EQ(report.n, 10000);
  EXPECT_DOUBLE_EQ(report.top1_percent(), GetParam().top1);
  EXPECT_DOUBLE_EQ(report.top5_percent().value(), GetParam().top5);
  EXPECT_TRUE(report.outputs == read_file(frozen_file)) << "an output differs from " << frozen_file;
  EXPECT_GT(report.images_per_s, 100.0);
  RecordProperty("images_per_s", static_cast<int>(report.images_per_s));
}

INSTANTIATE_TEST_SUITE_P(Files, RealDataCifar10,
                         ::testing::Values(Published{"mlperf_tiny/resnet8_int8.tflite", "resnet8_int8.out", 87.07, 99.15},
                                           Published{"seeed/cifar10_rep035_int8.tflite", "cifar10_rep035_int8.out", 74.28, 98.10}),
                         [](const auto& row) { return std::string(row.param.outputs).substr(0, std::string(row.param.outputs).find('.')); });

std::vector<std::vector<std::string>> read_csv(const fs::path& path) {
  std::vector<std::vector<std::string>> rows;
  std::istringstream in(read_text_file(path));
  for (std::string line; std::getline(in, line);) {
    std::istringstream cells(line);
    auto& row = rows.emplace_back();
    for (std::string cell; std::getline(cells, cell, ',');) row.push_back(cell);
  }
  return rows;
}

TEST(RealDataIc01, ResNet8GivesThePublishedOutputsOfAll200Pictures) {
  const fs::path file = kModels / "mlperf_tiny/resnet8_int8.tflite", ic01 = kModels / "golden/ic01";
  if (!fs::exists(file) || !fs::exists(ic01 / "outputs_x256.csv")) GTEST_SKIP() << "needs " << file << " and " << ic01;
  const auto pictures = cifar10_test();
  if (!pictures) GTEST_SKIP() << "needs CIFAR-10 in KINGLET_DATA";
  std::map<std::string, std::vector<std::string>> published;
  for (auto& row : read_csv(ic01 / "outputs_x256.csv")) published[row[0].substr(0, row[0].find('.'))] = row;
  const auto index = read_csv(ic01 / "test_batch_index.csv");
  std::vector<int64_t> chosen;
  for (size_t i = 1; i < index.size(); ++i) chosen.push_back(std::stoll(index[i][0]));
  const auto model = formats::import_file(file);
  const auto engine = session_engine(model.graph, plan::host_target());
  EvalOptions options;
  options.keep_outputs = true;
  const EvalReport report = evaluate(*engine, model, *data::subset(pictures, chosen, "ic01"), options);
  ASSERT_EQ(report.n, 200);
  EXPECT_DOUBLE_EQ(report.top1_percent(), 87.5);
  int equal = 0;
  for (size_t i = 0; i < chosen.size(); ++i) {
    const auto& row = published.at(index[i + 1][1].substr(0, index[i + 1][1].find('.')));
    bool same = true;
    for (size_t c = 0; c < 10; ++c) same = same && static_cast<int8_t>(report.outputs[10 * i + c]) + 128 == std::stoi(row[c + 1]);
    equal += same;
  }
  EXPECT_EQ(equal, 200);
}

TEST(RealDataCompare, TheFastEngineAgreesWithTheReference) {
  const fs::path file = kModels / "seeed/cifar10_rep035_int8.tflite";
  if (!fs::exists(file)) GTEST_SKIP() << "needs " << file;
  const auto pictures = cifar10_test();
  if (!pictures) GTEST_SKIP() << "needs CIFAR-10 in KINGLET_DATA";
  const auto model = formats::import_file(file);
  const auto fast = session_engine(model.graph, plan::host_target(), 2), slow = reference_engine(model.graph, ops::Numerics::tflm, 2);
  EvalOptions options;
  options.limit = 100;
  const CompareReport report = compare({*fast, model}, {*slow, model}, *pictures, options);
  EXPECT_EQ(report.n, 100);
  EXPECT_EQ(report.agree, 100);
}

}  // namespace
}  // namespace kinglet::eval
