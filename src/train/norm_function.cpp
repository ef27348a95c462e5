#include "train/norm_function.h"

#include <torch/csrc/autograd/custom_function.h>

#include <cmath>

#include "train/running_statistics.h"
#include "train/torch_pixels.h"

namespace kinglet::train {

namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

void update_running(const NormParameters& p, const PixelMoments& moments, int64_t rows) {
  float *mean = p.running_mean.data_ptr<float>(), *variance = p.running_var.data_ptr<float>();
  const double unbiased = unbiased_factor(rows);
  for (size_t c = 0; c < moments.mean.size(); ++c) {
    move_running(mean[c], moments.mean[c], p.momentum);
    move_running(variance[c], moments.variance[c] * unbiased, p.momentum);
  }
}

/// What backward needs beside x, y and gamma.
struct Held : torch::CustomClassHolder {
  graph::Activation activation;
  std::vector<double> mean, inverse_deviation;
};

class NormFunction : public torch::autograd::Function<NormFunction> {
 public:
  static at::Tensor forward(AutogradContext* context, const at::Tensor& x_in, const at::Tensor& gamma, const at::Tensor& beta, const NormParameters* p,
                            graph::Activation activation) {
    const auto x = x_in.contiguous();
    const Pixels pixels = pixels_of(x);
    auto moments = pixel_moments(pixels, torch_parallel_for);
    update_running(*p, moments, pixels.rows);
    auto held = c10::make_intrusive<Held>();
    held->activation = activation;
    const size_t n = moments.mean.size();
    std::vector<float> scale(n), offset(n);
    for (size_t c = 0; c < n; ++c) {
      held->inverse_deviation.push_back(1.0 / std::sqrt(moments.variance[c] + p->eps));
      const double factor = gamma.data_ptr<float>()[c] * held->inverse_deviation[c];
      scale[c] = static_cast<float>(factor);
      offset[c] = static_cast<float>(beta.data_ptr<float>()[c] - factor * moments.mean[c]);
    }
    held->mean = std::move(moments.mean);
    at::Tensor y = at::empty(x.sizes());
    scale_pixels(pixels, scale, offset, activation, y.data_ptr<float>(), torch_parallel_for);
    context->save_for_backward({x, y, gamma});
    context->saved_data["held"] = c10::IValue::make_capsule(held);
    return y;
  }

  /// Ioffe and Szegedy 2015, section 3, solved for dx = scale d + slope x + offset.
  static variable_list backward(AutogradContext* context, variable_list grads) {
    const auto holder = context->saved_data["held"].toCapsule();
    const auto& held = static_cast<const Held&>(*holder);
    const auto saved = context->get_saved_variables();
    const Pixels x = pixels_of(saved[0]);
    const auto dy = grads[0].contiguous();
    const MaskedGradient d{pixels_of(dy), saved[1].data_ptr<float>(), held.activation};
    const size_t n = held.mean.size();
    const std::vector<float> centre(held.mean.begin(), held.mean.end());
    const ScaleSums sums = sum_scaled_gradient(d, x, centre, torch_parallel_for);
    at::Tensor dgamma = at::empty({static_cast<int64_t>(n)}), dbeta = at::empty({static_cast<int64_t>(n)}), dx = at::empty(saved[0].sizes());
    std::vector<float> scale(n), slope(n), offset(n);
    for (size_t c = 0; c < n; ++c) {
      const double inverse = held.inverse_deviation[c], factor = saved[2].data_ptr<float>()[c] * inverse;
      const double through = -factor * inverse * inverse * sums.product[c] / double(x.rows);
      dgamma.data_ptr<float>()[c] = static_cast<float>(sums.product[c] * inverse);
      dbeta.data_ptr<float>()[c] = static_cast<float>(sums.gradient[c]);
      scale[c] = static_cast<float>(factor);
      slope[c] = static_cast<float>(through);
      offset[c] = static_cast<float>(-factor * sums.gradient[c] / double(x.rows) - through * held.mean[c]);
    }
    scale_gradient(d, x, scale, slope, offset, dx.data_ptr<float>(), torch_parallel_for);
    return {dx, dgamma, dbeta, at::Tensor(), at::Tensor()};
  }
};

}  // namespace

at::Tensor apply_norm(const at::Tensor& x, const NormParameters& parameters, graph::Activation activation) {
  return NormFunction::apply(x, parameters.gamma, parameters.beta, &parameters, activation);
}

}  // namespace kinglet::train
