#include "train/affine_function.h"

#include <torch/csrc/autograd/custom_function.h>

#include "train/torch_pixels.h"

namespace kinglet::train {

namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

at::Tensor map_tensor(const at::Tensor& z, const AffineMap& map, graph::Activation activation) {
  auto sizes = z.sizes().vec();
  sizes.back() = static_cast<int64_t>(map.offset.size());
  at::Tensor y = at::empty(sizes);
  map_pixels(pixels_of(z), map.matrix, map.offset, activation, y.data_ptr<float>(), torch_parallel_for);
  return y;
}

/// What backward needs beside z and y.
struct StepTape : torch::CustomClassHolder {
  StepTape(const AffineRegion& r, AffineTape t, std::vector<double> m, const std::vector<float*>& g)
      : region(r), tape(std::move(t)), mean(std::move(m)), gradients(g) {}
  const AffineRegion& region;
  AffineTape tape;
  std::vector<double> mean;
  const std::vector<float*>& gradients;
};

/// dz through mu and S: ((G + G^T) (z - mu) + dmu) / pixels, as a map of z.
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

class AffineFunction : public torch::autograd::Function<AffineFunction> {
 public:
  static at::Tensor forward(AutogradContext* context, const at::Tensor& z_in, const at::Tensor& anchor, const AffineRegion* region,
                            const AffineSlots* slots, const std::vector<float*>* gradients) {
    (void)anchor;
    const auto z = z_in.contiguous();
    const Pixels pixels = pixels_of(z);
    auto mean = pixel_mean(pixels, torch_parallel_for);
    const auto covariance = pixel_covariance(pixels, mean, torch_parallel_for);
    AffineTape tape(*region, *slots, mean, covariance, pixels.rows);
    auto y = map_tensor(z, tape.map(), region->activation);
    context->save_for_backward({z, y});
    context->saved_data["tape"] = c10::IValue::make_capsule(c10::make_intrusive<StepTape>(*region, std::move(tape), std::move(mean), *gradients));
    return y;
  }

  static variable_list backward(AutogradContext* context, variable_list grads) {
    const auto holder = context->saved_data["tape"].toCapsule();
    const auto& step = static_cast<const StepTape&>(*holder);
    const auto saved = context->get_saved_variables();
    const auto dy = grads[0].contiguous();
    const MaskedGradient d{pixels_of(dy), saved[1].data_ptr<float>(), step.region.activation};
    const Pixels z = pixels_of(saved[0]);
    const MapSums sums = sum_gradient(d, z, torch_parallel_for);
    const auto gradients = step.tape.backward(sums.matrix, sums.offset);
    add_parameter_gradients(gradients, step.gradients);
    const AffineMap through = statistics_gradient(gradients, step.mean, z.rows);
    at::Tensor dz = at::empty(saved[0].sizes());
    map_gradient(d, step.tape.map().matrix, z, through.matrix, through.offset, dz.data_ptr<float>(), torch_parallel_for);
    return {dz, at::zeros({}), at::Tensor(), at::Tensor(), at::Tensor()};
  }
};

}  // namespace

at::Tensor apply_affine_region(const AffineRegion& region, const AffineSlots& slots, const std::vector<float*>& gradients, const at::Tensor& z,
                               const at::Tensor& anchor) {
  return AffineFunction::apply(z, anchor, &region, &slots, &gradients);
}

at::Tensor apply_affine_map(const AffineMap& map, graph::Activation activation, const at::Tensor& z) {
  return map_tensor(z.contiguous(), map, activation);
}

}  // namespace kinglet::train
