#include "data/manifest.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cstdlib>

#include "base/did_you_mean.h"
#include "base/error.h"
#include "base/file.h"
#include "base/resources.h"
#include "base/sha256.h"
#include "data/gzip.h"

namespace kinglet::data {

namespace fs = std::filesystem;

namespace {

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value ? value : "";
}

ManifestFile parse_file(const Json& json, const std::string& where) {
  refuse_unknown_keys(json, {"sha256", "content_sha256", "bytes"}, where);
  return {json_at_or<std::string>(json, "sha256", where), json_at_or<std::string>(json, "content_sha256", where),
          json_at_or<uint64_t>(json, "bytes", where)};
}

ManifestDownload parse_download(const Json& json, const std::string& where) {
  refuse_unknown_keys(json, {"file", "urls", "sha256", "bytes", "unpack"}, where);
  return {json_at<std::string>(json, "file", where), json_at_or<std::vector<std::string>>(json, "urls", where),
          json_at<std::string>(json, "sha256", where), json_at_or<uint64_t>(json, "bytes", where), json_at_or<bool>(json, "unpack", where)};
}

Manifest parse_manifest(const Json& json, const std::string& where) {
  refuse_unknown_keys(json, {"name", "title", "reader", "url", "licence", "citation", "hint", "classes", "classes_of", "synsets", "notes", "folders", "system_dirs",
                             "files", "downloads", "splits", "split_names"}, where);
  Manifest m;
  m.name = json_at<std::string>(json, "name", where);
  m.title = json_at<std::string>(json, "title", where);
  m.reader = json_at<std::string>(json, "reader", where);
  m.url = json_at<std::string>(json, "url", where);
  m.licence = json_at<std::string>(json, "licence", where);
  m.citation = json_at_or<std::string>(json, "citation", where);
  m.hint = json_at_or<std::string>(json, "hint", where);
  if (json.contains("classes_of")) m.classes = load_manifest(json_at<std::string>(json, "classes_of", where)).classes;
  else m.classes = json_at<std::vector<std::string>>(json, "classes", where);
  m.synsets = json_at_or<std::vector<std::string>>(json, "synsets", where);
  m.notes = json_at_or<std::vector<std::string>>(json, "notes", where);
  m.folders = json_at_or<std::vector<std::string>>(json, "folders", where);
  m.system_dirs = json_at_or<std::vector<std::string>>(json, "system_dirs", where);
  m.split_names = json_at_or<std::map<std::string, std::string>>(json, "split_names", where);
  m.splits = json_at<std::map<std::string, Json>>(json, "splits", where);
  if (json.contains("files"))
    for (const auto& [file, value] : json["files"].items()) m.files[file] = parse_file(value, where);
  if (json.contains("downloads"))
    for (const auto& value : json["downloads"]) m.downloads.push_back(parse_download(value, where));
  if (m.classes.empty() || m.splits.empty()) throw Error(where, "names no classes or no splits");
  return m;
}

std::vector<fs::path> candidate_folders(const Manifest& manifest) {
  std::vector<fs::path> candidates;
  for (const auto& root : data_folders())
    for (const auto& folder : manifest.folders) candidates.push_back(root / folder);
  for (const auto& folder : manifest.system_dirs) candidates.emplace_back(folder);
  return candidates;
}

/// Annotation files, the folders of their pictures, and the list of ids where a split has one.
std::vector<std::string> coco_files(const Json& json, const std::string& where) {
  auto files = json_at<std::vector<std::string>>(json, "annotations", where);
  for (auto& folder : json_at<std::vector<std::string>>(json, "pictures", where)) files.push_back(std::move(folder));
  for (const char* key : {"only", "without"})
    if (json.contains(key)) files.push_back(json_at<std::string>(json, key, where));
  return files;
}

bool sum_is_right(const fs::path& path, const ManifestFile& file) {
  if (!file.content_sha256.empty()) return sha256(read_maybe_gzip(path)) == file.content_sha256;
  return sha256_file(path) == file.sha256;
}

}  // namespace

std::vector<std::string> list_manifests() {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(resource_folder("datasets")))
    if (entry.path().extension() == ".json") names.push_back(entry.path().stem().string());
  std::sort(names.begin(), names.end());
  return names;
}

bool has_manifest(const std::string& name) {
  return !name.empty() && name.find('/') == std::string::npos && fs::is_regular_file(resource_folder("datasets") / (name + ".json"));
}

Manifest load_manifest(const std::string& name) {
  if (!has_manifest(name)) throw Error(name, "is not a known data set", did_you_mean(name, list_manifests()), ErrorKind::usage);
  const fs::path path = resource_folder("datasets") / (name + ".json");
  return parse_manifest(parse_json(read_text_file(path), path.string()), path.string());
}

std::vector<fs::path> data_folders() {
  std::vector<fs::path> folders;
  std::string list = environment("KINGLET_DATA");
  for (size_t at = 0; at < list.size();) {
    const size_t end = std::min(list.find(':', at), list.size());
    if (end > at) folders.emplace_back(list.substr(at, end - at));
    at = end + 1;
  }
  if (!environment("XDG_CACHE_HOME").empty() || !environment("HOME").empty()) folders.push_back(cache_folder("data"));
  return folders;
}

