#include "eval/engine.h"

#include <algorithm>
#include <cstring>

#include "base/cpu.h"
#include "base/error.h"
#include "base/thread_pool.h"
#include "reference/interpreter.h"

namespace kinglet::eval {

namespace {

size_t picture_bytes(const graph::Value& value) { return static_cast<size_t>(value.shape.elements()) * dtype_bytes(value.dtype); }

graph::Value type_of(const graph::Value& value) {
  graph::Value type = value;
  type.constant.reset();
  return type;
}

class ReferenceEngine final : public Engine {
 public:
  ReferenceEngine(const graph::Graph& graph, ops::Numerics numerics, int workers) : Engine(graph, "reference", workers), graph_(graph) {
    options_.numerics = numerics;
  }

  void run(std::span<const std::byte> input, std::span<std::byte> output, int) override {
    std::vector<Tensor> tensors;
    for (const auto& value : inputs()) {
      Tensor tensor(value.dtype, value.shape);
      std::memcpy(tensor.mutable_bytes().data(), input.data(), tensor.size_bytes());
      input = input.subspan(tensor.size_bytes());
      tensors.push_back(std::move(tensor));
    }
    for (const Tensor& tensor : reference::run(graph_, tensors, options_)) {
      std::memcpy(output.data(), tensor.bytes().data(), tensor.size_bytes());
      output = output.subspan(tensor.size_bytes());
    }
  }

 private:
  const graph::Graph& graph_;
  reference::RunOptions options_;
};

void mark_class(const graph::Value& value, std::span<const std::byte> bytes, std::span<float> scores) {
  int64_t wide = 0;
  int32_t narrow = 0;
  if (value.dtype == DType::s64) std::memcpy(&wide, bytes.data(), sizeof wide);
  else std::memcpy(&narrow, bytes.data(), sizeof narrow), wide = narrow;
  if (wide < 0 || wide >= static_cast<int64_t>(scores.size()))
    throw Error("output " + value.name, "names class " + std::to_string(wide) + " of " + std::to_string(scores.size()));
  std::fill(scores.begin(), scores.end(), 0.0f);
  scores[static_cast<size_t>(wide)] = 1.0f;
}

template <class T>
void dequantize(const graph::QuantParams& quant, std::span<const std::byte> bytes, std::span<float> scores) {
  const auto* q = reinterpret_cast<const T*>(bytes.data());
  for (size_t i = 0; i < scores.size(); ++i) scores[i] = quant.scale[0] * static_cast<float>(q[i] - quant.zero_point[0]);
}

}  // namespace

Engine::Engine(const graph::Graph& graph, std::string name, int workers)
    : name_(std::move(name)), workers_(workers > 0 ? workers : cpu_count()) {
  for (auto id : graph.inputs) inputs_.push_back(type_of(graph.value(id)));
  for (auto id : graph.outputs) outputs_.push_back(type_of(graph.value(id)));
  for (const auto& value : inputs_) input_bytes_ += picture_bytes(value);
  for (const auto& value : outputs_) output_bytes_ += picture_bytes(value);
}

EnginePtr reference_engine(const graph::Graph& graph, ops::Numerics numerics, int workers) {
  return std::make_unique<ReferenceEngine>(graph, numerics, workers);
}

std::vector<std::byte> run_raw(Engine& engine, std::span<const std::byte> pictures, const std::string& where) {
  const size_t in = engine.input_bytes(), out = engine.output_bytes();
  if (pictures.empty() || pictures.size() % in != 0)
    throw Error(where, "holds " + std::to_string(pictures.size()) + " bytes, which is no whole number of pictures",
                "one picture of this model is " + std::to_string(in) + " bytes");
  const size_t n = pictures.size() / in;
  std::vector<std::byte> outputs(n * out);
  ThreadPool pool(engine.workers());
  pool.parallel_for(static_cast<int64_t>(n), [&](int64_t i, int worker) {
    const auto at = static_cast<size_t>(i);
    engine.run(pictures.subspan(at * in, in), std::span(outputs).subspan(at * out, out), worker);
  });
  return outputs;
}

bool is_class_index(const graph::Value& value) {
  return (value.dtype == DType::s32 || value.dtype == DType::s64) && value.quant.empty() && value.shape.elements() == 1;
}

void read_scores(const graph::Value& value, std::span<const std::byte> bytes, std::span<float> scores) {
  if (is_class_index(value)) return mark_class(value, bytes, scores);
  if (value.dtype == DType::f32) {
    std::memcpy(scores.data(), bytes.data(), scores.size_bytes());
    return;
  }
  const bool is_byte = value.dtype == DType::s8 || value.dtype == DType::u8;
  if (!is_byte || value.quant.empty() || value.quant.per_channel())
    throw Error("output " + value.name, "of type " + std::string(dtype_name(value.dtype)) + " cannot be read as class scores",
                "scores are float32, or int8 or uint8 with one scale and zero point");
  if (value.dtype == DType::s8) return dequantize<int8_t>(value.quant, bytes, scores);
  dequantize<uint8_t>(value.quant, bytes, scores);
}

}  // namespace kinglet::eval
