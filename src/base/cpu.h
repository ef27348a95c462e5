// What this processor can do, and what to call it in a record of a measurement.
#pragma once

#include <string>

namespace kinglet {

struct CpuFeatures {
  bool avx2 = false, fma = false, avx512f = false, avx512bw = false, avx512vl = false, avx512vnni = false, avxvnni = false;
  bool neon = false, dotprod = false, i8mm = false;
};

const CpuFeatures& cpu_features();
std::string cpu_name();   ///< "Intel(R) Xeon(R) Processor", "unknown" if the system does not tell
int cpu_count();          ///< processors this process may use

}  // namespace kinglet
