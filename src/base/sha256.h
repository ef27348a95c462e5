// SHA-256, SHA-1 and MD5 of bytes or a whole file, in lower-case hexadecimal (OpenSSL).
#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <string>

namespace kinglet {

std::string sha256(std::span<const std::byte> bytes);
std::string sha256_file(const std::filesystem::path& path);  ///< streams; throws Error when unreadable
std::string sha1_file(const std::filesystem::path& path);    ///< for files whose publisher gives only a SHA-1
std::string md5_file(const std::filesystem::path& path);     ///< for data sets whose publisher gives only an MD5

}  // namespace kinglet
