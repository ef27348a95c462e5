#include "formats/torch_pth/pickle.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <charconv>
#include <cstdlib>

#include "formats/text.h"

namespace kinglet::formats::torch_pth {

namespace {

constexpr size_t kMaxObjects = 1'000'000, kMaxLineBytes = 1 << 16, kMaxNameBytes = 256;
constexpr int64_t kMaxReferences = 4'000'000;

/// The opcodes of Python's pickletools, by the bytes that stand for them.
enum Op : uint8_t {
  kMark = '(', kStop = '.', kPop = '0', kPopMark = '1', kDup = '2',
  kFloat = 'F', kInt = 'I', kBinInt = 'J', kBinInt1 = 'K', kLong = 'L', kBinInt2 = 'M', kNone = 'N', kPersId = 'P', kBinPersId = 'Q',
  kReduce = 'R', kString = 'S', kBinString = 'T', kShortBinString = 'U', kUnicode = 'V', kBinUnicode = 'X',
  kAppend = 'a', kBuild = 'b', kGlobal = 'c', kDict = 'd', kEmptyDict = '}', kAppends = 'e', kGet = 'g', kBinGet = 'h', kInst = 'i',
  kLongBinGet = 'j', kList = 'l', kEmptyList = ']', kObj = 'o', kPut = 'p', kBinPut = 'q', kLongBinPut = 'r', kSetItem = 's', kTuple = 't',
  kEmptyTuple = ')', kSetItems = 'u', kBinFloat = 'G', kBinBytes = 'B', kShortBinBytes = 'C',
  kProto = 0x80, kNewObj = 0x81, kTuple1 = 0x85, kTuple2 = 0x86, kTuple3 = 0x87, kNewTrue = 0x88, kNewFalse = 0x89, kLong1 = 0x8a,
  kLong4 = 0x8b, kShortBinUnicode = 0x8c, kBinUnicode8 = 0x8d, kBinBytes8 = 0x8e, kEmptySet = 0x8f, kAddItems = 0x90, kFrozenSet = 0x91,
  kNewObjEx = 0x92, kStackGlobal = 0x93, kMemoize = 0x94, kFrame = 0x95, kByteArray8 = 0x96,
};

}  // namespace

const Object* Object::find(std::string_view key) const {
  if (kind != Kind::dict) return nullptr;
  for (size_t i = items.size() & ~size_t{1}; i >= 2; i -= 2)
    if (items[i - 2]->kind == Kind::text && items[i - 2]->text == key) return items[i - 1];
  return nullptr;
}

Object* Pickle::make(Kind kind) {
  if (objects_.size() == kMaxObjects) fail(fmt::format("holds more than {} objects", kMaxObjects));
  Object& object = objects_.emplace_back();
  object.kind = kind;
  return &object;
}

Object* Pickle::make_text(std::string_view text) {
  Object* object = make(Kind::text);
  object->text = text;
  return object;
}

void Pickle::fail(const std::string& what) const { throw Error(where_, what, "the file is damaged, or not of PyTorch"); }

/// The stack machine of one pickle.
class Machine {
 public:
  Machine(Pickle& pickle, ByteReader& reader, const Pickle::Persistent& persistent) : pickle_(pickle), in_(reader), persistent_(persistent) {}

  Object* run() {
    for (;;) {
      const auto op = in_.read<uint8_t>();
      if (op == kStop) return pop();
      step(op);
    }
  }

 private:
  void step(uint8_t op) {
    if (step_number(op) || step_text(op) || step_container(op) || step_memo(op) || step_name(op)) return;
    pickle_.fail(fmt::format("holds a pickle with the unknown operation {:#04x}", op));
  }

