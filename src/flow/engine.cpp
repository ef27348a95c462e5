#include "flow/engine.h"

#include "base/did_you_mean.h"
#include "base/error.h"
#include "flow/deploy.h"

namespace kinglet::flow {

eval::EnginePtr make_engine(const graph::Model& model, ops::Numerics numerics, const std::string& name, int workers) {
  if (name == "session") return eval::session_engine(model.graph, plan::host_target(numerics), workers);
  if (name == "portable") return eval::session_engine(model.graph, plan::portable_target(numerics), workers);
  if (name == "reference") return eval::reference_engine(model.graph, numerics, workers);
  static const std::vector<std::string> known{"session", "portable", "reference"};
  throw Error("--engine", "'" + name + "' is not known", did_you_mean(name, known), ErrorKind::usage);
}

eval::EvalReport evaluate(const graph::Model& model, const data::Dataset& pictures, ops::Numerics numerics, int threads, const ProgressCallback& progress) {
  const auto deployed = deployable(model);
  auto engine = make_engine(deployed, numerics, "session", threads);
  eval::EvalOptions options;
  options.progress = progress;
  return eval::evaluate(*engine, deployed, pictures, options);
}

}  // namespace kinglet::flow
