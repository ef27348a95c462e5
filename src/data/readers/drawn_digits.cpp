#include <algorithm>
#include <array>
#include <cmath>

#include "base/error.h"
#include "base/random.h"
#include "data/readers/readers.h"

namespace kinglet::data {

namespace {

constexpr int kSide = 28;

struct Point {
  double x, y;
};
using Stroke = std::vector<Point>;

// Only + - * / and sqrt touch a drawn picture: they are exact in IEEE arithmetic, so every machine draws the same bytes.

/// Cosine of k sixteenths of a turn.
double cosine(int k) {
  constexpr std::array<double, 5> kQuarter{1.0, 0.92387953251128674, 0.70710678118654752, 0.38268343236508977, 0.0};
  k &= 15;
  if (k > 8) k = 16 - k;
  return k <= 4 ? kQuarter[k] : -kQuarter[8 - k];
}

/// Sixteenths of a turn, clockwise on paper (y points down): 0 right, 4 bottom, 8 left, 12 top.
Stroke arc(Point center, double rx, double ry, int from, int to) {
  Stroke stroke;
  for (int k = from; k <= to; ++k) stroke.push_back({center.x + rx * cosine(k), center.y + ry * cosine(k - 4)});
  return stroke;
}

Stroke joined(Stroke first, const Stroke& second) {
  first.insert(first.end(), second.begin(), second.end());
  return first;
}

/// Strokes in a unit box; some digits have a second habit of writing.
std::vector<Stroke> strokes_of(int digit, bool second_habit) {
  switch (digit) {
    case 0: return {arc({.5, .5}, second_habit ? .22 : .30, .42, 0, 16)};
    case 1:
      if (second_habit) return {{{.34, .26}, {.52, .08}, {.52, .92}}, {{.32, .92}, {.72, .92}}};
      return {{{.5, .08}, {.5, .92}}};
    case 2: return {joined(arc({.5, .31}, .27, .23, 8, 17), {{.62, .60}, {.22, .92}, {.80, .92}})};
    case 3: return {joined(arc({.47, .29}, .25, .21, 9, 20), arc({.47, .71}, .29, .21, 12, 23))};
    case 4:
      if (second_habit) return {{{.26, .10}, {.22, .56}, {.82, .56}}, {{.68, .10}, {.66, .92}}};
      return {{{.60, .08}, {.18, .64}, {.84, .64}}, {{.62, .34}, {.62, .92}}};
    case 5: return {joined({{.76, .10}, {.32, .10}, {.28, .46}}, arc({.48, .66}, .29, .26, 11, 23))};
    case 6: return {joined({{.68, .08}, {.44, .26}, {.30, .48}}, arc({.50, .70}, .25, .22, 8, 24))};
    case 7:
      if (second_habit) return {{{.20, .10}, {.80, .10}, {.42, .92}}, {{.32, .50}, {.74, .50}}};
      return {{{.20, .10}, {.80, .10}, {.42, .92}}};
    case 8: return {arc({.5, .29}, .22, .20, 0, 16), arc({.5, .71}, .27, .22, 0, 16)};
    default: return {joined(arc({.5, .31}, .25, .22, 0, 16), {{.75, .60}, {.62, .92}})};
  }
}

/// Turns, slants, stretches and shifts the unit box onto the picture.
class Hand {
 public:
  explicit Hand(RandomStream& random) {
    const double t = random.uniform(-.13, .13);  // tangent of half the angle: up to 15 degrees
    const double cos = (1 - t * t) / (1 + t * t), sin = 2 * t / (1 + t * t);
    const double slant = random.uniform(-.3, .2), width = 20 * random.uniform(.7, 1.1), height = 20 * random.uniform(.8, 1.1);
    xx_ = cos * width;
    xy_ = (cos * slant - sin) * height;
    yx_ = sin * width;
    yy_ = (sin * slant + cos) * height;
    x_ = kSide / 2.0 + random.uniform(-2.5, 2.5);
    y_ = kSide / 2.0 + random.uniform(-2.5, 2.5);
  }
  Point place(Point p) const {
    const double x = p.x - .5, y = p.y - .5;
    return {x_ + xx_ * x + xy_ * y, y_ + yx_ * x + yy_ * y};
  }

 private:
  double xx_, xy_, yx_, yy_, x_, y_;
};

double distance(Point p, Point a, Point b) {
  const double dx = b.x - a.x, dy = b.y - a.y, length2 = dx * dx + dy * dy;
  double t = length2 > 0 ? ((p.x - a.x) * dx + (p.y - a.y) * dy) / length2 : 0;
  t = std::clamp(t, 0.0, 1.0);
  const double ex = p.x - a.x - t * dx, ey = p.y - a.y - t * dy;
  return std::sqrt(ex * ex + ey * ey);
}

using Canvas = std::array<double, kSide * kSide>;  // 0 paper .. 1 ink

void draw_segment(Point a, Point b, double radius, Canvas& canvas) {
  const double reach = radius + .7;
  auto low = [&](double u, double v) { return std::max(0, static_cast<int>(std::min(u, v) - reach)); };
  auto high = [&](double u, double v) { return std::min(kSide - 1, static_cast<int>(std::max(u, v) + reach)); };
  for (int y = low(a.y, b.y); y <= high(a.y, b.y); ++y)
    for (int x = low(a.x, b.x); x <= high(a.x, b.x); ++x) {
      const double ink = std::clamp((reach - distance({x + .5, y + .5}, a, b)) / 1.4, 0.0, 1.0);
      canvas[y * kSide + x] = std::max(canvas[y * kSide + x], ink);
    }
}

void draw_digit(int digit, RandomStream& random, uint8_t* out) {
  const Hand hand(random);
  const double radius = random.uniform(.7, 1.7), tremble = random.uniform(0, .03);
  const double darkness = random.uniform(170, 255), noise = random.uniform(0, 40);
  Canvas canvas{};
  for (const auto& stroke : strokes_of(digit, random.below(2) == 1)) {
    std::vector<Point> line;
    for (const auto& p : stroke) {
      const double dx = random.uniform(-tremble, tremble), dy = random.uniform(-tremble, tremble);
      line.push_back(hand.place({p.x + dx, p.y + dy}));
    }
    for (size_t i = 1; i < line.size(); ++i) draw_segment(line[i - 1], line[i], radius, canvas);
  }
  for (size_t i = 0; i < canvas.size(); ++i) {
    const double grain = (random.uniform() + random.uniform() - 1) * noise;
    out[i] = static_cast<uint8_t>(std::clamp(canvas[i] * darkness + grain + .5, 0.0, 255.0));
  }
}

}  // namespace

RawPictures draw_digits(int64_t count, uint64_t seed) {
  RawPictures pictures;
  pictures.height = pictures.width = kSide;
  pictures.channels = 1;
  pictures.pixels.resize(static_cast<size_t>(count) * kSide * kSide);
  pictures.parts.emplace_back("drawn_digits", 0);
  for (int64_t i = 0; i < count; ++i) {
    RandomStream random(seed, 0, static_cast<uint64_t>(i), Purpose::draw);
    const int digit = static_cast<int>(random.below(10));
    pictures.labels.push_back(digit);
    draw_digit(digit, random, pictures.pixels.data() + static_cast<size_t>(i) * kSide * kSide);
  }
  return pictures;
}

}  // namespace kinglet::data
