// The only file that includes HDF5.
#include <fmt/format.h>
#include <hdf5.h>

#include <memory>

#include "base/error.h"
#include "formats/keras_h5/contents.h"

namespace kinglet::formats::keras_h5 {

namespace {

constexpr size_t kMaxNames = 100'000, kMaxTextBytes = size_t{16} << 20;
constexpr uint64_t kRatio = 16, kFreeBytes = uint64_t{1} << 20;

/// An HDF5 identifier with the function that closes it.
class Handle {
 public:
  Handle(hid_t id, herr_t (*close)(hid_t), const std::string& what) : id_(id), close_(close) {
    if (id < 0) throw Error("", what, "the file is damaged");
  }
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;
  ~Handle() { close_(id_); }
  operator hid_t() const { return id_; }

 private:
  hid_t id_;
  herr_t (*close_)(hid_t);
};

hid_t open_image(std::span<const std::byte> bytes) {
  const Handle access(H5Pcreate(H5P_FILE_ACCESS), H5Pclose, "cannot be opened");
  constexpr size_t kIncrement = 1 << 16;
  H5Pset_fapl_core(access, kIncrement, false);
  H5Pset_file_image(access, const_cast<std::byte*>(bytes.data()), bytes.size());
  return H5Fopen("image", H5F_ACC_RDONLY, access);
}

std::vector<std::string> fixed_texts(hid_t attribute, hid_t type, size_t count) {
  const size_t width = H5Tget_size(type);
  if (width == 0 || width > kMaxTextBytes || count > kMaxTextBytes / width) throw Error("", "has an overlong text");
  std::string raw(width * count, '\0');
  if (H5Aread(attribute, type, raw.data()) < 0) throw Error("", "has a text that cannot be read", "the file is damaged");
  std::vector<std::string> texts;
  for (size_t i = 0; i < count; ++i) {
    std::string text = raw.substr(i * width, width);
    text.resize(std::min(text.find('\0'), text.size()));
    texts.push_back(std::move(text));
  }
  return texts;
}

std::vector<std::string> variable_texts(hid_t attribute, hid_t type, hid_t space, size_t count) {
  std::vector<char*> raw(count, nullptr);
  if (H5Aread(attribute, type, raw.data()) < 0) throw Error("", "has a text that cannot be read", "the file is damaged");
  std::vector<std::string> texts;
  for (const char* text : raw) texts.emplace_back(text ? text : "");
  H5Dvlen_reclaim(type, space, H5P_DEFAULT, raw.data());
  return texts;
}

/// An attribute of one text or a list of them.
std::vector<std::string> texts_of(hid_t object, const char* name) {
  const Handle attribute(H5Aopen(object, name, H5P_DEFAULT), H5Aclose, fmt::format("has no attribute '{}'", name));
  const Handle type(H5Aget_type(attribute), H5Tclose, "has an attribute without a type");
  const Handle space(H5Aget_space(attribute), H5Sclose, "has an attribute without a size");
  const hssize_t count = H5Sget_simple_extent_npoints(space);
  if (count == 0) return {};  // an empty list is one of numbers
  if (H5Tget_class(type) != H5T_STRING) throw Error("", fmt::format("has an attribute '{}' that is no text", name));
  if (count < 0 || static_cast<size_t>(count) > kMaxNames) throw Error("", fmt::format("has an overlong attribute '{}'", name));
  if (H5Tis_variable_str(type) > 0) return variable_texts(attribute, type, space, static_cast<size_t>(count));
  return fixed_texts(attribute, type, static_cast<size_t>(count));
}

/// Lists above HDF5's limit are kept as name0, name1, ...
std::vector<std::string> long_list(hid_t object, const std::string& name) {
  if (H5Aexists(object, name.c_str()) > 0) return texts_of(object, name.c_str());
  std::vector<std::string> all;
  for (int i = 0; H5Aexists(object, fmt::format("{}{}", name, i).c_str()) > 0 && all.size() < kMaxNames; ++i) {
    const auto part = texts_of(object, fmt::format("{}{}", name, i).c_str());
    all.insert(all.end(), part.begin(), part.end());
  }
  return all;
}

Tensor dataset(hid_t group, const std::string& name, uint64_t& left_bytes) {
  const std::string missing = fmt::format("has no weight '{}'", name);
  const Handle set(H5Dopen2(group, name.c_str(), H5P_DEFAULT), H5Dclose, missing);
  const Handle type(H5Dget_type(set), H5Tclose, missing);
  const Handle space(H5Dget_space(set), H5Sclose, missing);
  if (H5Tget_class(type) != H5T_FLOAT) throw Error("", fmt::format("has a weight '{}' that is no floating point number", name));
  const int rank = H5Sget_simple_extent_ndims(space);
  if (rank < 0 || rank > Shape::kMaxRank) throw Error("", fmt::format("has a weight '{}' of {} dimensions", name, rank));
  std::vector<hsize_t> sizes(static_cast<size_t>(rank));
  H5Sget_simple_extent_dims(space, sizes.data(), nullptr);
  std::vector<int64_t> dims;
  uint64_t bytes = sizeof(float);
  for (hsize_t size : sizes) {
    dims.push_back(static_cast<int64_t>(size));
    if (size == 0 || size > left_bytes / bytes) throw Error("", fmt::format("unfolds to many times its own size at weight '{}'", name), "the file is damaged or hostile");
    bytes *= size;
  }
  left_bytes -= bytes;
  Tensor tensor(DType::f32, Shape(dims));
  if (H5Dread(set, H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, tensor.mutable_data<float>().data()) < 0)
    throw Error("", fmt::format("has a weight '{}' that cannot be read", name), "the file is damaged");
  return tensor;
}

/// "conv2d/kernel:0" is "kernel".
std::string own_name(const std::string& name) {
  std::string last = name.substr(name.rfind('/') + 1);
  last.resize(std::min(last.find(':'), last.size()));
  return last;
}

}  // namespace

Contents read_hdf5(std::span<const std::byte> bytes) {
  H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr);
  const Handle file(open_image(bytes), H5Fclose, "is no sound HDF5 file");
  if (H5Aexists(file, "model_config") <= 0)
    throw Error("", "holds no Keras model, at most its weights", "save the whole model: model.save('m.h5')");
  Contents contents;
  const auto config = texts_of(file, "model_config");
  if (config.empty()) throw Error("", "has an empty configuration", "the file is damaged");
  contents.config = config[0];
  const Handle weights(H5Gopen2(file, "model_weights", H5P_DEFAULT), H5Gclose, "has no group 'model_weights'");
  uint64_t left_bytes = kRatio * bytes.size() + kFreeBytes;
  for (const auto& layer : long_list(weights, "layer_names")) {
    const Handle group(H5Gopen2(weights, layer.c_str(), H5P_DEFAULT), H5Gclose, fmt::format("has no weights of layer '{}'", layer));
    for (const auto& name : long_list(group, "weight_names")) contents.weights[layer][own_name(name)] = dataset(group, name, left_bytes);
  }
  return contents;
}

}  // namespace kinglet::formats::keras_h5
