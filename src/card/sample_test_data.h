// For tests only: a card whose every figure is fixed, so that its text can be compared.
#pragma once

#include "card/card.h"

namespace kinglet::card::sample {

inline eval::EvalReport accuracy(int64_t hits_of_last) {
  eval::EvalReport r;
  r.data = "shapes";
  r.split = "test";
  r.engine = "session (generic)";
  r.classes = {"square", "disc", "star", "ring", "cross", "arrow|bow"};
  r.confusion.assign(6, std::vector<int64_t>(6, 0));
  r.class_n.assign(6, 100);
  for (size_t i = 0; i < 6; ++i) {
    const int64_t hits = i == 5 ? hits_of_last : 95;
    r.confusion[i][i] = hits;
    r.confusion[i][(i + 1) % 6] = 100 - hits;
    r.top1_hits += hits;
  }
  r.n = 600;
  r.top5_hits = 597;
  r.images_per_s = 12345.5;
  r.threads = 2;
  r.mistakes = {{"test/disc/7.png", 1, 2, 0.9961}};
  r.warnings = {"nothing in the file says how pictures become its input: coordinates were assumed"};
  return r;
}

inline eval::BenchReport latency() {
  eval::BenchReport r;
  r.machine = "A <small> machine";
  r.isa = "avx2";
  r.target = "host";
  r.numerics = "tflm";
  r.runs = 200;
  r.warm_up = 10;
  r.min_us = 60.25;
  r.median_us = 64.5;
  r.p95_us = 80.125;
  r.macs = 1364288;
  r.arena_bytes = 12288;
  return r;
}

inline CardInput card() {
  CardInput c;
  c.model.name = "shapes_rep035";
  c.model.architecture = "MobileNetV2 Rep, width 0.35, 3 stages";
  c.model.description = "Tells six drawn shapes apart.";
  c.model.input.height = c.model.input.width = 32;
  c.model.input.channels = 3;
  graph::set_origins(c.model.input, graph::Origin::embedded);
  c.model.labels = accuracy(90).classes;
  c.model.params = 30874;
  c.model.train_params = 41234;
  c.model.macs = 1364288;
  c.licences = {"Apache-2.0", "Apache-2.0", "CC0-1.0"};
  c.rows.push_back({"TFLite", "float32", "shapes_float.tflite", 131072, std::string(64, 'a'), accuracy(92), std::nullopt});
  c.rows.push_back({"TFLite", "int8", "shapes_int8.tflite", 40960, std::string(64, 'b'), accuracy(90), latency(), 12288});
  c.detail_row = 1;
  c.training = TrainingFacts{"shapes.yaml", 3, uint64_t{7}, 0.25, 2, "A <small> machine", "last EMA, no validation split", ""};
  c.data.info.name = "shapes";
  c.data.info.split = "test";
  c.data.info.classes = c.model.labels;
  c.data.info.licence = "CC0-1.0";
  c.data.info.notes = {"Drawn, not photographed."};
  c.data.train_n = 6000;
  c.data.test_n = 600;
  c.curve = {{1, 1.5, 40.0, 45.5}, {2, 0.75, 80.0, 78.25}, {3, 0.4, 93.0, 92.0}};
  c.published = {{"TFLite", "int8", 91.5, std::nullopt, "https://example.org/shapes", "measured on other pictures"}};
  c.seeds = {{7, c.rows[0].accuracy->top1_percent(), c.rows[1].accuracy->top1_percent()}, {8, 94.0, 93.5}, {9, 95.0, std::nullopt}};
  c.quantization = {{"method", "post-training"}, {"observer", "mse"}};
  c.reproduce = {"kinglet train shapes.yaml", "kinglet train shapes.yaml seed=8", "kinglet train shapes.yaml seed=9", "kinglet card shapes.kinglet --data shapes:test -o card"};
  c.limits = {"Not for traffic signs."};
  c.proofs = {"Folding changed no label on 600 pictures."};
  c.tool_version = "0.1.0";
  return c;
}

}  // namespace kinglet::card::sample
