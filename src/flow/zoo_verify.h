// Does a shipped model still do what its card says? Sums, costs, labels, texts, golden outputs, and the card's figures
// measured again.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "base/progress.h"
#include "data/dataset.h"
#include "flow/zoo_models.h"
#include "graph/model.h"

namespace kinglet::flow {

struct Check {
  std::string what;    ///< "sum of x_int8.tflite"
  enum class Result : uint8_t { ok, failed, skipped } result = Result::ok;
  std::string detail;  ///< what was found, or why it was skipped
};

/// Whose accuracy is measured again.
enum class Measure : uint8_t { none, int8, all };

/// README.md, card.html and card.json are what card.json gives, byte by byte; labels.txt, the card and the data set name the same
/// classes; recipe.yaml and the card's training are what the PyTorch file carries. Per file: size and SHA-256; parameters, MACs
/// and arena counted again; labels and input; golden_output of the int8 file to the bit, of float files within 1e-5; and, where
/// `measure` asks for it and the data set is on this machine, n, top-1 and top-5 hits and confusion equal to the card's (float
/// files: all but two pictures, since float kernels differ by machine). A file with another sum is not opened.
std::vector<Check> verify_model(const ZooModel& model, Measure measure, int threads = 0, const ProgressCallback& progress = {});

/// The int8 model of a training's folder, made as the card's was: NAME_int8.kinglet where the recipe trains with rounding, else
/// best.kinglet quantized with the card's options and calibration pictures (which `open_data` opens by name).
graph::Model int8_of_run(const ZooModel& model, const std::filesystem::path& run, const std::function<data::DatasetPtr(const std::string&)>& open_data, int threads = 0,
                         const ProgressCallback& progress = {});

/// A training of the model's recipe, in the folder `run`, against its card: best.kinglet and int8_of_run are measured on the test
/// split, and each must not lie below the card's 95 % interval.
std::vector<Check> compare_with_card(const ZooModel& model, const std::filesystem::path& run, int threads = 0, const ProgressCallback& progress = {});

}  // namespace kinglet::flow
