#include "passes/passes.h"

namespace kinglet::passes {

void remove_unused(graph::Graph& graph, PassLog& log) {
  const int nodes = graph.node_count(), values = graph.value_count();
  graph.remove_unused();
  log.changes += nodes - graph.node_count() + (values - graph.value_count());
}

}  // namespace kinglet::passes
