#include <gtest/gtest.h>

#include "base/error.h"
#include "base/random.h"
#include "graph/print.h"
#include "graph/serialize.h"

namespace kinglet::graph {
namespace {

/// One convolution with weights, quantization and a foreign section: every kind of thing the file holds.
Model small_model() {
  Model m;
  m.name = "small";
  Value x;
  x.name = "x";
  x.dtype = DType::s8;
  x.shape = {1, 2, 2, 1};
  x.quant = QuantParams::per_tensor(0.5f, -128);
  m.graph.inputs = {m.graph.add_value(x)};
  const ValueId w = m.graph.add_constant("w", Tensor::of<int8_t>({2, 1, 1, 1}, std::vector<int8_t>{-127, 64}), true);
  m.graph.value(w).quant = {{0.1f, 0.2f}, {0, 0}, 0};
  Value y = x;
  y.name = "y";
  y.shape = {1, 2, 2, 2};
  const ValueId out = m.graph.add_value(y);
  Node node;
  node.op = OpKind::Conv2d;
  Conv2dAttrs attrs;
  attrs.padding = {PaddingMode::explicit_, 1, 2, 3, 4};
  attrs.activation = Activation::relu6;
  node.attrs = attrs;
  node.inputs = {0, w, kNone};
  node.outputs = {out};
  node.name = "conv";
  node.origin = "m.tflite: operator 0";
  m.graph.add_node(node);
  m.graph.outputs = {out};
  m.input.height = m.input.width = 2;
  m.input.channels = 1;
  m.input.order = ColorOrder::gray;
  m.labels = {"cat", "dög"};
  m.provenance["seed"] = 7;
  m.sections["train_state"] = {std::byte{1}, std::byte{2}};
  return m;
}

TEST(Serialize, RoundTripKeepsEverything) {
  const Model m = small_model();
  const auto bytes = serialize(m);
  const Model r = deserialize(bytes, "t");
  EXPECT_EQ(to_text(r.graph), to_text(m.graph));
  EXPECT_EQ(*r.graph.value(1).constant, *m.graph.value(1).constant);
  EXPECT_EQ(r.graph.value(1).quant, m.graph.value(1).quant);
  EXPECT_TRUE(r.graph.value(1).trainable);
  EXPECT_EQ(r.graph.node(0).attrs, m.graph.node(0).attrs);
  EXPECT_EQ(r.graph.node(0).origin, m.graph.node(0).origin);
  EXPECT_EQ(r.labels, m.labels);
  EXPECT_EQ(r.input, m.input);
  EXPECT_EQ(r.provenance, m.provenance);
  EXPECT_EQ(r.sections, m.sections);
  EXPECT_EQ(serialize(r), bytes);
}

TEST(Serialize, EveryTruncationIsAnError) {
  const auto bytes = serialize(small_model());
  for (size_t n = 0; n < bytes.size(); ++n) EXPECT_THROW(deserialize(std::span(bytes).first(n), "t"), Error) << n;
}

TEST(Serialize, DamageIsAnError) {
  const auto bytes = serialize(small_model());
  RandomStream random(3, 0, 0, Purpose::draw);
  int refused = 0;
  for (int i = 0; i < 500; ++i) {
    auto copy = bytes;
    copy[random.below(copy.size())] ^= static_cast<std::byte>(1 + random.below(255));
    try {
      const Model m = deserialize(copy, "t");
      EXPECT_EQ(serialize(m), bytes);  // only padding between sections may change unseen
    } catch (const Error&) {
      ++refused;
    }
  }
  EXPECT_GT(refused, 300);
}

TEST(Serialize, OtherFilesAreNamed) {
  std::string text = "TFL3 this is not ours";
  try {
    deserialize(std::as_bytes(std::span(text)), "m.bin");
    FAIL();
  } catch (const Error& e) {
    EXPECT_NE(std::string(e.what()).find("m.bin: is not a Kinglet file"), std::string::npos);
  }
}

}  // namespace
}  // namespace kinglet::graph
