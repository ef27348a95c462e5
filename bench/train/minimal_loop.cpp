// The same network as a plain libtorch program would train it: torch::nn modules, channels-last, SGD, the data already in
// memory. Prints its pictures/s, the trainer's for the same batch, and the ratio.
//   bench_train [threads] [steps]
#include <torch/torch.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <vector>

#include "train/environment.h"
#include "train/network.h"
#include "train/optimizer.h"
#include "zoo/zoo.h"

namespace {

namespace nn = torch::nn;
constexpr int64_t kBatch = 128;

nn::Conv2d conv(int64_t in, int64_t out, int64_t kernel, int64_t stride, bool bias) {
  return nn::Conv2d(nn::Conv2dOptions(in, out, kernel).stride(stride).padding(kernel / 2).bias(bias));
}

struct RepConvImpl : nn::Module {
  RepConvImpl(int64_t in, int64_t out, int64_t stride)
      : first(register_module("first", conv(in, out, 3, stride, true))), norm(register_module("norm", nn::BatchNorm2d(out))),
        dense(register_module("dense", nn::BatchNorm2d(out))) {
    for (int i = 0; i < 6; ++i) {
      convs->push_back(conv(out, out, 1, 1, true));
      norms->push_back(nn::BatchNorm2d(out));
      identities->push_back(nn::BatchNorm2d(out));
    }
    register_module("convs", convs);
    register_module("norms", norms);
    register_module("identities", identities);
  }
  torch::Tensor forward(const torch::Tensor& x) {
    const auto x0 = norm(first(x)), shared = dense(x0);
    auto y = x0;
    for (size_t i = 0; i < 6; ++i) {
      auto next = norms[i]->as<nn::BatchNorm2d>()->forward(convs[i]->as<nn::Conv2d>()->forward(y)) + identities[i]->as<nn::BatchNorm2d>()->forward(y);
      y = i > 0 ? next + shared : next;
    }
    return torch::relu(y);
  }
  nn::Conv2d first;
  nn::BatchNorm2d norm, dense;
  nn::ModuleList convs, norms, identities;
};
TORCH_MODULE(RepConv);

struct NetImpl : nn::Module {
  NetImpl() : stem(register_module("stem", conv(3, 16, 3, 2, false))), norm(register_module("norm", nn::BatchNorm2d(16))), head(register_module("head", nn::Linear(32, 10))) {
    const int64_t shapes[][3] = {{16, 16, 1}, {16, 16, 2}, {16, 16, 1}, {16, 32, 2}, {32, 32, 1}, {32, 32, 1}};
    for (const auto& s : shapes) blocks->push_back(RepConv(s[0], s[1], s[2]));
    register_module("blocks", blocks);
  }
  torch::Tensor forward(torch::Tensor x) {
    x = torch::relu6(norm(stem(x)));
    for (const auto& block : *blocks) x = block->as<RepConv>()->forward(x);
    return head(x.mean({2, 3}));
  }
  nn::Conv2d stem;
  nn::BatchNorm2d norm;
  nn::Linear head;
  nn::ModuleList blocks;
};
TORCH_MODULE(Net);

/// Pictures a second of the fastest third of the steps: other programs on the machine slow the rest.
template <class Step>
double pictures_per_s(int steps, const Step& step) {
  for (int i = 0; i < 3; ++i) step();
  std::vector<double> seconds;
  for (int i = 0; i < steps; ++i) {
    const auto start = std::chrono::steady_clock::now();
    step();
    seconds.push_back(std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
  }
  std::sort(seconds.begin(), seconds.end());
  double sum = 0;
  const size_t kept = std::max<size_t>(1, seconds.size() / 3);
  for (size_t i = 0; i < kept; ++i) sum += seconds[i];
  return double(kBatch) * double(kept) / sum;
}

double run_minimal(int steps) {
  torch::manual_seed(1);
  Net net;
  for (auto& p : net->parameters())
    if (p.dim() == 4) p.set_data(p.contiguous(torch::MemoryFormat::ChannelsLast));
  torch::optim::SGD optimizer(net->parameters(), torch::optim::SGDOptions(0.1).momentum(0.9).nesterov(true).weight_decay(1e-4));
  const auto x = torch::rand({kBatch, 3, 32, 32}).contiguous(torch::MemoryFormat::ChannelsLast);
  const auto y = torch::arange(kBatch) % 10;
  return pictures_per_s(steps, [&] {
    optimizer.zero_grad();
    torch::nn::functional::cross_entropy(net(x), y).backward();
    optimizer.step();
  });
}

double run_kinglet(int steps) {
  using namespace kinglet;
  const auto graph = zoo::build("mobilenet_v2_rep@0.35,32x32x3,10", 1).graph;
  train::Network network(graph);
  train::Recipe recipe;
  train::Optimizer optimizer(recipe, network.parameters());
  train::MovingAverage average(0.999, network.parameters());
  train::Batch batch;
  batch.input = Tensor(DType::f32, Shape{kBatch, 32, 32, 3});
  for (float& v : batch.input.mutable_data<float>()) v = static_cast<float>(std::rand()) / static_cast<float>(RAND_MAX);
  batch.targets = Tensor(DType::f32, Shape{kBatch, 10});
  for (int64_t i = 0; i < kBatch; ++i) batch.targets.mutable_data<float>()[static_cast<size_t>(i * 10 + i % 10)] = 1;
  return pictures_per_s(steps, [&] {
    network.train_step(batch);
    optimizer.step(network.parameters(), 0.1);
    average.update(network.parameters());
  });
}

}  // namespace

int main(int argc, char** argv) {
  kinglet::train::prepare_environment(argv);
  const int threads = argc > 1 ? std::atoi(argv[1]) : 1, steps = argc > 2 ? std::atoi(argv[2]) : 60;
  kinglet::train::set_torch_threads(threads);
  const double minimal = run_minimal(steps), ours = run_kinglet(steps);
  std::printf("mobilenet_v2_rep@0.35 32x32x3, batch %d, %d thread(s), %d steps, fastest third\n", static_cast<int>(kBatch), threads, steps);
  std::printf("minimal libtorch loop  %8.0f pictures/s\nkinglet trainer        %8.0f pictures/s\nratio                  %8.2f\n", minimal, ours, ours / minimal);
}
