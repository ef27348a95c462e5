// Text from a foreign file made fit for messages and JSON.
#pragma once

#include <string>
#include <string_view>

namespace kinglet::formats {

/// Valid UTF-8 without control characters ('?' in their place), at most 4096 bytes of it.
std::string clean_text(std::string_view text);

}  // namespace kinglet::formats
