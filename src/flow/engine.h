// The engine that a name asks for: what `--engine` of run, eval and compare means.
#pragma once

#include <string>

#include "eval/engine.h"
#include "graph/model.h"

namespace kinglet::flow {

/// "session": this machine's fastest kernels. "portable": the generic kernels of the microcontroller's plan. "reference":
/// the slow oracle. workers 0 means one a processor. `model` must outlive the engine. Throws a usage Error otherwise.
eval::EnginePtr make_engine(const graph::Model& model, ops::Numerics numerics, const std::string& name = "session", int workers = 0);

}  // namespace kinglet::flow
