#include "cli/verb.h"

#include <fmt/format.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <memory>

#include "base/error.h"

namespace kinglet::cli {

namespace {

using Clock = std::chrono::steady_clock;

std::string duration(double seconds) {
  const auto s = static_cast<int64_t>(seconds + 0.5);
  return s < 60 ? fmt::format("{} s", s) : fmt::format("{}:{:02} min", s / 60, s % 60);
}

/// One line, rewritten on a terminal at most ten times a second; off a terminal a line every ten seconds.
class ProgressLine {
 public:
  void show(const Progress& p) {
    const auto now = Clock::now();
    if (p.stage != stage_ || p.total != total_ || p.done < done_) stage_ = p.stage, total_ = p.total, start_ = now, last_ = now, first_ = p.done;
    done_ = p.done;
    const bool finished = p.total > 0 && p.done >= p.total;
    const double gap = std::chrono::duration<double>(now - last_).count();
    if (!finished && gap < (terminal_ ? 0.1 : 10.0)) return;
    last_ = now;
    const double seconds = std::chrono::duration<double>(now - start_).count();
    const std::string line = text(p, seconds > 0 ? static_cast<double>(p.done - first_) / seconds : 0);
    if (terminal_) fmt::print(stderr, "\r\033[K{}{}", line, finished ? "\n" : "");
    else fmt::print(stderr, "{}\n", line);
    std::fflush(stderr);
  }

 private:
  /// `rate` 0: not known yet.
  static std::string text(const Progress& p, double rate) {
    std::string line = fmt::format("{}: {}", p.stage, p.done);
    if (p.total > 0) line += fmt::format(" of {}", p.total);
    line += " " + p.unit;
    if (rate > 0) line += fmt::format(", {:.0f}/s", rate);
    if (p.total > p.done && rate > 0) line += fmt::format(", {} left", duration(static_cast<double>(p.total - p.done) / rate));
    return line;
  }

  bool terminal_ = ::isatty(STDERR_FILENO) == 1;
  std::string stage_;
  int64_t total_ = 0, done_ = 0, first_ = 0;  ///< first_: done when the clock started
  Clock::time_point start_, last_;
};

}  // namespace

Verb::Verb(CLI::App& subcommand) : app(subcommand) {
  app.add_flag("--json", flags.json, "print one JSON object on stdout");
  app.add_flag("-q,--quiet", flags.quiet, "no progress and no warnings");
  app.add_option("--threads", flags.threads, "threads to use (default: one a processor)")->check(CLI::Range(0, 1024));
  app.add_option("--seed", flags.seed, "seed of every random choice (default 1)");
}

void Verb::add_open_flags() {
  app.add_option("--input", flags.input, "override the input contract: key=value,... (size, order, resize, filter, crop, mean, std, scale)");
  app.add_option("--arch", flags.arch, "architecture of a file of tensors without a network (.pth, .safetensors): mobilenet_v2, or in full NAME@WIDTH,HxWxC,CLASSES");
}

void Verb::add_model_flags() {
  app.add_option("--numerics", flags.numerics, "rounding rule of int8 models: tflm (default), tflite214, litert2");
  add_open_flags();
}

graph::Model Verb::open(const std::string& text) const { return load::open_model(text, {.input_override = flags.input, .arch = flags.arch, .seed = flags.seed, .warn = warn()}); }

ProgressCallback Verb::progress() const {
  if (flags.quiet) return {};
  return [line = std::make_shared<ProgressLine>()](const Progress& p) { line->show(p); };
}

WarningCallback Verb::warn() const {
  if (flags.quiet) return [](const std::string&) {};
  return [](const std::string& text) { fmt::print(stderr, "warning: {}\n", text); };
}

void Verb::print(const Json& json, const std::string& text) const {
  const std::string out = flags.json ? json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n" : text;
  if (std::fwrite(out.data(), 1, out.size(), stdout) != out.size() || std::fflush(stdout) != 0) throw Error("standard output", "cannot be written");
}

std::string table(const std::vector<std::vector<std::string>>& rows) {
  std::vector<size_t> widths;
  for (const auto& row : rows)
    for (size_t c = 0; c < row.size(); ++c) {
      if (c >= widths.size()) widths.push_back(0);
      widths[c] = std::max(widths[c], row[c].size());
    }
  std::string text;
  for (size_t r = 0; r < rows.size(); ++r) {
    for (size_t c = 0; c < rows[r].size(); ++c) {
      const auto& cell = rows[r][c];
      const auto& typical = rows[std::min<size_t>(r == 0 ? 1 : r, rows.size() - 1)];
      const bool number = c < typical.size() && !typical[c].empty() && std::isdigit(static_cast<unsigned char>(typical[c][0]));
      text += number ? fmt::format("{:>{}}", cell, widths[c]) : c + 1 < rows[r].size() ? fmt::format("{:<{}}", cell, widths[c]) : cell;
      if (c + 1 < rows[r].size()) text += "  ";
    }
    text += "\n";
  }
  return text;
}

std::string percent_with_interval(double percent, double low, double high) { return fmt::format("{:.2f} % [{:.2f}, {:.2f}]", percent, low, high); }

std::string program_folder() {
  std::error_code error;
  const auto path = std::filesystem::read_symlink("/proc/self/exe", error);
  return error ? "." : path.parent_path().string();
}

}  // namespace kinglet::cli
