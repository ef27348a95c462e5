#include <fmt/format.h>
#include <fmt/ranges.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "card/lint.h"
#include "cli/verb.h"
#include "flow/verify_published.h"
#include "flow/zoo_models.h"
#include "flow/zoo_sheets.h"
#include "flow/zoo_table.h"
#include "flow/zoo_verify.h"
#include "load/published.h"

namespace kinglet::cli {

namespace {

struct Args {
  std::string name, format, plots, folder, runs = "runs";
  std::vector<std::string> names;
  bool no_figures = false, resume = false, measure = false;
};

std::string percent_or_dash(const std::optional<double>& percent) { return percent ? fmt::format("{:.2f} %", *percent) : "-"; }
std::string text_or(const std::string& text, const char* otherwise) { return text.empty() ? otherwise : text; }

int list(const Verb& verb, const Args& args) {
  const auto models = flow::zoo_models();
  const auto published = load::published_models();
  if (args.format == "markdown" && !verb.flags.json) return verb.print({}, flow::list_as_markdown(models)), 0;
  Json all = Json::array(), names = Json::array();
  for (const auto& model : models) all.push_back(flow::zoo_model_to_json(model, published));
  std::string more = "\npublished models without weights here (kinglet zoo get NAME):\n";
  for (const auto& model : published) {
    names.push_back(model.name);
    more += fmt::format("  {:<24}{} ({}), {} rows\n", model.name, model.title, model.data_as_printed, model.files.size());
  }
  verb.print({{"models", all}, {"published", names}}, table(flow::list_cells(models)) + more);
  return 0;
}

Json published_file_json(const load::PublishedFile& f) {
  const auto percent = [](const std::optional<double>& p) { return p ? Json(*p) : Json(nullptr); };
  return {{"backend", f.backend}, {"precision", f.precision}, {"top1", percent(f.top1_percent)}, {"top5", percent(f.top5_percent)}, {"flops_as_printed", f.flops_as_printed},
          {"params_as_printed_m", f.params_as_printed_m}, {"size_as_printed", f.size_as_printed}, {"inference_ms", f.inference_ms}, {"device", f.device}, {"boards", f.boards},
          {"url", f.url}, {"sha1", f.sha1}, {"sha1_of", f.sha1_of}, {"sha256", f.sha256}, {"bytes", f.bytes}, {"fault", f.fault}};
}

Json published_json(const load::PublishedModel& m) {
  Json files = Json::array();
  for (const auto& f : m.files) files.push_back(published_file_json(f));
  return {{"name", m.name}, {"title", m.title}, {"publisher", m.publisher}, {"data", m.data}, {"data_as_printed", m.data_as_printed}, {"input", m.input}, {"input_as_printed", m.input_as_printed},
          {"labels", m.labels()}, {"licences", {{"code", m.code_licence}, {"weights", m.weights_licence}, {"data", m.data_licence}}}, {"ours", m.ours}, {"recipe", m.recipe},
          {"not_comparable", m.not_comparable}, {"notes", m.notes}, {"references", m.references}, {"files", files}};
}

std::string labels_line(const std::vector<std::string>& labels) {
  constexpr size_t kShown = 10;
  const std::vector<std::string> first(labels.begin(), labels.begin() + static_cast<std::ptrdiff_t>(std::min(kShown, labels.size())));
  return fmt::format("{}{}", fmt::join(first, "; "), labels.size() > kShown ? fmt::format("; ... ({} in all)", labels.size()) : "");
}

int show_published(const Verb& verb, const load::PublishedModel& m) {
  std::string text = fmt::format("{} ({}), {}\ninput      {}, printed as {}\nlabels     {}\nlicences   code {}, weights {}, data {}\nours       {}\nrecipe     {}\n", m.title,
                                 text_or(m.publisher, "no publisher"), m.data_as_printed, m.input, m.input_as_printed, labels_line(m.labels()), m.code_licence, m.weights_licence, m.data_licence,
                                 text_or(m.ours, "-"), m.recipe.empty() ? m.ours.empty() ? "-" : "models/" + m.ours + "/recipe.yaml" : "recipes/" + m.recipe + ".yaml");
  for (const auto& f : m.files) {
    text += fmt::format("  {} {}: top-1 {}, top-5 {}  {}\n", f.backend, f.precision, percent_or_dash(f.top1_percent), percent_or_dash(f.top5_percent), text_or(f.url, "no address"));
    if (!f.sha256.empty()) text += "    SHA-256 " + f.sha256 + "\n";
    if (!f.sha1.empty()) text += "    SHA-1 " + f.sha1 + (f.sha1_of.empty() ? "" : " (printed; that of " + f.sha1_of + ")") + "\n";
    if (!f.fault.empty()) text += "    this figure is " + f.fault + "\n";
  }
  for (const auto& note : m.notes) text += "note       " + note + "\n";
  if (!m.not_comparable.empty()) text += "not comparable: " + m.not_comparable + "\n";
  for (const auto& r : m.references) text += "see        " + r + "\n";
  verb.print(published_json(m), text);
  return 0;
}

int show(const Verb& verb, const std::string& name) {
  if (const auto published = load::find_published(name)) return show_published(verb, *published);
  const auto model = flow::zoo_model(name);
  Json json = flow::zoo_model_to_json(model, load::published_models());
  json["folder"] = model.folder.string(), json["card"] = model.card;
  verb.print(json, read_text_file(model.folder / "README.md"));
  return 0;
}

/// Prints the paths of all that is there before it tells of a file that could not be had.
int get_published(const Verb& verb, const load::PublishedModel& model) {
  const auto fetched = load::get_published(model, verb.progress());
  for (const auto& reason : fetched.skipped) verb.warn()(reason);
  Json files = Json::array();
  std::string text;
  for (const auto& path : fetched.paths) files.push_back(path.string()), text += path.string() + "\n";
  verb.print({{"name", model.name}, {"files", files}, {"skipped", fetched.skipped}, {"failed", fetched.failed}}, text);
  if (fetched.failed.empty()) return 0;
  throw Error(model.name, fmt::format("{} of {} files failed: {}", fetched.failed.size(), fetched.failed.size() + fetched.paths.size(), fmt::join(fetched.failed, "; ")), {}, ErrorKind::missing_dependency);
}

int get(const Verb& verb, const std::string& name) {
  if (const auto published = load::find_published(name)) return get_published(verb, *published);
  Json files = Json::array();
  std::string text;
  const auto model = flow::zoo_model(name);  // shipped with Kinglet: nothing to fetch
  for (const auto& file : model.files) files.push_back((model.folder / file.file).string()), text += (model.folder / file.file).string() + "\n";
  verb.print({{"name", name}, {"files", files}, {"skipped", Json::array()}, {"failed", Json::array()}}, text);
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
  if (const auto published = load::find_published(args.name))
    return print_checks(verb, {{published->name, flow::verify_published(*published, !args.no_figures, verb.flags.threads, verb.progress())}});
  NamedChecks all;
  for (const auto& model : args.name.empty() ? flow::zoo_models() : std::vector{flow::zoo_model(args.name)})
    all.emplace_back(model.name, flow::verify_model(model, args.no_figures ? flow::Measure::none : flow::Measure::all, verb.flags.threads, verb.progress()));
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
  if (const auto published = load::find_published(args.name)) flow::refuse_to_reproduce(*published);
  const auto model = flow::zoo_model(args.name);
  if (const int code = train_again(verb, (model.folder / "recipe.yaml").string(), args); code != 0) {
    if (code == static_cast<int>(ErrorKind::interrupted)) verb.warn()("the training stopped; go on with --resume");
    return code;
  }
  return print_checks(verb, {{model.name, flow::compare_with_card(model, std::filesystem::path(args.runs) / args.name, verb.flags.threads, verb.progress())}});
}

int print_table(const Verb& verb, const Args& args) {
  if (!args.plots.empty()) {
    const auto models = flow::zoo_models();
    write_file(std::filesystem::path(args.plots) / "accuracy_macs.svg", flow::plot_against_macs(models));
    write_file(std::filesystem::path(args.plots) / "accuracy_bytes.svg", flow::plot_against_bytes(models));
  }
  const auto rows = flow::zoo_table(args.measure, verb.flags.threads, verb.progress());
  verb.print(table_as_json(rows), args.format == "html" ? table_as_html(rows) : table_as_markdown(rows));
  return 0;
}

/// A picture a model; models whose pictures are not on this machine are named and left out.
int sheets(const Verb& verb, const Args& args) {
  std::vector<flow::ZooModel> models;
  for (const auto& name : args.names) models.push_back(flow::zoo_model(name));
  Json files = Json::array(), skipped = Json::array();
  std::string text;
  for (const auto& model : models.empty() ? flow::zoo_models() : models) {
    std::string why;
    const auto path = flow::write_zoo_sheet(model, args.folder, why, verb.flags.threads, verb.progress());
    if (path) files.push_back(path->string()), text += path->string() + "\n";
    else skipped.push_back(model.name + ": " + why), verb.warn()(model.name + ": " + why);
  }
  verb.print({{"files", files}, {"skipped", skipped}}, text);
  return 0;
}

/// A card's folder, its card.json or any README.md, ours or somebody else's.
int lint(const Verb& verb, const std::string& name) {
  namespace fs = std::filesystem;
  const bool is_word = name.find_first_of("/.") == std::string::npos;  // a name, then: an unknown one gets a suggestion
  const fs::path path = flow::is_zoo_model(name) || (is_word && !fs::exists(name)) ? flow::zoo_model(name).folder : fs::path(name);
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
  auto* verify_app = sub("verify", "sums, costs, labels, texts, golden outputs to the bit, the card's figures against the files", false);
  auto* reproduce_app = sub("reproduce", "train again from the recipe and compare with the card", true);
  auto* table_app = sub("table", "the published tables with Kinglet's figures beside each row", false);
  auto* sheets_app = verb.app.add_subcommand("sheets", "a picture of each model's 40 most confident mistakes on its own test split");
  auto* lint_app = sub("lint", "read a card (a model, its folder, card.json or any README.md) as a careful stranger would", true);
  verify_app->add_flag("--no-figures", args->no_figures, "do not measure the accuracy again");
  reproduce_app->add_option("--runs", args->runs, "folder of the run folders (default runs)");
  reproduce_app->add_flag("--resume", args->resume, "go on with a training that was stopped");
  sheets_app->add_option("NAME", args->names, "zoo models (default: all)");
  sheets_app->add_option("-o,--output", args->folder, "folder for NAME_mistakes.png")->required();
  sheets_app->footer("Examples:\n  kinglet zoo sheets -o sheets                  # every shipped model whose pictures are here\n  kinglet zoo sheets mnist_rep035 -o sheets");
  sheets_app->fallthrough();
  list_app->add_option("--format", args->format, "text (default), or markdown as README carries it")->check(CLI::IsMember({"text", "markdown"}));
  table_app->add_option("--format", args->format, "markdown (default) or html")->check(CLI::IsMember({"markdown", "html"}));
  table_app->add_flag("--measure", args->measure, "run the published files that `zoo get` fetched, where their pictures are on this machine");
  table_app->add_option("--plots", args->plots, "folder for accuracy_macs.svg and accuracy_bytes.svg");
  verb.app.require_subcommand(1);
  verb.app.fallthrough();
  verb.examples("  kinglet zoo list\n  kinglet zoo show cifar10_rep035\n  kinglet zoo get seeed_cifar10\n  kinglet zoo verify\n  kinglet zoo reproduce mnist_rep035\n  kinglet zoo lint models/mnist_rep035\n"
                "  kinglet zoo table --format html > table.html\n  kinglet zoo sheets mnist_rep035 -o sheets");
  verb.action = [=, &verb] {
    if (list_app->parsed()) return list(verb, *args);
    if (show_app->parsed()) return show(verb, args->name);
    if (get_app->parsed()) return get(verb, args->name);
    if (verify_app->parsed()) return verify(verb, *args);
    if (reproduce_app->parsed()) return reproduce(verb, *args);
    if (sheets_app->parsed()) return sheets(verb, *args);
    if (lint_app->parsed()) return lint(verb, args->name);
    return print_table(verb, *args);
  };
}

}  // namespace kinglet::cli
