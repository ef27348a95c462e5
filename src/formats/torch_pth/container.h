// The three ways in which PyTorch has kept a pickle and the storages it speaks of.
#pragma once

#include <functional>
#include <span>
#include <string>

#include "base/dtype.h"
#include "formats/torch_pth/pickle.h"

namespace kinglet::formats::torch_pth {

/// The objects of a checkpoint. `storage` gives the bytes of a storage object (its elements and no more).
struct Checkpoint {
  Object* root = nullptr;
  std::function<std::span<const std::byte>(const Object& storage)> storage;
};

/// Type of a storage's elements as the file has them.
struct Element {
  std::string_view storage_name;  ///< "FloatStorage"
  size_t bytes;
  enum class Kind : uint8_t { f32, f64, f16, bf16, s64, s32, s16, s8, u8, boolean } kind;
};

/// The type that a storage object names. Throws Error for others, by name.
const Element& element_of(const Pickle& pickle, const Object& storage);

/// A storage from ('storage', type, key, location, elements[, view]). Throws Error if `id` is something else.
Object* storage_from_id(Pickle& pickle, const Object& id);

bool is_zip(std::span<const std::byte> bytes);
bool is_legacy(std::span<const std::byte> bytes);  ///< a magic number, pickled
bool is_tar(std::span<const std::byte> bytes);

/// `bytes` must outlive the checkpoint. Throw Error for damage.
Checkpoint read_zip(std::span<const std::byte> bytes, Pickle& pickle);
Checkpoint read_legacy(std::span<const std::byte> bytes, Pickle& pickle);
Checkpoint read_tar(std::span<const std::byte> bytes, Pickle& pickle);

}  // namespace kinglet::formats::torch_pth
