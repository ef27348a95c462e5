#include "formats/torch_pth/container.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <memory>

#include "formats/text.h"
#include "formats/zip_archive.h"

namespace kinglet::formats::torch_pth {

namespace {

using Bytes = std::span<const std::byte>;
using Storages = std::unordered_map<std::string, Bytes>;

constexpr uint64_t kMaxPickleBytes = uint64_t{64} << 20;
constexpr size_t kTarBlock = 512, kTarMagicAt = 257;
constexpr int64_t kMaxStorages = 1 << 20;

constexpr auto kElements = std::to_array<Element>({
    {"FloatStorage", 4, Element::Kind::f32},
    {"DoubleStorage", 8, Element::Kind::f64},
    {"HalfStorage", 2, Element::Kind::f16},
    {"BFloat16Storage", 2, Element::Kind::bf16},
    {"LongStorage", 8, Element::Kind::s64},
    {"IntStorage", 4, Element::Kind::s32},
    {"ShortStorage", 2, Element::Kind::s16},
    {"CharStorage", 1, Element::Kind::s8},
    {"ByteStorage", 1, Element::Kind::u8},
    {"BoolStorage", 1, Element::Kind::boolean},
});

/// As many bytes as the storage has elements; `raw` may be longer.
Bytes elements(const Pickle& pickle, const Object& storage, Bytes raw) {
  const uint64_t size = element_of(pickle, storage).bytes;
  if (static_cast<uint64_t>(storage.integer) > raw.size() / size) pickle.fail(fmt::format("has {} bytes for the {} elements of storage '{}'", raw.size(), storage.integer, clean_text(storage.text)));
  return raw.first(static_cast<size_t>(storage.integer) * size);
}

Object* zip_or_legacy_persistent(Pickle& pickle, Object* id) { return storage_from_id(pickle, *id); }

/// The directory that all files of the archive stand in, with its slash.
std::string archive_folder(const ZipArchive& zip, const Pickle& pickle) {
  constexpr std::string_view kData = "data.pkl";
  for (const auto& name : zip.names()) {
    if (!name.ends_with(kData)) continue;
    const std::string folder = name.substr(0, name.size() - kData.size());
    if (folder.empty() || (folder.ends_with('/') && folder.find('/') == folder.size() - 1)) return folder;
  }
  throw Error(pickle.where(), "is a ZIP without PyTorch's data.pkl in it", "a .pth of torch.save(model.state_dict()) is expected");
}

void refuse_big_endian(ZipArchive& zip, const std::string& folder, const Pickle& pickle) {
  if (!zip.has(folder + "byteorder")) return;
  const auto order = zip.read(folder + "byteorder");
  if (std::string_view(reinterpret_cast<const char*>(order.data()), order.size()) != "little") throw Error(pickle.where(), "holds numbers of another byte order than this machine's");
}

/// One pickle of a stream of them.
Object* next(Pickle& pickle, ByteReader& reader, const Pickle::Persistent& persistent = {}) { return pickle.load(reader, persistent); }

/// int64 count, then the elements: how old files keep a storage.
Bytes counted_elements(const Pickle& pickle, ByteReader& reader, size_t element_bytes) {
  const auto count = reader.read<int64_t>();
  if (count < 0 || static_cast<uint64_t>(count) > reader.left() / element_bytes) pickle.fail("has a storage longer than itself");
  return reader.take(static_cast<size_t>(count) * element_bytes);
}

Bytes find_storage(const Pickle& pickle, const Storages& storages, const Object& storage) {
  const auto it = storages.find(storage.text);
  if (it == storages.end()) pickle.fail("lacks the storage '" + clean_text(storage.text) + "'");
  return elements(pickle, storage, it->second);
}

}  // namespace

const Element& element_of(const Pickle& pickle, const Object& storage) {
  std::string_view name = storage.items.at(0)->text;
  name = name.substr(name.rfind('.') + 1);
  for (const Element& element : kElements)
    if (element.storage_name == name) return element;
  throw Error(pickle.where(), fmt::format("holds a '{}', which is not supported", clean_text(name)), "save the model in float32");
}

Object* storage_from_id(Pickle& pickle, const Object& id) {
  const auto& parts = id.items;
  const bool sound = id.kind == Kind::list && parts.size() >= 5 && parts[0]->kind == Kind::text && parts[0]->text == "storage" && parts[1]->kind == Kind::name &&
                     (parts[2]->kind == Kind::text || parts[2]->kind == Kind::integer) && parts[4]->kind == Kind::integer && parts[4]->integer >= 0;
  if (!sound) pickle.fail("refers to something else than a storage");
  if (parts.size() > 5 && parts[5]->kind != Kind::none) throw Error(pickle.where(), "holds a storage that is a view of another", "save it again with a PyTorch of 2017 or later");
  Object* storage = pickle.make(Kind::storage);
  storage->text = parts[2]->kind == Kind::text ? parts[2]->text : std::to_string(parts[2]->integer);
  storage->integer = parts[4]->integer;
  storage->items = {parts[1]};
  return storage;
}

bool is_zip(Bytes bytes) { return ZipArchive::looks_like(bytes); }

bool is_legacy(Bytes bytes) {
  constexpr std::string_view kMagic("\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.", 13);  // 0x1950a86a20f9469cfc6c behind the protocol
  return bytes.size() > kMagic.size() + 2 && bytes[0] == std::byte{0x80} && std::memcmp(&bytes[2], kMagic.data(), kMagic.size()) == 0;
}

bool is_tar(Bytes bytes) { return bytes.size() > kTarBlock && std::memcmp(&bytes[kTarMagicAt], "ustar", 5) == 0; }

Checkpoint read_zip(Bytes bytes, Pickle& pickle) {
  auto zip = std::make_shared<ZipArchive>(bytes, pickle.where());
  const std::string folder = archive_folder(*zip, pickle);
  if (zip->has(folder + "constants.pkl")) throw Error(pickle.where(), "is a TorchScript program", "save its weights: torch.save(torch.jit.load(file).state_dict(), 'weights.pth')");
  refuse_big_endian(*zip, folder, pickle);
  const Bytes data = zip->read(folder + "data.pkl");
  if (data.size() > kMaxPickleBytes) throw Error(pickle.where(), fmt::format("has a pickle of {} bytes; {} are supported", data.size(), kMaxPickleBytes));
  ByteReader reader(data, pickle.where());
  Checkpoint checkpoint;
  checkpoint.root = next(pickle, reader, zip_or_legacy_persistent);
  checkpoint.storage = [zip, folder, &pickle](const Object& storage) { return elements(pickle, storage, zip->read(folder + "data/" + storage.text)); };
  return checkpoint;
}

/// Magic number, protocol version, system, the object, the list of storage keys: five pickles; then each storage in the list's order.
Checkpoint read_legacy(Bytes bytes, Pickle& pickle) {
  ByteReader reader(bytes, pickle.where());
  (void)next(pickle, reader);
  (void)next(pickle, reader);
  const Object* system = next(pickle, reader);
  if (const Object* little = system->find("little_endian"); little && !little->integer) throw Error(pickle.where(), "holds numbers of another byte order than this machine's");
  std::unordered_map<std::string, const Element*> types;
  Checkpoint checkpoint;
  checkpoint.root = next(pickle, reader, [&](Pickle& p, Object* id) {
    Object* storage = storage_from_id(p, *id);
    types[storage->text] = &element_of(p, *storage);
    return storage;
  });
  const Object* keys = next(pickle, reader);
  auto storages = std::make_shared<Storages>();
  for (const Object* key : keys->items) {
    const auto type = types.find(key->text);
    if (type == types.end()) pickle.fail("holds a storage that nothing uses");
    (*storages)[key->text] = counted_elements(pickle, reader, type->second->bytes);
  }
  checkpoint.storage = [storages, &pickle](const Object& storage) { return find_storage(pickle, *storages, storage); };
  return checkpoint;
}

namespace {

/// Files of a tar by name (POSIX ustar; only the plain ones that PyTorch wrote).
std::unordered_map<std::string, Bytes> tar_files(Bytes bytes, const Pickle& pickle) {
  std::unordered_map<std::string, Bytes> files;
  ByteReader reader(bytes, pickle.where());
  while (reader.left() >= kTarBlock) {
    const Bytes header = reader.take(kTarBlock);
    const auto* text = reinterpret_cast<const char*>(header.data());
    if (text[0] == '\0') break;
    uint64_t size = 0;
    const char* digits = text + 124;
    while (digits < text + 136 && *digits == ' ') ++digits;
    if (std::from_chars(digits, text + 136, size, 8).ec != std::errc()) pickle.fail("has a damaged tar header");
    const std::string name(text, strnlen(text, 100));
    files[name] = reader.take(size);
    reader.seek(std::min(bytes.size(), (reader.at() + kTarBlock - 1) / kTarBlock * kTarBlock));
  }
  return files;
}

Bytes tar_file(const std::unordered_map<std::string, Bytes>& files, const char* name, const Pickle& pickle) {
  const auto it = files.find(name);
  if (it == files.end()) throw Error(pickle.where(), fmt::format("is a tar without PyTorch's '{}' in it", name), "save it again with torch.save");
  return it->second;
}

int64_t count_of(const Pickle& pickle, const Object* object) {
  if (object->kind != Kind::integer || object->integer < 0 || object->integer > kMaxStorages) pickle.fail("states an impossible number of storages");
  return object->integer;
}

std::string key_of(const Pickle& pickle, const Object* object) {
  if (object->kind == Kind::list && !object->items.empty()) object = object->items[0];
  if (object->kind == Kind::text) return object->text;
  if (object->kind != Kind::integer) pickle.fail("has a key that is neither text nor number");
  return std::to_string(object->integer);
}

/// 'storages': their number, then (key, location, type) and the elements of each.
void read_tar_storages(Bytes bytes, Pickle& pickle, Storages& storages, std::unordered_map<std::string, Object*>& objects) {
  ByteReader reader(bytes, pickle.where());
  for (int64_t n = count_of(pickle, next(pickle, reader)); n > 0; --n) {
    const Object* row = next(pickle, reader);
    if (row->items.size() != 3 || row->items[2]->kind != Kind::name) pickle.fail("has a damaged list of storages");
    Object* storage = pickle.make(Kind::storage);
    storage->text = key_of(pickle, row->items[0]);
    storage->items = {row->items[2]};
    const auto& element = element_of(pickle, *storage);
    storages[storage->text] = counted_elements(pickle, reader, element.bytes);
    storage->integer = static_cast<int64_t>(storages[storage->text].size() / element.bytes);
    objects[storage->text] = storage;
  }
}

Object* integers(Pickle& pickle, ByteReader& reader, int32_t count) {
  Object* list = pickle.make(Kind::list);
  for (int32_t i = 0; i < count; ++i) {
    list->items.push_back(pickle.make(Kind::integer));
    list->items.back()->integer = reader.read<int64_t>();
  }
  return list;
}

/// 'tensors': their number, then (key, storage key, type) and rank, sizes, strides and offset of each.
void read_tar_tensors(Bytes bytes, Pickle& pickle, std::unordered_map<std::string, Object*>& objects) {
  ByteReader reader(bytes, pickle.where());
  for (int64_t n = count_of(pickle, next(pickle, reader)); n > 0; --n) {
    const Object* row = next(pickle, reader);
    if (row->items.size() != 3) pickle.fail("has a damaged list of tensors");
    const auto storage = objects.find(key_of(pickle, row->items[1]));
    if (storage == objects.end() || storage->second->kind != Kind::storage) pickle.fail("has a tensor of no storage");
    const auto rank = reader.read<int32_t>();
    (void)reader.read<int32_t>();
    if (rank < 0 || rank > 64) pickle.fail("has a tensor of an impossible rank");
    Object* tensor = pickle.make(Kind::tensor);
    Object *size = integers(pickle, reader, rank), *stride = integers(pickle, reader, rank), *offset = pickle.make(Kind::integer);
    offset->integer = reader.read<int64_t>();
    tensor->items = {storage->second, offset, size, stride};
    objects[key_of(pickle, row->items[0])] = tensor;
  }
}

}  // namespace

Checkpoint read_tar(Bytes bytes, Pickle& pickle) {
  const auto files = tar_files(bytes, pickle);
  auto storages = std::make_shared<Storages>();
  std::unordered_map<std::string, Object*> objects;
  read_tar_storages(tar_file(files, "storages", pickle), pickle, *storages, objects);
  read_tar_tensors(tar_file(files, "tensors", pickle), pickle, objects);
  ByteReader reader(tar_file(files, "pickle", pickle), pickle.where());
  Checkpoint checkpoint;
  checkpoint.root = next(pickle, reader, [&](Pickle& p, Object* id) {
    const auto it = objects.find(key_of(p, id));
    if (it == objects.end()) p.fail("refers to a tensor that it does not hold");
    return it->second;
  });
  checkpoint.storage = [storages, &pickle](const Object& storage) { return find_storage(pickle, *storages, storage); };
  return checkpoint;
}

}  // namespace kinglet::formats::torch_pth
