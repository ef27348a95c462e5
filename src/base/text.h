// Small changes of text that several folders need.
#pragma once

#include <cstdint>
#include <string>

namespace kinglet {

/// ASCII letters in lower case; all other bytes as they are.
std::string lower(std::string text);
std::string group_digits(int64_t n);  ///< "1,364,288"

}  // namespace kinglet
