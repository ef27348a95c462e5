#include <fmt/format.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "card/lint.h"
#include "cli/verb.h"
#include "flow/published.h"
#include "flow/zoo_models.h"
#include "flow/zoo_table.h"
#include "flow/zoo_verify.h"

namespace kinglet::cli {

namespace {

struct Args {
  std::string name, format, plots, runs = "runs";
  bool no_figures = false, resume = false;
};

std::string percent_or_dash(const Json& value) { return value.is_null() ? "-" : fmt::format("{:.2f}", value.get<double>()); }
std::string count_or_dash(const Json& value) { return value.is_null() ? "-" : group_digits(value.get<int64_t>()); }

std::string accuracy_cell(const flow::ZooFile* file) {
  if (!file || !file->n) return "-";
  const auto ci = file->ci95_percent();
  return fmt::format("{:.2f} [{:.2f}, {:.2f}]", file->top1_percent(), ci.low, ci.high);
}

int list(const Verb& verb, const Args& args) {
  if (args.format == "markdown" && !verb.flags.json) return verb.print({}, flow::list_as_markdown(flow::zoo_models())), 0;
  const auto published_list = flow::published_models();
  Json all = Json::array();
  std::vector<std::vector<std::string>> rows{{"name", "data", "n", "float top-1 %", "int8 top-1 %", "published float / int8", "params", "MACs", "int8 bytes", "arena", "us (card's machine)"}};
  for (const auto& model : flow::zoo_models()) {
    const Json j = flow::zoo_model_to_json(model, published_list);
    all.push_back(j);
    rows.push_back({model.name, model.dataset, count_or_dash(j["n"]), accuracy_cell(model.find("TFLite", "float32")), accuracy_cell(model.find("TFLite", "int8")),
                    percent_or_dash(j["published_float_top1"]) + " / " + percent_or_dash(j["published_int8_top1"]), group_digits(model.params), group_digits(model.macs),
                    count_or_dash(j["int8_bytes"]), count_or_dash(j["arena_bytes"]), percent_or_dash(j["latency_us"])});
  }
  Json published = Json::array();
  std::string more = "\npublished models without weights here (kinglet zoo get NAME):\n";
  for (const auto& model : published_list) {
    published.push_back(model.name);
    more += fmt::format("  {:<24}{} ({}), {} rows\n", model.name, model.title, model.data_as_printed, model.files.size());
  }
  verb.print({{"models", all}, {"published", published}}, table(rows) + more);
  return 0;
}

int show_published(const Verb& verb, const flow::PublishedModel& m) {
  Json files = Json::array();
  std::string text = fmt::format("{} ({}), {}\ninput      {}\nlicences   code {}, weights {}, data {}\n", m.title, m.publisher.empty() ? "no publisher" : m.publisher,
                                 m.data_as_printed, m.input.empty() ? "not stated" : m.input, m.code_licence, m.weights_licence, m.data_licence);
  for (const auto& f : m.files) {
    files.push_back({{"backend", f.backend}, {"precision", f.precision}, {"top1", f.top1_percent ? Json(*f.top1_percent) : Json(nullptr)}, {"url", f.url}, {"sha1", f.sha1}, {"sha256", f.sha256}});
    text += fmt::format("  {} {}: top-1 {} %  {}\n", f.backend, f.precision, f.top1_percent ? fmt::format("{:.2f}", *f.top1_percent) : "-", f.url.empty() ? "no address" : f.url);
  }
  for (const auto& note : m.notes) text += "note       " + note + "\n";
  if (!m.not_comparable.empty()) text += "not comparable: " + m.not_comparable + "\n";
  for (const auto& r : m.references) text += "see        " + r + "\n";
  verb.print({{"name", m.name}, {"title", m.title}, {"input", m.input}, {"classes", m.classes}, {"ours", m.ours}, {"recipe", m.recipe}, {"not_comparable", m.not_comparable}, {"notes", m.notes},
              {"references", m.references}, {"files", files}}, text);
  return 0;
}

int show(const Verb& verb, const std::string& name) {
  if (const auto published = flow::find_published(name)) return show_published(verb, *published);
  const auto model = flow::zoo_model(name);
  Json json = flow::zoo_model_to_json(model, flow::published_models());
  json["folder"] = model.folder.string(), json["card"] = model.card;
  verb.print(json, read_text_file(model.folder / "README.md"));
  return 0;
}

int get(const Verb& verb, const std::string& name) {
  Json files = Json::array();
  std::string text;
  if (const auto published = flow::find_published(name)) {
    for (const auto& path : flow::get_published(*published, verb.progress())) files.push_back(path.string());
  } else {  // shipped with Kinglet: nothing to fetch
    const auto model = flow::zoo_model(name);
    for (const auto& file : model.files) files.push_back((model.folder / file.file).string());
  }
  for (const auto& file : files) text += file.get<std::string>() + "\n";
  verb.print({{"name", name}, {"files", files}}, text);
  return 0;
}

using NamedChecks = std::vector<std::pair<std::string, std::vector<flow::Check>>>;

int print_checks(const Verb& verb, const NamedChecks& all) {
  static constexpr const char* kWords[]{"ok", "FAILED", "skipped"};
  Json list = Json::array();
  std::string text;
  bool ok = true;
  for (const auto& [name, checks] : all)
    for (const auto& check : checks) {
      const char* word = kWords[static_cast<int>(check.result)];
      ok = ok && check.result != flow::Check::Result::failed;
      list.push_back({{"model", name}, {"check", check.what}, {"result", word}, {"detail", check.detail}});
      text += fmt::format("{:<8}{}: {}{}\n", word, name, check.what, check.detail.empty() ? "" : " (" + check.detail + ")");
    }
  verb.print({{"ok", ok}, {"checks", list}}, text);
  return ok ? 0 : 1;
}

int verify(const Verb& verb, const Args& args) {
  NamedChecks all;
  for (const auto& model : args.name.empty() ? flow::zoo_models() : std::vector{flow::zoo_model(args.name)})
    all.emplace_back(model.name, flow::verify_model(model, !args.no_figures, verb.flags.threads, verb.progress()));
  return print_checks(verb, all);
}

/// Runs the trainer as a child, which ends with this program; its progress goes to stderr as it is. Returns its exit code.
int train_again(const Verb& verb, const std::string& recipe, const Args& args) {
  const std::string program = program_folder() + "/kinglet-train", name = "name=" + args.name, runs = "--runs=" + args.runs, threads = "--threads=" + std::to_string(verb.flags.threads);
  std::vector<const char*> argv{program.c_str(), recipe.c_str(), name.c_str(), runs.c_str()};
  if (verb.flags.threads > 0) argv.push_back(threads.c_str());
  if (args.resume) argv.push_back("--resume");
  if (verb.flags.quiet) argv.push_back("--quiet");
  argv.push_back(nullptr);
  const pid_t child = ::fork();
  if (child == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGTERM);
    ::dup2(STDERR_FILENO, STDOUT_FILENO);
    ::execv(program.c_str(), const_cast<char* const*>(argv.data()));
    ::_exit(127);
  }
  int status = 0;
  if (child < 0 || ::waitpid(child, &status, 0) != child) throw Error(program, "cannot be started");
  if (WIFEXITED(status) && WEXITSTATUS(status) == 127) throw Error(program, "cannot be started", "build it with libtorch: `make build`", ErrorKind::missing_dependency);
  if (!WIFEXITED(status)) throw Error(args.name, "the training was killed", "go on with --resume");
  return WEXITSTATUS(status);
}

int reproduce(const Verb& verb, const Args& args) {
  const auto model = flow::zoo_model(args.name);
  if (const int code = train_again(verb, (model.folder / "recipe.yaml").string(), args); code != 0) {
    if (code == static_cast<int>(ErrorKind::interrupted)) verb.warn()("the training stopped; go on with --resume");
    return code;
  }
  const auto trained = verb.open(args.runs + "/" + args.name + "/best.kinglet");
  return print_checks(verb, {{model.name, flow::compare_with_card(model, trained, verb.flags.threads, verb.progress())}});
}

int print_table(const Verb& verb, const Args& args) {
  if (!args.format.empty() && args.format != "markdown" && args.format != "html") throw Error("--format", "'" + args.format + "' is neither markdown nor html", {}, ErrorKind::usage);
  if (!args.plots.empty()) {
    const auto models = flow::zoo_models();
    write_file(std::filesystem::path(args.plots) / "accuracy_macs.svg", flow::plot_against_macs(models));
    write_file(std::filesystem::path(args.plots) / "accuracy_bytes.svg", flow::plot_against_bytes(models));
  }
  const auto rows = flow::zoo_table();
  verb.print(table_as_json(rows), args.format == "html" ? table_as_html(rows) : table_as_markdown(rows));
  return 0;
}

/// A card's folder, its card.json or any README.md, ours or somebody else's.
int lint(const Verb& verb, const std::string& name) {
  namespace fs = std::filesystem;
  const fs::path path = flow::is_zoo_model(name) ? flow::zoo_model(name).folder : fs::path(name);
  std::vector<card::Finding> findings;
  if (fs::is_directory(path)) findings = card::lint(parse_json(read_text_file(path / "card.json"), (path / "card.json").string()), read_text_file(path / "README.md"));
  else if (path.extension() == ".json") findings = card::lint_json(parse_json(read_text_file(path), path.string()));
  else findings = card::lint_readme(read_text_file(path));
  Json list = Json::array();
  std::string text;
  for (const auto& f : findings) {
    list.push_back({{"where", f.where}, {"what", f.what}, {"hint", f.hint}});
    text += fmt::format("{}: {}{}\n", f.where, f.what, f.hint.empty() ? "" : " (" + f.hint + ")");
  }
  verb.print({{"ok", findings.empty()}, {"findings", list}}, findings.empty() ? "no findings\n" : text);
  return findings.empty() ? 0 : 1;
}

}  // namespace

