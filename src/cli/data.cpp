#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/error.h"
#include "cli/verb.h"
#include "data/dataset.h"
#include "data/manifest.h"

namespace kinglet::cli {

namespace {

Json splits_json(const data::Manifest& manifest) {
  Json splits = Json::object();
  for (const auto& [split, spec] : manifest.splits) {
    (void)spec;
    const auto folder = data::where_found(manifest, split);
    splits[split] = {{"found", folder.has_value()}, {"n", nullptr}};
    if (folder) splits[split]["n"] = data::open_dataset(manifest.name + ":" + split, split)->size();
  }
  if (splits.contains("train") && !splits.contains("val")) {
    splits["val"] = {{"found", splits["train"]["found"]}, {"n", nullptr}, {"taken_from", "train"}};
    if (splits["train"]["found"].get<bool>()) splits["val"]["n"] = data::open_dataset(manifest.name + ":val", "val")->size();
  }
  return splits;
}

Json info_json(const data::Manifest& m) {
  Json sums = Json::object();
  for (const auto& [file, sum] : m.files) sums[file] = sum.sha256.empty() ? sum.content_sha256 : sum.sha256;
  return {{"name", m.name}, {"title", m.title}, {"url", m.url}, {"licence", m.licence}, {"citation", m.citation}, {"classes", m.classes},
          {"notes", m.notes}, {"splits", splits_json(m)}, {"sha256", sums}};
}

int list(const Verb& verb) {
  Json all = Json::array();
  std::vector<std::vector<std::string>> rows{{"name", "here", "classes", "licence", "title"}};
  for (const auto& name : data::list_manifests()) {
    const auto m = data::load_manifest(name);
    bool here = true;
    for (const auto& [split, spec] : m.splits) here = here && data::where_found(m, split).has_value();
    all.push_back({{"name", name}, {"title", m.title}, {"here", here}, {"classes", m.classes}, {"licence", m.licence}});
    rows.push_back({name, here ? "yes" : "no", std::to_string(m.classes.size()), m.licence, m.title});
  }
  verb.print({{"datasets", all}}, table(rows));
  return 0;
}

int info(const Verb& verb, const std::string& name) {
  const auto m = data::load_manifest(name);
  const Json json = info_json(m);
  std::string text = fmt::format("{}\naddress   {}\nlicence   {}\nclasses   {} ({})\n", m.title, m.url.empty() ? "-" : m.url, m.licence, m.classes.size(),
                                 fmt::join(m.classes.begin(), m.classes.begin() + static_cast<long>(std::min<size_t>(m.classes.size(), 12)), ", "));
  for (const auto& [split, row] : json["splits"].items()) text += fmt::format("{:<10}{}\n", split, row["found"].get<bool>() ? group_digits(row["n"].get<int64_t>()) + " pictures" + (row.contains("taken_from") ? ", taken from train" : "") : "not on this machine");
  for (const auto& note : m.notes) text += fmt::format("note      {}\n", note);
  verb.print(json, text);
  return 0;
}

}  // namespace

void add_data(Verb& verb) {
  auto name = std::make_shared<std::string>();
  auto need = [&verb, name](const char* what, const char* help) {
    auto* sub = verb.app.add_subcommand(what, help);
    sub->add_option("NAME", *name, "data set")->required();
    return sub;
  };
  auto* list_app = verb.app.add_subcommand("list", "all data sets Kinglet knows");
  auto* info_app = need("info", "classes, counts, sums, licence, known weaknesses");
  auto* get_app = need("get", "download, verify and unpack");
  auto* make_app = need("make", "draw a built-in set as files");
  verb.app.require_subcommand(1);
  verb.app.fallthrough();
  for (auto* sub : {list_app, info_app, get_app, make_app}) sub->fallthrough();
  verb.examples("  kinglet data list\n  kinglet data info cifar10 --json\n  kinglet data get cifar10\n  kinglet data make drawn_digits");
  verb.action = [=, &verb] {
    if (list_app->parsed()) return list(verb);
    if (info_app->parsed()) return info(verb, *name);
    const auto folder = get_app->parsed() ? data::get(*name, verb.progress()) : data::make(*name);
    Json json = info_json(data::load_manifest(*name));
    json["folder"] = folder.string();
    verb.print(json, fmt::format("{} is in {}\n", *name, folder.string()));
    return 0;
  };
}

}  // namespace kinglet::cli
