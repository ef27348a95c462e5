#include "train/curves.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>

namespace kinglet::train {

namespace {

constexpr double kWidth = 640, kPanel = 200, kLeft = 56, kRight = 16, kTop = 36, kGap = 44;

struct Panel {
  double top, low, high;  ///< value range low..high
  double y(double value) const { return top + kPanel * (high - value) / std::max(1e-12, high - low); }
};

using Pick = std::function<double(const EpochRecord&)>;

double x_of(double epoch, double last) { return kLeft + (kWidth - kLeft - kRight) * (last > 1 ? (epoch - 1) / (last - 1) : 0.5); }

std::string polyline(const std::vector<EpochRecord>& records, const Panel& panel, const Pick& pick, const char* color) {
  std::string points;
  for (const auto& record : records)
    if (pick(record) >= 0) points += fmt::format("{:.1f},{:.1f} ", x_of(record.epoch, records.back().epoch), panel.y(pick(record)));
  return fmt::format("<polyline points=\"{}\" fill=\"none\" stroke=\"{}\" stroke-width=\"2\"/>\n", points, color);
}

std::string axes(const Panel& panel, double last, const std::string& label) {
  std::string out;
  for (int i = 0; i <= 4; ++i) {
    const double value = panel.low + (panel.high - panel.low) * i / 4, y = panel.y(value);
    out += fmt::format("<line x1=\"{}\" x2=\"{}\" y1=\"{:.1f}\" y2=\"{:.1f}\" stroke=\"#ddd\"/><text x=\"{}\" y=\"{:.1f}\" text-anchor=\"end\">{:.3g}</text>\n",
                       kLeft, kWidth - kRight, y, y, kLeft - 6, y + 4, value);
  }
  out += fmt::format("<text x=\"{}\" y=\"{:.1f}\">{}</text>\n", kLeft, panel.top - 8, label);
  return out + fmt::format("<text x=\"{}\" y=\"{:.1f}\" text-anchor=\"end\">epoch {:.0f}</text>\n", kWidth - kRight, panel.top + kPanel + 16, last);
}

Panel fit(double top, const std::vector<EpochRecord>& records, const std::vector<Pick>& picks) {
  double low = 1e300, high = -1e300;
  for (const auto& record : records)
    for (const auto& pick : picks)
      if (pick(record) >= 0) {
        low = std::min(low, pick(record));
        high = std::max(high, pick(record));
      }
  const double margin = std::max(0.01, 0.05 * (high - low));
  return {top, low - margin, high + margin};
}

std::string escaped(const std::string& text) {
  std::string out;
  for (char c : text) out += c == '&' ? "&amp;" : c == '<' ? "&lt;" : std::string(1, c);
  return out;
}

}  // namespace

std::string metrics_csv(const std::vector<EpochRecord>& records) {
  std::string out = "epoch,lr,loss,train_top1,val_top1,images_per_s,seconds\n";
  for (const auto& r : records)
    out += fmt::format("{},{},{},{},{},{:.1f},{:.2f}\n", r.epoch, r.lr, r.loss, r.train_top1, r.val_top1 < 0 ? "" : fmt::format("{}", r.val_top1),
                       r.images_per_s, r.seconds);
  return out;
}

std::string curves_svg(const std::vector<EpochRecord>& records, const std::string& title) {
  const double height = kTop + 2 * kPanel + kGap + 28;
  std::string out = fmt::format("<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {} {}\" font-family=\"sans-serif\" font-size=\"12\">\n"
                                "<rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n<text x=\"{}\" y=\"16\" font-size=\"14\">{}</text>\n",
                                kWidth, height, kLeft, escaped(title));
  if (records.empty()) return out + "</svg>\n";
  const Pick loss = [](const EpochRecord& r) { return r.loss; }, train = [](const EpochRecord& r) { return r.train_top1; },
             val = [](const EpochRecord& r) { return r.val_top1; };
  const double last = records.back().epoch;
  const Panel upper = fit(kTop, records, {loss}), lower = fit(kTop + kPanel + kGap, records, {train, val});
  out += axes(upper, last, "loss") + polyline(records, upper, loss, "#444");
  out += axes(lower, last, "top-1 %: <tspan fill=\"#1f77b4\">train (augmented)</tspan>, <tspan fill=\"#d62728\">val</tspan>");
  out += polyline(records, lower, train, "#1f77b4") + polyline(records, lower, val, "#d62728");
  return out + "</svg>\n";
}

}  // namespace kinglet::train
