#include "passes/passes.h"
#include "passes/rewrite.h"

namespace kinglet::passes {

void remove_dropout(graph::Graph& graph, PassLog& log) {
  for (graph::NodeIndex i = 0; i < graph.node_count();) {
    if (graph.node(i).op != graph::OpKind::Dropout) {
      ++i;
      continue;
    }
    bypass(graph, i);
    ++log.changes;
  }
  graph.remove_unused();
}

}  // namespace kinglet::passes
