#include "data/download.h"

#include <curl/curl.h>
#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <memory>

#include "base/error.h"
#include "base/sha256.h"

namespace kinglet::data {

namespace fs = std::filesystem;

namespace {

constexpr int kIdleTries = 3;

struct CloseFile {
  void operator()(std::FILE* file) const { std::fclose(file); }
};
using FilePtr = std::unique_ptr<std::FILE, CloseFile>;

struct CleanCurl {
  void operator()(CURL* curl) const { curl_easy_cleanup(curl); }
};

struct Attempt {
  CURLcode code = CURLE_OK;
  long status = 0;
  std::string reason;
  bool disk_failed = false;
};

struct Transfer {
  std::FILE* file;
  uint64_t before;  ///< bytes of earlier tries
  uint64_t limit;   ///< 0: none
  uint64_t taken = 0;
  bool disk_failed = false;
  const ProgressCallback* progress;
};

size_t take_bytes(char* bytes, size_t, size_t n, void* context) {
  auto* transfer = static_cast<Transfer*>(context);
  transfer->taken += n;
  if (transfer->limit > 0 && transfer->before + transfer->taken > transfer->limit) return 0;
  const size_t written = std::fwrite(bytes, 1, n, transfer->file);
  transfer->disk_failed = written != n;
  return written;
}

int show_progress(void* context, curl_off_t total, curl_off_t now, curl_off_t, curl_off_t) {
  auto* transfer = static_cast<Transfer*>(context);
  const auto before = static_cast<int64_t>(transfer->before);
  if (*transfer->progress) (*transfer->progress)({"download", before + now, total > 0 ? before + total : 0, "bytes"});
  return 0;
}

uint64_t size_of(const fs::path& path) {
  std::error_code error;
  const auto size = fs::file_size(path, error);
  return error ? 0 : size;
}

void set_options(CURL* curl, const std::string& url, Transfer& transfer, char* reason) {
  curl_easy_setopt(curl, CURLOPT_URL, url.c_str());
  curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(curl, CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 1L);
  curl_easy_setopt(curl, CURLOPT_MAXREDIRS, 8L);
  curl_easy_setopt(curl, CURLOPT_FAILONERROR, 1L);
  curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, 30L);
  curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, 1L);
  curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, 60L);
  curl_easy_setopt(curl, CURLOPT_USERAGENT, "kinglet/" KINGLET_VERSION);
  curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, reason);
  curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_bytes);
  curl_easy_setopt(curl, CURLOPT_WRITEDATA, &transfer);
  curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
  curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, show_progress);
  curl_easy_setopt(curl, CURLOPT_XFERINFODATA, &transfer);
  if (transfer.before > 0) curl_easy_setopt(curl, CURLOPT_RESUME_FROM_LARGE, static_cast<curl_off_t>(transfer.before));
}

/// One request, from the end of `part` on.
Attempt fetch_once(const std::string& url, const fs::path& part, uint64_t limit, const ProgressCallback& progress) {
  FilePtr file(std::fopen(part.c_str(), "ab"));
  if (!file) throw Error(part.string(), "cannot be written");
  Transfer transfer{file.get(), size_of(part), limit, 0, false, &progress};
  std::unique_ptr<CURL, CleanCurl> curl(curl_easy_init());
  KINGLET_CHECK(curl != nullptr);
  char reason[CURL_ERROR_SIZE] = "";
  set_options(curl.get(), url, transfer, reason);
  Attempt attempt;
  attempt.code = curl_easy_perform(curl.get());
  curl_easy_getinfo(curl.get(), CURLINFO_RESPONSE_CODE, &attempt.status);
  attempt.reason = reason[0] ? reason : curl_easy_strerror(attempt.code);
  attempt.disk_failed = transfer.disk_failed || std::fflush(file.get()) != 0;
  if (attempt.code == CURLE_WRITE_ERROR && !attempt.disk_failed) {
    attempt.reason = fmt::format("sends more than the {} bytes expected", limit);
    fs::remove(part);
  }
  return attempt;
}

