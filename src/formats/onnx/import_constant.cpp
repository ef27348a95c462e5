// Constants, and the arithmetic of shapes that exporters leave in a graph: it is done here.
#include <fmt/format.h>

#include <algorithm>

#include "formats/onnx/import_help.h"
#include "formats/onnx/import_operators.h"

namespace kinglet::formats::onnx {

namespace {

constexpr size_t kMaxNumbers = 64;

Entry integers_entry(const std::vector<int64_t>& values, bool scalar = false) {
  Entry entry;
  entry.tensor = Tensor::of<int64_t>(scalar ? Shape{} : Shape{static_cast<int64_t>(values.size())}, values);
  return entry;
}

}  // namespace

void constant(Importer& importer, const Source& source) {
  Entry entry;
  if (const auto* a = source.attribute("value"); a && a->has_t()) entry.tensor = importer.file().tensor(a->t(), source.where);
  else if (const auto* f = source.attribute("value_float")) entry.tensor = Tensor::scalar<float>(f->f());
  else if (const auto* i = source.attribute("value_int")) entry.tensor = Tensor::scalar<int64_t>(i->i());
  else if (const auto* n = source.attribute("value_ints")) entry.tensor = Tensor::of<int64_t>(Shape{n->ints_size()}, source.integers("value_ints"));
  else if (const auto* r = source.attribute("value_floats"))
    entry.tensor = Tensor::of<float>(Shape{r->floats_size()}, std::vector<float>(r->floats().begin(), r->floats().end()));
  else throw Unknown{"a constant that is no tensor of numbers"};
  importer.define(source, 0, std::move(entry));
}

void identical(Importer& importer, const Source& source) { importer.define(source, 0, Entry(importer.input(source, 0))); }

/// One picture a batch: the dimension of pictures is 1.
void shape_of(Importer& importer, const Source& source) {
  if (source.attribute("start") || source.attribute("end")) throw Unknown{"a part of a shape"};
  const Entry& entry = importer.input(source, 0);
  const Shape shape = entry.tensor ? entry.tensor->shape() : importer.onnx_shape(entry);
  importer.define(source, 0, integers_entry({shape.dims().begin(), shape.dims().end()}));
}

void gather(Importer& importer, const Source& source) {
  const auto data = importer.integer_constant(source, 0), indices = importer.integer_constant(source, 1);
  std::vector<int64_t> taken;
  for (int64_t index : indices) taken.push_back(data[static_cast<size_t>(axis_of(source, index, static_cast<int>(data.size())))]);
  importer.define(source, 0, integers_entry(taken, importer.input(source, 1).tensor->shape().rank() == 0));
}

void unsqueeze_constant(Importer& importer, const Source& source, const std::vector<int64_t>& axes) {
  const auto numbers = importer.integer_constant(source, 0);
  if (axes != std::vector<int64_t>{0} || numbers.size() != 1) throw Unknown{"a constant of several dimensions"};
  importer.define(source, 0, integers_entry(numbers));
}

void slice_constant(Importer& importer, const Source& source, const std::vector<int64_t>& starts, const std::vector<int64_t>& ends,
                    const std::vector<int64_t>& steps) {
  const auto numbers = importer.integer_constant(source, 0);
  const auto size = static_cast<int64_t>(numbers.size());
  const bool plain = importer.input(source, 0).tensor->shape().rank() == 1 && starts.size() == 1 && ends.size() == 1 &&
                     std::all_of(steps.begin(), steps.end(), [](int64_t step) { return step == 1; });
  if (!plain) throw Unknown{"a part of a constant of several dimensions"};
  auto place = [&](int64_t at) { return std::clamp<int64_t>(at < 0 ? std::max(at, -size) + size : at, 0, size); };
  const int64_t first = place(starts[0]), last = std::max(first, place(ends[0]));
  importer.define(source, 0, integers_entry({numbers.begin() + first, numbers.begin() + last}));
}

void join_constants(Importer& importer, const Source& source) {
  std::vector<int64_t> all;
  for (int i = 0; i < source.node.input_size() && all.size() <= kMaxNumbers; ++i) {
    const auto part = importer.integer_constant(source, i);
    all.insert(all.end(), part.begin(), part.end());
  }
  if (all.size() > kMaxNumbers) throw Unknown{"a long constant"};
  importer.define(source, 0, integers_entry(all));
}

/// Between kinds of integers of a shape; of the index that ArgMax makes.
void cast(Importer& importer, const Source& source) {
  const Entry& entry = importer.input(source, 0);
  const DType to = dtype_of(static_cast<int32_t>(source.integer("to", 0)), source.where);
  if (entry.tensor) {
    if (to != DType::s64 && to != DType::s32) throw Unknown{"a constant cast to " + std::string(dtype_name(to))};
    return importer.define(source, 0, integers_entry(importer.integer_constant(source, 0), entry.tensor->shape().rank() == 0));
  }
  auto& nodes = importer.graph().nodes();
  const bool index = !nodes.empty() && nodes.back().op == graph::OpKind::ArgMax && nodes.back().outputs[0] == entry.id && importer.use_count(source.node.input(0)) == 1;
  if (index && to == DType::s32) {
    nodes.back().as<graph::ArgMaxAttrs>().wide = false;
    importer.graph().value(entry.id).dtype = DType::s32;
  } else if (importer.graph().value(entry.id).dtype != to) {
    throw Unknown{"a cast to " + std::string(dtype_name(to))};
  }
  importer.define(source, 0, Entry(entry));
}

}  // namespace kinglet::formats::onnx
