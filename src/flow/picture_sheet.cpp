#include "flow/picture_sheet.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"
#include "base/file.h"
#include "data/sheet.h"

namespace kinglet::flow {

namespace {

data::SheetItem item(const eval::EvalReport& report, const data::Dataset& pictures, int64_t i) {
  auto name = [&](int c) { return c >= 0 && static_cast<size_t>(c) < report.classes.size() ? report.classes[static_cast<size_t>(c)] : std::string("background"); };
  const int label = pictures.label(i), said = report.predictions[static_cast<size_t>(i)];
  data::SheetItem cell{pictures.image(i), name(said)};
  if (said == label) return cell;
  cell.label += "\nis " + name(label);
  cell.ink = {190, 20, 20};
  return cell;
}

void write_sheet(const std::vector<data::SheetItem>& items, const std::string& title, const std::filesystem::path& path) {
  data::SheetStyle style;
  style.title = title;
  write_file(path, data::encode_png(data::contact_sheet(items, style)));
}

}  // namespace

void write_picture_sheet(const eval::EvalReport& report, const data::Dataset& pictures, int count, const std::filesystem::path& path) {
  std::vector<data::SheetItem> items;
  const auto n = std::min<int64_t>({count, report.n, static_cast<int64_t>(report.predictions.size())});
  for (int64_t i = 0; i < n; ++i) items.push_back(item(report, pictures, i));
  write_sheet(items, fmt::format("{} {}: answers, mistakes red", report.data, report.split), path);
}

void write_mistake_sheet(const eval::EvalReport& report, const data::Dataset& pictures, const std::filesystem::path& path) {
  std::vector<data::SheetItem> items;
  for (const auto& mistake : report.mistakes) items.push_back(item(report, pictures, mistake.picture));
  if (items.empty()) throw Error(path.string(), "there is no mistake to show");
  write_sheet(items, fmt::format("{} {}: most confident mistakes", report.data, report.split), path);
}

}  // namespace kinglet::flow
