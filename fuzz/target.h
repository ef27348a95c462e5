// A fuzz target: bytes go in, a model or an Error comes out. Anything else is a finding.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "base/error.h"
#include "formats/state_dict.h"
#include "graph/print.h"

namespace kinglet::fuzz {

/// What every user of a model does first.
inline void look_at(const graph::Model& model) { (void)graph::to_text(model.graph); }

inline void look_at(const formats::StateDict& state) {
  if (has_graph(state)) look_at(model_from_state(state));
}

template <class Read>
int expect_words(const uint8_t* data, size_t size, Read&& read) {
  try {
    look_at(read(std::as_bytes(std::span(data, size))));
  } catch (const Error&) {
  }
  return 0;
}

}  // namespace kinglet::fuzz
