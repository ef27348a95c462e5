#include "card/svg.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <map>

namespace kinglet::card {

namespace {

struct Frame {
  double left = 52, right = 16, top = 14, bottom = 42;
  double width, height;       ///< of the whole picture
  double x0, x1, y0, y1;      ///< data ranges
  bool whole_x = true;        ///< every x is a whole number (an epoch), and so are the ticks
  double x(double v) const { return left + (v - x0) / (x1 - x0) * (width - left - right); }
  double y(double v) const { return height - bottom - (v - y0) / (y1 - y0) * (height - top - bottom); }
};

std::string open_svg(double width, double height, const std::string& title) {
  return fmt::format("<svg class=\"plot\" xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {} {}\" role=\"img\"><title>{}</title>\n",
                     short_number(width, 1), short_number(height, 1), escape_markup(title));
}

std::string text(double x, double y, const char* anchor, const std::string& content, const char* extra = "") {
  return fmt::format("<text x=\"{}\" y=\"{}\" text-anchor=\"{}\"{}>{}</text>\n", short_number(x, 1), short_number(y, 1), anchor, extra,
                     escape_markup(content));
}

std::string line(double x1, double y1, double x2, double y2, const char* css) {
  return fmt::format("<line class=\"{}\" x1=\"{}\" y1=\"{}\" x2=\"{}\" y2=\"{}\"/>\n", css, short_number(x1, 1), short_number(y1, 1),
                     short_number(x2, 1), short_number(y2, 1));
}

bool finite(const Point& p) { return std::isfinite(p.x) && std::isfinite(p.y); }

void widen(double& low, double& high) {
  if (!(low < high)) {
    low -= 0.5;
    high = low + 1.0;
  }
}

/// Ranges from the finite points, y rounded out to whole ticks.
Frame make_frame(const std::vector<Point>& points, const Axes& axes) {
  Frame f{.width = static_cast<double>(axes.width), .height = static_cast<double>(axes.height), .x0 = 0, .x1 = 0, .y0 = 0, .y1 = 0};
  bool first = true;
  for (const Point& p : points) {
    if (!finite(p)) continue;
    f.whole_x = f.whole_x && p.x == std::round(p.x);
    f.x0 = first ? p.x : std::min(f.x0, p.x);
    f.x1 = first ? p.x : std::max(f.x1, p.x);
    f.y0 = first ? p.y : std::min(f.y0, p.y);
    f.y1 = first ? p.y : std::max(f.y1, p.y);
    first = false;
  }
  widen(f.x0, f.x1);
  widen(f.y0, f.y1);
  const auto ticks = round_ticks(axes.y_low.value_or(f.y0), axes.y_high.value_or(f.y1), 6);
  f.y0 = axes.y_low.value_or(ticks.front());
  f.y1 = axes.y_high.value_or(ticks.back());
  widen(f.y0, f.y1);
  return f;
}

struct Tick {
  double at;  ///< in the frame's x
  std::string label;
};

std::vector<Tick> linear_ticks(const Frame& f) {
  std::vector<Tick> ticks;
  for (double tick : round_ticks(f.x0, f.x1, 8))
    if (tick >= f.x0 - 1e-9 && tick <= f.x1 + 1e-9 && (!f.whole_x || tick == std::round(tick))) ticks.push_back({tick, short_number(tick, 4)});
  return ticks;
}

/// 1, 2 and 5 of each decade; the frame's x is the decimal logarithm.
std::vector<Tick> log_ticks(const Frame& f) {
  std::vector<Tick> ticks;
  for (double decade = std::floor(f.x0); decade <= f.x1; ++decade)
    for (double digit : {1.0, 2.0, 5.0}) {
      const double value = digit * std::pow(10.0, decade), at = std::log10(value);
      if (at >= f.x0 && at <= f.x1) ticks.push_back({at, si_number(value)});
    }
  return ticks;
}

std::string grid(const Frame& f, const Axes& axes, const std::vector<Tick>& x_ticks) {
  std::string svg;
  for (double tick : round_ticks(f.y0, f.y1, 6)) {
    if (tick < f.y0 - 1e-9 || tick > f.y1 + 1e-9) continue;
    svg += line(f.left, f.y(tick), f.width - f.right, f.y(tick), "grid");
    svg += text(f.left - 7, f.y(tick) + 4, "end", short_number(tick, 4));
  }
  for (const Tick& tick : x_ticks) svg += text(f.x(tick.at), f.height - f.bottom + 17, "middle", tick.label);
  svg += line(f.left, f.height - f.bottom, f.width - f.right, f.height - f.bottom, "axis");
  svg += text((f.left + f.width - f.right) / 2, f.height - 6, "middle", axes.x_title, " class=\"title\"");
  const double middle = (f.top + f.height - f.bottom) / 2;
  svg += fmt::format("<text class=\"title\" text-anchor=\"middle\" transform=\"translate(12 {}) rotate(-90)\">{}</text>\n",
                     short_number(middle, 1), escape_markup(axes.y_title));
  return svg;
}

std::string polyline(const Frame& f, const Series& series, size_t color) {
  std::string points;
  int count = 0;
  for (const Point& p : series.points) {
    if (!finite(p)) continue;
    points += fmt::format("{}{},{}", points.empty() ? "" : " ", short_number(f.x(p.x), 1), short_number(f.y(p.y), 1));
    ++count;
  }
  if (count == 1) return fmt::format("<circle class=\"fill s{}\" r=\"3\" cx=\"{}\" cy=\"{}\"/>\n", color, points.substr(0, points.find(',')), points.substr(points.find(',') + 1));
  return fmt::format("<polyline class=\"line s{}\" points=\"{}\"/>\n", color, points);
}

/// Of a text at 11 pixels, roughly.
double width_of(const std::string& text) { return 6.6 * static_cast<double>(text.size()); }

std::string legend(const Frame& f, const std::vector<std::string>& names) {
  std::string svg;
  double x = f.left + 12;
  for (size_t i = 0; i < names.size(); ++i) {
    svg += fmt::format("<rect class=\"fill s{}\" x=\"{}\" y=\"2\" width=\"10\" height=\"10\" rx=\"2\"/>\n", i % 6, short_number(x, 1));
    svg += text(x + 15, 11, "start", names[i]);
    x += 34 + width_of(names[i]);
  }
  return svg;
}

std::string heat_cell(double x, double y, double size, double share, int64_t count, const std::string& tip, bool numbers) {
  std::string svg = fmt::format("<g><title>{}</title><rect class=\"cell\" x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" fill-opacity=\"{}\"/>",
                                escape_markup(tip), short_number(x, 1), short_number(y, 1), short_number(size - 1, 1), short_number(size - 1, 1),
                                short_number(share, 3));
  if (numbers && count > 0)
    svg += fmt::format("<text class=\"{}\" x=\"{}\" y=\"{}\" text-anchor=\"middle\">{}</text>", share > 0.55 ? "count strong" : "count",
                       short_number(x + size / 2 - 0.5, 1), short_number(y + size / 2 + 3.5, 1), count);
  return svg + "</g>\n";
}

double longest(const std::vector<std::string>& names) {
  double most = 0;
  for (const auto& name : names) most = std::max(most, width_of(name));
  return most;
}

struct Box {
  double x0, y0, x1, y1;
  bool meets(const Box& o) const { return x0 < o.x1 && o.x0 < x1 && y0 < o.y1 && o.y0 < y1; }
};

/// Where a label may stand: right or left of its mark, then ever further above and below.
std::vector<Box> label_places(double x, double y, double width) {
  constexpr double kGap = 8, kHeight = 12, kStep = 9;
  std::vector<Box> places;
  for (int step = 0; step <= 8; ++step)
    for (double lift : {-kStep * step, kStep * step}) {
      const double top = y + lift - kHeight / 2;
      places.push_back({x + kGap, top, x + kGap + width, top + kHeight});
      places.push_back({x - kGap - width, top, x - kGap, top + kHeight});
    }
  return places;
}

/// The first place inside the frame that meets nothing of `taken`, else the first inside it.
Box free_place(const std::vector<Box>& places, const std::vector<Box>& taken, const Frame& f) {
  const Box* inside = nullptr;
  for (const Box& place : places) {
    if (place.x0 < f.left || place.x1 > f.width - f.right || place.y0 < f.top || place.y1 > f.height - f.bottom) continue;
    if (!inside) inside = &place;
    if (std::none_of(taken.begin(), taken.end(), [&](const Box& box) { return box.meets(place); })) return place;
  }
  return inside ? *inside : places.front();
}

}  // namespace

std::string escape_markup(const std::string& text) {
  std::string out;
  for (char c : text) switch (c) {
      case '&': out += "&amp;"; break;
      case '<': out += "&lt;"; break;
      case '>': out += "&gt;"; break;
      case '"': out += "&quot;"; break;
      case '\'': out += "&#39;"; break;
      default: out += c;
    }
  return out;
}

std::string short_number(double value, int decimals) {
  std::string text = fmt::format("{:.{}f}", value, decimals);
  if (text.find('.') != std::string::npos) {
    text.erase(text.find_last_not_of('0') + 1);
    if (text.back() == '.') text.pop_back();
  }
  return text == "-0" ? "0" : text;
}

std::string si_number(double value) {
  if (value >= 1e6) return short_number(value / 1e6, 2) + "M";
  return value >= 1e3 ? short_number(value / 1e3, 2) + "k" : short_number(value, 2);
}

std::vector<double> round_ticks(double low, double high, int count) {
  widen(low, high);
  const double rough = (high - low) / std::max(count, 1), power = std::pow(10.0, std::floor(std::log10(rough)));
  double step = 10 * power;
  for (double nice : {5.0, 2.0, 1.0})
    if (nice * power >= rough * (1 - 1e-9)) step = nice * power;
  std::vector<double> ticks;
  const double first = std::floor(low / step + 1e-9), last = std::ceil(high / step - 1e-9);
  for (double i = first; i <= last; ++i) ticks.push_back(i * step);
  return ticks;
}

std::string plot_style() {
  return R"(.plot{--s0:#2563eb;--s1:#d97706;--s2:#059669;--s3:#db2777;--s4:#7c3aed;--s5:#475569;--ink:#1f2933;--faint:#64748b;--rule:#e2e8f0;
width:100%;height:auto;font:11px ui-sans-serif,system-ui,sans-serif}
@media(prefers-color-scheme:dark){.plot{--s0:#60a5fa;--s1:#fbbf24;--s2:#34d399;--s3:#f472b6;--s4:#a78bfa;--s5:#94a3b8;--ink:#e5e9f0;--faint:#94a3b8;--rule:#2b3442}}
.plot text{fill:var(--ink)}.plot .title,.plot .small{fill:var(--faint)}.plot .grid{stroke:var(--rule)}.plot .axis{stroke:var(--faint)}
.plot .line{fill:none;stroke-width:2;stroke-linejoin:round}.plot .track{fill:var(--rule)}.plot .cell{fill:var(--s0)}.plot .ground{fill:var(--rule);fill-opacity:.4}
.plot .count{font-size:10px}.plot .strong{fill:#fff}
.plot .fill.s0{fill:var(--s0)}.plot .fill.s1{fill:var(--s1)}.plot .fill.s2{fill:var(--s2)}.plot .fill.s3{fill:var(--s3)}.plot .fill.s4{fill:var(--s4)}.plot .fill.s5{fill:var(--s5)}
.plot .line.s0{stroke:var(--s0)}.plot .line.s1{stroke:var(--s1)}.plot .line.s2{stroke:var(--s2)}.plot .line.s3{stroke:var(--s3)}.plot .line.s4{stroke:var(--s4)}.plot .line.s5{stroke:var(--s5)}
@media(prefers-color-scheme:dark){.plot .strong{fill:#0f172a}}
)";
}

std::string standalone(const std::string& svg) {
  const size_t at = svg.find('>') + 1;
  return svg.substr(0, at) + "<style>" + plot_style() + "</style>" + svg.substr(at);
}

std::string line_chart(const std::vector<Series>& series, const Axes& axes) {
  std::vector<Point> all;
  for (const auto& s : series) std::copy(s.points.begin(), s.points.end(), std::back_inserter(all));
  Frame f = make_frame(all, axes);
  f.top = 26;
  std::string svg = open_svg(f.width, f.height, axes.y_title + " over " + axes.x_title) + grid(f, axes, linear_ticks(f));
  for (size_t i = 0; i < series.size(); ++i) svg += polyline(f, series[i], i % 6);
  std::vector<std::string> names;
  for (const auto& each : series) names.push_back(each.name);
  return svg + legend(f, names) + "</svg>\n";
}

std::string bar_chart(const std::vector<Bar>& bars, double full, const std::string& unit) {
  std::vector<std::string> names;
  for (const auto& bar : bars) names.push_back(bar.label);
  const double left = 14 + longest(names), width = 480, room = width - left - 60, row = 22;
  std::string svg = open_svg(width, row * static_cast<double>(bars.size()) + 6, "bars");
  for (size_t i = 0; i < bars.size(); ++i) {
    const double y = 3 + row * static_cast<double>(i);
    const double length = std::clamp(bars[i].value.value_or(0.0) / full, 0.0, 1.0) * room;
    svg += text(left - 8, y + 15, "end", bars[i].label);
    svg += fmt::format("<rect class=\"track\" x=\"{0}\" y=\"{1}\" width=\"{2}\" height=\"14\" rx=\"3\"/><rect class=\"fill s0\" x=\"{0}\" y=\"{1}\" width=\"{3}\" height=\"14\" rx=\"3\"/>\n",
                       short_number(left, 1), short_number(y + 4, 1), short_number(room, 1), short_number(length, 1));
    svg += text(left + room + 8, y + 15, "start", bars[i].value ? short_number(*bars[i].value, 1) + unit : "-");
  }
  return svg + "</svg>\n";
}

std::string heatmap(const std::vector<std::vector<int64_t>>& counts, const std::vector<std::string>& names) {
  const size_t n = counts.size();
  const bool numbers = n <= 20;
  const double cell = numbers ? 40 : std::max(2.0, 800.0 / static_cast<double>(n));
  const double label = numbers ? longest(names) + 12 : 0, left = label + 18, top = (numbers ? label * 0.75 : 0) + 22;
  const double side = cell * static_cast<double>(n);
  std::string svg = open_svg(left + side + label * 0.75 + 4, top + side + 6, "confusion matrix");
  svg += text(left + side / 2, 11, "middle", "predicted class", " class=\"title\"");
  svg += fmt::format("<text class=\"title\" text-anchor=\"middle\" transform=\"translate(11 {}) rotate(-90)\">true class</text>\n", short_number(top + side / 2, 1));
  svg += fmt::format("<rect class=\"ground\" x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\"/>\n", short_number(left, 1), short_number(top, 1), short_number(side - 1, 1), short_number(side - 1, 1));
  for (size_t r = 0; r < n; ++r) {
    int64_t total = 0;
    for (int64_t count : counts[r]) total += count;
    const double y = top + cell * static_cast<double>(r), x_of_column = left + cell * (static_cast<double>(r) + 0.5);
    if (numbers) {
      svg += text(left - 7, y + cell / 2 + 4, "end", names[r]);
      svg += fmt::format("<text text-anchor=\"start\" transform=\"translate({} {}) rotate(-40)\">{}</text>\n", short_number(x_of_column, 1), short_number(top - 6, 1), escape_markup(names[r]));
    }
    for (size_t c = 0; c < n; ++c) {
      const double share = total > 0 ? static_cast<double>(counts[r][c]) / static_cast<double>(total) : 0.0;
      if (!numbers && counts[r][c] == 0) continue;
      const std::string tip = fmt::format("{} as {}: {} of {}", names[r], names[c], counts[r][c], total);
      svg += heat_cell(left + cell * static_cast<double>(c), y, cell, share, counts[r][c], tip, numbers);
    }
  }
  return svg + "</svg>\n";
}

std::string scatter(const std::vector<Mark>& marks, const std::vector<std::string>& groups, const Axes& axes) {
  std::vector<Point> points;
  for (const auto& mark : marks) points.push_back({std::log10(mark.at.x), mark.at.y});
  Frame f = make_frame(points, axes);
  f.top = 26;
  const double margin = 0.05 * (f.x1 - f.x0);
  f.x0 -= margin;
  f.x1 += margin;
  std::string svg = open_svg(f.width, f.height, axes.y_title + " over " + axes.x_title) + grid(f, axes, log_ticks(f)), dots, labels;
  std::vector<Box> taken;
  for (const Point& p : points) taken.push_back({f.x(p.x) - 5, f.y(p.y) - 5, f.x(p.x) + 5, f.y(p.y) + 5});
  std::map<std::string, Point> first;
  for (size_t i = 0; i < marks.size(); ++i) {
    if (!finite(points[i])) continue;
    const Point at{f.x(points[i].x), f.y(points[i].y)};
    dots += fmt::format("<circle class=\"fill s{}\" r=\"4.5\" cx=\"{}\" cy=\"{}\"><title>{}, {}</title></circle>\n", marks[i].group % 6, short_number(at.x, 1),
                        short_number(at.y, 1), escape_markup(marks[i].label), escape_markup(groups.at(marks[i].group)));
    const auto [before, is_first] = first.emplace(marks[i].label, at);
    if (!is_first) {
      svg += line(before->second.x, before->second.y, at.x, at.y, "grid");
      continue;
    }
    taken.push_back(free_place(label_places(at.x, at.y, width_of(marks[i].label)), taken, f));
    labels += text(taken.back().x0, taken.back().y1 - 2, "start", marks[i].label);
  }
  return svg + dots + labels + legend(f, groups) + "</svg>\n";
}

}  // namespace kinglet::card
