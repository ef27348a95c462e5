// Published model files through make_plan and Session, on every instruction set that this machine has, against the frozen
// outputs of TensorFlow Lite's reference kernels.
#include <gtest/gtest.h>

#include "../golden/golden_inputs.h"
#include "plan/plan.h"
#include "runtime/session.h"

namespace kinglet {
namespace {

using golden::models;

struct ModelCase {
  const char* model;
  const char* outputs;
  ops::Numerics numerics = ops::Numerics::tflm;
  float divisor = 1.0f;  ///< of the input bytes of float models
};

class RealDataSession : public ::testing::TestWithParam<ModelCase> {};

std::vector<plan::Target> targets(ops::Numerics numerics) {
  std::vector<plan::Target> list{plan::portable_target(numerics)};
  for (plan::Isa isa : plan::available_isas())
    if (isa != plan::Isa::generic) list.push_back(plan::host_target(numerics, isa));
  return list;
}

/// int8 to the bit, float32 within 1e-5 of 1 (both models end in a softmax).
void expect_frozen(const Tensor& got, const std::byte* want, const std::string& where) {
  if (got.dtype() != DType::f32) {
    EXPECT_EQ(std::memcmp(got.bytes().data(), want, got.size_bytes()), 0) << where;
    return;
  }
  for (size_t i = 0; i < got.data<float>().size(); ++i) {
    float frozen = 0;
    std::memcpy(&frozen, want + 4 * i, 4);
    EXPECT_NEAR(got.data<float>()[i], frozen, 1e-5f) << where;
  }
}

TEST_P(RealDataSession, EqualsFrozenOutputs) {
  const ModelCase& c = GetParam();
  if (!std::filesystem::exists(models() / c.model)) GTEST_SKIP() << "needs " << c.model;
  const graph::Graph graph = golden::runnable_graph(models() / c.model);
  const auto frozen = read_file(models() / "golden" / c.outputs);
  const graph::Value& in = graph.value(graph.inputs[0]);
  for (const auto& target : targets(c.numerics)) {
    const plan::Plan plan = plan::make_plan(graph, target);
    runtime::Session session(plan);
    Tensor out(plan.outputs[0].dtype, plan.outputs[0].shape);
    ASSERT_EQ(frozen.size() % out.size_bytes(), 0u);
    const size_t all = frozen.size() / out.size_bytes();
    const size_t slow = plan.macs() > 50'000'000 ? 2 : 40;  // the portable kernels are slow
    const size_t count = target.isa == plan::Isa::generic ? std::min(all, slow) : all;
    for (size_t k = 0; k < count && !HasFailure(); ++k) {
      const Tensor x = golden::input_tensor(in, golden::input_bytes(k, static_cast<size_t>(in.shape.elements())), c.divisor);
      session.run(x.bytes().data(), out.mutable_bytes().data());
      expect_frozen(out, &frozen[k * out.size_bytes()], std::string(c.model) + " input " + std::to_string(k) + " on " + std::string(plan::isa_name(target.isa)));
    }
    EXPECT_LE(plan.arena_bytes, plan.arena_lower_bound_bytes * 11 / 10) << c.model << ": placement wastes more than a tenth";
  }
}

constexpr auto kLitert2 = ops::Numerics::litert2;
INSTANTIATE_TEST_SUITE_P(Models, RealDataSession,
                         ::testing::Values(ModelCase{"seeed/cifar10_rep035_int8.tflite", "litert/cifar10_rep035_int8.out"},
                                           ModelCase{"seeed/cifar10_rep035_int8.tflite", "litert/cifar10_rep035_int8.litert2.out", kLitert2},
                                           ModelCase{"seeed/mnist_rep035_int8.tflite", "litert/mnist_rep035_int8.out"},
                                           ModelCase{"mlperf_tiny/resnet8_int8.tflite", "litert/resnet8_int8.out"},
                                           ModelCase{"mlperf_tiny/resnet8_int8.tflite", "litert/resnet8_int8.litert2.out", kLitert2},
                                           ModelCase{"mlperf_tiny/vww_96_int8.tflite", "litert/vww_96_int8.out"},
                                           ModelCase{"tflm/person_detect.tflite", "litert/person_detect.out"},
                                           ModelCase{"tflm/mobilenet_v2_quantized_nchw.tflite", "litert/mobilenet_v2_quantized_nchw.out"},
                                           ModelCase{"tflm/mobilenet_v2_quantized_nchw.tflite", "litert/mobilenet_v2_quantized_nchw.litert2.out", kLitert2},
                                           ModelCase{"coral/tf2_mobilenet_v2_1.0_224_ptq.tflite", "litert/tf2_mobilenet_v2_1.0_224_ptq.out"},
                                           ModelCase{"coral/mobilenet_v1_0.25_128_quant.tflite", "litert/mobilenet_v1_0.25_128_quant.out"},
                                           ModelCase{"coral/mobilenet_v1_0.25_128_quant.tflite", "litert/mobilenet_v1_0.25_128_quant.out", ops::Numerics::tflite214},
                                           ModelCase{"coral/mobilenet_v1_0.25_128_quant.tflite", "litert/mobilenet_v1_0.25_128_quant.out", kLitert2},
                                           ModelCase{"coral/mobilenet_v2_1.0_224_quant.tflite", "litert/mobilenet_v2_1.0_224_quant.out"},
                                           ModelCase{"coral/mobilenet_v2_1.0_224_quant.tflite", "litert/mobilenet_v2_1.0_224_quant.out", ops::Numerics::tflite214},
                                           ModelCase{"coral/mobilenet_v2_1.0_224_quant.tflite", "litert/mobilenet_v2_1.0_224_quant.out", kLitert2},
                                           ModelCase{"mlperf_tiny/resnet8_float.tflite", "litert/resnet8_float.out"},
                                           ModelCase{"mlperf_tiny/vww_96_float.tflite", "litert/vww_96_float.out", ops::Numerics::tflm, 255.0f}));

}  // namespace
}  // namespace kinglet
