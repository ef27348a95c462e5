// One function a storage format. Each checks sizes before it takes a byte and throws Error naming the file and what was
// expected; the `append_` ones add a file's pictures to what is there.
#pragma once

#include <cstdint>
#include <filesystem>
#include <set>
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

/// By its ending: jpg, jpeg or png; hidden files are none.
bool is_picture_file(const std::filesystem::path& path);
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

/// Roboflow's classification export: "filename, cat, dog" and a row of 0s and one 1 a picture; the classes are the head's.
FilePictures read_roboflow_csv(const std::filesystem::path& path);
/// The "License:" line of the export's README files; empty without one.
std::string roboflow_licence(const std::filesystem::path& root);

/// Is one category seen in a picture of COCO (Visual Wake Words)? Label 1 when an annotation of it covers more than min_share
/// of the picture, else 0; `skip_smaller` leaves out pictures that show it only smaller.
struct CocoRule {
  std::string category = "person";
  double min_share = 0.005;
  bool by_box = false;         ///< area of the box instead of the outline's
  bool crowds = true;          ///< annotations of crowds count too
  bool skip_smaller = false;
  std::set<int64_t> ids;       ///< pictures to keep, or to leave out; empty: all are kept
  bool leave_out_ids = false;
};
struct CocoPart {
  std::filesystem::path annotations, pictures;  ///< instances_*.json and the folder its file names lie in
};
/// In the order of the parts and of the pictures' ids. An annotation file is read as a stream: about its own size of memory.
FilePictures read_coco(const std::vector<CocoPart>& parts, const CocoRule& rule, const std::vector<std::string>& classes);
/// A line a picture: its number or file name, alone or first of several fields (mscoco_minival_ids.txt, y_labels.csv).
std::set<int64_t> read_picture_ids(const std::filesystem::path& path);

/// A split of ILSVRC2012: synset folders, or a flat folder with `truth` (may be empty): lines in order of the pictures' names
/// (the development kit's numbers, which need `number_map`, its map_clsloc.txt; or synsets), or lines that begin with the
/// picture's name (LOC_val_solution.csv, val.txt). Labels are positions in the sorted `synsets`.
FilePictures read_ilsvrc(const std::filesystem::path& folder, const std::filesystem::path& truth, const std::filesystem::path& number_map,
                         const std::vector<std::string>& synsets);

/// Pictures of handwritten-like digits 0 to 9, 28x28 gray, drawn from strokes: a function of (seed, index) alone and the
/// same bits on every machine.
RawPictures draw_digits(int64_t count, uint64_t seed);

/// Lines of a labels.txt without empty ones at the end; Error when a name is empty or stands twice.
std::vector<std::string> read_labels(const std::filesystem::path& path);

}  // namespace kinglet::data
