#include "flow/check.h"

#include <fmt/format.h>

#include "base/error.h"
#include "cli/verb.h"

namespace kinglet::cli {

namespace {

/// Converters join the names of all they fused; the first is enough in a table.
std::string shortened(const std::string& name) {
  const std::string first = name.substr(0, name.find(';'));
  return first.size() <= 48 ? first : first.substr(0, 45) + "...";
}

/// Findings that differ in their node only become one row.
std::vector<std::vector<std::string>> finding_rows(const flow::CheckReport& report) {
  struct Row {
    const flow::Finding* first;
    int more = 0;
  };
  std::vector<Row> groups;
  for (const auto& f : report.findings) {
    auto same = std::find_if(groups.begin(), groups.end(), [&](const Row& r) {
      return r.first->severity == f.severity && r.first->op == f.op && r.first->reason == f.reason && r.first->hint == f.hint;
    });
    if (same == groups.end())
      groups.push_back({&f});
    else
      ++same->more;
  }
  std::stable_sort(groups.begin(), groups.end(), [](const Row& a, const Row& b) { return a.first->severity > b.first->severity; });
  std::vector<std::vector<std::string>> rows{{"", "where", "operator", "what", "change"}};
  for (const auto& g : groups)
    rows.push_back({std::string(flow::severity_name(g.first->severity)),
                    g.more ? fmt::format("{} and {} more", shortened(g.first->node), g.more) : shortened(g.first->node), g.first->op,
                    g.first->reason, g.first->hint});
  return rows;
}

std::string human(const flow::CheckReport& r) {
  std::string text = fmt::format("{} on {}: {}\n", r.model, r.title, r.ok() ? "ok" : "would not run as it is");
  if (r.macs > 0)
    text += fmt::format("{} of {} operators and {:.1f} % of the MACs would run there\n", r.native_nodes, r.nodes,
                        100.0 * static_cast<double>(r.native_macs) / static_cast<double>(r.macs));
  if (!r.findings.empty()) text += "\n" + table(finding_rows(r));
  text += "\n";
  for (const auto& note : r.notes) text += "note    " + note + "\n";
  for (const auto& source : r.sources) text += "source  " + source + "\n";
  return text;
}

}  // namespace

void add_check(Verb& verb) {
  struct Args {
    std::string model, profile;
  };
  auto args = std::make_shared<Args>();
  verb.app.add_option("MODEL", args->model, "model file, or an architecture such as resnet8@32x32x3,10")->required();
  verb.app
      .add_option("--profile", args->profile,
                  "what it shall run on: sscma, tflm, cmsis-nn, ethos-u55, ethos-u65, esp-nn, litert, litert-gpu, neutron")
      ->required();
  verb.add_open_flags();
  verb.examples(
      "  kinglet check model.tflite --profile ethos-u55\n  kinglet check model.tflite --profile sscma --json    # exit code 1 when it "
      "would not run");
  verb.action = [&verb, args] {
    const auto profile = flow::load_profile(args->profile);
    const auto report = flow::check(verb.open(args->model), profile);
    verb.print(flow::check_report_to_json(report), human(report));
    return report.ok() ? 0 : static_cast<int>(ErrorKind::check_failed);
  };
}

}  // namespace kinglet::cli
