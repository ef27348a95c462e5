// Runs the input contract on a picture: the C++ face of kernels/preprocess, which alone does the arithmetic.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/tensor.h"
#include "data/image.h"
#include "graph/graph.h"
#include "graph/input_spec.h"
#include "kernels/preprocess/preprocess.h"

namespace kinglet::data {

/// A rectangle of the source in whole pixels, and whether it is mirrored: what augmentation chooses before stage 1. It may
/// hang over the edge (random crop of a padded picture): pixels outside are the contract's letterbox_value.
struct Region {
  int top = 0, left = 0, height = 0, width = 0;
  bool mirrored = false;
};

/// The region that the contract itself takes (the whole picture, or the centred crop).
Region contract_region(const graph::InputSpec& spec, const Image& image);

class Preprocessor {
 public:
  /// For an input Value of dtype float32, int8 or uint8 (its scale and zero point make the byte table; without them an
  /// integer stands for itself). A shape that starts with the channels (Nx3xHxW) gets one plane a channel. Throws Error for a
  /// contract that cannot be run.
  Preprocessor(const graph::InputSpec& spec, const graph::Value& input);

  /// Stage 1: uint8 HWC of the input's size into `out` (height*width*channels bytes).
  void resample(const Image& image, const Region& region, std::span<uint8_t> out) const;
  /// Stage 2: bytes through the table of their channel into the tensor's own type.
  void map(std::span<const uint8_t> bytes, std::span<std::byte> out) const;
  /// Both, with the contract's own region. out has input bytes of one picture.
  void run(const Image& image, std::span<std::byte> out) const;

  size_t pixel_bytes() const { return static_cast<size_t>(spec_.height) * spec_.width * spec_.channels; }
  size_t tensor_bytes() const;
  const graph::InputSpec& spec() const { return spec_; }
  bool planar() const { return planar_; }  ///< the tensor is NCHW
  kinglet_stage1 stage1() const;  ///< the contract as the kernels take it, and as codegen prints it
  /// The table of a channel in the tensor's type (256 entries), as codegen prints it.
  std::span<const std::byte> table(int channel) const;

 private:
  void map_interleaved(std::span<const uint8_t> bytes, std::span<std::byte> out) const;

  graph::InputSpec spec_;
  DType dtype_;
  bool planar_ = false;
  std::vector<std::byte> tables_;
};

}  // namespace kinglet::data
