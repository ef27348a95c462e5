// The one exception type of the library: a user's fault, told in one sentence that names the place and the mend.
// Our own bugs are KINGLET_CHECK, which no input can reach.
#pragma once

#include <stdexcept>
#include <string>

namespace kinglet {

/// Doubles as the process exit code (docs/architecture.md, "Errors").
enum class ErrorKind { check_failed = 1, usage = 2, bad_input = 3, missing_dependency = 4, interrupted = 130 };

/// `where` names the file, node or line; `what` the fault; `hint` what to do (may be empty).
/// what() reads "where: what; hint".
class Error : public std::runtime_error {
 public:
  Error(std::string where, std::string what, std::string hint = {}, ErrorKind kind = ErrorKind::bad_input);
  const std::string& where() const { return where_; }
  const std::string& hint() const { return hint_; }
  ErrorKind kind() const { return kind_; }
  int exit_code() const { return static_cast<int>(kind_); }

 private:
  std::string where_;
  std::string hint_;
  ErrorKind kind_;
};

[[noreturn]] void check_failed(const char* condition, const char* file, int line, const std::string& note = {});

}  // namespace kinglet

#define KINGLET_CHECK(condition, ...) \
  do {                                \
    if (!(condition)) ::kinglet::check_failed(#condition, __FILE__, __LINE__ __VA_OPT__(, ) __VA_ARGS__); \
  } while (false)
