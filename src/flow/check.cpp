#include "flow/check.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "base/error.h"
#include "data/preprocess.h"
#include "flow/deploy.h"
#include "flow/measures.h"
#include "graph/opaque.h"

namespace kinglet::flow {

namespace {

using graph::Graph;
using graph::Node;

struct Problem {
  std::string reason, hint;
  bool advice = false;
};

std::string op_of(const Node& node) {
  return node.op == graph::OpKind::Opaque ? node.as<graph::OpaqueAttrs>().name : std::string(graph::op_name(node.op));
}
std::string name_of(const Node& node) { return node.name.empty() ? graph::describe(node) : node.name; }

std::string names_of(const std::vector<DType>& types) {
  std::vector<std::string> names;
  for (DType t : types) names.emplace_back(dtype_name(t));
  return fmt::format("{}", fmt::join(names, ", "));
}

bool contains(const std::vector<DType>& types, DType type) { return std::find(types.begin(), types.end(), type) != types.end(); }

/// Types of the node's activations that are not among `allowed`.
std::vector<DType> foreign_types(const Graph& g, const Node& node, const std::vector<DType>& allowed) {
  std::vector<DType> foreign;
  for (const auto* list : {&node.inputs, &node.outputs})
    for (auto v : *list)
      if (v != graph::kNone && !g.value(v).is_constant() && !contains(allowed, g.value(v).dtype) && !contains(foreign, g.value(v).dtype))
        foreign.push_back(g.value(v).dtype);
  return foreign;
}

bool all_hold(const std::vector<Limit>& limits, const Graph& g, const Node& node) {
  return std::all_of(limits.begin(), limits.end(), [&](const Limit& limit) {
    const auto value = measure(limit.measure, g, node);
    return value && limit.holds(*value);
  });
}

std::string reason_of(const Limit& limit, int64_t value, bool advice) {
  if (is_fault(limit.measure)) return measure_words(limit.measure);
  return fmt::format("{} is {}, {} is {}", measure_words(limit.measure), value, limit.allowed(), advice ? "faster" : "taken");
}

void check_limits(const std::vector<Limit>& limits, const std::string& hint, bool advice, const Graph& g, const Node& node,
                  std::vector<Problem>& problems) {
  for (const auto& limit : limits)
    if (const auto value = measure(limit.measure, g, node); value && !limit.holds(*value))
      problems.push_back({reason_of(limit, *value, advice), hint.empty() ? measure_hint(limit.measure) : hint, advice});
}

void check_types(const Profile& p, const OperatorRule& rule, const Graph& g, const Node& node, bool skip_float,
                 std::vector<Problem>& problems) {
  const auto& allowed = rule.activations.empty() ? p.activations : rule.activations;
  for (DType type : foreign_types(g, node, allowed)) {
    if (skip_float && type == DType::f32) continue;
    const char* hint = type == DType::f32  ? "quantize the whole model: kinglet quantize --io int8"
                       : type == DType::u8 ? "quantize again with --io int8"
                                           : "";
    problems.push_back({fmt::format("computes in {}, {} is taken", dtype_name(type), names_of(allowed)), hint, false});
  }
  const bool has_weights = node.inputs.size() > 1 && node.inputs[1] != graph::kNone && g.value(node.inputs[1]).is_constant();
  if (!rule.weights.empty() && has_weights && !contains(rule.weights, g.value(node.inputs[1]).dtype) &&
      !(skip_float && g.value(node.inputs[1]).dtype == DType::f32))
    problems.push_back({fmt::format("has {} weights, {} is taken", dtype_name(g.value(node.inputs[1]).dtype), names_of(rule.weights)),
                        "quantize the model: kinglet quantize", false});
}

/// Why the profile's own kernels do not take the node. With skip_float, float types are told of once for the model.
std::vector<Problem> problems_of(const Profile& p, const Graph& g, const Node& node, bool skip_float) {
  std::vector<Problem> problems;
  const auto rule = p.operators.find(op_of(node));
  if (rule == p.operators.end() && !graph::opaque_detail(node).empty())
    return {{"operator " + op_of(node) + " is not supported here: " + graph::opaque_detail(node), "replace what is named: see profiles/" + p.name + ".json for the operators that are", false}};
  if (rule == p.operators.end())
    return {{"operator " + op_of(node) + " is not supported", "replace it by operators that are: see profiles/" + p.name + ".json", false}};
  check_types(p, rule->second, g, node, skip_float, problems);
  check_limits(p.limits, "", false, g, node, problems);
  for (const auto& c : rule->second.cases)
    if (all_hold(c.when, g, node)) check_limits(c.limits, c.hint, c.advice, g, node, problems);
  return problems;
}

bool refused(const std::vector<Problem>& problems) {
  return std::any_of(problems.begin(), problems.end(), [](const Problem& p) { return !p.advice; });
}

/// The first input as the firmware feeds it: byte b of the picture as int8 b - 128.
bool takes_bytes_as_they_are(const graph::Model& model) {
  const auto& value = model.graph.value(model.graph.inputs[0]);
  if (value.dtype != DType::s8 || model.input.channels == 0) return false;
  const data::Preprocessor preprocessor(model.input, value);
  for (int c = 0; c < model.input.channels; ++c)
    for (int b = 0; b < 256; ++b)
      if (static_cast<int>(static_cast<int8_t>(preprocessor.table(c)[static_cast<size_t>(b)])) != b - 128) return false;
  return true;
}

class Checker {
 public:
  Checker(const graph::Model& model, const Profile& profile) : model_(model), graph_(model.graph), profile_(profile) {
    if (!profile.fallback.empty()) fallback_ = load_profile(profile.fallback);
    report_.model = model.name, report_.profile = profile.name, report_.title = profile.title;
    report_.sources = profile.sources, report_.notes = profile.notes;
  }

