// What the parent process makes of what the child that runs HDF5 says: the library itself is outside this process for a reason.
#include "formats/keras_h5/contents.h"
#include "formats/keras_h5/network.h"
#include "fuzz/target.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace kinglet::formats::keras_h5;
  return kinglet::fuzz::expect_words(data, size, [](auto bytes) { return model_from_contents(unpack(bytes, "fuzz.h5"), "fuzz.h5"); });
}