void add_zoo(Verb& verb) {
  auto args = std::make_shared<Args>();
  auto sub = [&](const char* name, const char* help, bool named) {
    auto* app = verb.app.add_subcommand(name, help);
    auto* option = app->add_option("NAME", args->name, "zoo model");
    if (named) option->required();
    app->fallthrough();
    return app;
  };
  auto* list_app = sub("list", "all models: accuracy, costs, sizes", false);
  auto* show_app = sub("show", "a model's card, or what is known of a published one", true);
  auto* get_app = sub("get", "download and verify a published model's files", true);
  auto* verify_app = sub("verify", "sums, golden outputs to the bit, the card's figures against the files", false);
  auto* reproduce_app = sub("reproduce", "train again from the recipe and compare with the card", true);
  auto* table_app = sub("table", "the published tables with Kinglet's figures beside each row", false);
  auto* lint_app = sub("lint", "read a card (a model, its folder, card.json or any README.md) as a careful stranger would", true);
  verify_app->add_flag("--no-figures", args->no_figures, "do not measure the accuracy again");
  reproduce_app->add_option("--runs", args->runs, "folder of the run folders (default runs)");
  reproduce_app->add_flag("--resume", args->resume, "go on with a training that was stopped");
  list_app->add_option("--format", args->format, "markdown: as README carries it");
  table_app->add_option("--format", args->format, "markdown (default) or html");
  table_app->add_option("--plots", args->plots, "folder for accuracy_macs.svg and accuracy_bytes.svg");
  verb.app.require_subcommand(1);
  verb.app.fallthrough();
  verb.examples("  kinglet zoo list\n  kinglet zoo show cifar10_rep035\n  kinglet zoo get seeed_cifar10\n  kinglet zoo verify\n  kinglet zoo reproduce mnist_rep035\n  kinglet zoo lint models/mnist_rep035\n"
                "  kinglet zoo table --format html > table.html");
  verb.action = [=, &verb] {
    if (list_app->parsed()) return list(verb, *args);
    if (show_app->parsed()) return show(verb, args->name);
    if (get_app->parsed()) return get(verb, args->name);
    if (verify_app->parsed()) return verify(verb, *args);
    if (reproduce_app->parsed()) return reproduce(verb, *args);
    if (lint_app->parsed()) return lint(verb, args->name);
    return print_table(verb, *args);
  };
}

}  // namespace kinglet::cli
