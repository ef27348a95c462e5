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
  verb.app.add_option("--input", verb.flags.input, "override the input contract: key=value,...");
  verb.examples("  kinglet export m.kinglet --to tflite -o m.tflite\n"
                "  kinglet export m_int8.kinglet --to sscma -o m.tflite    # for XIAO ESP32-S3 and Grove Vision AI, with m.json; or says what stands in the way");
  verb.action = [&verb, args] {
    const auto file = flow::export_model(verb.open(args->model), args->format, args->out);
    verb.print({{"file", file.path.string()}, {"bytes", file.bytes}, {"sha256", file.sha256}}, fmt::format("{}  {} bytes  sha256 {}\n", file.path.string(), group_digits(static_cast<int64_t>(file.bytes)), file.sha256));
    return 0;
  };
}

}  // namespace kinglet::cli
