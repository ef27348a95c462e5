#include "plan/kernel.h"

#include "base/cpu.h"
#include "base/error.h"

namespace kinglet::plan {

std::string_view kernel_name(Kernel kernel) {
  switch (kernel) {
#define KINGLET_KERNEL(name, args) \
  case Kernel::name: return #name;
#define KINGLET_X86_KERNEL(name, feature, args) \
  case Kernel::name##_x86_##feature: return #name "_x86_" #feature;
#include "kernels/kernels.def"
#undef KINGLET_KERNEL
#undef KINGLET_X86_KERNEL
  }
  KINGLET_CHECK(false);
}

std::vector<Kernel> all_kernels() {
  return {
#define KINGLET_KERNEL(name, args) Kernel::name,
#define KINGLET_X86_KERNEL(name, feature, args) Kernel::name##_x86_##feature,
#include "kernels/kernels.def"
#undef KINGLET_KERNEL
#undef KINGLET_X86_KERNEL
  };
}

std::string_view isa_name(Isa isa) {
  switch (isa) {
    case Isa::generic: return "generic";
    case Isa::avx2: return "avx2";
    case Isa::avx512vnni: return "avx512vnni";
  }
  KINGLET_CHECK(false);
}

std::vector<Isa> available_isas() {
  const CpuFeatures& f = cpu_features();
  std::vector<Isa> list{Isa::generic};
  if (f.avx2 && f.fma) list.push_back(Isa::avx2);
  if (list.size() == 2 && f.avx512f && f.avx512bw && f.avx512vl && f.avx512vnni) list.push_back(Isa::avx512vnni);
  return list;
}

Isa kernel_isa(Kernel kernel) {
  const std::string_view name = kernel_name(kernel);
  if (name.ends_with("_x86_avx2")) return Isa::avx2;
  return name.find("_x86_avx512") != std::string_view::npos ? Isa::avx512vnni : Isa::generic;
}

}  // namespace kinglet::plan
