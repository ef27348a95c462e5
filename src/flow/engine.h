// The engine that a name asks for: what `--engine` of run, eval and compare means.
#pragma once

#include <string>

#include "base/progress.h"
#include "data/dataset.h"
#include "eval/accuracy.h"
#include "eval/engine.h"
#include "graph/model.h"

namespace kinglet::flow {

/// "session": this machine's fastest kernels. "portable": the generic kernels of the microcontroller's plan. "reference":
/// the slow oracle. workers 0 means one a processor. `model` must outlive the engine. Throws a usage Error otherwise.
eval::EnginePtr make_engine(const graph::Model& model, ops::Numerics numerics, const std::string& name = "session", int workers = 0);

/// The accuracy of a model, folded where it still trains, on the fastest kernels of this machine.
eval::EvalReport evaluate(const graph::Model& model, const data::Dataset& pictures, ops::Numerics numerics, int threads = 0, const ProgressCallback& progress = {});

}  // namespace kinglet::flow
