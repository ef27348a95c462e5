#include "codegen/print_input.h"

#include <fmt/format.h>

#include <cctype>
#include <cstring>

#include "base/error.h"
#include "codegen/kernel_sources.h"
#include "codegen/print_args.h"
#include "codegen/print_text.h"
#include "data/preprocess.h"

namespace kinglet::codegen {

namespace {

template <class T>
std::string table_numbers(const data::Preprocessor& preprocessor, int channels) {
  NumberList list;
  for (int c = 0; c < channels; ++c) {
    const auto raw = preprocessor.table(c);
    for (size_t i = 0; i < 256; ++i) {
      T value;
      std::memcpy(&value, raw.data() + i * sizeof(T), sizeof(T));
      if constexpr (std::is_floating_point_v<T>) list.add(literal(value));
      else list.add(literal(int32_t{value}));
    }
  }
  return list.str();
}

std::string tables(const data::Preprocessor& preprocessor, DType dtype, const std::string& name) {
  const int channels = preprocessor.spec().channels;
  if (dtype == DType::f32) return fmt::format("static const float {}_tables[] = {{\n {}\n}};\n", name, table_numbers<float>(preprocessor, channels));
  // int8 entries are stored as the bytes they are.
  return fmt::format("static const uint8_t {}_tables[] = {{\n {}\n}};\n", name, table_numbers<uint8_t>(preprocessor, channels));
}

std::string stage1_initializer(const kinglet_stage1& s) {
  return fmt::format("{{{}, {}, {}, {}, {}, {}, {}, {}, {}, {{{}, {}, {}}}}}", s.height, s.width, s.order, s.mode, s.filter, s.antialias, s.coordinates, s.outside,
                     s.crop_q16, s.gray_weights[0], s.gray_weights[1], s.gray_weights[2]);
}

std::string header(const data::Preprocessor& preprocessor, DType dtype, const std::string& name) {
  const auto& spec = preprocessor.spec();
  const std::string size = preprocessor.planar() ? fmt::format("{}x{}x{}", spec.channels, spec.height, spec.width) : fmt::format("{}x{}x{}", spec.height, spec.width, spec.channels);
  std::string text = open_header(name + "_input") + "#include \"kinglet_preprocess.h\"\n\n" + open_extern_c();
  text += fmt::format("/* {} */\n", comment_text(graph::describe(spec)));
  text += fmt::format("/* Scratch for a picture of that size, to be aligned to 4 bytes. */\nsize_t {}_scratch_bytes(int32_t height, int32_t width);\n", name);
  text += fmt::format("/* A picture of any size and pixel format to the model's input ({}). Returns NULL, or what does not fit. */\n", size);
  text += fmt::format("const char* {}_prepare(const kinglet_picture* picture, void* scratch, {}* input);\n\n", name, c_type(dtype));
  return text + close_extern_c();
}

/// A planar tensor gets its rows one channel after another.
std::string planar_row_code(const graph::InputSpec& spec, DType dtype, const std::string& name) {
  const char* mapped = dtype == DType::f32 ? "mapped" : "row";
  return fmt::format(
      "    int32_t c, x;\n    kinglet_resampler_row(&r, y, {0}_row);\n    kinglet_map_{1}({0}_row, {2}, {3}, {0}_tables, {0}_{4});\n"
      "    for (c = 0; c < {3}; ++c)\n      for (x = 0; x < {2}; ++x) input[(c * {5} + y) * {2} + x] = ({6}){0}_{4}[x * {3} + c];\n",
      name, dtype == DType::f32 ? "f32" : "8", spec.width, spec.channels, mapped, spec.height, c_type(dtype));
}

/// float32 goes through a row of bytes; 8-bit types are mapped where they lie.
std::string row_code(const graph::InputSpec& spec, DType dtype, const std::string& name) {
  const int row = spec.width * spec.channels;
  if (dtype == DType::f32)
    return fmt::format("    kinglet_resampler_row(&r, y, {0}_row);\n    kinglet_map_f32({0}_row, {1}, {2}, {0}_tables, input + y * {3});\n", name, spec.width, spec.channels, row);
  return fmt::format("    uint8_t* row = (uint8_t*)input + y * {3};\n    kinglet_resampler_row(&r, y, row);\n    kinglet_map_8(row, {1}, {2}, {0}_tables, row);\n", name, spec.width, spec.channels, row);
}

std::string source(const data::Preprocessor& preprocessor, DType dtype, const std::string& name) {
  const auto& spec = preprocessor.spec();
  std::string text = fmt::format("/* Written by Kinglet {}: C99, freestanding. */\n#include \"{}_input.h\"\n\n", KINGLET_VERSION, name);
  text += fmt::format("static const kinglet_stage1 {}_stage1 = {};\n{}", name, stage1_initializer(preprocessor.stage1()), tables(preprocessor, dtype, name));
  if (dtype == DType::f32 || preprocessor.planar()) text += fmt::format("static uint8_t {}_row[{}];\n", name, spec.width * spec.channels);
  if (dtype == DType::f32 && preprocessor.planar()) text += fmt::format("static float {}_mapped[{}];\n", name, spec.width * spec.channels);
  text += fmt::format(
      "\nsize_t {0}_scratch_bytes(int32_t height, int32_t width) {{\n"
      "  const kinglet_region region = kinglet_contract_region(&{0}_stage1, height, width);\n"
      "  return kinglet_preprocess_scratch_bytes(&{0}_stage1, &region);\n}}\n\n",
      name);
  return text + fmt::format(
                    "const char* {0}_prepare(const kinglet_picture* picture, void* scratch, {1}* input) {{\n"
                    "  const kinglet_region region = kinglet_contract_region(&{0}_stage1, picture->height, picture->width);\n"
                    "  const char* fault = kinglet_preprocess_check(&{0}_stage1, picture, &region);\n"
                    "  kinglet_resampler r;\n"
                    "  int32_t y;\n"
                    "  if (fault) return fault;\n"
                    "  kinglet_resampler_init(&r, &{0}_stage1, picture, &region, scratch);\n"
                    "  for (y = 0; y < {2}; ++y) {{\n{3}  }}\n"
                    "  return NULL;\n}}\n",
                    name, c_type(dtype), spec.height, preprocessor.planar() ? planar_row_code(spec, dtype, name) : row_code(spec, dtype, name));
}

}  // namespace

std::vector<File> print_input_c(const graph::InputSpec& spec, const graph::Value& input, const std::string& model_name) {
  if (!is_identifier(model_name)) throw Error("model name '" + model_name + "'", "is not a C identifier", "use letters, digits and _", ErrorKind::usage);
  const data::Preprocessor preprocessor(spec, input);
  const std::string library = fmt::format("/* Written by Kinglet {}: C99, freestanding. */\n#include \"kinglet_preprocess.h\"\n\n{}", KINGLET_VERSION, preprocess_source());
  return {{"kinglet_preprocess.h", std::string(preprocess_header())},
          {"kinglet_preprocess.c", library},
          {model_name + "_input.h", header(preprocessor, input.dtype, model_name)},
          {model_name + "_input.c", source(preprocessor, input.dtype, model_name)}};
}

}  // namespace kinglet::codegen