  CheckReport run() {
    check_float_model();
    check_interface();
    check_memory();
    for (const auto& node : graph_.nodes()) check_node(node);
    if (report_.nodes > 0 && report_.native_nodes == 0 && fallback_)
      add_first({Severity::error, "model", "", "no operator would run on " + profile_.title,
                 float_model_ ? "quantize the model: kinglet quantize --io int8" : "see the findings of its nodes"});
    return std::move(report_);
  }

 private:
  void add(Finding f) { report_.findings.push_back(std::move(f)); }
  void add_first(Finding f) { report_.findings.insert(report_.findings.begin(), std::move(f)); }

  void check_float_model() {
    const bool integer = std::any_of(graph_.values().begin(), graph_.values().end(), [](const graph::Value& v) {
      return !v.is_constant() && (v.dtype == DType::s8 || v.dtype == DType::u8);
    });
    float_model_ = !integer && !contains(profile_.activations, DType::f32);
    if (!float_model_) return;
    const bool elsewhere = fallback_ && contains(fallback_->activations, DType::f32);
    add({elsewhere ? Severity::warning : Severity::error, "model", "",
         fmt::format("computes in float32, {} is taken{}", names_of(profile_.activations), elsewhere ? "; " + profile_.runs_elsewhere : ""),
         "quantize it: kinglet quantize MODEL --data D --io int8 -o OUT"});
  }

  void check_count(const char* what, size_t count, const std::optional<int>& wanted) {
    if (wanted && static_cast<int>(count) != *wanted)
      add({Severity::error, "model", "", fmt::format("has {} {}s, exactly {} is taken", count, what, *wanted),
           fmt::format("export a model with one {}", what)});
  }

  void check_interface() {
    const auto& rule = profile_.interface;
    check_count("input", graph_.inputs.size(), rule.inputs);
    check_count("output", graph_.outputs.size(), rule.outputs);
    if (graph_.inputs.empty() || graph_.outputs.empty()) return;
    const auto &in = graph_.value(graph_.inputs[0]), &out = graph_.value(graph_.outputs[0]);
    check_type("input " + in.name, in.dtype, rule.input_types);
    check_type("output " + out.name, out.dtype, rule.output_types);
    check_size(in);
    if (rule.bytes_as_they_are && in.dtype == DType::s8) check_bytes(in);
  }

  void check_type(const std::string& place, DType type, const std::vector<DType>& allowed) {
    if (!allowed.empty() && !contains(allowed, type))
      add({Severity::error, place, "", fmt::format("is {}, {} is taken", dtype_name(type), names_of(allowed)),
           "kinglet quantize --io int8 gives int8 at both ends"});
  }

  void check_size(const graph::Value& in) {
    const bool planar =
        in.shape.rank() == 4 && model_.input.channels > 1 && in.shape[1] == model_.input.channels && in.shape[3] != model_.input.channels;
    if (planar && !profile_.interface.size.empty())
      return add({Severity::error, "input " + in.name, "",
                  "takes colour after colour (" + in.shape.batch_str() + "), pictures as N x H x W x C are given",
                  "convert the model with its input as NHWC"});
    for (const auto& limit : profile_.interface.size) {
      if (in.shape.rank() != 4)
        return add({Severity::error, "input " + in.name, "", "is " + in.shape.batch_str() + ", pictures as N x H x W x C are taken",
                    "import it as NHWC"});
      const int64_t value = in.shape[limit.measure == "height" ? 1 : limit.measure == "width" ? 2 : 3];
      const bool two_kinds = limit.measure == "channels" && value == 2;
      if (!limit.holds(value) || two_kinds)
        add({Severity::error, "input " + in.name, "",
             fmt::format("{} is {}, {} is taken", limit.measure, value, limit.measure == "channels" ? "1 or 3" : limit.allowed()),
             limit.measure == "channels"
                 ? "train on gray or colour pictures"
                 : fmt::format(
                       "train with another input size, for example {}",
                       std::max<int64_t>(limit.low.value_or(1), (value + limit.multiple_of - 1) / limit.multiple_of * limit.multiple_of))});
    }
  }

