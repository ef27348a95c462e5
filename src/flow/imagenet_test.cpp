// Published ImageNet classifiers on a sample of 1,000 pictures: what TensorFlow Lite's interpreter reaches with the same
// preprocessing (models/README.md beside the checkout), through the contracts of known files alone: no flag, no hand-made
// preprocessing, labels found by themselves.
#include <gtest/gtest.h>

#include "base/error.h"
#include "eval/accuracy.h"
#include "flow/deploy.h"
#include "flow/engine.h"
#include "load/open_model.h"

namespace kinglet::flow {
namespace {

namespace fs = std::filesystem;

struct Published {
  const char *name, *file;
  double top1, top5;
};

void PrintTo(const Published& p, std::ostream* os) { *os << p.name; }

class RealDataImagenet : public ::testing::TestWithParam<Published> {};

TEST_P(RealDataImagenet, AccuracyIsWithinAPointOfTensorFlowLites) {
  const Published& row = GetParam();
  const fs::path file = fs::path(KINGLET_SHARED) / "models" / row.file;
  if (!fs::exists(file)) GTEST_SKIP() << "needs " << file;
  data::DatasetPtr pictures;
  try {
    pictures = data::open_dataset("imagenet_sample1000", "test");
  } catch (const Error&) {
    GTEST_SKIP() << "needs imagenet_sample1000 in KINGLET_DATA";
  }
  const auto model = deployable(load::open_model(file.string()));
  const auto engine = make_engine(model, ops::Numerics::tflm, "session", 0);
  const auto report = eval::evaluate(*engine, model, *pictures);
  EXPECT_EQ(report.n, 1000);
  EXPECT_TRUE(report.warnings.empty()) << report.warnings.at(0);
  EXPECT_NEAR(report.top1_percent(), row.top1, 1.0);
  EXPECT_NEAR(report.top5_percent().value_or(0), row.top5, 1.0);
}

INSTANTIATE_TEST_SUITE_P(Models, RealDataImagenet,
                         ::testing::Values(Published{"mobilenet_v1_uint8", "coral/mobilenet_v1_0.25_128_quant.tflite", 44.6, 70.2},
                                           Published{"mobilenet_v2_uint8", "coral/mobilenet_v2_1.0_224_quant.tflite", 80.8, 94.1},
                                           Published{"mobilenet_v2_int8", "coral/tf2_mobilenet_v2_1.0_224_ptq.tflite", 77.1, 94.6},
                                           Published{"mobilenet_v2_nchw", "tflm/mobilenet_v2_quantized_nchw.tflite", 70.6, 92.1}),
                         [](const auto& test) { return std::string(test.param.name); });

}  // namespace
}  // namespace kinglet::flow
