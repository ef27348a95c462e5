// Stands in for hdf5.cpp and child.cpp where libhdf5 was not there to build with.
#include "base/error.h"
#include "formats/keras_h5/contents.h"

namespace kinglet::formats::keras_h5 {

Contents read_contents(std::span<const std::byte>, const std::string& where) {
  throw Error(where, "is a Keras file, and this Kinglet was built without HDF5", "install libhdf5-dev and build again", ErrorKind::missing_dependency);
}

}  // namespace kinglet::formats::keras_h5