  void check_bytes(const graph::Value& in) {
    const std::string place = "input " + in.name;
    if (!takes_bytes_as_they_are(model_)) {
      add({Severity::error, place, "",
           fmt::format("is fed each byte of the picture less 128, but its contract ({}) with scale {:.6g}, zero point {} makes other "
                       "numbers of them",
                       graph::describe(model_.input), in.quant.empty() ? 0.f : in.quant.scale[0],
                       in.quant.empty() ? 0 : in.quant.zero_point[0]),
           "train or quantize with the range 0 to 1 (byte / 255); if the contract is wrong, state it with --input "
           "divisor=255,mean=0,std=1"});
      return;
    }
    const auto wanted = profile_.interface.input_scale;
    if (wanted && !in.quant.empty() && in.quant.scale[0] != static_cast<float>(*wanted))
      add({Severity::info, place, "",
           fmt::format("says scale {:.6g} where {:.6g} is assumed; the bytes it is fed are the same, so are its answers", in.quant.scale[0],
                       *wanted),
           ""});
    if (model_.input.order == graph::ColorOrder::bgr)
      add({Severity::error, place, "", "wants blue first (BGR), the firmware gives red first",
           "train with order rgb, or swap the first layer's input channels"});
  }

  void check_memory() {
    const int64_t needed = ops::cost(graph_).peak_activation_bytes;
    if (profile_.activation_bytes > 0 && needed > profile_.activation_bytes)
      add({Severity::error, "model", "",
           fmt::format("needs {} bytes for activations at once, {} are there", needed, profile_.activation_bytes),
           "use a smaller input or fewer channels in the first layers"});
  }

  void check_node(const Node& node) {
    ++report_.nodes;
    const int64_t macs = ops::node_macs(graph_, node);
    report_.macs += macs;
    const auto problems = problems_of(profile_, graph_, node, float_model_);
    const bool elsewhere = refused(problems) || float_model_;
    if (!elsewhere) ++report_.native_nodes, report_.native_macs += macs;
    const bool falls_back = refused(problems) && fallback_ && !refused(problems_of(*fallback_, graph_, node, false));
    for (const auto& p : problems) add_problem(node, p, falls_back);
    if (refused(problems)) return;
    const auto& rule = profile_.operators.at(op_of(node));
    if (node.op == graph::OpKind::Opaque)
      add({Severity::warning, name_of(node), op_of(node), graph::opaque_detail(node).empty() ? "is listed, but Kinglet does not know its details" : "is listed, but Kinglet does not run it: " + graph::opaque_detail(node),
           "check its attributes against the source of the profile"});
    if (!rule.note.empty()) add({Severity::info, name_of(node), op_of(node), rule.note, ""});
  }

  void add_problem(const Node& node, const Problem& p, bool falls_back) {
    const auto severity = p.advice ? Severity::info : falls_back ? Severity::warning : Severity::error;
    add({severity, name_of(node), op_of(node), p.reason + (falls_back && !p.advice ? "; " + profile_.runs_elsewhere : ""), p.hint});
  }

  const graph::Model& model_;
  const Graph& graph_;
  const Profile& profile_;
  std::optional<Profile> fallback_;
  bool float_model_ = false;
  CheckReport report_;
};

}  // namespace

bool CheckReport::ok() const {
  return std::none_of(findings.begin(), findings.end(), [](const Finding& f) { return f.severity == Severity::error; });
}

CheckReport check(const graph::Model& model, const Profile& profile) {
  const auto deployed = deployable(model);
  return Checker(deployed, profile).run();
}

std::string_view severity_name(Severity severity) {
  return severity == Severity::error ? "error" : severity == Severity::warning ? "warning" : "info";
}

Json check_report_to_json(const CheckReport& report) {
  Json json{{"ok", report.ok()}, {"model", report.model}, {"profile", report.profile}, {"title", report.title}};
  json["findings"] = Json::array();
  for (const auto& f : report.findings)
    json["findings"].push_back(
        {{"severity", severity_name(f.severity)}, {"node", f.node}, {"op", f.op}, {"reason", f.reason}, {"hint", f.hint}});
  json["nodes"] = report.nodes, json["native_nodes"] = report.native_nodes;
  json["macs"] = report.macs, json["native_macs"] = report.native_macs;
  json["sources"] = report.sources, json["notes"] = report.notes;
  return json;
}

}  // namespace kinglet::flow
