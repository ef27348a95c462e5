// KINGLET_CLONES before a function: one body, compiled for each vector width that pays, chosen when the program is loaded.
// Not under the sanitizers, whose own code cannot run that early.
#pragma once

#if defined(__x86_64__) && !defined(__SANITIZE_ADDRESS__)
#define KINGLET_CLONES __attribute__((target_clones("avx512f", "avx2,fma", "default")))
#else
#define KINGLET_CLONES
#endif
