// What a card tells of a training and a quantization, read from the provenance that models carry.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "card/card.h"
#include "graph/model.h"
#include "quantize/quantize.h"

namespace kinglet::flow {

/// json[key]; nullopt where `json` is no object, the key is missing, or its value is null.
template <class T>
std::optional<T> optional_at(const Json& json, const char* key) {
  if (!json.is_object() || !json.contains(key) || json[key].is_null()) return std::nullopt;
  return json_at<T>(json, key, "provenance");
}

/// The first of the models whose provenance has `key`; null when none has.
Json first_provenance(const std::vector<graph::Model>& models, const char* key);

/// Of provenance["training"]; nullopt for null.
std::optional<card::TrainingFacts> training_facts(const Json& training);
/// Of provenance["curve"]; empty for null.
std::vector<card::CurvePoint> training_curve(const Json& curve);

/// Whether provenance["quantize"] tells of quantization-aware training.
bool quantized_by_training(const Json& quantized);
/// The options that post-training quantization was done with, as far as provenance["quantize"] tells; else the usual ones.
quantize::Options quantize_options(const Json& quantized);

}  // namespace kinglet::flow
