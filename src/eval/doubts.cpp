#include "eval/doubts.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

namespace kinglet::eval {

namespace {

bool matters(const std::string& field, const graph::InputSpec& spec, bool resampled) {
  if (field == "crop") return spec.resize == graph::ResizeMode::crop;
  if (field == "letterbox_value") return spec.resize == graph::ResizeMode::letterbox && resampled;
  if (field == "gray_weights") return spec.channels == 1;
  if (field == "antialias") return resampled && spec.filter == graph::ResizeFilter::bilinear;
  if (field == "coordinates") return resampled && spec.filter != graph::ResizeFilter::area;
  return (field != "resize" && field != "filter") || resampled;
}

std::vector<std::string> of_origin(const std::vector<std::string>& fields, const graph::InputSpec& spec, bool inferred) {
  std::vector<std::string> list;
  for (const auto& field : fields) {
    const auto it = spec.origins.find(field);
    if ((it != spec.origins.end() && it->second == graph::Origin::inferred) == inferred) list.push_back(field);
  }
  return list;
}

}  // namespace

std::vector<std::string> doubtful_fields(const graph::InputSpec& spec, bool resampled) {
  auto fields = graph::weak_fields(spec);
  std::erase_if(fields, [&](const std::string& field) { return !matters(field, spec, resampled); });
  return fields;
}

std::string contract_doubt(const graph::InputSpec& spec, bool resampled) {
  const auto fields = doubtful_fields(spec, resampled);
  if (fields.empty()) return "";
  const auto inferred = of_origin(fields, spec, true), assumed = of_origin(fields, spec, false);
  std::string text = "nothing in the file says how pictures become its input: ";
  if (!assumed.empty()) text += fmt::format("{} {} only assumed", fmt::join(assumed, ", "), assumed.size() > 1 ? "are" : "is");
  if (!inferred.empty()) text += fmt::format("{}{} inferred from its quantization", assumed.empty() ? "" : ", ", fmt::join(inferred, ", "));
  return text + " (" + graph::describe(spec) + "); state what you know with --input, or let eval --doctor try the usual mistakes";
}

}  // namespace kinglet::eval
