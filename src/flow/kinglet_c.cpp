#include <cstring>
#include <memory>

#include "base/error.h"
#include "data/preprocess.h"
#include "flow/deploy.h"
#include "flow/engine.h"
#include "flow/kinglet.h"
#include "load/open_model.h"

using namespace kinglet;

struct kinglet_model {
  graph::Model model;
  eval::EnginePtr engine;
  std::unique_ptr<data::Preprocessor> preprocessor;
  std::vector<std::byte> input, output;
  int classes = 0;
};

namespace {

/// The edge where exceptions end: 0, or the exit code with the sentence copied out.
template <class Work>
int guarded(char* error, size_t error_bytes, Work&& work) {
  std::string text;
  int code = static_cast<int>(ErrorKind::bad_input);
  try {
    work();
    return 0;
  } catch (const Error& e) {
    text = e.what(), code = e.exit_code();
  } catch (const std::exception& e) {
    text = e.what();
  }
  if (error && error_bytes > 0) {
    const size_t n = std::min(text.size(), error_bytes - 1);
    std::memcpy(error, text.data(), n);
    error[n] = 0;
  }
  return code;
}

}  // namespace

int kinglet_open(const char* path, const char* numerics, kinglet_model** model, char* error, size_t error_bytes) {
  return guarded(error, error_bytes, [&] {
    auto handle = std::make_unique<kinglet_model>();
    handle->model = flow::deployable(load::open_model(path));
    handle->engine = flow::make_engine(handle->model, ops::numerics_from_name(numerics ? numerics : "tflm"), "session", 1);
    handle->preprocessor = std::make_unique<data::Preprocessor>(handle->model.input, handle->model.graph.value(handle->model.graph.inputs.at(0)));
    handle->input.resize(handle->engine->input_bytes());
    handle->output.resize(handle->engine->output_bytes());
    const auto& scores = handle->engine->outputs().at(0);
    handle->classes = static_cast<int>(eval::is_class_index(scores) ? handle->model.labels.size() : static_cast<size_t>(scores.shape.elements()));
    *model = handle.release();
  });
}

void kinglet_close(kinglet_model* model) { delete model; }
size_t kinglet_input_bytes(const kinglet_model* model) { return model->engine->input_bytes(); }
size_t kinglet_output_bytes(const kinglet_model* model) { return model->engine->output_bytes(); }
int kinglet_class_count(const kinglet_model* model) { return model->classes; }

void kinglet_run(kinglet_model* model, const void* input, void* output) {
  model->engine->run({static_cast<const std::byte*>(input), model->engine->input_bytes()}, {static_cast<std::byte*>(output), model->engine->output_bytes()}, 0);
}

const char* kinglet_label(const kinglet_model* model, int index) {
  const auto i = static_cast<size_t>(index);
  return index >= 0 && i < model->model.labels.size() ? model->model.labels[i].c_str() : nullptr;
}

int kinglet_classify(kinglet_model* model, const uint8_t* pixels, int height, int width, int channels, float* scores, char* error, size_t error_bytes) {
  return guarded(error, error_bytes, [&] {
    if (height < 1 || width < 1 || (channels != 1 && channels != 3)) throw Error("pixels", "need a positive size and 1 or 3 channels", {}, ErrorKind::usage);
    data::Image image{height, width, channels, {}};
    image.pixels.assign(pixels, pixels + static_cast<size_t>(height) * static_cast<size_t>(width) * static_cast<size_t>(channels));
    model->preprocessor->run(image, model->input);
    model->engine->run(model->input, model->output, 0);
    const auto& value = model->engine->outputs().at(0);
    eval::read_scores(value, model->output, {scores, static_cast<size_t>(model->classes)});
  });
}
