#include "flow/sscma.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"
#include "base/file.h"
#include "base/sha256.h"
#include "data/preprocess.h"
#include "flow/check.h"
#include "flow/deploy.h"
#include "formats/tflite/tflite.h"
#include "ops/builder.h"
#include "reference/interpreter.h"

namespace kinglet::flow {

namespace {

using graph::QuantParams;

/// The input numbers of bytes 0 to 255, channel after channel.
std::vector<int8_t> contract_table(const graph::Model& model, const graph::Value& input) {
  const data::Preprocessor preprocessor(model.input, input);
  std::vector<int8_t> table;
  for (int c = 0; c < model.input.channels; ++c)
    for (std::byte b : preprocessor.table(c)) table.push_back(static_cast<int8_t>(b));
  return table;
}

/// What a Quantize node makes of -128 .. 127.
std::vector<int8_t> requantized(const QuantParams& from, const QuantParams& to) {
  ops::GraphBuilder builder;
  const auto x = builder.input("x", {1, 256}, DType::s8, from);
  builder.output(builder.node(graph::OpKind::Quantize, graph::NoAttrs{}, {x}, "y", to));
  const auto graph = builder.finish();
  Tensor bytes(DType::s8, Shape{1, 256});
  for (int i = 0; i < 256; ++i) bytes.mutable_data<int8_t>()[static_cast<size_t>(i)] = static_cast<int8_t>(i - 128);
  const auto y = reference::run(graph, std::span(&bytes, 1))[0];
  const auto data = y.data<int8_t>();
  return {data.begin(), data.end()};
}

bool plain(const std::vector<double>& list, double value) {
  return std::all_of(list.begin(), list.end(), [&](double x) { return x == value; });
}

bool repeats(const std::vector<int8_t>& table, const std::vector<int8_t>& one) {
  for (size_t i = 0; i < table.size(); ++i)
    if (table[i] != one[i % 256]) return false;
  return true;
}

std::string reasons(const CheckReport& report) {
  std::string text;
  int more = 0, told = 0;
  for (const auto& f : report.findings) {
    if (f.severity != Severity::error) continue;
    if (++told > 3)
      ++more;
    else
      text += fmt::format("{}{}: {}", text.empty() ? "" : "; ", f.node, f.reason);
  }
  return more ? text + fmt::format("; and {} more (kinglet check --profile sscma)", more) : text;
}

std::string first_hint(const CheckReport& report) {
  for (const auto& f : report.findings)
    if (f.severity == Severity::error && !f.hint.empty()) return f.hint;
  return "";
}

}  // namespace

graph::Model with_byte_input(const graph::Model& model) {
  if (model.graph.inputs.size() != 1 || model.input.channels == 0) return model;
  const auto& old = model.graph.value(model.graph.inputs[0]);
  if (old.dtype != DType::s8 || old.quant.empty()) return model;
  std::vector<int8_t> bytes(256);
  for (int i = 0; i < 256; ++i) bytes[static_cast<size_t>(i)] = static_cast<int8_t>(i - 128);
  const auto table = contract_table(model, old);
  const auto from = QuantParams::per_tensor(static_cast<float>(1.0 / model.input.divisor), -128);
  const bool scaled_only = plain(model.input.mean, 0) && plain(model.input.stddev, 1);
  if (repeats(table, bytes) || !scaled_only || !repeats(table, requantized(from, old.quant))) return model;

  graph::Model out = model;
  auto& g = out.graph;
  const auto inner = g.inputs[0];
  graph::Value input = g.value(inner);
  input.quant = from;
  g.value(inner).name = g.unique_name(input.name + "_requantized");
  const auto outer = g.add_value(input);
  graph::Node node;
  node.op = graph::OpKind::Quantize;
  node.attrs = graph::NoAttrs{};
  node.inputs = {outer};
  node.outputs = {inner};
  node.name = g.value(inner).name;
  node.origin = "export to sscma";
  g.nodes().insert(g.nodes().begin(), std::move(node));
  g.inputs[0] = outer;
  return out;
}

ExportedFile export_sscma(const graph::Model& model, const std::filesystem::path& path) {
  if (path.extension() == ".json") throw Error(path.string(), "is where the labels go", "name the model file .tflite; its labels go beside it", ErrorKind::usage);
  const auto ready = with_byte_input(deployable(model));
  const auto report = check(ready, load_profile("sscma"));
  if (!report.ok())
    throw Error(model.name, "is not what the SSCMA firmware takes: " + reasons(report), first_hint(report), ErrorKind::check_failed);
  const auto bytes = formats::tflite::export_model(ready);
  const ExportedFile file{path, bytes.size(), sha256(bytes)};
  write_file(path, bytes);
  Json labels = {{"name", model.name},
                 {"classes", model.labels},
                 {"input", {{"height", ready.input.height}, {"width", ready.input.width}, {"channels", ready.input.channels}}},
                 {"sha256", file.sha256}};
  write_file(std::filesystem::path(path).replace_extension(".json"), labels.dump(2, ' ', false, Json::error_handler_t::replace) + "\n");
  return file;
}

}  // namespace kinglet::flow
