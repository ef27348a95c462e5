#include "eval/latency.h"

#include <chrono>

#include "base/cpu.h"
#include "base/error.h"
#include "base/random.h"
#include "base/statistics.h"
#include "eval/peak.h"
#include "runtime/session.h"

namespace kinglet::eval {

namespace {

using Clock = std::chrono::steady_clock;

double microseconds(Clock::duration d) { return std::chrono::duration<double, std::micro>(d).count(); }

/// Input and output tensors of a plan. Float inputs lie in [0, 1): a random bit pattern could be a denormal, which is slow.
class Ports {
 public:
  Ports(const plan::Plan& plan, uint64_t seed) {
    RandomStream random(seed, 0, 0, Purpose::draw);
    for (const auto& port : plan.inputs) {
      Tensor& tensor = inputs_.emplace_back(port.dtype, port.shape);
      if (port.dtype == DType::f32)
        for (float& v : tensor.mutable_data<float>()) v = static_cast<float>(random.uniform());
      else
        for (std::byte& v : tensor.mutable_bytes()) v = static_cast<std::byte>(random.below(256));
    }
    for (const auto& port : plan.outputs) outputs_.emplace_back(port.dtype, port.shape);
    for (auto& tensor : inputs_) from_.push_back(tensor.mutable_bytes().data());
    for (auto& tensor : outputs_) to_.push_back(tensor.mutable_bytes().data());
  }
  void run(runtime::Session& session) { session.run(from_, to_); }

 private:
  std::vector<Tensor> inputs_, outputs_;
  std::vector<const void*> from_;
  std::vector<void*> to_;
};

std::vector<double> time_runs(runtime::Session& session, Ports& ports, int runs) {
  std::vector<double> times(static_cast<size_t>(runs));
  for (double& time : times) {
    const auto start = Clock::now();
    ports.run(session);
    time = microseconds(Clock::now() - start);
  }
  return times;
}

std::vector<LayerTime> time_layers(runtime::Session& session, Ports& ports, int runs) {
  const auto& steps = session.plan().steps;
  std::vector<std::vector<double>> times(steps.size(), std::vector<double>(static_cast<size_t>(runs)));
  size_t run = 0;
  Clock::time_point last;
  session.set_tap([&](int step, std::span<const std::byte>) {
    const auto now = Clock::now();
    times[static_cast<size_t>(step)][run] = microseconds(now - last);
    last = Clock::now();
  });
  for (; run < static_cast<size_t>(runs); ++run) {
    last = Clock::now();
    ports.run(session);
  }
  session.set_tap(nullptr);
  std::vector<LayerTime> layers;
  for (size_t i = 0; i < steps.size(); ++i)
    layers.push_back({steps[i].node, std::string(plan::kernel_name(steps[i].kernel)), steps[i].shape.str(), steps[i].macs, median(times[i])});
  return layers;
}

/// The type that the multiply-accumulates are done in: that of the step with most of them.
DType main_type(const plan::Plan& plan) {
  const plan::Step* heaviest = nullptr;
  for (const auto& step : plan.steps)
    if (!heaviest || step.macs > heaviest->macs) heaviest = &step;
  return heaviest ? heaviest->dtype : DType::f32;
}

}  // namespace

BenchReport bench(const plan::Plan& plan, const BenchOptions& options) {
  if (options.runs < 1) throw Error("bench", "needs at least 1 run, not " + std::to_string(options.runs), "", ErrorKind::usage);
  runtime::Session session(plan);
  Ports ports(plan, options.seed);
  time_runs(session, ports, options.warm_up);
  const auto times = time_runs(session, ports, options.runs);
  BenchReport report;
  report.machine = cpu_name();
  report.isa = plan::isa_name(plan.target.isa);
  report.target = plan.target.name;
  report.numerics = ops::numerics_name(plan.target.numerics);
  report.runs = options.runs;
  report.warm_up = options.warm_up;
  report.min_us = quantile(times, 0.0);
  report.median_us = median(times);
  report.p95_us = quantile(times, 0.95);
  report.macs = plan.macs();
  report.arena_bytes = plan.arena_bytes;
  report.constant_bytes = plan.constant_bytes();
  if (options.peak) report.peak_gmacs_per_s = peak_gmacs_per_s(plan.target.isa, main_type(plan));
  if (options.layers) report.layers = time_layers(session, ports, options.runs);
  return report;
}

}  // namespace kinglet::eval
