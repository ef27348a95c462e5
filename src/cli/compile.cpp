#include <fmt/format.h>
#include <fmt/ranges.h>

#include <filesystem>

#include "base/error.h"
#include "base/file.h"
#include "cli/verb.h"
#include "codegen/codegen.h"
#include "codegen/print_input.h"
#include "flow/deploy.h"
#include "plan/plan.h"

namespace kinglet::cli {

namespace {

/// A C identifier made of a model's name.
std::string identifier(const std::string& name) {
  std::string text;
  for (char c : name) text += std::isalnum(static_cast<unsigned char>(c)) ? c : '_';
  return text.empty() || std::isdigit(static_cast<unsigned char>(text[0])) ? "model_" + text : text;
}

/// NHWC with 1 or 3 channels: then the input contract is printed too.
bool is_picture(const graph::Value& input) { return input.shape.rank() == 4 && (input.shape[3] == 1 || input.shape[3] == 3); }

}  // namespace

void add_compile(Verb& verb) {
  struct Args {
    std::string model, target = "portable", out, name;
  };
  auto args = std::make_shared<Args>();
  verb.add_model_flags();
  verb.app.add_option("MODEL", args->model, "model file")->required();
  verb.app.add_option("--target", args->target, "portable (default): C99 for any processor")->check(CLI::IsMember({"portable"}));
  verb.app.add_option("-o,--output", args->out, "folder for NAME.c, NAME_input.c, their headers and kinglet_preprocess")->required();
  verb.app.add_option("--name", args->name, "C identifier (default: from the model's name)");
  verb.examples("  kinglet compile m.kinglet --target portable -o c/ --name digits\n  arm-none-eabi-gcc -std=c99 -O2 -mcpu=cortex-m4 -mthumb -ffreestanding -c c/digits.c");
  verb.action = [&verb, args] {
    const auto model = flow::deployable(verb.open(args->model));
    const auto plan = plan::make_plan(model.graph, plan::portable_target(verb.numerics()));
    Json files = Json::array();
    const std::string name = args->name.empty() ? identifier(model.name) : args->name;
    auto printed = codegen::print_c(plan, {name});
    if (is_picture(model.graph.value(model.graph.inputs.at(0))))
      for (auto& file : codegen::print_input_c(model.input, model.graph.value(model.graph.inputs.at(0)), name)) printed.push_back(std::move(file));
    for (const auto& file : printed) {
      const auto path = std::filesystem::path(args->out) / file.name;
      write_file(path, file.text);
      files.push_back(path.string());
    }
    // Flash and stack are the compiler's to say; they are not guessed here.
    const Json json = {{"arena_bytes", plan.arena_bytes}, {"constant_bytes", plan.constant_bytes()}, {"flash_bytes", nullptr}, {"stack_bytes", nullptr}, {"files", files}};
    verb.print(json, fmt::format("{}\narena {} bytes, constants {} bytes\n", fmt::join(files.get<std::vector<std::string>>(), "\n"), group_digits(plan.arena_bytes), group_digits(plan.constant_bytes())));
    return 0;
  };
}

}  // namespace kinglet::cli
