#include "zoo/network_file.h"

#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <charconv>
#include <filesystem>

#include "base/did_you_mean.h"
#include "base/error.h"
#include "zoo/layers.h"

namespace kinglet::zoo {

namespace {

using graph::ValueId;

constexpr int kMostChannels = 65536, kLargestKernel = 63, kMostLayers = 2000;

std::string line_of(const std::string& where, const YAML::Node& node) { return fmt::format("{}: line {}", where, node.Mark().line + 1); }

/// The keys of one map, each asked for once; done() refuses the rest. Asking changes nothing in the file.
class Keys {
 public:
  Keys(YAML::Node map, const std::string& where) : map_(std::move(map)), file_(where), where_(line_of(where, map_)) {
    if (!map_.IsMap()) throw Error(where_, "is not a list of key: value pairs", "for example {conv: 16, stride: 2}");
    for (const auto& item : map_)
      if (!item.first.IsScalar()) throw Error(where_, "has a key that is no word");
  }
  const std::string& where() const { return where_; }
  bool has(const std::string& key) const { return static_cast<bool>(find(key)); }

  std::string word(const std::string& key, const std::string& fallback) {
    known_.push_back(key);
    const YAML::Node node = find(key);
    if (!node) return fallback;
    if (!node.IsScalar()) throw Error(line_of(file_, node), key + " takes one value, not a list");
    return node.Scalar();
  }
  std::string one_of(const std::string& key, const std::string& fallback, const std::vector<std::string>& words) {
    const std::string value = word(key, fallback);
    if (std::find(words.begin(), words.end(), value) == words.end())
      throw Error(where_of(key), fmt::format("{} '{}' is not known", key, value), did_you_mean(value, words));
    return value;
  }
  bool yes(const std::string& key, bool fallback) {
    const std::string value = one_of(key, fallback ? "true" : "false", {"true", "false", "yes", "no"});
    return value == "true" || value == "yes";
  }
  double number(const std::string& key, double fallback, double low, double high) { return parse<double>(key, fallback, low, high, "a number"); }
  int integer(const std::string& key, int fallback, int low, int high) { return parse<int>(key, fallback, low, high, "a whole number"); }

  std::vector<std::string> words(const std::string& key) {
    const YAML::Node node = find(key);
    if (node && node.IsSequence()) {
      known_.push_back(key);
      std::vector<std::string> list;
      for (const auto& item : node) list.push_back(item.IsScalar() ? item.Scalar() : std::string());
      return list;
    }
    return {word(key, "")};
  }
  std::string where_of(const std::string& key) const {
    const YAML::Node node = find(key);
    return node ? line_of(file_, node) : where_;
  }
  void done() const {
    for (const auto& item : map_)
      if (std::find(known_.begin(), known_.end(), item.first.Scalar()) == known_.end())
        throw Error(line_of(file_, item.first), "no such key '" + item.first.Scalar() + "'", did_you_mean(item.first.Scalar(), known_));
  }
  void knows(const std::string& key) { known_.push_back(key); }

 private:
  YAML::Node find(const std::string& key) const {
    for (const auto& item : map_)
      if (item.first.Scalar() == key) return item.second;
    return YAML::Node(YAML::NodeType::Undefined);
  }
  template <class Number>
  Number parse(const std::string& key, Number fallback, Number low, Number high, const char* kind) {
    const std::string text = word(key, "");
    if (!has(key)) return fallback;
    Number value{};
    const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (code != std::errc() || end != text.data() + text.size() || !(value >= low && value <= high))
      throw Error(where_of(key), fmt::format("{}: '{}' is not {} from {} to {}", key, text, kind, low, high));
    return value;
  }

  YAML::Node map_;
  std::string file_, where_;
  std::vector<std::string> known_;
};

/// What a layer does unless it says otherwise.
struct Defaults {
  bool norm = true;
  std::string act = "relu", padding = "same";
};

const std::vector<std::string> kActs{"none", "relu", "relu6", "hard_swish"};
const std::vector<std::string> kPaddings{"same", "torch", "valid"};

Act act_from(const std::string& word) {
  return word == "relu" ? Act::relu : word == "relu6" ? Act::relu6 : word == "hard_swish" ? Act::hard_swish : Act::none;
}

graph::Padding padding_from(const std::string& word, int kernel) {
  return word == "same" ? same_padding() : word == "torch" ? explicit_padding(kernel / 2) : graph::Padding{};
}

class NetworkReader {
 public:
  NetworkReader(const Spec& spec, const Defaults& defaults, const std::string& where, uint64_t seed)
      : spec_(spec), defaults_(defaults), file_(where), net_(spec, seed), last_(net_.input()) {
    named_["input"] = last_;
  }

