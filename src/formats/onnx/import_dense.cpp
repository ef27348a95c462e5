// Matrix products and what follows them.
#include <fmt/format.h>

#include <algorithm>

#include "formats/onnx/import_help.h"
#include "formats/onnx/import_operators.h"

namespace kinglet::formats::onnx {

using graph::OpKind;
using graph::ValueId;

namespace {

/// numbers: 1 if the weights are I x O, then the C, H and W that the I inputs were flattened from (or none).
Tensor dense_weights(const Tensor& tensor, const std::vector<int64_t>& numbers) {
  const Tensor w = numbers[0] ? permuted(tensor, {1, 0}) : tensor;
  if (numbers.size() == 1) return w;
  const Shape split{w.shape()[0], numbers[1], numbers[2], numbers[3]};
  return permuted(w.reshaped(split), kNhwc).reshaped(w.shape());
}

/// numbers: the outputs. A row of them as it is; one number stands for all.
Tensor bias_row(const Tensor& t, const std::vector<int64_t>& numbers) {
  if (t.elements() == numbers[0]) return t.reshaped(Shape{numbers[0]});
  return Tensor::of<float>(Shape{numbers[0]}, std::vector<float>(static_cast<size_t>(numbers[0]), t.data<float>()[0]));
}

ValueId bias_constant(Importer& importer, const Source& source, int64_t outputs) {
  const Entry& bias = importer.float_constant(source, 2);
  const Shape& shape = bias.tensor->shape();
  if (shape.rank() == 1 && shape[0] == outputs) return vector_constant(importer, source, 2, true);
  const bool row = bias.tensor->elements() == outputs && shape.rank() > 0 && shape.back() == outputs, number = bias.tensor->elements() == 1;
  if (!bias.quant.empty() || (!row && !number)) throw Unknown{"a bias of " + shape.str() + fmt::format(" for {} outputs", outputs)};
  return importer.constant(source, 2, bias_row, {outputs}, {0}, true);
}

void fully_connected(Importer& importer, const Source& source, bool weights_io) {
  const Entry x = importer.input(source, 0);
  if (x.tensor) throw Unknown{"its first input is a constant"};
  const Shape w = importer.float_constant(source, 1).tensor->shape();
  if (w.rank() != 2 || x.order.size() != 2) throw Unknown{"a product of tensors that are no matrices"};
  std::vector<int64_t> numbers{weights_io};
  if (x.unflattened) {
    if (x.unflattened->elements() != w[weights_io ? 0 : 1]) throw Error(source.where, "has weights " + w.str() + " that do not fit its input");
    numbers.insert(numbers.end(), x.unflattened->dims().begin(), x.unflattened->dims().end());
  }
  const ValueId in = x.unflattened ? x.id : importer.plain(source, x);
  std::vector<ValueId> inputs{in, importer.constant(source, 1, dense_weights, numbers, weights_io ? Order{1, 0} : Order{0, 1}, true)};
  if (source.has_input(2)) inputs.push_back(bias_constant(importer, source, w[weights_io ? 1 : 0]));
  importer.define(source, 0, importer.emit(source, OpKind::FullyConnected, graph::FullyConnectedAttrs{}, inputs, identity(2)));
}

/// before: a = x * number; y = softmax(a)    after: y = softmax(x) beta=number. Gives the number and makes `x` its input.
float take_beta(const Importer& importer, const Source& source, Entry& x, graph::Graph& graph) {
  const auto& nodes = graph.nodes();
  if (nodes.empty() || nodes.back().op != OpKind::Mul || nodes.back().outputs[0] != x.id || importer.use_count(source.node.input(0)) != 1) return 1;
  for (size_t i : {0u, 1u}) {
    const auto& factor = graph.value(nodes.back().inputs[i]).constant;
    if (!factor || factor->elements() != 1 || factor->dtype() != DType::f32) continue;
    const float beta = factor->data<float>()[0];
    if (!(beta > 0 && beta < 1e6f)) return 1;
    x.id = nodes.back().inputs[1 - i];
    return beta;
  }
  return 1;
}

}  // namespace

void gemm(Importer& importer, const Source& source) {
  const float beta = source.has_input(2) ? source.real("beta", 1) : 1;
  if (source.integer("transA", 0) != 0 || source.real("alpha", 1) != 1 || beta != 1) throw Unknown{"a Gemm with transA, alpha or beta"};
  fully_connected(importer, source, source.integer("transB", 0) == 0);
}

void mat_mul(Importer& importer, const Source& source) { fully_connected(importer, source, true); }

void softmax(Importer& importer, const Source& source) {
  Entry x = importer.settled(source, importer.input(source, 0));
  const int rank = static_cast<int>(x.order.size());
  if (x.tensor || rank < 2) throw Unknown{"an input that is no batch of pictures"};
  const bool old_rule = importer.file().opset() < 13;
  const int axis = axis_of(source, source.integer("axis", old_rule ? 1 : -1), rank);
  const Shape shape = importer.onnx_shape(x);
  for (int i = axis + 1; old_rule && i < rank; ++i)
    if (shape[i] != 1) throw Unknown{"a softmax over several axes"};
  Order order = x.order;
  std::rotate(std::find(order.begin(), order.end(), axis), std::find(order.begin(), order.end(), axis) + 1, order.end());
  const float beta = take_beta(importer, source, x, importer.graph());
  const ValueId in = importer.in_order(source, x, order);
  importer.define(source, 0, importer.emit(source, OpKind::Softmax, graph::SoftmaxAttrs{beta}, {in}, order));
}

}  // namespace kinglet::formats::onnx
