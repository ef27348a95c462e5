// Lines and fields of csv files, for the readers.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace kinglet::data {

/// Without line ends; empty lines stay, so that indices are line numbers less one.
std::vector<std::string> csv_lines(const std::filesystem::path& path);
/// One line of csv: fields parted by commas, quotes around a field keep commas in it, a doubled quote stands for one.
std::vector<std::string> csv_fields(const std::string& line);

}  // namespace kinglet::data
