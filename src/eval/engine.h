// What runs a model, one picture at a time: the Session of the runtime, or the slow reference that is its oracle.
// Everything that measures a model speaks to this and cannot tell the two apart.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "graph/graph.h"
#include "ops/numerics.h"
#include "plan/plan.h"

namespace kinglet::eval {

class Engine {
 public:
  /// `workers` pictures can be under way at once, each in its own worker's memory.
  Engine(const graph::Graph& graph, std::string name, int workers);
  virtual ~Engine() = default;
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  const std::string& name() const { return name_; }  ///< "session (avx2)", "reference"
  int workers() const { return workers_; }
  /// Types of the graph's inputs and outputs, dimension 0 being 1; constants are left out.
  const std::vector<graph::Value>& inputs() const { return inputs_; }
  const std::vector<graph::Value>& outputs() const { return outputs_; }
  size_t input_bytes() const { return input_bytes_; }    ///< of one picture: all inputs one after another
  size_t output_bytes() const { return output_bytes_; }  ///< of one picture: all outputs one after another

  /// One picture. Spans are input_bytes() and output_bytes() long; two calls at a time need two workers
  /// (0 .. workers()-1).
  virtual void run(std::span<const std::byte> input, std::span<std::byte> output, int worker) = 0;

 private:
  std::string name_;
  int workers_;
  std::vector<graph::Value> inputs_, outputs_;
  size_t input_bytes_ = 0, output_bytes_ = 0;
};

using EnginePtr = std::unique_ptr<Engine>;

/// The reference interpreter; `graph` must outlive the engine. workers 0 means one a processor.
EnginePtr reference_engine(const graph::Graph& graph, ops::Numerics numerics = ops::Numerics::tflm, int workers = 0);

/// The runtime: one Plan for `target`, one Session a worker. Errors as of plan::make_plan. workers 0 means one a processor.
EnginePtr session_engine(const graph::Graph& graph, const plan::Target& target, int workers = 0);

/// Runs pictures that lie one after another in the model's own input type; returns the outputs in the same order.
/// Throws Error(where, ...) when the bytes are no whole number of pictures, or none.
std::vector<std::byte> run_raw(Engine& engine, std::span<const std::byte> pictures, const std::string& where);

/// One output Value's bytes as real numbers: float32 as it is, int8 and uint8 through its scale and zero point; of a class
/// index the number of the class becomes 1 and all others 0.
/// Throws Error for other types, for integers without quantization and for an index outside `scores`.
void read_scores(const graph::Value& value, std::span<const std::byte> bytes, std::span<float> scores);

/// A network that ends in ARG_MAX: its output is one integer, the number of the class.
bool is_class_index(const graph::Value& value);

}  // namespace kinglet::eval
