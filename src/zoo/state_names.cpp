#include "zoo/state_names.h"

#include <regex>
#include <utility>

namespace kinglet::zoo {

namespace {

struct NameRule {
  const char* arch;
  const char* ours;    ///< a regular expression over the whole name
  const char* theirs;  ///< its replacement; "$1+1" counts from 1
};

/// SenseCraft Model Assistant's names of the re-parameterised MobileNetV2: each block is `conv3x3`, a list `conv` of 1x1 steps, a list
/// `norm` of identity branches and one `dense_norm`; a convolution with its BatchNorm is `conv` and `norm`.
constexpr NameRule kRules[] = {
    {"mobilenet_v2_rep", R"(stem\.conv\.(\w+))", "conv1.conv.$1"},
    {"mobilenet_v2_rep", R"(stem\.bn\.(\w+))", "conv1.norm.$1"},
    {"mobilenet_v2_rep", R"(stage(\d)\.block(\d)\.conv\.(\w+))", "layer$1+1.$2.conv3x3.conv.$3"},
    {"mobilenet_v2_rep", R"(stage(\d)\.block(\d)\.bn\.(\w+))", "layer$1+1.$2.conv3x3.norm.$3"},
    {"mobilenet_v2_rep", R"(stage(\d)\.block(\d)\.dense_bn\.(\w+))", "layer$1+1.$2.dense_norm.$3"},
    {"mobilenet_v2_rep", R"(stage(\d)\.block(\d)\.step(\d)\.conv\.(\w+))", "layer$1+1.$2.conv.$3.conv.$4"},
    {"mobilenet_v2_rep", R"(stage(\d)\.block(\d)\.step(\d)\.bn\.(\w+))", "layer$1+1.$2.conv.$3.norm.$4"},
    {"mobilenet_v2_rep", R"(stage(\d)\.block(\d)\.step(\d)\.identity_bn\.(\w+))", "layer$1+1.$2.norm.$3.$4"},
    {"mobilenet_v2_rep", R"(head\.(\w+))", "fc.$1"},
};

std::string replaced(const std::smatch& match, std::string text) {
  const auto replace = [&](const std::string& what, const std::string& with) {
    if (const size_t at = text.find(what); at != std::string::npos) text.replace(at, what.size(), with);
  };
  for (size_t i = 1; i < match.size(); ++i) {
    const std::string sign = "$" + std::to_string(i);
    if (text.find(sign + "+1") != std::string::npos) replace(sign + "+1", std::to_string(std::stoi(match[i]) + 1));
    else replace(sign, match[i]);
  }
  return text;
}

}  // namespace

std::string other_name(const std::string& arch, const std::string& parameter) {
  static const std::vector<std::regex> patterns = [] {
    std::vector<std::regex> list;
    for (const NameRule& rule : kRules) list.emplace_back(rule.ours);
    return list;
  }();
  for (size_t i = 0; i < patterns.size(); ++i) {
    std::smatch match;
    if (arch == kRules[i].arch && std::regex_match(parameter, match, patterns[i])) return replaced(match, kRules[i].theirs);
  }
  return {};
}

std::vector<std::string> derived_modules(const std::string& arch) {
  if (arch == "mobilenet_v2_rep") return {"fuse_conv"};
  return {};
}

}  // namespace kinglet::zoo
