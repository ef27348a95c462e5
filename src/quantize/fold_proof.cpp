#include "quantize/fold_proof.h"

#include <algorithm>
#include <cmath>
#include <mutex>

#include "base/error.h"
#include "base/statistics.h"
#include "base/thread_pool.h"
#include "quantize/pictures.h"
#include "reference/interpreter.h"

namespace kinglet::quantize {

namespace {

constexpr int kBatch = 8;

int64_t flips(const Tensor& a, const Tensor& b) {
  const auto x = a.data<float>(), y = b.data<float>();
  const auto classes = static_cast<size_t>(a.elements() / a.shape()[0]);
  int64_t count = 0;
  for (size_t i = 0; i < x.size(); i += classes) count += top_k(x.subspan(i, classes), 1) != top_k(y.subspan(i, classes), 1);
  return count;
}

void compare(FoldProof& proof, std::span<const Tensor> a, std::span<const Tensor> b) {
  for (size_t o = 0; o < a.size(); ++o) {
    KINGLET_CHECK(a[o].shape() == b[o].shape());
    const auto x = a[o].data<float>(), y = b[o].data<float>();
    for (size_t i = 0; i < x.size(); ++i) proof.max_output_difference = std::max(proof.max_output_difference, std::abs(double{x[i]} - double{y[i]}));
  }
  proof.n += a[0].shape()[0];
  proof.label_flips += flips(a[0], b[0]);
}

}  // namespace

FoldProof prove_fold(const graph::Graph& before, const graph::Graph& after, std::span<const Tensor> batches, int threads) {
  ThreadPool pool(threads);
  FoldProof proof;
  std::mutex mutex;
  pool.parallel_for(static_cast<int64_t>(batches.size()), [&](int64_t i, int) {
    const std::span<const Tensor> input = batches.subspan(static_cast<size_t>(i), 1);
    const auto a = reference::run(before, input), b = reference::run(after, input);
    const std::lock_guard lock(mutex);
    compare(proof, a, b);
  });
  return proof;
}

FoldProof prove_fold(const graph::Model& before, const graph::Graph& after, const data::Dataset& pictures, int n, uint64_t seed, int threads) {
  ThreadPool pool(threads);
  const auto batches = load_batches(before, pictures, choose_calibration(pictures, n, seed), kBatch, pool);
  return prove_fold(before.graph, after, batches, threads);
}

Json proof_to_json(const FoldProof& proof) {
  return {{"n", proof.n}, {"max_output_difference", proof.max_output_difference}, {"label_flips", proof.label_flips}};
}

}  // namespace kinglet::quantize