  void add(const YAML::Node& item) {
    Keys keys(item, file_);
    // `act` is a key of other layers too: a layer of its own where it comes first.
    const auto is_kind = [&](const Kind& k) { return keys.has(k.word) && (k.word != "act" || item.begin()->first.Scalar() == "act"); };
    const auto kind = std::find_if(kinds().begin(), kinds().end(), is_kind);
    if (kind == kinds().end()) refuse_kind(item, keys);
    const std::string name = keys.word("name", fmt::format("{}{}", kind->word, ++count_));
    if (named_.count(name)) throw Error(keys.where_of("name"), "the name '" + name + "' is taken");
    if (const std::string from = keys.word("from", ""); !from.empty()) last_ = named(keys, "from", from);
    try {
      last_ = (this->*kind->build)(keys, name);
    } catch (const Error& error) {
      if (error.where().starts_with(file_)) throw;
      throw Error(keys.where(), error.what());
    }
    keys.done();
    named_[name] = last_;
  }

  graph::Model finish(const graph::InputSpec& input, const std::string& where) {
    const Shape& shape = net_.shape(last_);
    if (shape.rank() != 2 || shape[1] != spec_.classes)
      throw Error(where, fmt::format("the last layer gives {}, not {} scores", shape.str(), spec_.classes), "end with {global_mean: true} and {dense: classes}");
    return net_.finish(last_, input);
  }

 private:
  struct Kind {
    std::string word;
    ValueId (NetworkReader::*build)(Keys&, const std::string&);
  };
  static const std::vector<Kind>& kinds() {
    static const std::vector<Kind> all{{"conv", &NetworkReader::conv},           {"depthwise", &NetworkReader::depthwise},
                                       {"max_pool", &NetworkReader::max_pool},   {"average_pool", &NetworkReader::average_pool},
                                       {"global_mean", &NetworkReader::mean},    {"dense", &NetworkReader::dense},
                                       {"dropout", &NetworkReader::dropout},     {"add", &NetworkReader::join},
                                       {"multiply", &NetworkReader::join},       {"concat", &NetworkReader::join},
                                       {"squeeze_excite", &NetworkReader::gate}, {"act", &NetworkReader::act}};
    return all;
  }

  [[noreturn]] void refuse_kind(const YAML::Node& item, const Keys& keys) const {
    std::vector<std::string> words;
    for (const Kind& kind : kinds()) words.push_back(kind.word);
    const std::string first = item.size() > 0 ? item.begin()->first.Scalar() : std::string();
    throw Error(keys.where(), "no layer is called '" + first + "'", did_you_mean(first, words));
  }

  ValueId named(const Keys& keys, const std::string& key, const std::string& name) const {
    const auto it = named_.find(name);
    if (it != named_.end()) return it->second;
    std::vector<std::string> names;
    for (const auto& [known, value] : named_) names.push_back(known);
    throw Error(keys.where_of(key), "no layer before this one is named '" + name + "'", did_you_mean(name, names));
  }

  /// BatchNorm and activation as the layer or the file's defaults say.
  ValueId finish_layer(Keys& keys, ValueId x, const std::string& name, bool norm, const std::string& act_default) {
    if (norm) x = net_.batch_norm(x, name + ".bn");
    return net_.activation(x, act_from(keys.one_of("act", act_default, kActs)), name + ".act");
  }

  ConvShape window(Keys& keys, int out, int kernel, bool norm) {
    ConvShape shape{out, kernel, keys.integer("stride", 1, 1, 16), {}, keys.yes("bias", !norm)};
    shape.padding = padding_from(keys.one_of("padding", defaults_.padding, kPaddings), kernel);
    return shape;
  }

