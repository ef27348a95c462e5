#include "train/recipe.h"

#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <charconv>
#include <map>
#include <span>

#include "base/did_you_mean.h"
#include "base/error.h"
#include "base/file.h"
#include "base/sha256.h"

namespace kinglet::train {

namespace {

/// Calls visit(key, field) for every key of a recipe, in the order they are printed.
template <class R, class Visit>
void each_field(R& r, const Visit& visit) {
  visit("name", r.name);
  visit("model", r.model);
  visit("input", r.input);
  visit("data", r.data);
  visit("val", r.val);
  visit("from", r.from);
  visit("freeze_epochs", r.freeze_epochs);
  visit("freeze_lr", r.freeze_lr);
  visit("limit", r.limit);
  visit("epochs", r.epochs);
  visit("batch", r.batch);
  visit("optimizer", r.optimizer);
  visit("lr", r.lr);
  visit("momentum", r.momentum);
  visit("nesterov", r.nesterov);
  visit("weight_decay", r.weight_decay);
  visit("decay_all", r.decay_all);
  visit("schedule", r.schedule);
  visit("warmup_epochs", r.warmup_epochs);
  visit("final_lr", r.final_lr);
  visit("label_smoothing", r.label_smoothing);
  visit("clip_norm", r.clip_norm);
  visit("ema", r.ema);
  visit("seed", r.seed);
  visit("threads", r.threads);
  visit("eval_every", r.eval_every);
  visit("device", r.device);
  visit("augment.pad_crop", r.augment.pad_crop);
  visit("augment.flip", r.augment.flip);
  visit("augment.brightness", r.augment.brightness);
  visit("augment.contrast", r.augment.contrast);
  visit("augment.saturation", r.augment.saturation);
  visit("augment.rotate", r.augment.rotate);
  visit("augment.scale", r.augment.scale);
  visit("augment.cutout", r.augment.cutout);
  visit("augment.mixup", r.augment.mixup);
  visit("augment.cutmix", r.augment.cutmix);
  visit("augment.crop_area", r.augment.crop_area);
  visit("augment.randaugment", r.augment.randaugment);
  visit("distill.teacher", r.distill.teacher);
  visit("distill.weight", r.distill.weight);
  visit("distill.temperature", r.distill.temperature);
  visit("quantize", r.quantize);
  visit("qat.epochs", r.qat.epochs);
  visit("qat.lr", r.qat.lr);
  visit("qat.calibration_n", r.qat.calibration_n);
}

/// Keys that the first checkpoints did not have.
bool is_young(const std::string& key) {
  static const std::vector<std::string> young{"input", "freeze_epochs", "freeze_lr", "device", "augment.randaugment", "quantize", "qat.epochs", "qat.lr", "qat.calibration_n"};
  return std::find(young.begin(), young.end(), key) != young.end();
}

/// What was written for a key, and where. A list reads "[a, b]".
struct Entry {
  std::string text, where;
};
using Entries = std::map<std::string, Entry>;

void read(const Entry& entry, std::string& field) { field = entry.text; }

void read(const Entry& entry, bool& field) {
  if (entry.text != "true" && entry.text != "false") throw Error(entry.where, "'" + entry.text + "' is neither true nor false");
  field = entry.text == "true";
}

template <class Number>
void read(const Entry& entry, Number& field) {
  const char* end = entry.text.data() + entry.text.size();
  const auto [at, code] = std::from_chars(entry.text.data(), end, field);
  const char* kind = std::is_floating_point_v<Number> ? "number" : "whole number";
  if (code != std::errc() || at != end) throw Error(entry.where, fmt::format("'{}' is not a {}", entry.text, kind));
}

void read(const Entry& entry, RandAugment& field) {
  std::string text = entry.text;
  const auto words = text.size() > 2 && text.front() == '[' && text.back() == ']' ? text.substr(1, text.size() - 2) : text;
  const size_t comma = words.find(',');
  const auto trimmed = [](std::string word) {
    word.erase(0, word.find_first_not_of(' '));
    return word.substr(0, word.find_last_not_of(' ') + 1);
  };
  if (comma == std::string::npos) throw Error(entry.where, "'" + text + "' is not [operations, magnitude]", "for example [2, 9]");
  read({trimmed(words.substr(0, comma)), entry.where}, field.operations);
  read({trimmed(words.substr(comma + 1)), entry.where}, field.magnitude);
}

std::string joined(const YAML::Node& list) {
  std::string text;
  for (const auto& item : list) text += (text.empty() ? "" : ", ") + (item.IsScalar() ? item.Scalar() : std::string("?"));
  return "[" + text + "]";
}

void refuse_list(const Entry& entry) {
  if (entry.text.size() > 1 && entry.text.front() == '[' && entry.text.back() == ']') throw Error(entry.where, "takes one value, not a list");
}

void flatten(const YAML::Node& node, const std::string& prefix, const std::string& where, Entries& into) {
  for (const auto& item : node) {
    const std::string key = prefix + item.first.as<std::string>();
    const std::string place = fmt::format("{}: line {}: {}", where, item.first.Mark().line + 1, key);
    if (item.second.IsMap()) flatten(item.second, key + ".", where, into);
    else if (item.second.IsScalar() || item.second.IsNull()) into[key] = {item.second.IsNull() ? "" : item.second.Scalar(), place};
    else into[key] = {joined(item.second), place};
  }
}

Entries read_yaml(const std::string& yaml, const std::string& where) {
  try {
    const YAML::Node root = YAML::Load(yaml);
    if (!root.IsMap()) throw Error(where, "is not a list of key: value lines");
    Entries entries;
    flatten(root, "", where, entries);
    return entries;
  } catch (const YAML::Exception& error) {
    throw Error(fmt::format("{}: line {}", where, error.mark.line + 1), error.msg, "a recipe is YAML");
  }
}

void apply_overrides(const std::vector<std::string>& overrides, Entries& entries) {
  for (const std::string& text : overrides) {
    const size_t equals = text.find('=');
    if (equals == std::string::npos || equals == 0) throw Error("'" + text + "'", "is not key=value", "for example epochs=5", ErrorKind::usage);
    entries[text.substr(0, equals)] = {text.substr(equals + 1), "'" + text + "'"};
  }
}

void refuse_unknown(const Entries& entries) {
  std::vector<std::string> known;
  Recipe recipe;
  each_field(recipe, [&](const char* key, auto&) { known.push_back(key); });
  for (const auto& [key, entry] : entries)
    if (std::find(known.begin(), known.end(), key) == known.end()) throw Error(entry.where, "no such key", did_you_mean(key, known));
}

class Checks {
 public:
  Checks(const Entries& entries, std::string where) : entries_(entries), where_(std::move(where)) {}
  void require(bool ok, const std::string& key, const std::string& what) const {
    if (ok) return;
    const auto it = entries_.find(key);
    throw Error(it == entries_.end() ? where_ + ": " + key : it->second.where, what);
  }
  void one_of(const std::string& value, const std::string& key, const std::vector<std::string>& words) const {
    require(std::find(words.begin(), words.end(), value) != words.end(), key, "'" + value + "' is not known; " + did_you_mean(value, words));
  }