std::vector<std::vector<std::string>> files_of_split(const Manifest& manifest, const std::string& split) {
  const std::string where = "datasets/" + manifest.name + ".json: split " + split;
  const Json& json = manifest.splits.at(split);
  if (manifest.reader == "cifar10") return {json_at<std::vector<std::string>>(json, "files", where)};
  auto text = [&](const char* key) { return json_at<std::string>(json, key, where); };
  if (manifest.reader == "idx") return {{text("images"), text("labels")}};
  if (manifest.reader == "fer2013") {
    std::vector<std::vector<std::string>> ways{{text("images"), text("labels")}, {text("csv")}};
    if (json.contains("folder")) ways.push_back({text("folder")});
    return ways;
  }
  if (manifest.reader == "coco") return {coco_files(json, where)};
  if (manifest.reader == "ilsvrc") {
    std::vector<std::vector<std::string>> ways;
    for (const auto& folder : json_at<std::vector<std::string>>(json, "pictures", where)) ways.push_back({folder});
    return ways;
  }
  if (manifest.reader == "image_folder") return {{text("folder")}};
  if (manifest.reader == "file_list") return {{text("file")}};
  if (manifest.reader == "drawn_digits" || manifest.reader == "union") return {};
  throw Error(where, "reader '" + manifest.reader + "' is not known");
}

fs::path find_file(const fs::path& folder, const std::string& file) {
  std::vector<fs::path> candidates{folder / file};
  candidates.push_back(file.ends_with(".gz") ? folder / file.substr(0, file.size() - 3) : folder / (file + ".gz"));
  for (const auto& path : candidates) {
    std::error_code error;
    if (fs::exists(path, error)) return path;
  }
  return {};
}

std::vector<fs::path> complete_files(const Manifest& manifest, const std::string& split, const fs::path& folder) {
  for (const auto& files : files_of_split(manifest, split)) {
    std::vector<fs::path> paths;
    for (const auto& file : files) paths.push_back(find_file(folder, file));
    if (std::none_of(paths.begin(), paths.end(), [](const auto& path) { return path.empty(); })) return paths;
  }
  return {};
}

std::vector<Manifest> parts_of_union(const Manifest& manifest, const std::string& split) {
  const std::string where = "datasets/" + manifest.name + ".json: split " + split;
  std::vector<Manifest> parts;
  for (const auto& name : json_at<std::vector<std::string>>(manifest.splits.at(split), "sets", where)) {
    parts.push_back(load_manifest(name));
    if (parts.back().reader == "union") throw Error(where, "set '" + name + "' is itself a union");
    if (parts.back().classes != manifest.classes) throw Error(where, "set '" + name + "' has other classes");
    if (!parts.back().splits.contains(split)) throw Error(where, "set '" + name + "' has no such split");
  }
  if (parts.empty()) throw Error(where, "names no sets");
  return parts;
}

std::optional<fs::path> where_found(const Manifest& manifest, const std::string& split) {
  if (manifest.reader == "union") {
    std::optional<fs::path> folder;
    for (const auto& part : parts_of_union(manifest, split))
      if (folder = where_found(part, split); !folder) return std::nullopt;
    return folder;
  }
  if (files_of_split(manifest, split).empty()) return fs::path();
  for (const auto& folder : candidate_folders(manifest))
    if (!complete_files(manifest, split, folder).empty()) return folder;
  return std::nullopt;
}

void fail_not_found(const Manifest& manifest, const std::string& split) {
  if (manifest.reader == "union")
    for (const auto& part : parts_of_union(manifest, split))
      if (!where_found(part, split)) fail_not_found(part, split);
  std::vector<std::string> folders;
  for (const auto& folder : candidate_folders(manifest)) folders.push_back(folder.string());
  const bool public_address = std::any_of(manifest.downloads.begin(), manifest.downloads.end(), [](const auto& d) { return !d.urls.empty(); });
  const std::string get = public_address ? fmt::format("run 'kinglet data get {}' or set KINGLET_DATA", manifest.name)
                                         : fmt::format("set KINGLET_DATA to the folder that holds {}", manifest.folders.empty() ? manifest.name : manifest.folders[0]);
  throw Error(manifest.name, fmt::format("split '{}' was not found ({}); looked in {}", split, fmt::join(files_of_split(manifest, split).at(0), ", "), fmt::join(folders, ", ")),
              manifest.hint.empty() ? get : manifest.hint + ", or " + get, ErrorKind::missing_dependency);
}

std::vector<FileState> verify_files(const Manifest& manifest, const ProgressCallback& progress) {
  std::vector<FileState> states;
  for (const auto& [file, sums] : manifest.files) {
    FileState state{file, {}, !sums.sha256.empty() || !sums.content_sha256.empty(), false};
    for (const auto& folder : candidate_folders(manifest)) {
      state.path = find_file(folder, file);
      if (!state.path.empty()) break;
    }
    if (!state.path.empty() && state.known) state.ok = sum_is_right(state.path, sums);
    states.push_back(state);
    if (progress) progress({"verify", static_cast<int64_t>(states.size()), static_cast<int64_t>(manifest.files.size()), "files"});
  }
  return states;
}

}  // namespace kinglet::data
