#include "train/affine_function.h"

#include <ATen/Parallel.h>
#include <torch/csrc/autograd/custom_function.h>

#include <memory>

#include "train/pixel_sums.h"

namespace kinglet::train {

namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

void torch_parallel_for(int64_t n, const std::function<void(int64_t, int64_t)>& body) { at::parallel_for(0, n, 1, body); }

std::vector<float> narrowed(std::span<const double> values) { return {values.begin(), values.end()}; }

at::Tensor owned(std::span<const double> values, at::IntArrayRef shape) {
  auto floats = narrowed(values);
  return at::from_blob(floats.data(), shape, at::kFloat).clone();
}

/// x (rows of c0 channels, NHWC) times matrix^T plus offset, by the convolution kernels: plain matrix products run on whatever
/// BLAS is installed, which may be the slow reference one.
at::Tensor multiply_rows(const at::Tensor& x, std::span<const double> matrix, std::span<const double> offset) {
  const int64_t c = static_cast<int64_t>(offset.size()), c0 = x.size(-1);
  const auto weight = owned(matrix, {c, 1, 1, c0}).permute({0, 3, 1, 2});
  return at::conv2d(x.permute({0, 3, 1, 2}), weight, owned(offset, {c})).permute({0, 2, 3, 1}).contiguous();
}

/// What backward needs beside z.
struct StepTape {
  AffineTape tape;
  std::vector<double> mean;
  const std::vector<float*>* gradients;
};

std::vector<double> transposed(const std::vector<double>& m, size_t rows, size_t columns) {
  std::vector<double> t(m.size());
  for (size_t i = 0; i < rows; ++i)
    for (size_t j = 0; j < columns; ++j) t[j * rows + i] = m[i * columns + j];
  return t;
}

/// dz through mu and S: ((G + G^T) (z - mu) + dmu) / pixels, as the map of z.
AffineMap statistics_gradient(const AffineTape::Gradients& gradients, const std::vector<double>& mean, int64_t pixels) {
  const size_t c = mean.size();
  AffineMap map{std::vector<double>(c * c), gradients.mean};
  for (size_t i = 0; i < c; ++i)
    for (size_t j = 0; j < c; ++j) map.matrix[i * c + j] = (gradients.covariance[i * c + j] + gradients.covariance[j * c + i]) / double(pixels);
  for (size_t i = 0; i < c; ++i) {
    map.offset[i] /= double(pixels);
    for (size_t j = 0; j < c; ++j) map.offset[i] -= map.matrix[i * c + j] * mean[j];
  }
  return map;
}

void add_parameter_gradients(const AffineTape::Gradients& gradients, const std::vector<float*>& into) {
  for (size_t p = 0; p < into.size(); ++p)
    if (into[p])
      for (size_t i = 0; i < gradients.parameters[p].size(); ++i) into[p][i] += static_cast<float>(gradients.parameters[p][i]);
}

AffineTape make_tape(const AffineRegion& region, const AffineSlots& slots, const at::Tensor& z, std::vector<double>& mean) {
  const int c = static_cast<int>(z.size(-1));
  const int64_t pixels = z.numel() / c;
  const float* data = z.data_ptr<float>();
  mean = column_sums(data, pixels, c, torch_parallel_for);
  for (double& m : mean) m /= double(pixels);
  // The shift is the mean as a float; what rounding leaves of it changes S by less than eps^2 of the mean's square.
  const auto shift = narrowed(mean);
  auto covariance = outer_sums(data, shift.data(), c, data, c, pixels, torch_parallel_for);
  for (double& s : covariance) s /= double(pixels);
  return AffineTape(region, slots, mean, covariance, pixels);
}

}  // namespace

class AffineFunction : public torch::autograd::Function<AffineFunction> {
 public:
  static at::Tensor forward(AutogradContext* context, const at::Tensor& z_in, const at::Tensor& anchor, const AffineRegion* region,
                            const AffineSlots* slots, const std::vector<float*>* gradients) {
    (void)anchor;
    const auto z = z_in.contiguous();
    std::vector<double> mean;
    auto tape = make_tape(*region, *slots, z, mean);
    auto y = multiply_rows(z, tape.map().matrix, tape.map().offset);
    auto step = std::make_shared<StepTape>(StepTape{std::move(tape), std::move(mean), gradients});
    context->save_for_backward({z});
    context->saved_data["tape"] = c10::IValue(reinterpret_cast<int64_t>(new std::shared_ptr<StepTape>(step)));
    return y;
  }

  static variable_list backward(AutogradContext* context, variable_list grads) {
    const std::unique_ptr<std::shared_ptr<StepTape>> step(reinterpret_cast<std::shared_ptr<StepTape>*>(context->saved_data["tape"].toInt()));
    const StepTape& tape = **step;
    const auto z = context->get_saved_variables()[0];
    const auto dy = grads[0].contiguous();
    const int c = static_cast<int>(dy.size(-1)), c0 = static_cast<int>(z.size(-1));
    const int64_t pixels = z.numel() / c0;
    const auto da = outer_sums(dy.data_ptr<float>(), nullptr, c, z.data_ptr<float>(), c0, pixels, torch_parallel_for);
    const auto db = column_sums(dy.data_ptr<float>(), pixels, c, torch_parallel_for);
    const auto gradients = tape.tape.backward(da, db);
    add_parameter_gradients(gradients, *tape.gradients);
    const auto through_statistics = statistics_gradient(gradients, tape.mean, pixels);
    const std::vector<double> zeros(static_cast<size_t>(c0), 0.0);
    auto dz = multiply_rows(dy, transposed(tape.tape.map().matrix, static_cast<size_t>(c), static_cast<size_t>(c0)), zeros);
    dz.add_(multiply_rows(z, through_statistics.matrix, through_statistics.offset));
    return {dz, at::zeros({}), at::Tensor(), at::Tensor(), at::Tensor()};
  }
};

at::Tensor apply_affine_region(const AffineRegion& region, const AffineSlots& slots, const std::vector<float*>& gradients, const at::Tensor& z,
                               const at::Tensor& anchor) {
  return AffineFunction::apply(z, anchor, &region, &slots, &gradients);
}

at::Tensor apply_affine_map(const AffineMap& map, const at::Tensor& z) { return multiply_rows(z, map.matrix, map.offset); }

}  // namespace kinglet::train
