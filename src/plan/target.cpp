#include <algorithm>
#include <cstdlib>

#include "base/did_you_mean.h"
#include "base/error.h"
#include "plan/plan.h"

namespace kinglet::plan {

namespace {

constexpr Isa kAllIsas[] = {Isa::generic, Isa::avx2, Isa::avx512vnni};

Isa isa_from_name(const std::string& text, const std::string& where) {
  std::vector<std::string> names;
  for (Isa isa : kAllIsas) {
    if (isa_name(isa) == text) return isa;
    names.emplace_back(isa_name(isa));
  }
  throw Error(where, "'" + text + "' is not an instruction set Kinglet has kernels for (generic, avx2, avx512vnni)", did_you_mean(text, names),
              ErrorKind::usage);
}

Target host_with(ops::Numerics numerics, Isa isa, const std::string& where) {
  const auto have = available_isas();
  if (std::find(have.begin(), have.end(), isa) == have.end())
    throw Error(where, "this processor does not have " + std::string(isa_name(isa)), "its best is " + std::string(isa_name(have.back())), ErrorKind::usage);
  return {"host", 64, numerics, isa};
}

}  // namespace

Target portable_target(ops::Numerics numerics) { return {"portable", 16, numerics, Isa::generic}; }

Target host_target(ops::Numerics numerics) {
  const char* forced = std::getenv("KINGLET_FORCE_ISA");
  if (!forced || !*forced) return host_with(numerics, available_isas().back(), "host");
  return host_with(numerics, isa_from_name(forced, "KINGLET_FORCE_ISA"), "KINGLET_FORCE_ISA");
}

Target host_target(ops::Numerics numerics, Isa isa) { return host_with(numerics, isa, "host"); }

}  // namespace kinglet::plan
