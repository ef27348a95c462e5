#include <archive.h>
#include <archive_entry.h>
#include <fmt/format.h>
#include <unistd.h>

#include <memory>
#include <vector>

#include "base/error.h"
#include "data/download.h"

namespace kinglet::data {

namespace fs = std::filesystem;

namespace {

struct FreeReader {
  void operator()(archive* a) const { archive_read_free(a); }
};
struct FreeWriter {
  void operator()(archive* a) const { archive_write_free(a); }
};

/// A folder that is removed unless everything went well.
class Workplace {
 public:
  explicit Workplace(fs::path path) : path_(std::move(path)) {
    fs::remove_all(path_);
    fs::create_directories(path_);
  }
  ~Workplace() {
    std::error_code error;
    fs::remove_all(path_, error);
  }
  Workplace(const Workplace&) = delete;
  Workplace& operator=(const Workplace&) = delete;
  const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

class Unpacker {
 public:
  Unpacker(const fs::path& archive_path, const fs::path& folder, const UnpackLimits& limits, const ProgressCallback& progress)
      : where_(archive_path.string()), folder_(folder), limits_(limits), progress_(progress), packed_bytes_(fs::file_size(archive_path)) {
    reader_.reset(archive_read_new());
    writer_.reset(archive_write_disk_new());
    for (auto support : {archive_read_support_filter_gzip, archive_read_support_filter_xz, archive_read_support_filter_zstd,
                         archive_read_support_filter_bzip2, archive_read_support_format_tar, archive_read_support_format_zip})
      support(reader_.get());
    archive_write_disk_set_options(writer_.get(), ARCHIVE_EXTRACT_SECURE_NODOTDOT | ARCHIVE_EXTRACT_SECURE_SYMLINKS | ARCHIVE_EXTRACT_TIME);
    if (archive_read_open_filename(reader_.get(), where_.c_str(), 1 << 16) != ARCHIVE_OK) fail_reading();
  }

  void run() {
    archive_entry* entry = nullptr;
    int status;
    while ((status = archive_read_next_header(reader_.get(), &entry)) == ARCHIVE_OK || status == ARCHIVE_WARN) unpack(entry);
    if (status != ARCHIVE_EOF) fail_reading();
    if (files_ == 0) throw Error(where_, "is an archive without files");
  }

 private:
  [[noreturn]] void fail_reading() const {
    const char* text = archive_error_string(reader_.get());
    throw Error(where_, std::string("is a damaged archive: ") + (text ? text : "unknown fault"), "delete it and get it again");
  }
  [[noreturn]] void fail_writing() const {
    const char* text = archive_error_string(writer_.get());
    throw Error(folder_.string(), std::string("cannot be written: ") + (text ? text : "unknown fault"), "free some space and run it again");
  }
  [[noreturn]] void refuse(const std::string& what) const { throw Error(where_, what, "such an archive is not unpacked"); }

  std::string checked_name(archive_entry* entry) const {
    const char* raw = archive_entry_pathname(entry);
    const std::string name = raw ? raw : "";
    const fs::path path(name);
    if (name.empty() || path.is_absolute()) refuse(fmt::format("holds the absolute or empty path '{}'", name));
    for (const auto& part : path)
      if (part == "..") refuse(fmt::format("holds the path '{}', which leads out of its folder", name));
    return name;
  }

  void unpack(archive_entry* entry) {
    const auto name = checked_name(entry);
    const auto type = archive_entry_filetype(entry);
    if ((type != AE_IFREG && type != AE_IFDIR) || archive_entry_hardlink(entry)) refuse(fmt::format("holds '{}', which is neither a file nor a folder", name));
    if (++files_ > limits_.files) refuse(fmt::format("holds more than {} files", limits_.files));
    archive_entry_set_pathname(entry, (folder_ / name).c_str());
    archive_entry_set_perm(entry, type == AE_IFDIR ? 0755 : 0644);
    if (archive_write_header(writer_.get(), entry) != ARCHIVE_OK) fail_writing();
    if (type == AE_IFREG) copy_data();
    if (archive_write_finish_entry(writer_.get()) != ARCHIVE_OK) fail_writing();
    if (progress_) progress_({"unpack", static_cast<int64_t>(files_), 0, "files"});
  }

  void copy_data() {
    std::vector<char> buffer(1 << 16);
    while (true) {
      const auto n = archive_read_data(reader_.get(), buffer.data(), buffer.size());
      if (n < 0) fail_reading();
      if (n == 0) return;
      unpacked_bytes_ += static_cast<uint64_t>(n);
      if (unpacked_bytes_ > limits_.bytes) refuse(fmt::format("unpacks to more than {} bytes", limits_.bytes));
      if (static_cast<double>(unpacked_bytes_) > limits_.ratio * static_cast<double>(packed_bytes_) + (1 << 20))
        refuse(fmt::format("unpacks to more than {} times its size", limits_.ratio));
      if (archive_write_data(writer_.get(), buffer.data(), static_cast<size_t>(n)) != n) fail_writing();
    }
  }

  std::string where_;
  fs::path folder_;
  const UnpackLimits& limits_;
  const ProgressCallback& progress_;
  uint64_t packed_bytes_, unpacked_bytes_ = 0, files_ = 0;
  std::unique_ptr<archive, FreeReader> reader_;
  std::unique_ptr<archive, FreeWriter> writer_;
};

}  // namespace

void unpack_archive(const fs::path& archive_path, const fs::path& folder, const UnpackLimits& limits, const ProgressCallback& progress) {
  if (!fs::is_regular_file(archive_path)) throw Error(archive_path.string(), "was not found");
  // Absolute, because libarchive's own check against symbolic links starts at the root of the path it is given.
  const fs::path target = fs::weakly_canonical(fs::absolute(folder));
  fs::create_directories(target);
  const Workplace workplace(target / fmt::format(".unpack.{}", ::getpid()));
  Unpacker(archive_path, workplace.path(), limits, progress).run();
  for (const auto& entry : fs::directory_iterator(workplace.path())) {
    const fs::path to = target / entry.path().filename();
    fs::remove_all(to);
    fs::rename(entry.path(), to);
  }
}

}  // namespace kinglet::data
