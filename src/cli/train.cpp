#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

#include "base/error.h"
#include "cli/verb.h"

namespace kinglet::cli {

namespace {

/// Training lives in a program of its own: libtorch alone takes longer to load than most verbs to run.
std::string trainer_path() {
  const auto path = std::filesystem::path(program_folder()) / "kinglet-train";
  if (!std::filesystem::exists(path))
    throw Error("train", "the program " + path.string() + " is missing", "build it with libtorch: `make build`", ErrorKind::missing_dependency);
  return path.string();
}

/// Becomes the trainer, so that signals, progress and the exit code are the trainer's own.
[[noreturn]] void become(const std::string& program, const std::vector<std::string>& arguments) {
  std::vector<char*> argv{const_cast<char*>(program.c_str())};
  for (const auto& a : arguments) argv.push_back(const_cast<char*>(a.c_str()));
  argv.push_back(nullptr);
  ::execv(program.c_str(), argv.data());
  throw Error(program, std::string("cannot be started: ") + std::strerror(errno), {}, ErrorKind::missing_dependency);
}

}  // namespace

void add_train(Verb& verb) {
  verb.app.prefix_command();  // everything behind the verb belongs to the trainer
  verb.app.set_help_flag();
  verb.app.set_help_flag("--help-here", "")->group("");
  verb.action = [&verb] { become(trainer_path(), verb.app.remaining()); return 0; };
}

}  // namespace kinglet::cli