bool may_try_again(const Attempt& attempt) {
  switch (attempt.code) {
    case CURLE_PARTIAL_FILE:
    case CURLE_RECV_ERROR:
    case CURLE_SEND_ERROR:
    case CURLE_GOT_NOTHING:
    case CURLE_OPERATION_TIMEDOUT:
      return true;
    default:
      return attempt.status >= 500;
  }
}

/// The server cannot go on from the middle, or has nothing after it: `part` is thrown away once.
bool cannot_resume(const Attempt& attempt, uint64_t had) {
  return had > 0 && (attempt.code == CURLE_RANGE_ERROR || attempt.status == 416);
}

/// Empty when `part` is complete as far as the server is concerned, else the reason.
std::string fetch(const std::string& url, const fs::path& part, uint64_t limit, const ProgressCallback& progress) {
  uint64_t furthest = size_of(part);
  for (int idle = 0; idle < kIdleTries;) {
    const uint64_t had = size_of(part);
    const auto attempt = fetch_once(url, part, limit, progress);
    if (attempt.disk_failed) throw Error(part.string(), "cannot be written", "free some space and run it again: it goes on from here");
    if (attempt.code == CURLE_OK) return "";
    if (cannot_resume(attempt, had)) {
      fs::remove(part);
      ++idle;
      continue;
    }
    if (!may_try_again(attempt)) return attempt.reason;
    idle = size_of(part) > furthest ? 0 : idle + 1;
    furthest = std::max(furthest, size_of(part));
    if (idle == kIdleTries) return attempt.reason;
  }
  return "the connection kept breaking";
}

std::string sum_like(const std::string& sum, const fs::path& path) { return sum.size() == 40 ? sha1_file(path) : sha256_file(path); }

/// Tries one address; empty on success. A wrong sum after going on from an older part says nothing of the server: the
/// part may stem from another version of the file, so it starts once more from nothing.
std::string try_address(const std::string& url, const fs::path& path, const std::string& sum, uint64_t bytes, const ProgressCallback& progress) {
  fs::path part = path;
  part += ".part";
  std::string found;
  for (bool resumed = true; resumed;) {
    resumed = size_of(part) > 0;
    const bool complete = bytes > 0 && size_of(part) == bytes;  // stopped between the last byte and the check
    const auto reason = complete ? "" : fetch(url, part, bytes, progress);
    if (!reason.empty()) return reason;
    found = sum_like(sum, part);
    if (found == sum) {
      fs::rename(part, path);
      return "";
    }
    fs::remove(part);
  }
  return fmt::format("sent a file with {} {} where {} was expected", sum.size() == 40 ? "SHA-1" : "SHA-256", found, sum);
}

}  // namespace

void download(std::span<const std::string> urls, const fs::path& path, const std::string& sum, uint64_t bytes, const ProgressCallback& progress) {
  KINGLET_CHECK(!urls.empty() && (sum.size() == 64 || sum.size() == 40));
  std::error_code error;
  fs::create_directories(path.parent_path(), error);
  if (error) throw Error(path.parent_path().string(), "cannot be created: " + error.message());
  std::string reasons;
  for (const auto& url : urls) {
    const auto reason = try_address(url, path, sum, bytes, progress);
    if (reason.empty()) return;
    reasons += (reasons.empty() ? "" : "; ") + url + ": " + reason;
  }
  throw Error(path.filename().string(), "could not be downloaded (" + reasons + ")",
              "check the connection and run it again: it goes on where it stopped", ErrorKind::missing_dependency);
}

void download(const std::string& url, const fs::path& path, const std::string& sum, const ProgressCallback& progress) {
  download(std::span(&url, 1), path, sum, 0, progress);
}

}  // namespace kinglet::data
