#include "graph/attrs.h"

#include <array>

#include "base/did_you_mean.h"
#include "base/error.h"

namespace kinglet::graph {

namespace {

constexpr std::array kOpNames{
#define KINGLET_OP(kind, name, attrs) std::string_view(name),
#include "graph/ops.def"
#undef KINGLET_OP
};

template <class Enum, size_t N>
Enum enum_from(const std::array<std::string_view, N>& names, const std::string& text, const std::string& where) {
  for (size_t i = 0; i < N; ++i)
    if (names[i] == text) return static_cast<Enum>(i);
  std::vector<std::string> known(names.begin(), names.end());
  throw Error(where, "'" + text + "' is not known; " + did_you_mean(text, known));
}

constexpr std::array<std::string_view, 3> kActivations{"none", "relu", "relu6"};
constexpr std::array<std::string_view, 3> kPaddings{"valid", "same", "explicit"};

/// Visits the fields of an attribute struct by name, for writing and reading alike: one list a struct.
template <class F> void fields(NoAttrs&, F&&) {}
template <class F> void fields(ActivationAttrs& a, F&& f) { f("activation", a.activation); }
template <class F> void fields(Conv2dAttrs& a, F&& f) {
  f("stride_h", a.stride_h), f("stride_w", a.stride_w), f("dilation_h", a.dilation_h), f("dilation_w", a.dilation_w);
  f("padding", a.padding), f("activation", a.activation);
}
template <class F> void fields(DepthwiseConv2dAttrs& a, F&& f) {
  f("stride_h", a.stride_h), f("stride_w", a.stride_w), f("dilation_h", a.dilation_h), f("dilation_w", a.dilation_w);
  f("multiplier", a.multiplier), f("padding", a.padding), f("activation", a.activation);
}
template <class F> void fields(FullyConnectedAttrs& a, F&& f) { f("activation", a.activation); }
template <class F> void fields(Pool2dAttrs& a, F&& f) {
  f("kernel_h", a.kernel_h), f("kernel_w", a.kernel_w), f("stride_h", a.stride_h), f("stride_w", a.stride_w);
  f("padding", a.padding), f("activation", a.activation);
}
template <class F> void fields(MeanAttrs& a, F&& f) { f("axes", a.axes), f("keep_dims", a.keep_dims); }
template <class F> void fields(ReshapeAttrs& a, F&& f) { f("shape", a.shape); }
template <class F> void fields(PadAttrs& a, F&& f) { f("before", a.before), f("after", a.after); }
template <class F> void fields(SoftmaxAttrs& a, F&& f) { f("beta", a.beta); }
template <class F> void fields(TransposeAttrs& a, F&& f) { f("perm", a.perm); }
template <class F> void fields(ConcatenationAttrs& a, F&& f) { f("axis", a.axis); }
template <class F> void fields(StridedSliceAttrs& a, F&& f) { f("begin", a.begin), f("end", a.end), f("stride", a.stride), f("drop", a.drop); }
template <class F> void fields(ResizeNearestAttrs& a, F&& f) {
  f("out_h", a.out_h), f("out_w", a.out_w), f("align_corners", a.align_corners), f("half_pixel", a.half_pixel);
}
template <class F> void fields(ArgMaxAttrs& a, F&& f) { f("axis", a.axis), f("wide", a.wide); }
template <class F> void fields(BatchNormAttrs& a, F&& f) { f("eps", a.eps), f("momentum", a.momentum); }
template <class F> void fields(DropoutAttrs& a, F&& f) { f("rate", a.rate); }
template <class F> void fields(FakeQuantizeAttrs& a, F&& f) {
  f("scale", a.scale), f("zero_point", a.zero_point), f("axis", a.axis), f("quant_min", a.quant_min), f("quant_max", a.quant_max);
}
template <class F> void fields(OpaqueAttrs& a, F&& f) { f("name", a.name), f("detail", a.detail); }

struct Write {
  Json& json;
  template <class T>
  void operator()(const char* key, const T& field) const { json[key] = field; }
  void operator()(const char* key, const Activation& field) const { json[key] = kActivations[static_cast<size_t>(field)]; }
  void operator()(const char* key, const Padding& p) const {
    if (p.mode == PaddingMode::explicit_) json[key] = {p.top, p.bottom, p.left, p.right};
    else json[key] = kPaddings[static_cast<size_t>(p.mode)];
  }
};

struct Read {
  const Json& json;
  const std::string& where;
  template <class T>
  void operator()(const char* key, T& field) const { field = json_at<T>(json, key, where); }
  void operator()(const char* key, Activation& field) const {
    field = enum_from<Activation>(kActivations, json_at<std::string>(json, key, where), where);
  }
  void operator()(const char* key, Padding& p) const {
    if (!json.contains(key)) json_key_error(key, where, "is missing");
    if (!json[key].is_array()) {
      p.mode = enum_from<PaddingMode>(kPaddings, json_at<std::string>(json, key, where), where);
      return;
    }
    auto n = json_at<std::vector<int>>(json, key, where);
    if (n.size() != 4) json_key_error(key, where, "needs four numbers: top, bottom, left, right");
    p = {PaddingMode::explicit_, n[0], n[1], n[2], n[3]};
  }
};

}  // namespace

std::string_view op_name(OpKind op) { return kOpNames[static_cast<size_t>(op)]; }
std::string_view activation_name(Activation activation) { return kActivations[static_cast<size_t>(activation)]; }

OpKind op_from_name(std::string_view name, const std::string& where) { return enum_from<OpKind>(kOpNames, std::string(name), where); }

Attrs default_attrs(OpKind op) {
  switch (op) {
#define KINGLET_OP(kind, name, attrs) \
  case OpKind::kind: return attrs{};
#include "graph/ops.def"
#undef KINGLET_OP
  }
  KINGLET_CHECK(false);
}

bool attrs_fit(OpKind op, const Attrs& attrs) { return default_attrs(op).index() == attrs.index(); }

Json attrs_to_json(const Attrs& attrs) {
  Json json = Json::object();
  Attrs copy = attrs;
  std::visit([&](auto& a) { fields(a, Write{json}); }, copy);
  return json;
}

Attrs attrs_from_json(OpKind op, const Json& json, const std::string& where) {
  Attrs attrs = default_attrs(op);
  std::visit([&](auto& a) { fields(a, Read{json, where}); }, attrs);
  return attrs;
}

}  // namespace kinglet::graph
