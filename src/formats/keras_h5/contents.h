// What Kinglet wants of a Keras file: the text of its configuration and the weights of each layer.
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "base/tensor.h"

namespace kinglet::formats::keras_h5 {

struct Contents {
  std::string config;  ///< JSON
  std::map<std::string, std::map<std::string, Tensor>> weights;  ///< by layer, by the weight's own name ("kernel")
};

/// Runs HDF5 over the file. Called in the child alone; throws Error.
Contents read_hdf5(std::span<const std::byte> bytes);

/// The contents, read by a child process without files, with a gigabyte and a second more than the size asks for; its crash is an Error.
Contents read_contents(std::span<const std::byte> bytes, const std::string& where);

std::vector<std::byte> pack(const Contents& contents);
/// The reverse, with every bound checked: the child that packed may have been taken over by the file.
Contents unpack(std::span<const std::byte> bytes, const std::string& where);

}  // namespace kinglet::formats::keras_h5
