#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"
#include "base/file.h"
#include "base/statistics.h"
#include "cli/verb.h"
#include "data/image.h"
#include "data/preprocess.h"
#include "eval/doubts.h"
#include "eval/engine.h"
#include "flow/deploy.h"
#include "flow/engine.h"

namespace kinglet::cli {

namespace {

struct Args {
  std::string model, raw_input, raw_output, engine = "session";
  std::vector<std::string> pictures;
  int top = 5;
};

std::string label_of(const graph::Model& model, int index) {
  const auto i = static_cast<size_t>(index);
  return i < model.labels.size() ? model.labels[i] : fmt::format("class {}", index);
}

Json top_classes(const graph::Model& model, std::span<const float> scores, int count) {
  Json list = Json::array();
  for (int index : top_k(scores, count)) list.push_back({{"label", label_of(model, index)}, {"index", index}, {"score", scores[static_cast<size_t>(index)]}});
  return list;
}

Json classify(eval::Engine& engine, const graph::Model& model, const data::Preprocessor& preprocessor, const std::string& file, int count, bool& resampled) {
  std::vector<std::byte> input(engine.input_bytes()), output(engine.output_bytes());
  const auto image = data::read_image(file);
  resampled = resampled || image.height != model.input.height || image.width != model.input.width;
  preprocessor.run(image, input);
  engine.run(input, output, 0);
  const auto& value = engine.outputs().at(0);
  const bool index = eval::is_class_index(value);
  constexpr size_t kMostClasses = 1 << 20;
  std::vector<float> scores(index ? std::max(model.labels.size(), kMostClasses) : static_cast<size_t>(value.shape.elements()));
  eval::read_scores(value, output, scores);
  return {{"file", file}, {"top", top_classes(model, scores, index ? 1 : count)}};
}

/// Networks without a softmax give scores that are no shares of one.
bool shares(const Json& top) {
  return std::all_of(top.begin(), top.end(), [](const Json& row) { return row["score"].get<double>() >= 0 && row["score"].get<double>() <= 1; });
}

/// A line a class; a network that ends in ARG_MAX names one and has no score for it.
std::string top_text(const Json& top, bool index) {
  std::string text;
  for (const Json& row : top) {
    const auto label = row["label"].get<std::string>();
    const auto score = row["score"].get<double>();
    if (index) text += fmt::format("  {}\n", label);
    else if (shares(top)) text += fmt::format("  {:6.2f} %  {}\n", 100 * score, label);
    else text += fmt::format("  {:8.3f}  {}\n", score, label);
  }
  return text;
}

int run_pictures(const Verb& verb, const Args& args, const graph::Model& model) {
  auto engine = flow::make_engine(model, verb.numerics(), args.engine, 1);
  const data::Preprocessor preprocessor(model.input, model.graph.value(model.graph.inputs.at(0)));
  Json results = Json::array();
  std::string text;
  bool resampled = false;
  for (const auto& file : args.pictures) {
    const Json& result = results.emplace_back(classify(*engine, model, preprocessor, file, args.top, resampled));
    text += file + "\n" + top_text(result["top"], eval::is_class_index(engine->outputs().at(0)));
  }
  if (const auto doubt = eval::contract_doubt(model.input, resampled); !doubt.empty()) verb.warn()(model.name + ": " + doubt);
  verb.print(results, text);
  return 0;
}

int run_raw(const Verb& verb, const Args& args, const graph::Model& model) {
  auto engine = flow::make_engine(model, verb.numerics(), args.engine, verb.flags.threads);
  const auto outputs = eval::run_raw(*engine, read_file(args.raw_input), args.raw_input);
  write_file(args.raw_output, outputs);
  const auto n = static_cast<int64_t>(outputs.size() / engine->output_bytes());
  verb.print({{"n", n}, {"engine", engine->name()}}, fmt::format("{} inputs run by {}; outputs in {}\n", n, engine->name(), args.raw_output));
  return 0;
}

}  // namespace

void add_run(Verb& verb) {
  auto args = std::make_shared<Args>();
  verb.add_model_flags();
  verb.app.add_option("MODEL", args->model, "model file")->required();
  verb.app.add_option("PICTURE", args->pictures, "JPEG or PNG files");
  verb.app.add_option("--top", args->top, "classes to show (default 5)")->check(CLI::PositiveNumber);
  verb.app.add_option("--raw-input", args->raw_input, "file of N input tensors one after another, in the model's own type");
  verb.app.add_option("--raw-output", args->raw_output, "file that gets the N outputs");
  verb.app.add_option("--engine", args->engine, "session (default), portable, reference");
  verb.examples("  kinglet run model.tflite cat.jpg dog.png\n  kinglet run model.tflite --raw-input in.bin --raw-output out.bin --numerics litert2");
  verb.action = [&verb, args] {
    const bool raw = !args->raw_input.empty() || !args->raw_output.empty();
    if (raw && (args->raw_input.empty() || args->raw_output.empty())) throw Error("run", "--raw-input and --raw-output go together", {}, ErrorKind::usage);
    if (raw == !args->pictures.empty()) throw Error("run", "needs either pictures or --raw-input with --raw-output", {}, ErrorKind::usage);
    const auto model = flow::deployable(verb.open(args->model));
    return raw ? run_raw(verb, *args, model) : run_pictures(verb, *args, model);
  };
}

}  // namespace kinglet::cli
