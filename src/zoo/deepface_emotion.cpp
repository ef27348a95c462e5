// The expression network of NXP's eIQ model "Deepface-emotion": five VALID convolutions, overlapping pools and two wide dense
// layers for 48x48 gray faces (SYSTEMS B). norm=yes adds BatchNorm after each convolution, which folds away again.
#include "zoo/layers.h"

namespace kinglet::zoo {

namespace {

using graph::ValueId;

ValueId conv_relu(Layers& net, ValueId x, int out, int kernel, bool norm, const std::string& name) {
  ValueId y = net.conv(x, {out, kernel, 1, {}, true}, name);
  if (norm) y = net.batch_norm(y, name + ".bn");
  return net.activation(y, Act::relu, name + ".relu");
}

ValueId dense_relu(Layers& net, ValueId x, int out, double dropout, const std::string& name) {
  const ValueId y = net.activation(net.dense(x, out, name, 2.0), Act::relu, name + ".relu");
  return net.dropout(y, dropout, name + ".dropout");
}

}  // namespace

graph::Model build_deepface_emotion(const Spec& spec, uint64_t seed) {
  Options options(spec);
  const bool norm = options.yes("norm", false);
  const double dropout = options.number("dropout", 0.2, 0, 0.9);
  const std::string range = options.word("input", "unit", {"unit", "signed", "raw", "imagenet"});
  options.done();
  refuse_width(spec);
  require_side(spec, 45);

  Layers net(spec, seed);
  ValueId x = net.max_pool(conv_relu(net, net.input(), 64, 5, norm, "conv1"), 5, 2, "pool1");
  x = conv_relu(net, conv_relu(net, x, 64, 3, norm, "conv2"), 64, 3, norm, "conv3");
  x = net.average_pool(x, 3, 2, "pool2");
  x = conv_relu(net, conv_relu(net, x, 128, 3, norm, "conv4"), 128, 3, norm, "conv5");
  x = net.average_pool(x, 3, 2, "pool3");
  x = dense_relu(net, dense_relu(net, x, 1024, dropout, "dense1"), 1024, dropout, "dense2");
  return net.finish(net.dense(x, spec.classes, "dense3"), input_spec(spec, range));
}

}  // namespace kinglet::zoo
