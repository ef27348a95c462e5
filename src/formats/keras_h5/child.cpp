#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <new>

#include "base/error.h"
#include "formats/keras_h5/contents.h"
#include "formats/text.h"

namespace kinglet::formats::keras_h5 {

namespace {

using Clock = std::chrono::steady_clock;

constexpr uint64_t kMoreBytes = uint64_t{768} << 20;  ///< of memory, beyond what the process has
constexpr uint64_t kBytesASecond = uint64_t{50} << 20;
constexpr int kMaxWallSeconds = 30;
constexpr char kSound = 'M', kFault = 'E';

void limit(int resource, uint64_t value) {
  const rlimit both{static_cast<rlim_t>(value), static_cast<rlim_t>(value)};
  setrlimit(static_cast<__rlimit_resource>(resource), &both);
}

uint64_t address_space_bytes() {
  unsigned long pages = 0;
  if (FILE* file = std::fopen("/proc/self/statm", "r")) {
    if (std::fscanf(file, "%lu", &pages) != 1) pages = 0;
    std::fclose(file);
  }
  return uint64_t{pages} * static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
}

void write_all(int fd, const void* data, size_t size) {
  const auto* at = static_cast<const char*>(data);
  while (size > 0) {
    const ssize_t n = write(fd, at, size);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) _exit(1);
    at += n, size -= static_cast<size_t>(n);
  }
}

void tell(int fd, char kind, const void* data, size_t size) {
  write_all(fd, &kind, 1);
  write_all(fd, data, size);
}

[[noreturn]] void be_child(int fd, std::span<const std::byte> bytes) {
  const uint64_t space = address_space_bytes();
  if (space > 0) limit(RLIMIT_AS, space + kMoreBytes);
  limit(RLIMIT_CPU, 1 + bytes.size() / kBytesASecond);
  limit(RLIMIT_CORE, 0);
  limit(RLIMIT_FSIZE, 0);
#ifndef __SANITIZE_ADDRESS__  // the sanitizers look at memory through pipes of their own
  limit(RLIMIT_NOFILE, 0);
#endif
  try {
    const auto packed = pack(read_hdf5(bytes));
    tell(fd, kSound, packed.data(), packed.size());
  } catch (const Error& error) {
    const std::string text = error.what();
    tell(fd, kFault, text.data(), text.size());
  } catch (const std::exception&) {
    constexpr std::string_view kText = "asks for more memory than it may have";
    tell(fd, kFault, kText.data(), kText.size());
  }
  _exit(0);
}

/// All that the child writes, up to `most` bytes; kills it at the deadline.
std::vector<std::byte> read_all(int fd, pid_t child, uint64_t most) {
  std::vector<std::byte> all, block(size_t{1} << 16);
  const auto deadline = Clock::now() + std::chrono::seconds(kMaxWallSeconds);
  for (;;) {
    const auto left_ms = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Clock::now()).count();
    pollfd wait{fd, POLLIN, 0};
    const int ready = left_ms > 0 ? poll(&wait, 1, static_cast<int>(left_ms)) : 0;
    if (ready < 0 && errno == EINTR) continue;
    const ssize_t n = ready > 0 ? read(fd, block.data(), block.size()) : -1;
    if (n < 0 && ready > 0 && errno == EINTR) continue;
    if (n <= 0 || all.size() + static_cast<size_t>(n) > most) {
      if (n != 0) kill(child, SIGKILL);
      return all;
    }
    all.insert(all.end(), block.begin(), block.begin() + n);
  }
}

int wait_for(pid_t child) {
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) continue;
  return status;
}

}  // namespace

Contents read_contents(std::span<const std::byte> bytes, const std::string& where) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) throw Error(where, fmt::format("cannot be read: {}", std::strerror(errno)));
  std::fflush(nullptr);
  const pid_t child = fork();
  if (child < 0) {
    close(ends[0]), close(ends[1]);
    throw Error(where, fmt::format("cannot be read: {}", std::strerror(errno)));
  }
  if (child == 0) be_child(ends[1], bytes);
  close(ends[1]);
  const auto told = read_all(ends[0], child, 17 * uint64_t{bytes.size()} + (2 << 20));
  close(ends[0]);
  const int status = wait_for(child);
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0 || told.empty()) {
    const int number = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
    const bool slow = number == SIGKILL || number == SIGXCPU;
    throw Error(where, slow ? "takes HDF5 more time than its size asks for" : fmt::format("crashes the HDF5 library{}", number ? fmt::format(" ({})", strsignal(number)) : ""), "the file is damaged or hostile");
  }
  const auto rest = std::span(told).subspan(1);
  if (told[0] == std::byte{kFault}) throw Error(where, clean_text({reinterpret_cast<const char*>(rest.data()), rest.size()}));
  return unpack(rest, where);
}

}  // namespace kinglet::formats::keras_h5
