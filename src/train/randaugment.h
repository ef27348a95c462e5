// RandAugment (Cubuk et al. 2020): for each picture some operations of a list of 14, drawn anew, all at one strength. The
// strengths at magnitude 30 are torchvision's.
#pragma once

#include <cstdint>
#include <span>

#include "train/augment.h"

namespace kinglet::train {

/// Changes `pixels` (HWC, bytes) in place. The draws follow from the key alone. What comes in from outside is zero.
void apply_randaugment(const RandAugment& policy, Size size, std::span<uint8_t> pixels, const DrawKey& key);

/// One operation by its place in the list, for tests: identity, shear x, shear y, move x, move y, rotate, brightness, colour,
/// contrast, sharpness, posterize, solarize, auto-contrast, equalize. `strength` from -1 to 1; its sign counts for the first ten.
void apply_policy_operation(int operation, double strength, Size size, std::span<uint8_t> pixels);
inline constexpr int kPolicyOperations = 14;

}  // namespace kinglet::train
