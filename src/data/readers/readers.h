// One function a storage format. Each checks sizes before it takes a byte and throws Error naming the file and what was
// expected; the `append_` ones add a file's pictures to what is there.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "data/stored_dataset.h"

namespace kinglet::data {

/// CIFAR-10 binary version: records of a label and 32x32 red, green, blue planes (www.cs.toronto.edu/~kriz/cifar.html).
void append_cifar10(const std::filesystem::path& path, RawPictures& pictures);

/// IDX (LeCun's MNIST page): unsigned bytes, n x h x w or n x h x w x 1|3; n labels. Either file may be gzipped.
void append_idx(const std::filesystem::path& images, const std::filesystem::path& labels, RawPictures& pictures);
/// One uncompressed pair.
void write_idx(const std::filesystem::path& images, const std::filesystem::path& labels, const RawPictures& pictures);
/// "x/train-images-idx3-ubyte.gz" -> the labels file beside it, gzipped or not; Error when there is none.
std::filesystem::path idx_labels_of(const std::filesystem::path& images);

/// FER2013 csv: a line "emotion,pixels,Usage" and rows of a label, 2304 numbers and Training, PublicTest or PrivateTest.
/// `usage` picks rows.
void append_fer2013_csv(const std::filesystem::path& path, const std::string& usage, RawPictures& pictures);
bool is_fer2013_csv(const std::filesystem::path& path);

/// root/part/CLASS/**.jpg|jpeg|png, in the order of their paths; `part` may be empty. Labels are positions in `classes`.
FilePictures read_image_folder(const std::filesystem::path& root, const std::string& part, const std::vector<std::string>& classes);
/// The classes of a tree: root/labels.txt when it is there (it must name exactly the class folders of all parts), else the
/// folder names sorted, and `sorted` set.
std::vector<std::string> image_folder_classes(const std::filesystem::path& root, const std::vector<std::string>& parts, bool& sorted);

/// A line a picture: path (relative to the list), then a space, tab or comma, then a label index or class name. With column
/// names given, a csv whose first line holds them. Names get the order of labels.txt beside the list, else sorted.
struct ListColumns {
  std::string path, label;
};
FilePictures read_file_list(const std::filesystem::path& path, const ListColumns& columns = {});

/// Pictures of handwritten-like digits 0 to 9, 28x28 gray, drawn from strokes: a function of (seed, index) alone and the
/// same bits on every machine.
RawPictures draw_digits(int64_t count, uint64_t seed);

/// Lines of a labels.txt without empty ones at the end; Error when a name is empty or stands twice.
std::vector<std::string> read_labels(const std::filesystem::path& path);

}  // namespace kinglet::data
