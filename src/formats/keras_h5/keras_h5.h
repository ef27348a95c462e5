// Keras models (.h5 of TensorFlow 2.x and Keras 3), Sequential and Functional. The only folder that sees HDF5, and only in a child
// process: the library was not written for hostile files.
#pragma once

#include <cstddef>
#include <span>
#include <string>

#include "base/progress.h"
#include "graph/model.h"

namespace kinglet::formats::keras_h5 {

bool is_hdf5(std::span<const std::byte> bytes);

/// Reads a whole model as model.save("m.h5") writes it: BatchNormalization and Dropout stay, so it can be trained on. The file says
/// nothing of how pictures become its input: the contract is assumed. Throws Error naming file and layer for layers Kinglet has not,
/// for weights without a model, and (missing_dependency) where Kinglet was built without HDF5.
graph::Model import_model(std::span<const std::byte> bytes, const std::string& where, const WarningCallback& warn = {});

}  // namespace kinglet::formats::keras_h5
