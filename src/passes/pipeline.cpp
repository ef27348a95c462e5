#include "passes/pipeline.h"

#include <array>
#include <chrono>

#include "base/error.h"
#include "ops/verify.h"

namespace kinglet::passes {

namespace {

void verify_after(const graph::Graph& graph, const std::string& pass) {
  try {
    ops::verify(graph, "graph");
  } catch (const Error& error) {
    throw Error("after pass " + pass, error.what());
  }
}

}  // namespace

std::span<const Pass> deployment_passes() {
  static constexpr std::array kList{
      Pass{"remove_unused", remove_unused},
      Pass{"remove_dropout", remove_dropout},
      Pass{"fold_constants", fold_constants},
      Pass{"remove_identity", remove_identity},
      Pass{"fuse_pad", fuse_pad},
      Pass{"fold_batch_norm", fold_batch_norm},
      Pass{"fold_linear_branches", fold_linear_branches},
      Pass{"lower_batch_norm", lower_batch_norm},
      Pass{"fuse_activation", fuse_activation},
      Pass{"remove_unused", remove_unused},
  };
  return kList;
}

void run_passes(graph::Graph& graph, std::span<const Pass> list, PipelineReport* report, const DumpCallback& dump) {
  for (const Pass& pass : list) {
    PassReport entry{std::string(pass.name), 0.0, graph.node_count(), 0, 0, {}};
    PassLog log;
    const auto start = std::chrono::steady_clock::now();
    pass.run(graph, log);
    entry.time_ms = std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
    verify_after(graph, entry.name);
    entry.nodes_after = graph.node_count();
    entry.changes = log.changes;
    entry.notes = std::move(log.notes);
    if (report) report->passes.push_back(std::move(entry));
    if (dump) dump(pass.name, graph);
  }
}

void fold_for_deployment(graph::Graph& graph, PipelineReport* report, const DumpCallback& dump) {
  run_passes(graph, deployment_passes(), report, dump);
}

Json report_to_json(const PipelineReport& report) {
  Json list = Json::array();
  for (const PassReport& pass : report.passes)
    if (pass.changes > 0 || !pass.notes.empty())
      list.push_back({{"pass", pass.name}, {"changes", pass.changes}, {"nodes_before", pass.nodes_before},
                      {"nodes_after", pass.nodes_after}, {"notes", pass.notes}});
  return list;
}

}  // namespace kinglet::passes
