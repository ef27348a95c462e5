#include "quantize/blame.h"

#include <algorithm>

#include "base/statistics.h"
#include "ops/op_info.h"
#include "quantize/fake_quantize.h"
#include "quantize/pictures.h"
#include "quantize/twin.h"
#include "reference/interpreter.h"

namespace kinglet::quantize {

namespace {

using graph::Graph;
using graph::NodeIndex;

std::vector<int> answers(const Graph& graph, std::span<const Tensor> batches, ThreadPool& pool) {
  std::vector<std::vector<int>> parts(batches.size());
  pool.parallel_for(static_cast<int64_t>(batches.size()), [&](int64_t i, int) {
    const Tensor y = reference::run(graph, batches.subspan(static_cast<size_t>(i), 1)).at(0);
    const auto scores = y.data<float>();
    const auto classes = static_cast<size_t>(y.elements() / y.shape()[0]);
    for (size_t at = 0; at < scores.size(); at += classes) parts[static_cast<size_t>(i)].push_back(top_k(scores.subspan(at, classes), 1)[0]);
  });
  std::vector<int> all;
  for (const auto& part : parts) all.insert(all.end(), part.begin(), part.end());
  return all;
}

double share_equal(const std::vector<int>& a, const std::vector<int>& b) {
  double equal = 0;
  for (size_t i = 0; i < a.size(); ++i) equal += a[i] == b[i];
  return a.empty() ? 0.0 : equal / static_cast<double>(a.size());
}

std::vector<NodeIndex> layers_of(const Graph& graph) {
  std::vector<NodeIndex> layers;
  for (NodeIndex i = 0; i < graph.node_count(); ++i)
    if (ops::op_info(graph.node(i).op).quant.kind == ops::QuantKind::free) layers.push_back(i);
  return layers;
}

}  // namespace

Blame blame(const graph::Model& float_model, const data::Dataset& calibration, const data::Dataset& pictures, int n, const Options& options,
            const ProgressCallback& progress) {
  ThreadPool pool(options.threads);
  const Twin twin = make_twin(float_model, calibration, options, pool, progress);
  const Graph& graph = twin.folded.graph;
  const auto chosen = choose_calibration(pictures, n, options.seed + 1);
  const auto batches = load_batches(twin.folded, pictures, chosen, kTwinBatch, pool);
  std::vector<int> labels;
  for (const int64_t i : chosen) labels.push_back(pictures.label(i));

  auto variant = [&](const std::function<bool(NodeIndex)>& which, bool input) { return answers(insert_fake_quantize(graph, twin.int8, which, input), batches, pool); };
  const auto real = answers(graph, batches, pool), all = variant([](NodeIndex) { return true; }, true);
  Blame result{static_cast<int64_t>(chosen.size()), share_equal(real, labels), share_equal(all, labels), share_equal(all, real), {}};
  const auto layers = layers_of(graph);
  for (const NodeIndex layer : layers) {
    const auto only = variant([&](NodeIndex i) { return i == layer; }, false), without = variant([&](NodeIndex i) { return i != layer; }, true);
    const auto& node = graph.node(layer);
    result.rows.push_back({node.name, std::string(op_name(node.op)), share_equal(only, labels), share_equal(without, labels), share_equal(only, real), share_equal(without, real)});
    if (progress) progress({"blame", static_cast<int64_t>(result.rows.size()), static_cast<int64_t>(layers.size()), "layers"});
  }
  std::stable_sort(result.rows.begin(), result.rows.end(), [](const BlameRow& a, const BlameRow& b) {
    return a.agree_only != b.agree_only ? a.agree_only < b.agree_only : a.agree_without > b.agree_without;
  });
  return result;
}

Json blame_to_json(const Blame& blame) {
  Json rows = Json::array();
  for (const BlameRow& row : blame.rows)
    rows.push_back({{"name", row.name}, {"op", row.op}, {"top1_only", row.top1_only}, {"top1_without", row.top1_without},
                    {"agree_only", row.agree_only}, {"agree_without", row.agree_without}});
  return {{"n", blame.n}, {"top1_float", blame.top1_float}, {"top1_all", blame.top1_all}, {"agree_all", blame.agree_all}, {"layers", rows}};
}

}  // namespace kinglet::quantize
