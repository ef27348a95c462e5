// The input contract: how a picture becomes the model's input tensor. Data, carried in every file Kinglet writes;
// executed by kernels/preprocess alone (docs/numerics.md defines each step).
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/json.h"

namespace kinglet::graph {

enum class ColorOrder : uint8_t { rgb, bgr, gray };
enum class ResizeMode : uint8_t { stretch, crop, letterbox };
enum class ResizeFilter : uint8_t { nearest, bilinear, area };
enum class Coordinates : uint8_t { half_pixel, asymmetric, align_corners };

/// How a field came to be known, strongest first; anything weaker than metadata is a warning where figures are printed.
enum class Origin : uint8_t { flag, embedded, metadata, known_file, inferred, assumed };

struct InputSpec {
  // Stage 1: any picture -> uint8 HWC of the input's size.
  int height = 0, width = 0, channels = 0;
  ColorOrder order = ColorOrder::rgb;  ///< of the tensor; gray when channels is 1
  ResizeMode resize = ResizeMode::stretch;
  double crop_fraction = 1.0;  ///< crop: share of the short side that a centred square keeps before resizing
  uint8_t letterbox_value = 0;
  ResizeFilter filter = ResizeFilter::bilinear;
  bool antialias = true;
  Coordinates coordinates = Coordinates::half_pixel;
  std::array<int, 3> gray_weights{19595, 38470, 7471};  ///< R, G, B in 1/65536 (ITU-R BT.601)
  // Stage 2: real = (byte / divisor - mean[c]) / stddev[c]; the byte table to the model's type is derived from it.
  double divisor = 255.0;
  std::vector<double> mean, stddev;  ///< one per channel, or empty for 0 and 1

  std::map<std::string, Origin> origins;  ///< by field name as in JSON; a missing entry counts as assumed

  double real_value(uint8_t byte, int channel) const;
  bool operator==(const InputSpec&) const = default;
};

/// All fields by name: "size", "order", "resize", "crop", "letterbox_value", "filter", "antialias", "coordinates",
/// "gray_weights", "divisor", "mean", "std", "origins".
Json input_spec_to_json(const InputSpec& spec);
/// Unknown keys and values are an Error with a suggestion.
InputSpec input_spec_from_json(const Json& json, const std::string& where);

/// Applies "key=value,..." (the --input flag: size=HxW, order, resize, filter, crop, mean=a/b/c, std, scale=divisor,
/// coordinates, antialias); touched fields get Origin::flag. Throws a usage Error.
void override_input_spec(InputSpec& spec, const std::string& text);

std::string_view origin_name(Origin origin);
/// Names of the fields whose origin is weaker than metadata.
std::vector<std::string> weak_fields(const InputSpec& spec);
/// Sets every field's origin.
void set_origins(InputSpec& spec, Origin origin);
/// "64x64 RGB, stretched bilinear (antialiased, half-pixel), x/255"
std::string describe(const InputSpec& spec);

}  // namespace kinglet::graph
