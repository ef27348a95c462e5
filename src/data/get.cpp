#include <fmt/format.h>

#include "base/error.h"
#include "base/file.h"
#include "base/resources.h"
#include "base/sha256.h"
#include "data/download.h"
#include "data/manifest.h"
#include "data/readers/readers.h"

namespace kinglet::data {

namespace fs = std::filesystem;

namespace {

std::string missing_split(const Manifest& manifest) {
  for (const auto& [split, json] : manifest.splits)
    if (!where_found(manifest, split)) return split;
  return "";
}

/// The archive as the user may have it already: in a data folder, with the right sum.
fs::path local_copy(const ManifestDownload& wanted) {
  for (const auto& folder : data_folders()) {
    const fs::path path = folder / wanted.file;
    if (!fs::is_regular_file(path)) continue;
    const auto found = sha256_file(path);
    if (found != wanted.sha256)
      throw Error(path.string(), fmt::format("has SHA-256 {} where {} was expected", found, wanted.sha256), "delete or replace it", ErrorKind::missing_dependency);
    return path;
  }
  return {};
}

void get_part(const Manifest& manifest, const ManifestDownload& part, const fs::path& cache, const ProgressCallback& progress) {
  fs::path file = part.unpack ? local_copy(part) : fs::path();
  const bool own = file.empty();
  if (own) {
    if (part.urls.empty()) fail_not_found(manifest, missing_split(manifest));
    file = (part.unpack ? cache : cache / manifest.folders.at(0)) / part.file;
    if (!fs::is_regular_file(file)) download(part.urls, file, part.sha256, part.bytes, progress);
  }
  if (!part.unpack) return;
  unpack_archive(file, cache, {}, progress);
  if (own) fs::remove(file);
}

void check_sums(const Manifest& manifest, const ProgressCallback& progress) {
  for (const auto& state : verify_files(manifest, progress))
    if (!state.path.empty() && state.known && !state.ok)
      throw Error(state.path.string(), "does not have the SHA-256 of the published file", "delete it and run 'kinglet data get " + manifest.name + "'");
}

}  // namespace

fs::path get(const std::string& name, const ProgressCallback& progress) {
  const auto manifest = load_manifest(name);
  if (manifest.reader == "union") {
    fs::path folder;
    for (const auto& part : parts_of_union(manifest, manifest.splits.begin()->first)) folder = get(part.name, progress);
    return folder;
  }
  if (!missing_split(manifest).empty()) {
    if (manifest.downloads.empty()) fail_not_found(manifest, missing_split(manifest));
    for (const auto& part : manifest.downloads) get_part(manifest, part, cache_folder("data"), progress);
    if (const auto split = missing_split(manifest); !split.empty()) fail_not_found(manifest, split);
  }
  check_sums(manifest, progress);
  return *where_found(manifest, manifest.splits.begin()->first);
}

fs::path make(const std::string& name, const fs::path& folder) {
  const auto manifest = load_manifest(name);
  if (manifest.reader != "drawn_digits")
    throw Error(name, "is not a built-in data set", fmt::format("run 'kinglet data get {}'", name), ErrorKind::usage);
  const fs::path target = folder.empty() ? cache_folder("data") / name : folder;
  for (const auto& [split, json] : manifest.splits) {
    const auto pictures = draw_digits(json_at<int64_t>(json, "count", name), json_at<uint64_t>(json, "seed", name));
    write_idx(target / (split + "-images-idx3-ubyte"), target / (split + "-labels-idx1-ubyte"), pictures);
  }
  return target;
}

}  // namespace kinglet::data
