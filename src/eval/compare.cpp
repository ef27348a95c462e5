#include "eval/compare.h"

#include <algorithm>

#include "base/error.h"

namespace kinglet::eval {

CompareReport compare(const Contestant& a, const Contestant& b, const data::Dataset& dataset, const EvalOptions& options) {
  EvalOptions for_a = options, for_b = options;
  for_a.class_offset = a.class_offset;
  for_b.class_offset = b.class_offset;
  return compare_reports(evaluate(a.engine, a.model, dataset, for_a), evaluate(b.engine, b.model, dataset, for_b), dataset);
}

CompareReport compare_reports(const EvalReport& a, const EvalReport& b, const data::Dataset& dataset) {
  if (a.n != b.n || a.predictions.size() != b.predictions.size())
    throw Error(dataset.info().name, "was evaluated on " + std::to_string(a.n) + " pictures by one model and " + std::to_string(b.n) + " by the other");
  CompareReport report{.n = a.n, .a_top1 = a.top1_percent(), .b_top1 = b.top1_percent(), .flips = {}, .warnings = a.warnings};
  for (size_t i = 0; i < a.predictions.size(); ++i) {
    const int label = dataset.label(static_cast<int64_t>(i)), pa = a.predictions[i], pb = b.predictions[i];
    report.only_a_right += pa == label && pb != label;
    report.only_b_right += pb == label && pa != label;
    if (pa == pb) ++report.agree;
    else report.flips.push_back({dataset.id(static_cast<int64_t>(i)), label, pa, pb});
  }
  report.p_value = mcnemar_p(report.only_a_right, report.only_b_right);
  for (const auto& warning : b.warnings)
    if (std::find(a.warnings.begin(), a.warnings.end(), warning) == a.warnings.end()) report.warnings.push_back(warning);
  return report;
}

Json compare_report_to_json(const CompareReport& report) {
  const double agree_percent = report.n > 0 ? 100.0 * static_cast<double>(report.agree) / static_cast<double>(report.n) : 0.0;
  Json json{{"n", report.n},           {"agree", report.agree},
            {"agree_percent", agree_percent},
            {"a_top1", report.a_top1}, {"b_top1", report.b_top1},
            {"only_a_right", report.only_a_right}, {"only_b_right", report.only_b_right},
            {"p_value", report.p_value}};
  json["flips"] = Json::array();
  for (const auto& flip : report.flips) json["flips"].push_back({{"id", flip.id}, {"label", flip.label}, {"a", flip.a}, {"b", flip.b}});
  json["warnings"] = report.warnings;
  return json;
}

CompareReport compare_report_from_json(const Json& json, const std::string& where) {
  CompareReport report;
  report.n = json_at<int64_t>(json, "n", where);
  report.agree = json_at<int64_t>(json, "agree", where);
  report.a_top1 = json_at<double>(json, "a_top1", where);
  report.b_top1 = json_at<double>(json, "b_top1", where);
  report.only_a_right = json_at<int64_t>(json, "only_a_right", where);
  report.only_b_right = json_at<int64_t>(json, "only_b_right", where);
  report.p_value = json_at<double>(json, "p_value", where);
  for (const Json& f : json_at<Json>(json, "flips", where))
    report.flips.push_back({json_at<std::string>(f, "id", where), json_at<int>(f, "label", where), json_at<int>(f, "a", where), json_at<int>(f, "b", where)});
  report.warnings = json_at<std::vector<std::string>>(json, "warnings", where);
  return report;
}

}  // namespace kinglet::eval