  void push(Object* object) {
    if (++pickle_.references_ > kMaxReferences) pickle_.fail(fmt::format("holds more than {} references", kMaxReferences));
    stack_.push_back(object);
  }
  size_t floor() const { return marks_.empty() ? 0 : marks_.back(); }
  Object* pop() {
    if (stack_.size() <= floor()) pickle_.fail("holds a pickle that takes more than it has");
    Object* object = stack_.back();
    stack_.pop_back();
    return object;
  }
  Object* top() {
    Object* object = pop();
    stack_.push_back(object);
    return object;
  }
  Object* top(Kind kind) {
    Object* object = top();
    if (object->kind != kind) pickle_.fail("holds a pickle that adds to something else than a container");
    return object;
  }
  std::vector<Object*> pop_to_mark() {
    if (marks_.empty()) pickle_.fail("holds a pickle without the mark it goes back to");
    const auto first = stack_.begin() + static_cast<ptrdiff_t>(marks_.back());
    std::vector<Object*> items(first, stack_.end());
    stack_.erase(first, stack_.end());
    marks_.pop_back();
    return items;
  }
  void push_list(std::vector<Object*> items, Kind kind = Kind::list) {
    if (kind == Kind::dict && items.size() % 2) pickle_.fail("holds a dictionary with a key and no value");
    Object* list = pickle_.make(kind);
    list->items = std::move(items);
    push(list);
  }
  void append(Object* container, const std::vector<Object*>& items) {
    if (container->kind == Kind::dict && items.size() % 2) pickle_.fail("holds a dictionary with a key and no value");
    container->items.insert(container->items.end(), items.begin(), items.end());
  }
  void push_integer(int64_t value, Kind kind = Kind::integer) {
    Object* number = pickle_.make(kind);
    number->integer = value;
    push(number);
  }
  void push_real(double value) {
    Object* number = pickle_.make(Kind::real);
    number->real = value;
    push(number);
  }

  std::string_view line() {
    const auto rest = in_.left();
    const size_t start = in_.at();
    const auto window = in_.take_text(std::min(rest, kMaxLineBytes));
    const size_t end = window.find('\n');
    if (end == std::string_view::npos) pickle_.fail("holds a pickle with a line that does not end");
    in_.seek(start + end + 1);
    return window.substr(0, end);
  }

  /// Little-endian two's complement; beyond 64 bits the nearest that fits.
  int64_t long_integer(size_t n) {
    const auto raw = in_.take(n);
    if (n == 0) return 0;
    const bool negative = (std::to_integer<int>(raw.back()) & 0x80) != 0;
    if (n > 8) return negative ? INT64_MIN : INT64_MAX;
    uint64_t value = negative ? ~uint64_t{0} : 0;
    std::memcpy(&value, raw.data(), n);
    return static_cast<int64_t>(value);
  }

  bool step_number(uint8_t op) {
    switch (op) {
      case kNone: return push(pickle_.make(Kind::none)), true;
      case kNewTrue: return push_integer(1, Kind::boolean), true;
      case kNewFalse: return push_integer(0, Kind::boolean), true;
      case kBinInt: return push_integer(in_.read<int32_t>()), true;
      case kBinInt1: return push_integer(in_.read<uint8_t>()), true;
      case kBinInt2: return push_integer(in_.read<uint16_t>()), true;
      case kLong1: return push_integer(long_integer(in_.read<uint8_t>())), true;
      case kLong4: return push_integer(long_integer(in_.read<uint32_t>())), true;
      case kBinFloat: return push_real(std::bit_cast<double>(__builtin_bswap64(in_.read<uint64_t>()))), true;
      case kFloat: return push_real(std::strtod(std::string(line()).c_str(), nullptr)), true;
      case kInt:
      case kLong: return push_integer(decimal(line())), true;
      default: return false;
    }
  }

  int64_t decimal(std::string_view text) const {
    if (text.ends_with('L')) text.remove_suffix(1);
    int64_t value = 0;
    const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (code != std::errc() || end != text.data() + text.size()) pickle_.fail(fmt::format("holds '{}' where a number was expected", clean_text(text)));
    return value;
  }

  bool step_text(uint8_t op) {
    switch (op) {
      case kShortBinString:
      case kShortBinBytes:
      case kShortBinUnicode: return push_text(in_.read<uint8_t>()), true;
      case kBinString:
      case kBinBytes:
      case kBinUnicode: return push_text(in_.read<uint32_t>()), true;
      case kBinBytes8:
      case kByteArray8:
      case kBinUnicode8: return push_text(in_.read<uint64_t>()), true;
      case kUnicode: return push(pickle_.make_text(line())), true;
      case kString: {
        std::string_view text = line();
        if (text.size() >= 2) text = text.substr(1, text.size() - 2);  // its quotes
        return push(pickle_.make_text(text)), true;
      }
      default: return false;
    }
  }
  void push_text(uint64_t n) { push(pickle_.make_text(in_.take_text(n))); }

