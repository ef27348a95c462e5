// Small plots as SVG text for cards and run folders: curves, bars, a heatmap, a scatter. No script, no font, no colour of
// its own: colours are CSS classes (plot_style), so that a plot is readable on light and on dark ground.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace kinglet::card {

struct Point {
  double x = 0, y = 0;
};

struct Series {
  std::string name;
  std::vector<Point> points;  ///< in order of x; points that are not finite are left out
};

struct Axes {
  std::string x_title, y_title;  ///< with unit: "epoch", "top-1 [%]"
  std::optional<double> y_low, y_high;  ///< where not given, from the data
  int width = 480, height = 270;        ///< of the view box; the plot scales to the page
};

/// Round steps (1, 2 or 5 times a power of ten) that cover [low, high], at most `count` + 1 of them.
std::vector<double> round_ticks(double low, double high, int count);

/// The style sheet of all plots, light and dark; a page includes it once, standalone() puts it into one plot.
std::string plot_style();
std::string standalone(const std::string& svg);

std::string line_chart(const std::vector<Series>& series, const Axes& axes);

struct Bar {
  std::string label;
  std::optional<double> value;  ///< none is drawn as "-"
};
/// Horizontal bars from 0 to `full`, each with its value and `unit` behind it.
std::string bar_chart(const std::vector<Bar>& bars, double full, const std::string& unit);

/// Rows are true classes, columns predicted ones; a cell's strength is its share of its row. Counts are printed up to
/// twenty classes, each cell has a tooltip.
std::string heatmap(const std::vector<std::vector<int64_t>>& counts, const std::vector<std::string>& names);

struct Mark {
  std::string label;
  size_t group = 0;
  Point at;
};
/// Named points over a logarithmic x axis (all x above 0), a colour and an entry of the legend for each of `groups`. Marks of
/// one label are joined by a line, and the label stands once, where it covers nothing.
std::string scatter(const std::vector<Mark>& marks, const std::vector<std::string>& groups, const Axes& axes);

/// Text with the five characters of markup escaped.
std::string escape_markup(const std::string& text);
/// A round number with its thousands or millions as a letter: 500, 20k, 5M.
std::string si_number(double value);
/// At most `decimals` places, no trailing zeros, never an exponent: 74.28, 0.5, 12.
std::string short_number(double value, int decimals);

}  // namespace kinglet::card
