// What every verb shares: its flags, and how figures, tables, warnings and progress reach the user.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/progress.h"
#include "base/text.h"
#include "load/open_model.h"
#include "ops/numerics.h"

namespace kinglet::cli {

struct CommonFlags {
  bool json = false, quiet = false;
  int threads = 0;  ///< 0: one a processor
  uint64_t seed = 1;
  std::string numerics = "tflm";
  std::string input, arch;
};

/// One verb while it is being set up: the CLI11 subcommand, the shared flags, and what to do once parsed.
struct Verb {
  CLI::App& app;
  CommonFlags flags;
  std::function<int()> action;  ///< returns the exit code

  explicit Verb(CLI::App& subcommand);
  void examples(const std::string& text) { app.footer("Examples:\n" + text); }
  /// --input and --arch, for verbs that open a model.
  void add_open_flags();
  /// Those and --numerics, for verbs that run one.
  void add_model_flags();
  ops::Numerics numerics() const { return ops::numerics_from_name(flags.numerics); }
  graph::Model open(const std::string& text) const;
  /// Progress on stderr with rate and time left; nothing when quiet.
  ProgressCallback progress() const;
  WarningCallback warn() const;
  /// The object on stdout when --json was given, else `text`.
  void print(const Json& json, const std::string& text) const;
};

#define KINGLET_VERB(name, help) void add_##name(Verb& verb);
#include "cli/verbs.def"
#undef KINGLET_VERB

/// Columns padded to their widest cell; the first row is the head. Numbers (cells that begin with a digit) go right.
std::string table(const std::vector<std::vector<std::string>>& rows);
std::string percent_with_interval(double percent, double low, double high);

/// Folder of the running program.
std::string program_folder();

}  // namespace kinglet::cli