  bool step_container(uint8_t op) {
    switch (op) {
      case kMark: return marks_.push_back(stack_.size()), true;
      case kPop:
        if (!marks_.empty() && stack_.size() == marks_.back()) marks_.pop_back();
        else (void)pop();
        return true;
      case kPopMark: return (void)pop_to_mark(), true;
      case kDup: return push(top()), true;
      case kEmptyList:
      case kEmptyTuple:
      case kEmptySet: return push_list({}), true;
      case kEmptyDict: return push_list({}, Kind::dict), true;
      case kList:
      case kTuple:
      case kFrozenSet: return push_list(pop_to_mark()), true;
      case kDict: return push_list(pop_to_mark(), Kind::dict), true;
      case kTuple1:
      case kTuple2:
      case kTuple3: return push_tuple(op - kTuple1 + 1), true;
      case kAppend: {
        Object* item = pop();
        return append(top(Kind::list), {item}), true;
      }
      case kAppends:
      case kAddItems: {
        const auto items = pop_to_mark();
        return append(top(Kind::list), items), true;
      }
      case kSetItem: {
        Object *value = pop(), *key = pop();
        return append(top(Kind::dict), {key, value}), true;
      }
      case kSetItems: {
        const auto items = pop_to_mark();
        return append(top(Kind::dict), items), true;
      }
      default: return false;
    }
  }
  void push_tuple(int n) {
    std::vector<Object*> items(static_cast<size_t>(n));
    for (size_t i = items.size(); i-- > 0;) items[i] = pop();
    push_list(std::move(items));
  }

  bool step_memo(uint8_t op) {
    switch (op) {
      case kProto: return (void)in_.read<uint8_t>(), true;
      case kFrame: return (void)in_.read<uint64_t>(), true;
      case kMemoize: return memo_[static_cast<int64_t>(memo_.size())] = top(), true;
      case kPut: return memo_[decimal(line())] = top(), true;
      case kBinPut: return memo_[in_.read<uint8_t>()] = top(), true;
      case kLongBinPut: return memo_[in_.read<uint32_t>()] = top(), true;
      case kGet: return recall(decimal(line())), true;
      case kBinGet: return recall(in_.read<uint8_t>()), true;
      case kLongBinGet: return recall(in_.read<uint32_t>()), true;
      default: return false;
    }
  }
  void recall(int64_t key) {
    const auto it = memo_.find(key);
    if (it == memo_.end()) pickle_.fail("holds a pickle that recalls what it never noted");
    push(it->second);
  }

  bool step_name(uint8_t op) {
    switch (op) {
      case kGlobal: {
        const auto module = line();
        return push(named(module, line())), true;
      }
      case kStackGlobal: {
        const Object *name = pop(), *module = pop();
        return push(named(module->text, name->text)), true;
      }
      case kReduce:
      case kNewObj: return reduce(pop()), true;
      case kNewObjEx: {
        if (const Object* keywords = pop(); !keywords->items.empty()) pickle_.fail("makes an object from named arguments");
        return reduce(pop()), true;
      }
      case kInst: {
        const auto module = line();
        Object* name = named(module, line());
        return push(call(pickle_, *name, pop_to_mark())), true;
      }
      case kObj: {
        auto arguments = pop_to_mark();
        if (arguments.empty() || arguments[0]->kind != Kind::name) pickle_.fail("makes an object of something that is no class");
        const Object* name = arguments[0];
        arguments.erase(arguments.begin());
        return push(call(pickle_, *name, std::move(arguments))), true;
      }
      case kBuild: {
        Object* state = pop();
        return top()->state = state, true;
      }
      case kPersId: return persist(pickle_.make_text(line())), true;
      case kBinPersId: return persist(pop()), true;
      default: return false;
    }
  }

  Object* named(std::string_view module, std::string_view name) {
    if (module.size() + name.size() > kMaxNameBytes) pickle_.fail("holds a pickle with an overlong name");
    const std::string full = fmt::format("{}.{}", module, name);
    if (!is_allowed(full))
      throw Error(pickle_.where(), fmt::format("wants the Python object '{}', which a checkpoint has no need of; nothing of it was executed", clean_text(full)),
                  "if you trust the file, save its tensors alone: torch.save(model.state_dict(), 'weights.pth')");
    Object* object = pickle_.make(Kind::name);
    object->text = full;
    return object;
  }

  void reduce(Object* arguments) {
    const Object* name = pop();
    if (name->kind != Kind::name || arguments->kind != Kind::list) pickle_.fail("makes an object of something that is no class");
    push(call(pickle_, *name, arguments->items));
  }

  void persist(Object* id) {
    if (!persistent_) pickle_.fail("refers to data outside itself");
    push(persistent_(pickle_, id));
  }

  Pickle& pickle_;
  ByteReader& in_;
  const Pickle::Persistent& persistent_;
  std::vector<Object*> stack_;
  std::vector<size_t> marks_;
  std::unordered_map<int64_t, Object*> memo_;
};

Object* Pickle::load(ByteReader& reader, const Persistent& persistent) { return Machine(*this, reader, persistent).run(); }

}  // namespace kinglet::formats::torch_pth
