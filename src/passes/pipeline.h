// Runs passes in order: each named, timed, verified after, and shown to a callback.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "graph/graph.h"
#include "passes/passes.h"

namespace kinglet::passes {

struct Pass {
  std::string_view name;
  void (*run)(graph::Graph&, PassLog&);
};

struct PassReport {
  std::string name;
  double time_ms = 0;
  int nodes_before = 0, nodes_after = 0;
  int changes = 0;
  std::vector<std::string> notes;
};

struct PipelineReport {
  std::vector<PassReport> passes;
};

/// [{"pass", "changes", "nodes_before", "nodes_after", "notes"[]}], passes that changed or noted something only; no times,
/// so that provenance of the same work is the same text.
Json report_to_json(const PipelineReport& report);

/// Called after each pass with the Graph as it left it.
using DumpCallback = std::function<void(std::string_view pass, const graph::Graph& graph)>;

/// Runs `list` and ops::verify after every pass; an Error of verify names the pass.
void run_passes(graph::Graph& graph, std::span<const Pass> list, PipelineReport* report = nullptr, const DumpCallback& dump = {});

/// The standard list that makes a trained or imported Graph ready for quantization, export and planning: no BatchNorm,
/// Dropout or separate activations that could be fused. The outputs keep their names.
std::span<const Pass> deployment_passes();
void fold_for_deployment(graph::Graph& graph, PipelineReport* report = nullptr, const DumpCallback& dump = {});

}  // namespace kinglet::passes
