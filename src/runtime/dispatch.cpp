#include "runtime/dispatch.h"

#include <utility>

#include "kernels/kernels.h"

namespace kinglet::runtime {

namespace {

/// Unpacks untyped pointers into the parameters of one kernel.
template <auto kFunction>
struct Caller;

template <class A, class... Pointers, void (*kFunction)(const A*, Pointers...)>
struct Caller<kFunction> {
  template <size_t... kIndex>
  static void unpack(const void* args, void* const* pointers, std::index_sequence<kIndex...>) {
    kFunction(static_cast<const A*>(args), static_cast<Pointers>(pointers[kIndex])...);
  }
  static void invoke(const void* args, void* const* pointers) { unpack(args, pointers, std::index_sequence_for<Pointers...>{}); }
  static bool takes(const plan::Args& args) { return std::holds_alternative<A>(args); }
  static constexpr KernelEntry kEntry{invoke, sizeof...(Pointers), takes};
};

#if defined(__x86_64__)
#define KINGLET_X86_ENTRY(function) Caller<&function>::kEntry
#else
#define KINGLET_X86_ENTRY(function) KernelEntry{}
#endif

constexpr KernelEntry kEntries[] = {
#define KINGLET_KERNEL(name, args) Caller<&kinglet_##name>::kEntry,
#define KINGLET_X86_KERNEL(name, feature, args) KINGLET_X86_ENTRY(kinglet_##name##_x86_##feature),
#include "kernels/kernels.def"
#undef KINGLET_KERNEL
#undef KINGLET_X86_KERNEL
};

}  // namespace

const KernelEntry& kernel_entry(plan::Kernel kernel) { return kEntries[static_cast<size_t>(kernel)]; }

}  // namespace kinglet::runtime
