#include <algorithm>
#include <cmath>

#include "ops/geometry.h"
#include "ops/rules.h"

namespace kinglet::ops {

namespace {
std::vector<ValueType> infer(const graph::Graph& graph, const graph::Node& node) {
  const auto& x = input_of_rank(graph, node, 0, 4);
  const auto& a = node.as<graph::ResizeNearestAttrs>();
  constexpr int64_t kMaxSide = 1 << 16;
  for (int64_t side : {int64_t{a.out_h}, int64_t{a.out_w}, x.shape[1], x.shape[2]})
    if (side < 1 || side > kMaxSide) refuse(node, "resizes from or to a side of " + std::to_string(side));
  return {{x.dtype, Shape{x.shape[0], a.out_h, a.out_w, x.shape[3]}}};
}
}  // namespace

std::vector<int32_t> nearest_sources(int in, int out, bool align_corners, bool half_pixel) {
  const float scale = align_corners && out > 1 ? static_cast<float>(in - 1) / static_cast<float>(out - 1) : static_cast<float>(in) / static_cast<float>(out);
  std::vector<int32_t> sources;
  for (int i = 0; i < out; ++i) {
    const float at = (static_cast<float>(i) + (half_pixel ? 0.5f : 0.0f)) * scale;
    const auto source = static_cast<int32_t>(align_corners ? std::round(at) : std::floor(at));
    sources.push_back(std::clamp(source, 0, in - 1));
  }
  return sources;
}

extern const OpInfo kResizeNearestInfo;
const OpInfo kResizeNearestInfo{.infer = infer, .quant = {QuantKind::same_as_input}};

}  // namespace kinglet::ops