  ValueId conv(Keys& keys, const std::string& name) {
    const int out = keys.integer("conv", 0, 1, kMostChannels), kernel = keys.integer("kernel", 3, 1, kLargestKernel);
    const bool norm = keys.yes("norm", defaults_.norm);
    return finish_layer(keys, net_.conv(last_, window(keys, out, kernel, norm), name), name, norm, defaults_.act);
  }
  ValueId depthwise(Keys& keys, const std::string& name) {
    const int kernel = keys.integer("depthwise", 3, 1, kLargestKernel);
    const bool norm = keys.yes("norm", defaults_.norm);
    return finish_layer(keys, net_.depthwise(last_, window(keys, 0, kernel, norm), name), name, norm, defaults_.act);
  }
  ValueId max_pool(Keys& keys, const std::string& name) {
    const int size = keys.integer("max_pool", 2, 1, kLargestKernel);
    return net_.max_pool(last_, size, keys.integer("stride", size, 1, kLargestKernel), name);
  }
  ValueId average_pool(Keys& keys, const std::string& name) {
    const int size = keys.integer("average_pool", 2, 1, kLargestKernel);
    return net_.average_pool(last_, size, keys.integer("stride", size, 1, kLargestKernel), name);
  }
  ValueId mean(Keys& keys, const std::string& name) {
    keys.knows("global_mean");
    if (net_.shape(last_).rank() != 4) throw Error(keys.where(), "global_mean needs a picture, and gets " + net_.shape(last_).str());
    return net_.global_mean(last_, name);
  }
  ValueId dense(Keys& keys, const std::string& name) {
    const bool head = keys.word("dense", "") == "classes";
    const int out = head ? spec_.classes : keys.integer("dense", 0, 1, kMostChannels);
    const bool norm = keys.yes("norm", false);
    const bool rectified = keys.has("act");
    return finish_layer(keys, net_.dense(last_, out, name, rectified ? 2.0 : 1.0), name, norm, "none");
  }
  ValueId dropout(Keys& keys, const std::string& name) { return net_.dropout(last_, keys.number("dropout", 0.2, 0, 0.95), name); }
  ValueId act(Keys& keys, const std::string& name) { return net_.activation(last_, act_from(keys.one_of("act", "relu", kActs)), name); }
  ValueId gate(Keys& keys, const std::string& name) {
    const int squeeze = keys.integer("squeeze_excite", 0, 1, kMostChannels);
    return net_.squeeze_excite(last_, squeeze, name + ".reduce", name + ".excite", false);
  }

  /// add, multiply and concat: the running value with one or more named ones.
  ValueId join(Keys& keys, const std::string& name) {
    const std::string how = keys.has("add") ? "add" : keys.has("multiply") ? "multiply" : "concat";
    std::vector<ValueId> parts{last_};
    for (const std::string& part : keys.words(how)) parts.push_back(named(keys, how, part));
    ValueId x = parts[0];
    if (how == "concat") x = net_.concat(parts, name);
    else
      for (size_t i = 1; i < parts.size(); ++i) {
        const std::string step = parts.size() == 2 ? name : fmt::format("{}.{}", name, i);
        x = how == "add" ? net_.add(x, parts[i], step) : net_.multiply(x, parts[i], step);
      }
    return finish_layer(keys, x, name, false, "none");
  }

  const Spec& spec_;
  Defaults defaults_;
  std::string file_;
  Layers net_;
  ValueId last_;
  std::map<std::string, ValueId> named_;
  int count_ = 0;
};

Spec read_head(Keys& keys, const std::string& where) {
  const std::string size = keys.word("input", "");
  if (size.empty()) throw Error(where, "has no line input:", "height x width x channels, for example input: 32x32x3");
  Spec spec;
  spec.text = where;
  parse_size(size, keys.where_of("input"), spec);
  spec.arch = keys.word("name", std::filesystem::path(where).stem().string());
  if (!keys.has("classes")) throw Error(where, "has no line classes:", "for example classes: 10");
  spec.classes = keys.integer("classes", 0, 2, 100000);
  return spec;
}

graph::Model read_network(const YAML::Node& root, const std::string& where, uint64_t seed) {
  if (!root.IsMap() || !root["layers"]) throw Error(where, "has no list of layers:, so it is no network", "docs/how_to/write_a_network.md shows one");
  Keys keys(root, where);
  const Spec spec = read_head(keys, where);
  const std::string range = keys.one_of("range", "unit", {"unit", "signed", "raw", "imagenet"});
  Defaults defaults;
  defaults.norm = keys.yes("norm", defaults.norm);
  defaults.act = keys.one_of("act", defaults.act, kActs);
  defaults.padding = keys.one_of("padding", defaults.padding, kPaddings);
  keys.knows("layers");
  keys.done();
  const YAML::Node layers = root["layers"];
  if (!layers.IsSequence() || layers.size() == 0) throw Error(line_of(where, layers), "layers is not a list", "one `- {...}` a layer");
  if (layers.size() > kMostLayers) throw Error(line_of(where, layers), fmt::format("has {} layers; {} at most", layers.size(), kMostLayers));
  NetworkReader reader(spec, defaults, where, seed);
  for (const auto& layer : layers) reader.add(layer);
  return reader.finish(input_spec(spec, range), line_of(where, layers[layers.size() - 1]));
}

}  // namespace

bool is_network_path(const std::string& text) { return text.ends_with(".yaml") || text.ends_with(".yml"); }

graph::Model build_network(const std::string& yaml, const std::string& where, uint64_t seed) {
  try {
    graph::Model model = read_network(YAML::Load(yaml), where, seed);
    model.provenance["network"] = yaml;
    return model;
  } catch (const YAML::Exception& error) {
    throw Error(fmt::format("{}: line {}", where, error.mark.line + 1), error.msg, "a network is YAML");
  }
}

}  // namespace kinglet::zoo
