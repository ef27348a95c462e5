#include "base/file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "base/error.h"

namespace kinglet {

namespace fs = std::filesystem;

namespace {
class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  int get() const { return fd_; }
  int close() { return ::close(std::exchange(fd_, -1)); }

 private:
  int fd_;
};

[[noreturn]] void fail(const fs::path& path, const std::string& doing, int error) {
  std::string hint = error == ENOSPC ? "free some space and run it again" : "";
  throw Error(path.string(), doing + ": " + std::strerror(error), hint);
}

void write_all(const Descriptor& fd, std::span<const std::byte> bytes, const fs::path& path) {
  while (!bytes.empty()) {
    ssize_t n = ::write(fd.get(), bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) fail(path, "cannot be written", errno);
    bytes = bytes.subspan(static_cast<size_t>(n));
  }
}
}  // namespace

std::vector<std::byte> read_file(const fs::path& path, uint64_t limit_bytes) {
  Descriptor fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (fd.get() < 0) fail(path, "cannot be opened", errno);
  struct stat info {};
  if (::fstat(fd.get(), &info) != 0) fail(path, "cannot be read", errno);
  if (S_ISDIR(info.st_mode)) throw Error(path.string(), "is a folder where a file was expected");
  auto size = static_cast<uint64_t>(info.st_size);
  if (size > limit_bytes) throw Error(path.string(), fmt::format("has {} bytes, more than the {} allowed here", size, limit_bytes));
  std::vector<std::byte> bytes(size);
  size_t at = 0;
  while (at < bytes.size()) {
    ssize_t n = ::read(fd.get(), bytes.data() + at, bytes.size() - at);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) fail(path, "cannot be read", errno);
    if (n == 0) break;
    at += static_cast<size_t>(n);
  }
  bytes.resize(at);
  return bytes;
}

std::string read_text_file(const fs::path& path, uint64_t limit_bytes) {
  auto bytes = read_file(path, limit_bytes);
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

void write_file(const fs::path& path, std::span<const std::byte> bytes) {
  if (path.has_parent_path()) {
    std::error_code error;
    fs::create_directories(path.parent_path(), error);
    if (error) throw Error(path.parent_path().string(), "cannot be created: " + error.message());
  }
  fs::path temporary = path;
  temporary += fmt::format(".{}.tmp", ::getpid());
  try {
    Descriptor fd(::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644));
    if (fd.get() < 0) fail(path, "cannot be created", errno);
    write_all(fd, bytes, path);
    if (::fsync(fd.get()) != 0) fail(path, "cannot be written", errno);
    if (fd.close() != 0) fail(path, "cannot be written", errno);
    if (::rename(temporary.c_str(), path.c_str()) != 0) fail(path, "cannot be written", errno);
  } catch (...) {
    ::unlink(temporary.c_str());
    throw;
  }
}

void write_file(const fs::path& path, std::string_view text) { write_file(path, std::as_bytes(std::span(text.data(), text.size()))); }

}  // namespace kinglet
