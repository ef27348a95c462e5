#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "train/affine_region.h"
#include "train/running_statistics.h"
#include "train/small_matrix.h"

namespace kinglet::train {

namespace {

using graph::kNone;
using graph::OpKind;
using Doubles = std::vector<double>;

size_t slot_of(const AffineRegion& region, graph::ValueId id) {
  const auto it = std::find(region.parameters.begin(), region.parameters.end(), id);
  KINGLET_CHECK(it != region.parameters.end());
  return static_cast<size_t>(it - region.parameters.begin());
}

void accumulate(Doubles& into, const Doubles& from) {
  for (size_t i = 0; i < into.size(); ++i) into[i] += from[i];
}

Doubles widened(const float* values, size_t n) { return Doubles(values, values + n); }

}  // namespace

struct AffineTape::Adjoint {
  Doubles a, p, b;
};

size_t AffineTape::slot(graph::ValueId id) const { return slot_of(region_, id); }
const float* AffineTape::parameter(graph::ValueId id) const { return slots_.parameters[slot(id)]; }

AffineTape::AffineTape(const AffineRegion& region, const AffineSlots& slots, std::span<const double> mean, std::span<const double> covariance,
                       int64_t pixels)
    : region_(region), slots_(slots), mean_(mean.begin(), mean.end()), points_(region.ops.size() + 1) {
  const size_t c0 = static_cast<size_t>(region.source_channels);
  Point& source = points_[0];
  source.a.assign(c0 * c0, 0.0);
  for (size_t i = 0; i < c0; ++i) source.a[i * c0 + i] = 1.0;
  source.p.assign(covariance.begin(), covariance.end());
  source.b.assign(c0, 0.0);
  size_t norm = 0;
  for (const AffineOp& op : region.ops) {
    const size_t c = static_cast<size_t>(op.channels);
    if (op.op == OpKind::Conv2d) forward_conv(op);
    if (op.op == OpKind::Add) forward_add(op);
    if (op.op != OpKind::BatchNorm) continue;
    forward_norm(op, {slots.running[norm], c}, {slots.running[norm + 1], c}, pixels);
    norm += 2;
  }
  map_ = {points_.back().a, points_.back().b};
}

void AffineTape::forward_conv(const AffineOp& op) {
  const Point& in = points_[static_cast<size_t>(op.in)];
  Point& out = points_[static_cast<size_t>(op.out)];
  const size_t c = static_cast<size_t>(op.channels), ci = in.b.size(), c0 = mean_.size();
  const Doubles w = widened(parameter(op.weight), c * ci);
  out.a.assign(c * c0, 0.0);
  out.p.assign(c * c0, 0.0);
  out.b = op.bias == kNone ? Doubles(c, 0.0) : widened(parameter(op.bias), c);
  multiply_add(w.data(), in.a.data(), out.a.data(), c, ci, c0);
  multiply_add(w.data(), in.p.data(), out.p.data(), c, ci, c0);
  multiply_add(w.data(), in.b.data(), out.b.data(), c, ci, 1);
}

void AffineTape::forward_norm(const AffineOp& op, std::span<float> running_mean, std::span<float> running_var, int64_t pixels) {
  const Point& in = points_[static_cast<size_t>(op.in)];
  Point& out = points_[static_cast<size_t>(op.out)];
  const size_t c0 = mean_.size();
  out.a.resize(in.a.size());
  out.p.resize(in.p.size());
  out.b.resize(in.b.size());
  out.a_mean.resize(in.b.size());
  out.inverse_deviation.resize(in.b.size());
  const double unbiased = unbiased_factor(pixels);
  for (size_t c = 0; c < in.b.size(); ++c) {
    const double* a = &in.a[c * c0];
    const double* p = &in.p[c * c0];
    // Rounding may take the variance of a constant channel below 0.
    const double variance = std::max(0.0, dot(a, p, c0)), a_mean = dot(a, mean_.data(), c0);
    const double inverse = 1.0 / std::sqrt(variance + op.eps), scale = parameter(op.weight)[c] * inverse;
    for (size_t j = 0; j < c0; ++j) out.a[c * c0 + j] = scale * a[j];
    for (size_t j = 0; j < c0; ++j) out.p[c * c0 + j] = scale * p[j];
    out.b[c] = parameter(op.bias)[c] - scale * a_mean;
    out.a_mean[c] = a_mean;
    out.inverse_deviation[c] = inverse;
    move_running(running_mean[c], a_mean + in.b[c], op.momentum);
    move_running(running_var[c], variance * unbiased, op.momentum);
  }
}

void AffineTape::forward_add(const AffineOp& op) {
  const Point &x = points_[static_cast<size_t>(op.in)], &y = points_[static_cast<size_t>(op.in2)];
  Point& out = points_[static_cast<size_t>(op.out)];
  out.a = x.a;
  out.p = x.p;
  out.b = x.b;
  accumulate(out.a, y.a);
  accumulate(out.p, y.p);
  accumulate(out.b, y.b);
}

AffineTape::Gradients AffineTape::backward(std::span<const double> matrix_gradient, std::span<const double> offset_gradient) const {
  std::vector<Adjoint> adjoints(points_.size());
  for (size_t i = 0; i < points_.size(); ++i)
    adjoints[i] = {Doubles(points_[i].a.size(), 0.0), Doubles(points_[i].p.size(), 0.0), Doubles(points_[i].b.size(), 0.0)};
  adjoints.back().a.assign(matrix_gradient.begin(), matrix_gradient.end());
  adjoints.back().b.assign(offset_gradient.begin(), offset_gradient.end());

  Gradients out;
  out.mean.assign(mean_.size(), 0.0);
  out.parameters.resize(region_.parameters.size());
  for (auto op = region_.ops.rbegin(); op != region_.ops.rend(); ++op) {
    if (op->op == OpKind::Conv2d) backward_conv(*op, adjoints, out);
    if (op->op == OpKind::BatchNorm) backward_norm(*op, adjoints, out);
    if (op->op == OpKind::Add) backward_add(*op, adjoints);
  }
  out.covariance = std::move(adjoints[0].p);
  return out;
}

void AffineTape::backward_conv(const AffineOp& op, std::vector<Adjoint>& adjoints, Gradients& out) const {
  const Point& in = points_[static_cast<size_t>(op.in)];
  const Adjoint& d = adjoints[static_cast<size_t>(op.out)];
  Adjoint& di = adjoints[static_cast<size_t>(op.in)];
  const size_t c = static_cast<size_t>(op.channels), ci = in.b.size(), c0 = mean_.size();
  Doubles& dw = out.parameters[slot(op.weight)];
  dw.resize(c * ci);
  multiply_add_transposed_right(d.a.data(), in.a.data(), dw.data(), c, c0, ci);
  multiply_add_transposed_right(d.p.data(), in.p.data(), dw.data(), c, c0, ci);
  multiply_add_transposed_right(d.b.data(), in.b.data(), dw.data(), c, 1, ci);
  if (op.bias != kNone) {
    Doubles& db = out.parameters[slot(op.bias)];
    db.resize(c);
    accumulate(db, d.b);
  }
  const Doubles w = widened(parameter(op.weight), c * ci);
  multiply_add_transposed_left(w.data(), d.a.data(), di.a.data(), ci, c, c0);
  multiply_add_transposed_left(w.data(), d.p.data(), di.p.data(), ci, c, c0);
  multiply_add_transposed_left(w.data(), d.b.data(), di.b.data(), ci, c, 1);
}

void AffineTape::backward_norm(const AffineOp& op, std::vector<Adjoint>& adjoints, Gradients& out) const {
  const Point &in = points_[static_cast<size_t>(op.in)], &norm = points_[static_cast<size_t>(op.out)];
  const Adjoint& d = adjoints[static_cast<size_t>(op.out)];
  Adjoint& di = adjoints[static_cast<size_t>(op.in)];
  const size_t c0 = mean_.size();
  Doubles &dgamma = out.parameters[slot(op.weight)], &dbeta = out.parameters[slot(op.bias)];
  dgamma.resize(in.b.size());
  dbeta.resize(in.b.size());
  for (size_t c = 0; c < in.b.size(); ++c) {
    const double *a = &in.a[c * c0], *p = &in.p[c * c0], *da = &d.a[c * c0], *dp = &d.p[c * c0];
    const double inverse = norm.inverse_deviation[c], gamma = parameter(op.weight)[c], scale = gamma * inverse;
    const double dscale = dot(da, a, c0) + dot(dp, p, c0) - d.b[c] * norm.a_mean[c];
    const double dvariance = -0.5 * dscale * gamma * inverse * inverse * inverse;
    dbeta[c] += d.b[c];
    dgamma[c] += dscale * inverse;
    const double dmean = -d.b[c] * scale;
    for (size_t j = 0; j < c0; ++j) {
      di.a[c * c0 + j] += scale * da[j] + dmean * mean_[j] + dvariance * p[j];
      di.p[c * c0 + j] += scale * dp[j] + dvariance * a[j];
      out.mean[j] += dmean * a[j];
    }
  }
}

void AffineTape::backward_add(const AffineOp& op, std::vector<Adjoint>& adjoints) const {
  const Adjoint& d = adjoints[static_cast<size_t>(op.out)];
  for (int in : {op.in, op.in2}) {
    accumulate(adjoints[static_cast<size_t>(in)].a, d.a);
    accumulate(adjoints[static_cast<size_t>(in)].p, d.p);
    accumulate(adjoints[static_cast<size_t>(in)].b, d.b);
  }
}

AffineMap evaluate_affine(const AffineRegion& region, const AffineSlots& slots) {
  const size_t c0 = static_cast<size_t>(region.source_channels);
  std::vector<AffineMap> values(region.ops.size() + 1);
  values[0] = {Doubles(c0 * c0, 0.0), Doubles(c0, 0.0)};
  for (size_t i = 0; i < c0; ++i) values[0].matrix[i * c0 + i] = 1.0;
  size_t norm = 0;
  for (const AffineOp& op : region.ops) {
    const AffineMap& in = values[static_cast<size_t>(op.in)];
    AffineMap& out = values[static_cast<size_t>(op.out)];
    const size_t c = static_cast<size_t>(op.channels), ci = in.offset.size();
    if (op.op == OpKind::Conv2d) {
      const Doubles w = widened(slots.parameters[slot_of(region, op.weight)], c * ci);
      out.matrix.assign(c * c0, 0.0);
      out.offset = op.bias == kNone ? Doubles(c, 0.0) : widened(slots.parameters[slot_of(region, op.bias)], c);
      multiply_add(w.data(), in.matrix.data(), out.matrix.data(), c, ci, c0);
      multiply_add(w.data(), in.offset.data(), out.offset.data(), c, ci, 1);
      continue;
    }
    out = in;
    if (op.op == OpKind::Add) {
      accumulate(out.matrix, values[static_cast<size_t>(op.in2)].matrix);
      accumulate(out.offset, values[static_cast<size_t>(op.in2)].offset);
      continue;
    }
    const float *gamma = slots.parameters[slot_of(region, op.weight)], *beta = slots.parameters[slot_of(region, op.bias)];
    for (size_t k = 0; k < c; ++k) {
      const double scale = gamma[k] / std::sqrt(slots.running[norm + 1][k] + op.eps);
      for (size_t j = 0; j < c0; ++j) out.matrix[k * c0 + j] *= scale;
      out.offset[k] = (out.offset[k] - slots.running[norm][k]) * scale + beta[k];
    }
    norm += 2;
  }
  return values.back();
}

}  // namespace kinglet::train
