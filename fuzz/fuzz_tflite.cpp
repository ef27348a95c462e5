#include "formats/tflite/tflite.h"
#include "fuzz/target.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  return kinglet::fuzz::expect_words(data, size, [](auto bytes) { return kinglet::formats::tflite::import_model(bytes, "fuzz.tflite"); });
}
