#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "formats/half.h"
#include "formats/text.h"
#include "formats/torch_pth/container.h"
#include "formats/torch_pth/torch_pth.h"

namespace kinglet::formats::torch_pth {

namespace {

/// Where trainers put the state dictionary of the network, in the order in which they are looked for.
constexpr std::array<std::string_view, 8> kStateKeys{"state_dict", "model_state_dict", "model", "net", "network", "ema_state_dict", "model_ema", "weights"};
constexpr uint64_t kFreeBytes = uint64_t{16} << 20, kRatio = 16;

bool holds_tensors(const Object& object) {
  if (object.kind != Kind::dict) return false;
  for (size_t i = 1; i < object.items.size(); i += 2)
    if (object.items[i]->kind == Kind::tensor) return true;
  return false;
}

/// The names of the entries of `root` that are dictionaries of tensors.
std::vector<std::string> dictionaries_of_tensors(const Object& root) {
  std::vector<std::string> names;
  for (size_t i = 0; i + 1 < root.items.size(); i += 2)
    if (root.items[i]->kind == Kind::text && holds_tensors(*root.items[i + 1])) names.push_back(root.items[i]->text);
  return names;
}

/// Beside the dictionary of the network a trainer may put single tensors (a best accuracy, a random state), which make no state of the root.
const Object& find_state(const Object& root, const std::string& where, const WarningCallback& warn) {
  if (root.kind != Kind::dict) throw Error(where, "holds no dictionary", "a .pth of torch.save(model.state_dict()) is expected");
  const auto found = dictionaries_of_tensors(root);
  if (found.empty() && holds_tensors(root)) return root;
  auto chosen = found.end();
  for (auto key : kStateKeys)
    if (chosen == found.end()) chosen = std::find(found.begin(), found.end(), key);
  if (chosen == found.end() && found.size() == 1) chosen = found.begin();
  if (chosen == found.end()) throw Error(where, found.empty() ? "holds no dictionary of tensors" : "holds several dictionaries of tensors: " + few_names(found), "save the network's alone: torch.save(model.state_dict(), 'weights.pth')");
  if (warn && found.size() > 1) warn(fmt::format("{}: its '{}' is read; beside it stand {}", where, clean_text(*chosen), few_names(found)));
  return *root.find(*chosen);
}

struct View {
  int64_t offset;
  std::vector<int64_t> size, stride;
};

std::vector<int64_t> numbers(const Object& list, const Pickle& pickle) {
  std::vector<int64_t> out;
  for (const Object* item : list.items) {
    if (item->kind != Kind::integer || item->integer < 0) pickle.fail("holds a tensor with a size or stride that is no number");
    out.push_back(item->integer);
  }
  return out;
}

/// Checks that every element lies within the storage.
View view_of(const Object& tensor, const Pickle& pickle, const std::string& name, int64_t elements) {
  View view{tensor.items[1]->integer, numbers(*tensor.items[2], pickle), numbers(*tensor.items[3], pickle)};
  const std::string place = fmt::format("{}: tensor '{}'", pickle.where(), name);
  if (view.size.size() != view.stride.size() || view.size.size() > Shape::kMaxRank) throw Error(place, fmt::format("has {} dimensions and {} strides", view.size.size(), view.stride.size()));
  int64_t last = view.offset, count = 1;
  bool outside = last < 0, empty = false;
  for (size_t i = 0; i < view.size.size() && !outside; ++i) {
    int64_t reach = 0;
    if (__builtin_mul_overflow(count, view.size[i], &count) || count > int64_t{1} << 40) throw Error(place, "is impossibly large", "the file is damaged");
    if (view.size[i] == 0) empty = true;
    else outside = __builtin_mul_overflow(view.size[i] - 1, view.stride[i], &reach) || __builtin_add_overflow(last, reach, &last);
  }
  if (outside || (!empty && last >= elements)) throw Error(place, fmt::format("reaches outside its storage of {} elements", elements), "the file is damaged");
  return view;
}

/// Element by element in the tensor's own order.
template <class From, class To, class Convert>
void copy_view(const View& view, std::span<const std::byte> storage, std::span<To> out, Convert convert) {
  std::vector<int64_t> index(view.size.size(), 0);
  int64_t at = view.offset;
  for (To& y : out) {
    From x;
    std::memcpy(&x, storage.data() + static_cast<size_t>(at) * sizeof(From), sizeof(From));
    y = convert(x);
    for (size_t axis = index.size(); axis-- > 0;) {
      at += view.stride[axis];
      if (++index[axis] < view.size[axis]) break;
      at -= view.stride[axis] * view.size[axis];
      index[axis] = 0;
    }
  }
}

template <class T>
Tensor same_type(const View& view, std::span<const std::byte> storage, DType dtype) {
  Tensor out(dtype, Shape(view.size));
  auto raw = out.mutable_bytes();
  copy_view<T>(view, storage, std::span(reinterpret_cast<T*>(raw.data()), raw.size() / sizeof(T)), [](T x) { return x; });
  return out;
}

Tensor materialize(const View& view, Element::Kind kind, std::span<const std::byte> storage) {
  auto real = [&](auto sample, auto convert) {
    Tensor out(DType::f32, Shape(view.size));
    copy_view<decltype(sample)>(view, storage, out.mutable_data<float>(), convert);
    return out;
  };
  switch (kind) {
    case Element::Kind::f32: return same_type<uint32_t>(view, storage, DType::f32);
    case Element::Kind::f64: return real(double{}, [](double x) { return static_cast<float>(x); });
    case Element::Kind::f16: return real(uint16_t{}, from_half);
    case Element::Kind::bf16: return real(uint16_t{}, from_bfloat16);
    case Element::Kind::s64: return same_type<uint64_t>(view, storage, DType::s64);
    case Element::Kind::s32: return same_type<uint32_t>(view, storage, DType::s32);
    case Element::Kind::s16: return same_type<uint16_t>(view, storage, DType::s16);
    case Element::Kind::s8: return same_type<uint8_t>(view, storage, DType::s8);
    case Element::Kind::u8: return same_type<uint8_t>(view, storage, DType::u8);
    case Element::Kind::boolean: break;
  }
  return same_type<uint8_t>(view, storage, DType::boolean);
}

class Reader {
 public:
  Reader(std::span<const std::byte> bytes, Pickle& pickle) : pickle_(pickle), left_bytes_(kRatio * bytes.size() + kFreeBytes) {
    checkpoint_ = is_zip(bytes) ? read_zip(bytes, pickle) : is_tar(bytes) ? read_tar(bytes, pickle) : read_legacy(bytes, pickle);
  }

