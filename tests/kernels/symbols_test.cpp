// The objects built for an instruction set must not define weak symbols: the linker would keep one copy, and other
// machines would run instructions they lack.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <memory>
#include <sstream>
#include <string>

#include "plan/kernel.h"

namespace kinglet::testing {
namespace {

std::string output_of(const std::string& command) {
  const std::unique_ptr<FILE, int (*)(FILE*)> pipe(popen(command.c_str(), "r"), pclose);
  std::string text;
  std::array<char, 4096> chunk;
  for (size_t n; pipe && (n = fread(chunk.data(), 1, chunk.size(), pipe.get())) > 0;) text.append(chunk.data(), n);
  return text;
}

/// Sanitizers and the exception tables define some of their own; they hold no code of ours.
bool is_the_compilers(const std::string& name) { return name.rfind("DW.ref.", 0) == 0 || name.find("__asan") != std::string::npos || name.find("__odr_asan") != std::string::npos; }

TEST(KernelSymbols, InstructionSetObjectsDefineNoWeakOnes) {
  std::istringstream lines(output_of("nm '" KINGLET_KERNELS_ARCHIVE "'"));
  std::string member;
  int kernels = 0;
  for (std::string line; std::getline(lines, line);) {
    if (line.ends_with(".o:")) member = line;
    if (member.rfind("x86_", 0) != 0) continue;
    std::istringstream words(line);
    std::string address, kind, name;
    if (!(words >> address >> kind >> name)) continue;  // undefined symbols have no address
    if (kind == "T") ++kernels;
    const bool weak = kind == "W" || kind == "V" || kind == "u";
    EXPECT_TRUE(!weak || is_the_compilers(name)) << member << " " << name;
    EXPECT_TRUE(kind != "T" || name.rfind("kinglet_", 0) == 0) << member << " exports " << name;
  }
#if defined(__x86_64__)
  const auto all = plan::all_kernels();
  const auto rows = std::count_if(all.begin(), all.end(), [](plan::Kernel kernel) { return plan::kernel_isa(kernel) != plan::Isa::generic; });
  EXPECT_EQ(kernels, rows) << "functions exported by x86 objects: one a row of kernels.def";
#endif
}

}  // namespace
}  // namespace kinglet::testing
