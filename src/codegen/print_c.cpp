#include <fmt/format.h>

#include <cmath>
#include <set>

#include "base/error.h"
#include "codegen/codegen.h"
#include "codegen/kernel_sources.h"
#include "codegen/print_args.h"
#include "codegen/print_text.h"

namespace kinglet::codegen {

using plan::Operand;
using plan::Plan;

namespace {

void check_type(const std::string& name, DType dtype) {
  if (dtype == DType::f32 || dtype == DType::s8 || dtype == DType::u8 || dtype == DType::s32) return;
  throw Error("value '" + name + "'", "is of type " + std::string(dtype_name(dtype)) + ", which generated C does not use");
}

void check(const NamedPlan& model) {
  if (!is_identifier(model.name)) throw Error("model name '" + model.name + "'", "is not a C identifier", "use letters, digits and _", ErrorKind::usage);
  for (const auto& step : model.plan->steps)
    if (plan::kernel_isa(step.kernel) != plan::Isa::generic) throw Error(step.node, "was planned for this machine's instruction set", "plan for target 'portable'");
  for (const auto& c : model.plan->constants) check_type(c.name, c.tensor.dtype());
  for (const auto& p : model.plan->inputs) check_type(p.name, p.dtype);
  for (const auto& p : model.plan->outputs)
    if (p.dtype != DType::s64) check_type(p.name, p.dtype);  // an index
}

std::string numbers(const plan::Constant& constant) {
  NumberList list;
  const Tensor& t = constant.tensor;
  if (t.dtype() == DType::s8)
    for (int8_t v : t.data<int8_t>()) list.add(literal(int32_t{v}));
  else if (t.dtype() == DType::s32)
    for (int32_t v : t.data<int32_t>()) list.add(literal(v));
  else if (t.dtype() == DType::f32)
    for (float v : t.data<float>()) {
      if (!std::isfinite(v)) throw Error("constant '" + constant.name + "'", "holds a value that is not finite");
      list.add(literal(v));
    }
  else if (t.dtype() == DType::u8)
    for (uint8_t v : t.data<uint8_t>()) list.add(literal(int32_t{v}));
  else KINGLET_CHECK(false, constant.name);
  return list.str();
}

/// Multipliers are the constants of int32 with two columns (plan/pack.h).
bool is_multipliers(const Tensor& t) { return t.dtype() == DType::s32 && t.shape().rank() == 2; }

std::string multipliers(const Tensor& t) {
  NumberList list;
  const auto v = t.data<int32_t>();
  for (size_t i = 0; i < v.size(); i += 2) list.add("{" + literal(v[i]) + ", " + literal(v[i + 1]) + "}");
  return list.str();
}

std::string print_constant(const NamedPlan& model, size_t i) {
  const plan::Constant& c = model.plan->constants[i];
  const bool pairs = is_multipliers(c.tensor);
  return fmt::format("/* {} */\nstatic const {} {}_constant{}[] = {{\n {}\n}};\n", comment_text(c.name), pairs ? "kinglet_multiplier" : c_type(c.tensor.dtype()),
                     model.name, i, pairs ? multipliers(c.tensor) : numbers(c));
}

std::string port_name(const char* what, size_t index, size_t count) { return count == 1 ? what : what + std::to_string(index); }

std::string signature(const NamedPlan& model) {
  const Plan& p = *model.plan;
  std::string list;
  for (size_t i = 0; i < p.inputs.size(); ++i)
    list += fmt::format("{}const {}* {}", list.empty() ? "" : ", ", c_type(p.inputs[i].dtype), port_name("input", i, p.inputs.size()));
  for (size_t i = 0; i < p.outputs.size(); ++i)
    list += fmt::format("{}{}* {}", list.empty() ? "" : ", ", c_type(p.outputs[i].dtype), port_name("output", i, p.outputs.size()));
  return fmt::format("void {}_run({})", model.name, list);
}

/// A pointer expression; void lets C convert it to what the kernel takes.
std::string pointer(const NamedPlan& model, const Operand& o, bool written) {
  const Plan& p = *model.plan;
  const auto index = static_cast<size_t>(o.index);
  const char* cast = written ? "(void*)" : "(const void*)";
  switch (o.kind) {
    case Operand::Kind::arena: return fmt::format("{}({}_arena.bytes + {})", cast, model.name, o.index);
    case Operand::Kind::constant: return fmt::format("(const void*){}_constant{}", model.name, o.index);
    case Operand::Kind::input: return cast + port_name("input", index, p.inputs.size());
    case Operand::Kind::output: return cast + port_name("output", index, p.outputs.size());
  }
  KINGLET_CHECK(false);
}

std::string print_call(const NamedPlan& model, size_t i) {
  const plan::Step& s = model.plan->steps[i];
  std::string list = fmt::format("&{}_step{}", model.name, i);
  for (size_t k = 0; k < s.operands.size(); ++k) list += ", " + pointer(model, s.operands[k], k + 1 == s.operands.size());
  return fmt::format("  /* {}: {} */\n  kinglet_{}({});\n", comment_text(s.node), s.shape.str(), plan::kernel_name(s.kernel), list);
}

std::string print_model(const NamedPlan& model) {
  const Plan& p = *model.plan;
  std::string text = fmt::format("\n/* ---- {}: {} steps, {} MACs, {} bytes of constants, {} bytes of arena ---- */\n\n", model.name, p.steps.size(), p.macs(),
                                 p.constant_bytes(), p.arena_bytes);
  for (size_t i = 0; i < p.constants.size(); ++i) text += print_constant(model, i);
  for (size_t i = 0; i < p.steps.size(); ++i)
    text += fmt::format("static const {} {}_step{} = {};\n", args_type(p.steps[i].args), model.name, i, args_initializer(p.steps[i].args));
  if (p.arena_bytes > 0) text += fmt::format("static union {{\n  int64_t alignment;\n  int8_t bytes[{}];\n}} {}_arena;\n", p.arena_bytes, model.name);
  text += "\n" + signature(model) + " {\n";
  for (size_t i = 0; i < p.steps.size(); ++i) text += print_call(model, i);
  return text + "}\n";
}

/// The header's macros around a model: sizes in elements.
std::string print_declaration(const NamedPlan& model) {
  const Plan& p = *model.plan;
  std::string text;
  for (size_t i = 0; i < p.inputs.size(); ++i)
    text += fmt::format("/* {} ({}): {} {} */\n", port_name("input", i, p.inputs.size()), comment_text(p.inputs[i].name), p.inputs[i].shape.str(), c_type(p.inputs[i].dtype));
  for (size_t i = 0; i < p.outputs.size(); ++i)
    text += fmt::format("/* {} ({}): {} {} */\n", port_name("output", i, p.outputs.size()), comment_text(p.outputs[i].name), p.outputs[i].shape.str(), c_type(p.outputs[i].dtype));
  return text + "/* Not reentrant: it works in one static arena. Buffers must not overlap. */\n" + signature(model) + ";\n";
}

std::string print_header(std::span<const NamedPlan> models, const std::string& file_name) {
  std::string text = open_header(file_name) + "#include <stdint.h>\n\n" + open_extern_c();
  for (const auto& m : models) text += print_declaration(m) + "\n";
  return text + close_extern_c();
}

std::string print_kernels(std::span<const NamedPlan> models) {
  std::set<plan::Kernel> used;
  for (const auto& m : models)
    for (const auto& s : m.plan->steps) used.insert(s.kernel);
  std::string text = "#define KINGLET_EXPORT static\n\n";
  text += kernel_api_source();
  text += requantize_source();
  for (plan::Kernel kernel : used) text += fmt::format("\n/* ---- kernel {} ---- */\n", plan::kernel_name(kernel)), text += kernel_source(kernel);
  return text;
}

}  // namespace

std::vector<File> print_c(std::span<const NamedPlan> models, const std::string& file_name) {
  if (!is_identifier(file_name)) throw Error("file name '" + file_name + "'", "is not a C identifier", "use letters, digits and _", ErrorKind::usage);
  for (const auto& m : models) check(m);
  std::string source = fmt::format("/* Written by Kinglet {}: C99, freestanding. */\n#include \"{}.h\"\n\n", KINGLET_VERSION, file_name);
  source += print_kernels(models);
  for (const auto& m : models) source += print_model(m);
  return {{file_name + ".h", print_header(models, file_name)}, {file_name + ".c", std::move(source)}};
}

std::vector<File> print_c(const Plan& plan, const Options& options) {
  const NamedPlan model{options.model_name, &plan};
  return print_c(std::span(&model, 1), options.model_name);
}

}  // namespace kinglet::codegen
