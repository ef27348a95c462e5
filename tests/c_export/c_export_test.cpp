// Generated C, compiled with this machine's compiler, against Session to the bit; and compiled for a Cortex-M.
#include <dlfcn.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "../golden/golden_inputs.h"
#include "base/error.h"
#include "base/file.h"
#include "codegen/codegen.h"
#include "formats/formats.h"
#include "random_graphs.h"
#include "runtime/session.h"

namespace kinglet::testing {
namespace {

namespace fs = std::filesystem;

/// A folder of this test, removed at the end.
class Folder {
 public:
  explicit Folder(const std::string& name) : path_(fs::temp_directory_path() / ("kinglet_c_export_" + name + "_" + std::to_string(::getpid()))) {
    fs::create_directories(path_);
  }
  ~Folder() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

/// Runs a command; its output goes to *text.
int shell(const std::string& command, const fs::path& folder, std::string* text = nullptr) {
  const fs::path log = folder / "log.txt";
  const int rc = std::system((command + " > '" + log.string() + "' 2>&1").c_str());
  if (text) *text = read_text_file(log);
  return rc;
}

bool has_command(const std::string& name) { return std::system(("command -v " + name + " > /dev/null 2>&1").c_str()) == 0; }

constexpr const char* kStrict = " -std=c99 -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Werror ";

std::string compiler() {
  const char* cc = std::getenv("CC");
  return cc ? cc : "cc";
}

void write_files(const std::vector<codegen::File>& files, const fs::path& folder) {
  for (const auto& f : files) write_file(folder / f.name, f.text);
}

/// One shared object from the files; nullptr and a test failure if the compiler refuses.
void* build(const std::vector<codegen::File>& files, const std::string& name, const Folder& folder) {
  write_files(files, folder.path());
  const fs::path object = folder.path() / (name + ".so");
  std::string log;
  const int rc = shell("cd '" + folder.path().string() + "' && " + compiler() + kStrict + "-O1 -ffp-contract=off -shared -fPIC -o " + name + ".so " + name + ".c -lm",
                       folder.path(), &log);
  EXPECT_EQ(rc, 0) << log;
  if (rc != 0) return nullptr;
  void* library = dlopen(object.c_str(), RTLD_NOW | RTLD_LOCAL);
  EXPECT_NE(library, nullptr) << dlerror();
  return library;
}

/// Calls NAME_run with as many pointers as the plan has ports.
void call(void* function, const std::vector<const void*>& in, const std::vector<void*>& out) {
  using P = const void*;
  using Q = void*;
  const auto key = in.size() * 10 + out.size();
  if (key == 11) reinterpret_cast<void (*)(P, Q)>(function)(in[0], out[0]);
  else if (key == 12) reinterpret_cast<void (*)(P, Q, Q)>(function)(in[0], out[0], out[1]);
  else if (key == 13) reinterpret_cast<void (*)(P, Q, Q, Q)>(function)(in[0], out[0], out[1], out[2]);
  else if (key == 14) reinterpret_cast<void (*)(P, Q, Q, Q, Q)>(function)(in[0], out[0], out[1], out[2], out[3]);
  else if (key == 21) reinterpret_cast<void (*)(P, P, Q)>(function)(in[0], in[1], out[0]);
  else FAIL() << in.size() << " inputs and " << out.size() << " outputs";
}

std::vector<Tensor> make_outputs(const plan::Plan& plan) {
  std::vector<Tensor> list;
  for (const auto& port : plan.outputs) list.emplace_back(port.dtype, port.shape);
  return list;
}

std::vector<void*> pointers(std::vector<Tensor>& tensors) {
  std::vector<void*> list;
  for (auto& t : tensors) list.push_back(t.mutable_bytes().data());
  return list;
}

/// Generated code and Session give the same bytes for `inputs`.
void expect_equal(void* library, const std::string& name, const plan::Plan& plan, runtime::Session& session, const std::vector<Tensor>& inputs) {
  void* function = dlsym(library, (name + "_run").c_str());
  ASSERT_NE(function, nullptr) << name;
  std::vector<const void*> in;
  for (const auto& t : inputs) in.push_back(t.bytes().data());
  auto want = make_outputs(plan), got = make_outputs(plan);
  session.run(in, pointers(want));
  call(function, in, pointers(got));
  for (size_t i = 0; i < got.size(); ++i) EXPECT_TRUE(got[i] == want[i]) << name << " output " << i;
}

// All operators, all shapes: one file, one compiler call.
TEST(CExport, EveryOperatorEqualsSession) {
  auto cases = operator_cases(test_seed() + 7, 6);
  for (auto& c : network_cases(test_seed() + 7, 16)) cases.push_back(std::move(c));
  std::vector<plan::Plan> plans;
  for (const auto& c : cases) plans.push_back(plan::make_plan(c.graph, plan::portable_target()));
  std::vector<codegen::NamedPlan> models;
  for (size_t i = 0; i < cases.size(); ++i) models.push_back({cases[i].name, &plans[i]});
  const Folder folder("operators");
  void* library = build(codegen::print_c(models, "operators"), "operators", folder);
  ASSERT_NE(library, nullptr);
  RandomStream random(test_seed(), 3, 0, Purpose::draw);
  for (size_t i = 0; i < cases.size(); ++i) {
    runtime::Session session(plans[i]);
    for (int draw = 0; draw < 5 && !HasFailure(); ++draw) expect_equal(library, cases[i].name, plans[i], session, random_inputs(cases[i].graph, random));
  }
  dlclose(library);
}

class RealDataCExport : public ::testing::TestWithParam<const char*> {};

TEST_P(RealDataCExport, ModelEqualsSession) {
  const fs::path path = golden::models() / GetParam();
  if (!fs::exists(path)) GTEST_SKIP() << "needs " << path;
  const graph::Graph graph = golden::runnable_graph(path);
  const plan::Plan portable = plan::make_plan(graph, plan::portable_target()), host = plan::make_plan(graph, plan::host_target());
  const Folder folder("model");
  void* library = build(codegen::print_c(portable, {"model"}), "model", folder);
  ASSERT_NE(library, nullptr);
  runtime::Session session(host);
  const auto& in = graph.value(graph.inputs[0]);
  const uint64_t inputs = portable.macs() > 13'000'000 ? 20 : 200;
  for (uint64_t k = 0; k < inputs && !HasFailure(); ++k)
    expect_equal(library, "model", portable, session, {golden::input_tensor(in, golden::input_bytes(k, static_cast<size_t>(in.shape.elements())))});
  dlclose(library);
}

/// The C library's functions that a compiler may call by itself in freestanding code, and its arithmetic helpers.
bool allowed_symbol(const std::string& name) {
  return name == "memcpy" || name == "memset" || name == "memmove" || name.rfind("__aeabi_", 0) == 0;
}

TEST_P(RealDataCExport, CompilesFreestandingForCortexM) {
  const fs::path path = golden::models() / GetParam();
  if (!fs::exists(path)) GTEST_SKIP() << "needs " << path;
  if (!has_command("arm-none-eabi-gcc")) GTEST_SKIP() << "needs arm-none-eabi-gcc (tools/setup test installs gcc-arm-none-eabi)";
  const plan::Plan plan = plan::make_plan(golden::runnable_graph(path), plan::portable_target());
  const Folder folder("arm");
  write_files(codegen::print_c(plan, {"model"}), folder.path());
  std::string text;
  const std::string in_folder = "cd '" + folder.path().string() + "' && ";
  ASSERT_EQ(shell(in_folder + "arm-none-eabi-gcc" + kStrict + "-mcpu=cortex-m4 -mthumb -ffreestanding -O2 -c model.c -o model.o", folder.path(), &text), 0) << text;
  ASSERT_EQ(shell(in_folder + "arm-none-eabi-nm -u model.o", folder.path(), &text), 0) << text;
  std::istringstream lines(text);
  for (std::string kind, name; lines >> kind >> name;) EXPECT_TRUE(allowed_symbol(name)) << "int8 code calls " << name;
}

INSTANTIATE_TEST_SUITE_P(Models, RealDataCExport,
                         ::testing::Values("mlperf_tiny/resnet8_int8.tflite", "seeed/cifar10_rep035_int8.tflite", "seeed/mnist_rep035_int8.tflite",
                                           "mlperf_tiny/vww_96_int8.tflite", "tflm/person_detect.tflite", "coral/mobilenet_v1_0.25_128_quant.tflite"));

TEST(CExport, RefusesWhatItCannotPrint) {
  const auto cases = operator_cases(1, 1);
  const plan::Plan plan = plan::make_plan(cases[0].graph, plan::portable_target());
  EXPECT_THROW(codegen::print_c(plan, {"2nd model"}), Error);
  EXPECT_THROW(codegen::print_c(plan, {""}), Error);
  if (plan::available_isas().size() > 1) {
    const plan::Plan host = plan::make_plan(cases[0].graph, plan::host_target(ops::Numerics::tflm, plan::available_isas().back()));
    EXPECT_THROW(codegen::print_c(host, {"model"}), Error);
  }
}

}  // namespace
}  // namespace kinglet::testing
