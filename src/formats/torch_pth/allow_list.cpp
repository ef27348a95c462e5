// What a checkpoint's pickle may name, and what calling it gives: data, never code.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "formats/text.h"
#include "formats/torch_pth/pickle.h"

namespace kinglet::formats::torch_pth {

namespace {

using Arguments = std::vector<Object*>;
using Call = Object* (*)(Pickle&, const Object&, Arguments);

Object* make_list(Pickle& pickle, const Object&, Arguments arguments) {
  Object* list = pickle.make(Kind::list);
  if (!arguments.empty() && arguments[0]->kind == Kind::list) list->items = arguments[0]->items;
  return list;
}

/// OrderedDict([(key, value), ...]) as Python 2 wrote it, or empty.
Object* make_dict(Pickle& pickle, const Object&, Arguments arguments) {
  Object* dict = pickle.make(Kind::dict);
  if (arguments.empty() || arguments[0]->kind != Kind::list) return dict;
  for (const Object* pair : arguments[0]->items) {
    if (pair->items.size() != 2) pickle.fail("holds a dictionary made of something else than pairs");
    dict->items.insert(dict->items.end(), pair->items.begin(), pair->items.end());
  }
  return dict;
}

/// (storage, offset, size, stride, ...)
Object* make_tensor(Pickle& pickle, const Object&, Arguments arguments) {
  const bool sound = arguments.size() >= 4 && arguments[0]->kind == Kind::storage && arguments[1]->kind == Kind::integer &&
                     arguments[2]->kind == Kind::list && arguments[3]->kind == Kind::list;
  if (!sound) pickle.fail("holds a tensor that is not made of storage, offset, size and stride");
  Object* tensor = pickle.make(Kind::tensor);
  arguments.resize(4);
  tensor->items = std::move(arguments);
  return tensor;
}

/// (tensor, requires_grad, hooks)
Object* make_parameter(Pickle& pickle, const Object&, Arguments arguments) {
  if (arguments.empty() || arguments[0]->kind != Kind::tensor) pickle.fail("holds a parameter that is no tensor");
  return arguments[0];
}

/// codecs.encode(text, encoding): bytes as protocol 2 writes them.
Object* first_argument(Pickle& pickle, const Object&, Arguments arguments) {
  if (arguments.empty()) pickle.fail("calls a function without its argument");
  return arguments[0];
}

Object* make_record(Pickle& pickle, const Object& name, Arguments arguments) {
  Object* record = pickle.make(Kind::record);
  record->text = name.text;
  record->items = std::move(arguments);
  return record;
}

struct Allowed {
  std::string_view name;
  Call call;  ///< nullptr: may be named, not called
};

constexpr auto kAllowed = std::to_array<Allowed>({
    {"collections.OrderedDict", make_dict},
    {"collections.defaultdict", make_dict},
    {"collections.deque", make_list},
    {"builtins.dict", make_dict},
    {"__builtin__.dict", make_dict},
    {"builtins.list", make_list},
    {"__builtin__.list", make_list},
    {"builtins.set", make_list},
    {"__builtin__.set", make_list},
    {"builtins.frozenset", make_list},
    {"__builtin__.frozenset", make_list},
    {"torch.Size", make_list},
    {"_codecs.encode", first_argument},
    {"torch._utils._rebuild_tensor", make_tensor},
    {"torch._utils._rebuild_tensor_v2", make_tensor},
    {"torch._utils._rebuild_parameter", make_parameter},
    {"torch._utils._rebuild_parameter_with_state", make_parameter},
    {"torch.device", make_record},
    // Plain records beside the tensors of a training framework's checkpoint: kept as what they were made from.
    {"argparse.Namespace", make_record},
    {"builtins.int", nullptr},
    {"builtins.float", nullptr},
    {"builtins.str", nullptr},
    {"mmengine.logging.history_buffer.HistoryBuffer", make_record},
    {"numpy.dtype", make_record},
    {"numpy.ndarray", nullptr},
    {"numpy.core.multiarray.scalar", make_record},
    {"numpy.core.multiarray._reconstruct", make_record},
    {"numpy._core.multiarray.scalar", make_record},
    {"numpy._core.multiarray._reconstruct", make_record},
});

constexpr auto kTorchNames = std::to_array<std::string_view>({
    "FloatStorage", "DoubleStorage", "HalfStorage", "BFloat16Storage", "LongStorage", "IntStorage", "ShortStorage", "CharStorage", "ByteStorage",
    "BoolStorage", "FloatTensor", "DoubleTensor", "HalfTensor", "LongTensor", "IntTensor", "ShortTensor", "CharTensor", "ByteTensor", "float32",
    "float64", "float16", "bfloat16", "int64", "int32", "int16", "int8", "uint8", "bool", "strided", "channels_last", "contiguous_format",
});

const Allowed* find(std::string_view name) {
  const auto it = std::find_if(kAllowed.begin(), kAllowed.end(), [&](const Allowed& a) { return a.name == name; });
  return it == kAllowed.end() ? nullptr : &*it;
}

}  // namespace

bool is_allowed(std::string_view name) {
  constexpr std::string_view kTorch = "torch.";
  if (name.starts_with(kTorch) && std::find(kTorchNames.begin(), kTorchNames.end(), name.substr(kTorch.size())) != kTorchNames.end()) return true;
  return find(name) != nullptr;
}

Object* call(Pickle& pickle, const Object& name, std::vector<Object*> arguments) {
  const Allowed* allowed = find(name.text);
  if (!allowed || !allowed->call) pickle.fail(fmt::format("calls '{}', which is no function of a checkpoint", clean_text(name.text)));
  return allowed->call(pickle, name, std::move(arguments));
}

}  // namespace kinglet::formats::torch_pth
