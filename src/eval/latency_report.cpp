#include "eval/latency.h"

namespace kinglet::eval {

namespace {

Json optional_json(const std::optional<double>& value) { return value ? Json(*value) : Json(nullptr); }

}  // namespace

double BenchReport::gmacs_per_s() const { return median_us > 0 ? static_cast<double>(macs) / median_us * 1e-3 : 0.0; }

std::optional<double> BenchReport::peak_share() const {
  if (!peak_gmacs_per_s) return std::nullopt;
  return gmacs_per_s() / *peak_gmacs_per_s;
}

Json bench_report_to_json(const BenchReport& report) {
  Json json{{"min_us", report.min_us},   {"median_us", report.median_us},     {"p95_us", report.p95_us},
            {"macs", report.macs},       {"gmacs_per_s", report.gmacs_per_s()}, {"peak_share", optional_json(report.peak_share())},
            {"arena_bytes", report.arena_bytes}, {"threads", report.threads}, {"isa", report.isa},
            {"machine", report.machine}, {"target", report.target},           {"numerics", report.numerics},
            {"runs", report.runs},       {"warm_up", report.warm_up},         {"constant_bytes", report.constant_bytes},
            {"peak_gmacs_per_s", optional_json(report.peak_gmacs_per_s)}};
  json["layers"] = Json::array();
  for (const auto& layer : report.layers)
    json["layers"].push_back({{"node", layer.node}, {"kernel", layer.kernel}, {"shape", layer.shape}, {"macs", layer.macs}, {"median_us", layer.median_us}});
  return json;
}

BenchReport bench_report_from_json(const Json& json, const std::string& where) {
  BenchReport report;
  report.min_us = json_at<double>(json, "min_us", where);
  report.median_us = json_at<double>(json, "median_us", where);
  report.p95_us = json_at<double>(json, "p95_us", where);
  report.macs = json_at<int64_t>(json, "macs", where);
  report.arena_bytes = json_at<int64_t>(json, "arena_bytes", where);
  report.constant_bytes = json_at<int64_t>(json, "constant_bytes", where);
  report.threads = json_at<int>(json, "threads", where);
  report.runs = json_at<int>(json, "runs", where);
  report.warm_up = json_at<int>(json, "warm_up", where);
  report.isa = json_at<std::string>(json, "isa", where);
  report.machine = json_at<std::string>(json, "machine", where);
  report.target = json_at<std::string>(json, "target", where);
  report.numerics = json_at<std::string>(json, "numerics", where);
  if (!json_at<Json>(json, "peak_gmacs_per_s", where).is_null()) report.peak_gmacs_per_s = json_at<double>(json, "peak_gmacs_per_s", where);
  for (const Json& l : json_at<Json>(json, "layers", where))
    report.layers.push_back({json_at<std::string>(l, "node", where), json_at<std::string>(l, "kernel", where), json_at<std::string>(l, "shape", where),
                             json_at<int64_t>(l, "macs", where), json_at<double>(l, "median_us", where)});
  return report;
}

}  // namespace kinglet::eval
