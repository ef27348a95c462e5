// Would a model run there? Each node and the interface held against a profile; what fails is named with what to change.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/json.h"
#include "flow/profile.h"
#include "graph/model.h"

namespace kinglet::flow {

/// error: will not run. warning: runs, but elsewhere or slower than it could. info: worth knowing.
enum class Severity : uint8_t { info, warning, error };

struct Finding {
  Severity severity = Severity::error;
  std::string node;  ///< name of the node, "input NAME", "output NAME" or "model"
  std::string op;    ///< empty where it is no node
  std::string reason, hint;
};

struct CheckReport {
  std::string model, profile, title;
  std::vector<Finding> findings;        ///< the model's own first, then in graph order
  int64_t nodes = 0, native_nodes = 0;  ///< native: run by what the profile describes, not by its fallback
  int64_t macs = 0, native_macs = 0;
  std::vector<std::string> sources, notes;

  bool ok() const;  ///< no error
};

/// `model` is folded first when it still trains. A node that the profile refuses and its fallback takes is a warning.
CheckReport check(const graph::Model& model, const Profile& profile);

/// ok, profile, title, findings[].{severity, node, op, reason, hint}, nodes, native_nodes, macs, native_macs, sources[], notes[].
Json check_report_to_json(const CheckReport& report);
std::string_view severity_name(Severity severity);

}  // namespace kinglet::flow
