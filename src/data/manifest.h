// datasets/NAME.json: what is known of a public data set, and where its files are on this machine. Pictures themselves are
// never part of Kinglet; `get` fetches them from the official address, `make` draws the one built-in set.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/progress.h"

namespace kinglet::data {

struct ManifestFile {
  std::string sha256;          ///< of the file as published; empty when not known
  std::string content_sha256;  ///< of the gunzipped bytes: a file packed anew still passes
  uint64_t bytes = 0;          ///< of the published file
};

struct ManifestDownload {
  std::string file;               ///< name it is kept under
  std::vector<std::string> urls;  ///< the official one first; empty: no public address, a local copy is needed
  std::string sha256;
  uint64_t bytes = 0;
  bool unpack = false;
};

struct Manifest {
  std::string name, title, reader, url, licence, citation, hint;
  std::vector<std::string> classes, notes;
  std::vector<std::string> synsets;      ///< of ILSVRC's classes, in their order
  std::vector<std::string> folders;      ///< looked for under each data folder
  std::vector<std::string> system_dirs;  ///< full paths, looked into last
  std::map<std::string, ManifestFile> files;
  std::vector<ManifestDownload> downloads;
  std::map<std::string, Json> splits;             ///< "train", "val", "test": what the reader needs
  std::map<std::string, std::string> split_names;  ///< other words for splits ("private": "test")
};

std::vector<std::string> list_manifests();
bool has_manifest(const std::string& name);
/// Error with a suggestion for an unknown name, or naming file and key for a damaged manifest.
Manifest load_manifest(const std::string& name);

/// $KINGLET_DATA (parted by ':'), then ~/.cache/kinglet/data.
std::vector<std::filesystem::path> data_folders();

/// Files or folders that a split needs, relative to the data set's folder; each list alone is enough (FER2013 comes as an
/// IDX pair or as one csv).
std::vector<std::vector<std::string>> files_of_split(const Manifest& manifest, const std::string& split);
/// The first of the lists that is complete in `folder`, as full paths; empty when none is.
std::vector<std::filesystem::path> complete_files(const Manifest& manifest, const std::string& split, const std::filesystem::path& folder);
/// Reader "union": the sets whose split of the same name are read one after another. They have the union's classes.
std::vector<Manifest> parts_of_union(const Manifest& manifest, const std::string& split);
/// The folder that holds all of a split's files (of a union: of its last set's); nullopt when there is none. A built-in set needs none (an empty path).
std::optional<std::filesystem::path> where_found(const Manifest& manifest, const std::string& split);
/// `file` under `folder`, or the same with or without .gz; empty when neither is there.
std::filesystem::path find_file(const std::filesystem::path& folder, const std::string& file);
/// The Error of a missing split: where was looked, and how to get it (missing_dependency).
[[noreturn]] void fail_not_found(const Manifest& manifest, const std::string& split);

struct FileState {
  std::string file;
  std::filesystem::path path;  ///< empty when not found
  bool known = false;          ///< the manifest has a sum for it
  bool ok = false;             ///< the sum is right
};
/// Hashes every file the manifest has a sum for.
std::vector<FileState> verify_files(const Manifest& manifest, const ProgressCallback& progress = {});

/// Downloads (or takes from a data folder) what is missing, checks the sums and unpacks; returns the data set's folder.
/// Does nothing when all splits are there. Throws Error (missing_dependency) that says what to do when there is no address.
std::filesystem::path get(const std::string& name, const ProgressCallback& progress = {});
/// Writes a built-in set as IDX pairs into `folder` (default: the cache); returns that folder.
std::filesystem::path make(const std::string& name, const std::filesystem::path& folder = {});

}  // namespace kinglet::data