 private:
  const Entries& entries_;
  std::string where_;
};

void check(const Recipe& r, const Checks& checks) {
  checks.require(!r.model.empty() || !r.from.empty(), "model", "is missing: name an architecture, for example mobilenet_v2_rep@0.35,32x32x3,10");
  checks.require(!r.data.empty(), "data", "is missing: name a data set or a folder");
  const bool qat = r.quantize == "qat";
  checks.require(r.epochs >= 1 || (r.epochs == 0 && qat && !r.from.empty()), "epochs", "must be at least 1 (or 0 with from and quantize: qat)");
  checks.require(r.freeze_epochs >= 0, "freeze_epochs", "must not be negative");
  checks.require(r.freeze_epochs == 0 || !r.from.empty(), "freeze_epochs", "freezes what `from` gives, and there is none");
  checks.require(r.freeze_lr >= 0, "freeze_lr", "must not be negative");
  checks.require(r.qat.epochs >= 1, "qat.epochs", "must be at least 1");
  checks.require(r.qat.lr >= 0, "qat.lr", "must not be negative");
  checks.require(r.qat.calibration_n >= 1, "qat.calibration_n", "must be at least 1");
  checks.require(r.batch >= 1 && r.batch <= 65536, "batch", "must be from 1 to 65536");
  checks.require(r.limit >= 0, "limit", "must not be negative");
  checks.require(r.lr > 0, "lr", "must be positive");
  checks.require(r.momentum >= 0 && r.momentum < 1, "momentum", "must be from 0 to below 1");
  checks.require(r.weight_decay >= 0, "weight_decay", "must not be negative");
  checks.require(r.warmup_epochs >= 0 && (r.warmup_epochs <= r.epochs || r.epochs == 0), "warmup_epochs", "must be from 0 to epochs");
  checks.require(r.label_smoothing >= 0 && r.label_smoothing < 1, "label_smoothing", "must be from 0 to below 1");
  checks.require(r.ema >= 0 && r.ema < 1, "ema", "must be from 0 to below 1");
  checks.require(r.threads >= 0 && r.threads <= 1024, "threads", "must be from 0 to 1024");
  checks.require(r.eval_every >= 1, "eval_every", "must be at least 1");
  checks.require(r.augment.pad_crop >= 0 && r.augment.pad_crop <= 4096, "augment.pad_crop", "must be from 0 to 4096");
  checks.require(r.augment.cutout >= 0, "augment.cutout", "must not be negative");
  checks.require(r.augment.mixup >= 0, "augment.mixup", "must not be negative");
  checks.require(r.augment.cutmix >= 0, "augment.cutmix", "must not be negative");
  checks.require(r.augment.scale >= 0 && r.augment.scale < 1, "augment.scale", "must be from 0 to below 1");
  checks.require(r.augment.crop_area >= 0 && r.augment.crop_area <= 1, "augment.crop_area", "must be from 0 to 1");
  checks.require(r.augment.randaugment.operations >= 0 && r.augment.randaugment.operations <= 14, "augment.randaugment", "draws from 0 to 14 operations");
  checks.require(r.augment.randaugment.magnitude >= 0 && r.augment.randaugment.magnitude <= 30, "augment.randaugment", "has a magnitude from 0 to 30");
  checks.require(r.distill.weight >= 0 && r.distill.weight <= 1, "distill.weight", "must be from 0 to 1");
  checks.require(r.distill.temperature > 0, "distill.temperature", "must be positive");
  checks.one_of(r.optimizer, "optimizer", {"sgd", "adamw"});
  checks.one_of(r.schedule, "schedule", {"cosine", "constant"});
  checks.one_of(r.quantize, "quantize", {"none", "qat"});
  checks.one_of(r.device, "device", {"auto", "cpu", "cuda"});
  for (const auto* data : {&r.data, &r.val})
    checks.require(!data->ends_with(":test"), data == &r.data ? "data" : "val", "names the test split, which training never opens");
}

std::string quoted(const std::string& text) {
  std::string out = "\"";
  for (char c : text) out += c == '"' || c == '\\' ? std::string("\\") + c : std::string(1, c);
  return out + "\"";
}

std::string written(const std::string& value) { return quoted(value); }
std::string written(bool value) { return value ? "true" : "false"; }
template <class Number>
std::string written(Number value) {
  return fmt::format("{}", value);
}

std::string written(const RandAugment& value) { return fmt::format("[{}, {}]", value.operations, value.magnitude); }

/// "key: value" lines; `keep` says which keys.
template <class Keep>
std::string lines(const Recipe& recipe, const Keep& keep) {
  std::string out, section;
  each_field(recipe, [&](const std::string& key, const auto& field) {
    if (!keep(key, written(field))) return;
    const size_t dot = key.find('.');
    if (dot == std::string::npos) {
      out += fmt::format("{}: {}\n", key, written(field));
      return;
    }
    if (key.substr(0, dot) != section) out += (section = key.substr(0, dot)) + ":\n";
    out += fmt::format("  {}: {}\n", key.substr(dot + 1), written(field));
  });
  return out;
}

std::string stem_of(const std::string& where) { return std::filesystem::path(where).stem().string(); }

}  // namespace

Recipe parse_recipe(const std::string& yaml, const std::string& where, const std::vector<std::string>& overrides) {
  Entries entries = read_yaml(yaml, where);
  apply_overrides(overrides, entries);
  refuse_unknown(entries);
  Recipe recipe;
  recipe.name = stem_of(where);
  each_field(recipe, [&](const char* key, auto& field) {
    const auto it = entries.find(key);
    if (it == entries.end()) return;
    if (!std::is_same_v<std::decay_t<decltype(field)>, RandAugment>) refuse_list(it->second);
    read(it->second, field);
  });
  check(recipe, Checks(entries, where));
  return recipe;
}

Recipe load_recipe(const std::filesystem::path& path, const std::vector<std::string>& overrides) {
  return parse_recipe(read_text_file(path, 1 << 20), path.string(), overrides);
}

std::string to_yaml(const Recipe& recipe) {
  return lines(recipe, [](const std::string&, const std::string&) { return true; });
}

std::string recipe_hash(const Recipe& recipe) {
  Recipe copy = recipe;
  copy.name.clear();
  copy.threads = 0;
  std::map<std::string, std::string> defaults;
  each_field(static_cast<const Recipe&>(Recipe{}), [&](const std::string& key, const auto& field) { defaults[key] = written(field); });
  const std::string text = lines(copy, [&](const std::string& key, const std::string& value) { return !is_young(key) || value != defaults[key]; });
  return sha256(std::as_bytes(std::span(text.data(), text.size())));
}

}  // namespace kinglet::train
