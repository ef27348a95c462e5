// Pieces of C text that the printers share.
#pragma once

#include <string>

#include "base/dtype.h"

namespace kinglet::codegen {

bool is_identifier(const std::string& name);
const char* c_type(DType dtype);  ///< "int8_t"; an internal error for types that generated C does not use
/// Names from files as comment text: printable and without the comment's end.
std::string comment_text(const std::string& text);
/// Guard and opening comment of NAME.h; close_extern_c() ends it.
std::string open_header(const std::string& name);
std::string open_extern_c();
std::string close_extern_c();

/// "a, b, c," in lines of about 120 characters.
class NumberList {
 public:
  void add(const std::string& number);
  const std::string& str() const { return text_; }

 private:
  std::string text_ = " ";
  size_t line_ = 0;
};

}  // namespace kinglet::codegen
