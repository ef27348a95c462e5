// Python pickles (protocols 0 to 5) read as data: containers, numbers, strings, and the few things that PyTorch's checkpoints name
// in them. Nothing is ever executed or looked up: a name outside the allow-list ends as an Error that says it.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/bytes.h"

namespace kinglet::formats::torch_pth {

enum class Kind : uint8_t {
  none,
  boolean,
  integer,
  real,
  text,     ///< also bytes
  list,     ///< also tuples and sets
  dict,     ///< items are key, value, key, value, ...
  name,     ///< a class or function of the allow-list; text is "module.name"
  storage,  ///< text is its key, integer its number of elements; items[0] the name of its type
  tensor,   ///< items: storage, offset, size (list), stride (list)
  record,   ///< an object of a known plain class: items are what it was made from
};

/// Owned by the Pickle that made it; shared and even cyclic as the file says.
struct Object {
  Kind kind = Kind::none;
  int64_t integer = 0;
  double real = 0;
  std::string text;
  std::vector<Object*> items;
  Object* state = nullptr;  ///< what the file attached to it (BUILD)

  /// The value of a key of a dictionary (the last one wins), nullptr if there is none.
  const Object* find(std::string_view key) const;
};

class Pickle {
 public:
  /// What a persistent id stands for. May throw Error.
  using Persistent = std::function<Object*(Pickle&, Object* id)>;

  explicit Pickle(std::string where) : where_(std::move(where)) {}
  Pickle(const Pickle&) = delete;
  Pickle& operator=(const Pickle&) = delete;

  /// Reads one pickle from where `reader` stands to behind its STOP. Objects of several pickles live together. Throws Error for damage,
  /// names outside the allow-list, and more than a million objects or four million references.
  Object* load(ByteReader& reader, const Persistent& persistent = {});

  Object* make(Kind kind);
  Object* make_text(std::string_view text);
  const std::string& where() const { return where_; }
  [[noreturn]] void fail(const std::string& what) const;

 private:
  friend class Machine;
  std::string where_;
  std::deque<Object> objects_;
  int64_t references_ = 0;
};

/// True for names that may stand in a pickle.
bool is_allowed(std::string_view name);
/// The object that calling an allowed name gives. Throws Error where the name is no function or the arguments do not fit.
Object* call(Pickle& pickle, const Object& name, std::vector<Object*> arguments);

}  // namespace kinglet::formats::torch_pth
