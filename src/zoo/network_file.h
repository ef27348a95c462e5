// A network written as a short YAML file: layers in order, residuals by name (docs/how_to/write_a_network.md is the reference).
#pragma once

#include <cstdint>
#include <string>

#include "graph/model.h"

namespace kinglet::zoo {

/// A name that ends in .yaml or .yml.
bool is_network_path(const std::string& text);

/// The training Model that `yaml` describes, as zoo::build. Softmax is added after the last layer. Provenance keeps the text.
/// Throws Error with where = "FILE: line N" for unknown layers and keys, impossible values, unknown names and shapes that do not fit.
graph::Model build_network(const std::string& yaml, const std::string& where, uint64_t seed);

}  // namespace kinglet::zoo
