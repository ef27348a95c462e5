// Parses, hands over to the verb, and is the one place where an Error becomes a message and an exit code.
#include <fmt/format.h>

#include <list>
#include <new>

#include "base/did_you_mean.h"
#include "base/error.h"
#include "cli/verb.h"

namespace kinglet::cli {
namespace {

std::vector<std::string> option_names(const CLI::App& app) {
  std::vector<std::string> names;
  for (const auto* option : app.get_options())
    for (const auto& name : option->get_lnames()) names.push_back("--" + name);
  return names;
}

const CLI::App* chosen_verb(const CLI::App& app, int argc, char** argv) {
  for (const auto* sub : app.get_subcommands({}))
    if (argc > 1 && sub->get_name() == argv[1]) return sub;
  return nullptr;
}

/// An unknown verb or flag gets its nearest neighbour; all else CLI11's own words.
std::string usage_message(const CLI::App& app, int argc, char** argv, const CLI::ParseError& e) {
  const CLI::App* verb = chosen_verb(app, argc, argv);
  if (!verb && argc > 1 && argv[1][0] != '-') {
    std::vector<std::string> names;
    for (const auto* sub : app.get_subcommands({})) names.push_back(sub->get_name());
    return fmt::format("'{}' is no verb; {}", argv[1], did_you_mean(argv[1], names));
  }
  if (verb && dynamic_cast<const CLI::ExtrasError*>(&e))
    for (int i = 2; i < argc; ++i) {
      const std::string word = std::string(argv[i]).substr(0, std::string(argv[i]).find('='));
      const auto names = option_names(*verb);
      if (word.rfind("--", 0) == 0 && std::find(names.begin(), names.end(), word) == names.end())
        return fmt::format("{}: unknown flag '{}'; {}", verb->get_name(), word, did_you_mean(word, names));
    }
  return fmt::format("{}{}; `kinglet {}-h` tells more", verb ? verb->get_name() + ": " : "", e.what(), verb ? verb->get_name() + " " : "");
}

int run(int argc, char** argv) {
  CLI::App app{"Kinglet makes tiny image classifiers and proves them: train, fold, quantize, export, run, measure, card."};
  app.set_version_flag("--version", KINGLET_VERSION);
  app.require_subcommand(1);
  app.footer("`kinglet VERB -h` shows a verb's flags and examples.");
  std::list<Verb> verbs;
#define KINGLET_VERB(name, help)                        \
  verbs.emplace_back(*app.add_subcommand(#name, help)); \
  add_##name(verbs.back());
#include "cli/verbs.def"
#undef KINGLET_VERB
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& e) {
    return app.exit(e);
  } catch (const CLI::ParseError& e) {
    fmt::print(stderr, "kinglet: {}\n", usage_message(app, argc, argv, e));
    return static_cast<int>(ErrorKind::usage);
  }
  for (auto& verb : verbs)
    if (verb.app.parsed()) return verb.action();
  return static_cast<int>(ErrorKind::usage);
}

}  // namespace
}  // namespace kinglet::cli

int main(int argc, char** argv) {
  try {
    return kinglet::cli::run(argc, argv);
  } catch (const kinglet::Error& e) {
    fmt::print(stderr, "kinglet: {}\n", e.what());
    return e.exit_code();
  } catch (const std::bad_alloc&) {
    fmt::print(stderr, "kinglet: out of memory\n");
  } catch (const std::exception& e) {
    fmt::print(stderr, "kinglet: {} (this is a bug in Kinglet; please report it with the command and the file)\n", e.what());
  }
  return static_cast<int>(kinglet::ErrorKind::bad_input);
}
