#include "train/depthwise_function.h"

#include <torch/csrc/autograd/custom_function.h>

#include "train/depthwise_gradient.h"
#include "train/torch_pixels.h"

namespace kinglet::train {

namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

struct Held : torch::CustomClassHolder {
  explicit Held(const ops::Window& w) : window(w) {}
  ops::Window window;
};

class DepthwiseFunction : public torch::autograd::Function<DepthwiseFunction> {
 public:
  static at::Tensor forward(AutogradContext* context, const at::Tensor& nchw, const at::Tensor& oihw, const ops::Window* w) {
    context->save_for_backward({nchw, oihw});
    context->saved_data["window"] = c10::IValue::make_capsule(c10::make_intrusive<Held>(*w));
    return at::conv2d(nchw, oihw, {}, {w->stride_h, w->stride_w}, at::IntArrayRef({w->pad_top, w->pad_left}), {w->dilation_h, w->dilation_w}, nchw.size(1));
  }

  static variable_list backward(AutogradContext* context, variable_list grads) {
    const auto holder = context->saved_data["window"].toCapsule();
    const ops::Window& w = static_cast<const Held&>(*holder).window;
    const auto saved = context->get_saved_variables();
    const at::Tensor &nchw = saved[0], &oihw = saved[1];
    const int64_t channels = nchw.size(1);
    at::Tensor dx;
    if (context->needs_input_grad(0))
      dx = std::get<0>(at::convolution_backward(grads[0], nchw, oihw, c10::nullopt, {w.stride_h, w.stride_w}, at::IntArrayRef({w.pad_top, w.pad_left}),
                                                {w.dilation_h, w.dilation_w}, false, {0, 0}, channels, {true, false, false}));
    const auto x = nchw.permute({0, 2, 3, 1}).contiguous(), dy = grads[0].permute({0, 2, 3, 1}).contiguous();
    at::Tensor dw = at::empty({w.kernel_h, w.kernel_w, channels, 1});
    depthwise_weight_gradient(x.data_ptr<float>(), dy.data_ptr<float>(), x.size(0), static_cast<int>(channels), w, dw.data_ptr<float>(), torch_parallel_for);
    return {dx, dw.permute({2, 3, 0, 1}), at::Tensor()};
  }
};

}  // namespace

at::Tensor apply_depthwise(const at::Tensor& nchw, const at::Tensor& oihw, const ops::Window& window) {
  return DepthwiseFunction::apply(nchw, oihw, &window);
}

}  // namespace kinglet::train
