// What a training does, as a YAML file says it. Every key has one line in recipe.cpp's list, which reads, prints and
// overrides it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace kinglet::train {

/// Cubuk et al. 2020: `operations` drawn anew for each picture, all at `magnitude` of 30.
struct RandAugment {
  int operations = 0;          ///< 0: none
  double magnitude = 0;
};

struct Augment {
  int pad_crop = 0;            ///< shift by up to so many pixels either way, zeros come in
  bool flip = false;           ///< mirrored left to right for half of the draws
  double brightness = 0, contrast = 0, saturation = 0;  ///< factor drawn from 1 - x to 1 + x
  double rotate = 0;           ///< degrees either way
  double scale = 0;            ///< zoom drawn from 1 - x to 1 + x
  int cutout = 0;              ///< side of the square that is greyed (DeVries and Taylor 2017)
  double mixup = 0, cutmix = 0;  ///< alpha of the Beta distribution (Zhang et al. 2018; Yun et al. 2019); both: one or the other a batch
  RandAugment randaugment;     ///< [operations, magnitude]
  double crop_area = 0;        ///< random-resized crop: smallest share of the picture's area, 0 is off (Szegedy et al. 2015)
};

struct Distill {
  std::string teacher;         ///< a float .kinglet, or the run folder of one; empty: none
  double weight = 0.5, temperature = 4;
};

/// Quantization-aware training after the float training.
struct Qat {
  int epochs = 5;
  double lr = 0;               ///< to begin with; 0: a hundredth of the recipe's, a tenth with adamw
  int calibration_n = 512;
};

struct Recipe {
  std::string name, model, data;
  std::string input;                 ///< changes of the model's input contract, as of --input: "resize=crop,crop=0.875"
  std::string val = "default";       ///< "default": the data's own val; "none"; or a data argument
  std::string from;                  ///< start from this model's weights: any model file, a run folder, a zoo model
  int freeze_epochs = 0;             ///< with `from`: first so many epochs of the head alone
  double freeze_lr = 0;              ///< of these epochs; 0: the recipe's lr
  int epochs = 10, batch = 128;
  int64_t limit = 0;                 ///< train on so many pictures only, chosen by the seed; 0: all
  std::string optimizer = "sgd";     ///< sgd or adamw
  double lr = 0.1, momentum = 0.9, weight_decay = 1e-4;
  bool nesterov = true, decay_all = false;  ///< decay_all: biases and normalization too
  std::string schedule = "cosine";   ///< cosine or constant, both after a linear warm-up
  double warmup_epochs = 0, final_lr = 0;
  double label_smoothing = 0, clip_norm = 0, ema = 0;
  Augment augment;
  Distill distill;
  std::string quantize = "none";     ///< none or qat
  Qat qat;
  uint64_t seed = 1;
  int threads = 0, eval_every = 1;   ///< threads 0: all processors
  std::string device = "cpu";        ///< auto, cpu or cuda; auto: cuda where there is one
};

/// Reads the YAML of `path`, then applies `overrides` ("key=value", dots for nesting).
/// Throws Error naming file and line (or the override) for unknown keys, wrong types and impossible values.
Recipe load_recipe(const std::filesystem::path& path, const std::vector<std::string>& overrides);
Recipe parse_recipe(const std::string& yaml, const std::string& where, const std::vector<std::string>& overrides);
/// Every key with its value; parse_recipe gives the same recipe back.
std::string to_yaml(const Recipe& recipe);
/// SHA-256 over what decides the numbers: all but name and threads. Keys younger than the first checkpoints count where they
/// are not at their default only, so that a checkpoint can be resumed by a newer version.
std::string recipe_hash(const Recipe& recipe);

}  // namespace kinglet::train