  StateDict state(const WarningCallback& warn) {
    StateDict state;
    state.where = pickle_.where();
    const Object& dict = find_state(*checkpoint_.root, state.where, warn);
    for (size_t i = 0; i + 1 < dict.items.size(); i += 2)
      if (dict.items[i]->kind == Kind::text && dict.items[i + 1]->kind == Kind::tensor)
        state.tensors.emplace_back(dict.items[i]->text, tensor(*dict.items[i + 1], clean_text(dict.items[i]->text)));
    if (dict.state) read_texts(*dict.state, state);
    read_texts(dict, state);
    return state;
  }

 private:
  static void read_texts(const Object& dict, StateDict& state) {
    if (dict.kind != Kind::dict) return;
    for (size_t i = 0; i + 1 < dict.items.size(); i += 2)
      if (dict.items[i]->kind == Kind::text && dict.items[i + 1]->kind == Kind::text) state.metadata[dict.items[i]->text] = dict.items[i + 1]->text;
  }

  Tensor tensor(const Object& object, const std::string& name) {
    const Object& storage = *object.items[0];
    const auto& element = element_of(pickle_, storage);
    const View view = view_of(object, pickle_, name, storage.integer);
    const uint64_t bytes = static_cast<uint64_t>(Shape(view.size).elements()) * std::max<size_t>(element.bytes, 4);
    if (bytes > left_bytes_) throw Error(pickle_.where(), fmt::format("unfolds to many times its own size at tensor '{}'", name), "the file is damaged or hostile");
    left_bytes_ -= bytes;
    return materialize(view, element.kind, checkpoint_.storage(storage));
  }

  Pickle& pickle_;
  Checkpoint checkpoint_;
  uint64_t left_bytes_;
};

}  // namespace

bool is_torch_pth(std::span<const std::byte> bytes) { return is_zip(bytes) || is_legacy(bytes) || is_tar(bytes); }

StateDict read_state(std::span<const std::byte> bytes, const std::string& where, const WarningCallback& warn) {
  if (!is_torch_pth(bytes)) throw Error(where, "is no PyTorch checkpoint", "a .pth of torch.save(model.state_dict()) is expected");
  Pickle pickle(where);
  return Reader(bytes, pickle).state(warn);
}

}  // namespace kinglet::formats::torch_pth
