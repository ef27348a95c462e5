// kinglet-train: the one program that links libtorch. `kinglet train` runs it with the same arguments.
#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <iostream>

#include "base/error.h"
#include "base/json.h"
#include "train/environment.h"
#include "train/run.h"

namespace {

using namespace kinglet;

volatile std::sig_atomic_t interrupted = 0;

void on_interrupt(int) { interrupted = 1; }

std::string duration(double seconds) {
  const long s = static_cast<long>(seconds + 0.5);
  return s >= 3600 ? fmt::format("{}:{:02}:{:02}", s / 3600, s / 60 % 60, s % 60) : fmt::format("{}:{:02}", s / 60, s % 60);
}

/// One rewriting line on a terminal; elsewhere a line only when an epoch ends.
class Display {
 public:
  explicit Display(bool quiet) : quiet_(quiet), terminal_(isatty(STDERR_FILENO) != 0) {}

  void step(const train::StepReport& r) {
    const auto now = std::chrono::steady_clock::now();
    if (quiet_ || !terminal_ || now - shown_ < std::chrono::milliseconds(200)) return;
    shown_ = now;
    const std::string val = r.val_top1 < 0 ? "" : fmt::format("  val {:.2f} %", r.val_top1);
    rewrite(fmt::format("{}{}epoch {}/{}  {:3.0f} %  loss {:.4f}{}  {:.0f} pictures/s  {} left", r.phase, r.phase.empty() ? "" : " ", r.epoch, r.epochs, 100.0 * double(r.step) / double(r.steps), r.loss,
                        val, r.images_per_s, duration(r.seconds_left)));
  }
  void reading(const Progress& p) {
    if (quiet_ || !terminal_ || p.done % 4096 != 0) return;
    rewrite(fmt::format("reading pictures {}/{}", p.done, p.total));
  }
  void line(const std::string& text) {
    if (quiet_) return;
    rewrite("");
    std::fputs((text + "\n").c_str(), stderr);
  }

 private:
  void rewrite(const std::string& text) const {
    if (terminal_) std::fputs(("\r\x1b[K" + text).c_str(), stderr);
  }
  bool quiet_, terminal_;
  std::chrono::steady_clock::time_point shown_{};
};

struct Arguments {
  train::RunOptions run;
  bool json = false, quiet = false;
};

void declare(CLI::App& app, Arguments& arguments) {
  app.add_option("recipe", arguments.run.recipe, "recipe (YAML); may be left out with --from and --data");
  app.add_option("overrides", arguments.run.overrides, "key=value, dots for nesting: augment.flip=true");
  app.add_flag("--resume", arguments.run.resume, "go on from runs/NAME/last.kinglet");
  app.add_option("--from", arguments.run.from, "start from the weights of this model: .kinglet, .tflite, .onnx, run folder, zoo model");
  app.add_option("--data", arguments.run.data, "data set, in place of the recipe's");
  app.add_option("--runs", arguments.run.runs, "folder of the run folders")->capture_default_str();
  app.add_option("--threads", arguments.run.threads, "threads to compute with (0: all)");
  app.add_option("--minutes", arguments.run.minutes, "fine-tuning without a recipe: how long it may take")->capture_default_str()->check(CLI::Range(0.1, 1e5));
  app.add_option("--seed", arguments.run.seed, "in place of the recipe's");
  app.add_flag("--json", arguments.json, "one JSON object on stdout");
  app.add_flag("--quiet", arguments.quiet, "nothing on stderr but errors");
}

/// With --from and --data the first word may already be an override.
void shift_overrides(train::RunOptions& run) {
  const std::string first = run.recipe.string();
  if (first.find('=') == std::string::npos) return;
  run.overrides.insert(run.overrides.begin(), first);
  run.recipe.clear();
}

int report(const train::RunResult& out, const Arguments& arguments, Display& display) {
  const auto& result = out.result;
  if (arguments.json) {
    Json json;
    json["run"] = out.folder.string();
    json["best"] = std::filesystem::exists(out.best) ? Json(out.best.string()) : Json();
    json["epochs"] = result.epochs;
    json["top1"] = result.top1 < 0 ? Json() : Json(result.top1);
    json["images_per_s"] = result.images_per_s;
    if (!out.int8.empty()) {
      json["int8"] = out.int8.string();
      json["int8_top1"] = out.int8_top1 < 0 ? Json() : Json(out.int8_top1);
    }
    std::cout << json.dump() << std::endl;
  }
  if (result.stopped) {
    display.line("stopped; go on with --resume");
    return static_cast<int>(ErrorKind::interrupted);
  }
  display.line(fmt::format("done: {}{}", out.best.string(), result.top1 < 0 ? "" : fmt::format("  val top-1 {:.2f} %", result.top1)));
  if (!out.int8.empty())
    display.line(fmt::format("      {}{}", out.int8.string(), out.int8_top1 < 0 ? "" : fmt::format("  val top-1 {:.2f} % (fake-quantized)", out.int8_top1)));
  return 0;
}

int train_main(const Arguments& arguments) {
  std::signal(SIGINT, on_interrupt);
  std::signal(SIGTERM, on_interrupt);
  Display display(arguments.quiet);
  train::TrainEvents events;
  events.progress = [&](const Progress& p) { display.reading(p); };
  events.on_step = [&](const train::StepReport& r) { display.step(r); };
  events.stop = [] { return interrupted != 0; };
  return report(train::run(arguments.run, events, [&](const std::string& text) { display.line(text); }), arguments, display);
}

}  // namespace

int main(int argc, char** argv) {
  train::prepare_environment(argv);
  Arguments arguments;
  CLI::App app("Trains a model by a recipe into runs/NAME/.", "kinglet-train");
  declare(app, arguments);
  app.footer("Examples:\n  kinglet train recipes/cifar10_rep035.yaml\n  kinglet train recipes/cifar10_rep035.yaml epochs=20 augment.flip=false\n"
             "  kinglet train recipes/cifar10_rep035.yaml --resume\n"
             "  kinglet train --from models/cifar10_rep035 --data MY_FOLDER --minutes 5");
  try {
    app.parse(argc, argv);
    shift_overrides(arguments.run);
    if (arguments.run.recipe.empty() && !arguments.run.resume && (arguments.run.from.empty() || arguments.run.data.empty()))
      throw Error("kinglet-train", "needs a recipe, or --from and --data, or --resume with name=", "for example recipes/cifar10_rep035.yaml", ErrorKind::usage);
    return train_main(arguments);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : static_cast<int>(ErrorKind::usage);
  } catch (const Error& error) {
    std::fputs((std::string("kinglet-train: ") + error.what() + "\n").c_str(), stderr);
    return error.exit_code();
  } catch (const std::bad_alloc&) {
    std::fputs("kinglet-train: out of memory\n", stderr);
  } catch (const std::exception& error) {
    std::fputs((std::string("kinglet-train: ") + error.what() + " (this is a bug in Kinglet; please report it with the command and the file)\n").c_str(), stderr);
  }
  return static_cast<int>(ErrorKind::bad_input);
}
