#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/error.h"
#include "cli/verb.h"
#include "flow/model_files.h"

namespace kinglet::cli {

void add_export(Verb& verb) {
  struct Args {
    std::string model, format, out;
  };
  auto args = std::make_shared<Args>();
  verb.app.add_option("MODEL", args->model, "model file")->required();
  verb.app.add_option("--to", args->format, fmt::format("format: {}, sscma", fmt::join(flow::export_formats(), ", ")))->required();
  verb.app.add_option("-o,--output", args->out, "file to write")->required();
  verb.add_open_flags();
  verb.examples("  kinglet export m.kinglet --to tflite -o m.tflite\n"
                "  kinglet export m_int8.kinglet --to sscma -o m.tflite    # for XIAO ESP32-S3 and Grove Vision AI, with m.json; or says what stands in the way");
  verb.action = [&verb, args] {
    const auto file = flow::export_model(verb.open(args->model), args->format, args->out);
    Json json = {{"file", file.path.string()}, {"bytes", file.bytes}, {"sha256", file.sha256}};
    std::string text = fmt::format("{}  {} bytes  sha256 {}\n", file.path.string(), group_digits(static_cast<int64_t>(file.bytes)), file.sha256);
    if (args->format == "onnx") {
      json["surplus_transposes"] = file.surplus_transposes;
      text += fmt::format("{} surplus Transposes\n", file.surplus_transposes);
    }
    verb.print(json, text);
    return 0;
  };
}

}  // namespace kinglet::cli
