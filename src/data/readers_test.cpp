#include "data/readers/readers.h"

#include <gtest/gtest.h>
#include <zlib.h>

#include "base/sha256.h"
#include "data/gzip.h"
#include "data/test_files.h"

namespace kinglet::data {
namespace {

using Bytes = std::vector<uint8_t>;

std::string gzipped(const std::string& text) {
  z_stream z{};
  deflateInit2(&z, 9, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY);
  std::string out(text.size() + 200, '\0');
  z.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  z.avail_in = static_cast<uInt>(text.size());
  z.next_out = reinterpret_cast<Bytef*>(out.data());
  z.avail_out = static_cast<uInt>(out.size());
  deflate(&z, Z_FINISH);
  out.resize(z.total_out);
  deflateEnd(&z);
  return out;
}

std::string idx_images(int n, int h, int w) {
  std::string bytes{0, 0, 8, 3, 0, 0, 0, static_cast<char>(n), 0, 0, 0, static_cast<char>(h), 0, 0, 0, static_cast<char>(w)};
  for (int i = 0; i < n * h * w; ++i) bytes += static_cast<char>(i);
  return bytes;
}
std::string idx_labels(const std::string& labels) { return std::string{0, 0, 8, 1, 0, 0, 0, static_cast<char>(labels.size())} + labels; }

TEST(Cifar10Reader, PlanesBecomePixels) {
  TempFolder folder;
  std::string record(3073, '\0');
  record[0] = 7;
  record[1] = 10;                // red of pixel 0
  record[1 + 1024] = 20;         // green
  record[1 + 2048] = 30;         // blue
  record[1 + 1023] = 40;         // red of the last pixel
  write_file(folder / "b.bin", record + record);
  RawPictures pictures;
  append_cifar10(folder / "b.bin", pictures);
  EXPECT_EQ(pictures.labels, (std::vector<int>{7, 7}));
  ASSERT_EQ(pictures.pixels.size(), 2u * 3072);
  EXPECT_EQ(pictures.pixels[0], 10);
  EXPECT_EQ(pictures.pixels[1], 20);
  EXPECT_EQ(pictures.pixels[2], 30);
  EXPECT_EQ(pictures.pixels[3069], 40);
  write_file(folder / "cut.bin", (record + record).substr(0, 5000));
  EXPECT_ERROR(append_cifar10(folder / "cut.bin", pictures), "cut.bin", "5000 bytes", "3073");
}

TEST(IdxReader, PlainAndGzippedAreTheSame) {
  TempFolder folder;
  write_file(folder / "a-images-idx3-ubyte", idx_images(3, 2, 4));
  write_file(folder / "a-labels-idx1-ubyte.gz", gzipped(idx_labels({2, 0, 1})));
  write_file(folder / "b-images-idx3-ubyte.gz", gzipped(idx_images(3, 2, 4)));
  EXPECT_EQ(idx_labels_of(folder / "a-images-idx3-ubyte"), folder / "a-labels-idx1-ubyte.gz");
  EXPECT_ERROR(idx_labels_of(folder / "b-images-idx3-ubyte.gz"), "no labels file beside it", "b-labels-idx1-ubyte");
  RawPictures a, b;
  append_idx(folder / "a-images-idx3-ubyte", folder / "a-labels-idx1-ubyte.gz", a);
  append_idx(folder / "b-images-idx3-ubyte.gz", folder / "a-labels-idx1-ubyte.gz", b);
  EXPECT_EQ(a.labels, (std::vector<int>{2, 0, 1}));
  EXPECT_EQ(a.pixels, b.pixels);
  EXPECT_EQ(a.pixels[8], 8);
}

TEST(IdxReader, DamageIsNamed) {
  TempFolder folder;
  write_file(folder / "i", idx_images(3, 2, 4));
  write_file(folder / "l", idx_labels({2, 0, 1}));
  write_file(folder / "cut", idx_images(3, 2, 4).substr(0, 30));
  write_file(folder / "few", idx_labels({2, 0}));
  write_file(folder / "text", std::string_view("hello world"));
  write_file(folder / "cut.gz", gzipped(idx_images(3, 2, 4)).substr(0, 30));
  write_file(folder / "header", idx_images(3, 2, 4).substr(0, 10));
  std::string huge = idx_images(3, 2, 4);
  huge[4] = huge[8] = huge[12] = '\x7F';
  write_file(folder / "huge", huge);
  RawPictures p;
  EXPECT_ERROR(append_idx(folder / "cut", folder / "l", p), "cut", "holds 14 bytes", "announces 24");
  EXPECT_ERROR(append_idx(folder / "i", folder / "few", p), "few", "2 labels for the 3 pictures");
  EXPECT_ERROR(append_idx(folder / "text", folder / "l", p), "text", "IDX");
  EXPECT_ERROR(append_idx(folder / "cut.gz", folder / "l", p), "cut.gz", "middle of its compressed data");
  EXPECT_ERROR(append_idx(folder / "header", folder / "l", p), "header", "cut off");
  EXPECT_ERROR(append_idx(folder / "huge", folder / "l", p), "huge", "announces");
  EXPECT_ERROR(append_idx(folder / "l", folder / "i", p), "l", "without pictures");
}

TEST(Gzip, LimitAndSeveralMembers) {
  const std::string a = gzipped("hello "), b = gzipped("world");
  const auto bytes = gunzip(to_bytes(a + b), "x");
  EXPECT_EQ(std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size()), "hello world");
  EXPECT_ERROR(gunzip(to_bytes(gzipped(std::string(100000, 'a'))), "bomb.gz", 5000), "bomb.gz", "more than 5000");
}

TEST(Fer2013Csv, RowsByUsage) {
  TempFolder folder;
  auto row = [](int label, int value, const std::string& usage) {
    std::string text = std::to_string(label) + ",";
    for (int i = 0; i < 2304; ++i) text += (i ? " " : "") + std::to_string(i == 0 ? value : 5);
    return text + "," + usage + "\n";
  };
  const std::string head = "emotion,pixels,Usage\n";
  write_file(folder / "f.csv", head + row(3, 200, "Training") + row(6, 100, "PrivateTest") + row(0, 50, "Training"));
  RawPictures train;
  append_fer2013_csv(folder / "f.csv", "Training", train);
  EXPECT_EQ(train.labels, (std::vector<int>{3, 0}));
  EXPECT_EQ(train.pixels[0], 200);
  EXPECT_EQ(train.pixels[2304], 50);
  RawPictures none;
  EXPECT_ERROR(append_fer2013_csv(folder / "f.csv", "PublicTest", none), "f.csv", "PublicTest");
  write_file(folder / "short.csv", head + row(3, 200, "Training") + "1,5 5 5,Training\n");
  EXPECT_ERROR(append_fer2013_csv(folder / "short.csv", "Training", none), "short.csv: line 3", "2304 pixels");
  write_file(folder / "label.csv", head + row(9, 200, "Training"));
  EXPECT_ERROR(append_fer2013_csv(folder / "label.csv", "Training", none), "label.csv: line 2", "label '9'");
  EXPECT_TRUE(is_fer2013_csv(folder / "f.csv"));
}

void write_png(const std::filesystem::path& path, uint8_t value) { write_file(path, encode_png({1, 1, 1, {value}})); }

TEST(ImageFolder, LabelsFileGivesTheOrder) {
  TempFolder folder;
  for (const char* path : {"train/zebra/2.png", "train/zebra/1.PNG", "train/ant/deep/3.png", "test/bee/4.png"}) write_png(folder / path, 1);
  write_file(folder / "train/zebra/notes.txt", std::string_view("not a picture"));
  bool sorted = false;
  EXPECT_EQ(image_folder_classes(folder.path(), {"train", "test"}, sorted), (std::vector<std::string>{"ant", "bee", "zebra"}));
  EXPECT_TRUE(sorted);
  write_file(folder / "labels.txt", std::string_view("zebra\nant\nbee\n"));
  const auto classes = image_folder_classes(folder.path(), {"train", "test"}, sorted);
  EXPECT_EQ(classes, (std::vector<std::string>{"zebra", "ant", "bee"}));
  EXPECT_FALSE(sorted);
  const auto pictures = read_image_folder(folder.path(), "train", classes);
  ASSERT_EQ(pictures.entries.size(), 3u);
  EXPECT_EQ(pictures.entries[0].id, "train/ant/deep/3.png");
  EXPECT_EQ(pictures.entries[0].label, 1);
  EXPECT_EQ(pictures.entries[2].label, 0);
}

TEST(ImageFolder, LabelsFileOfTheWrongLengthIsAnError) {
  TempFolder folder;
  for (const char* path : {"a/1.png", "b/1.png", "c/1.png"}) write_png(folder / path, 1);
  bool sorted = false;
  write_file(folder / "labels.txt", std::string_view("a\nb\n"));
  EXPECT_ERROR(image_folder_classes(folder.path(), {""}, sorted), "labels.txt", "2 classes", "3 class folders", "'c'");
  write_file(folder / "labels.txt", std::string_view("a\nb\nc\nd\n"));
  EXPECT_ERROR(image_folder_classes(folder.path(), {""}, sorted), "labels.txt", "4 classes", "'d'");
  write_file(folder / "labels.txt", std::string_view("a\nb\nb\n"));
  EXPECT_ERROR(image_folder_classes(folder.path(), {""}, sorted), "labels.txt: line 3", "second time");
}

TEST(FileList, IndicesNamesAndCsv) {
  TempFolder folder;
  write_file(folder / "l.txt", std::string_view("a b.png 1\nc.png 0\n"));
  auto pictures = read_file_list(folder / "l.txt");
  EXPECT_EQ(pictures.entries[0].id, "a b.png");
  EXPECT_EQ(pictures.entries[0].label, 1);
  EXPECT_EQ(pictures.classes, (std::vector<std::string>{"0", "1"}));
  write_file(folder / "n.csv", std::string_view("x.png,dog\ny.png,cat\n"));
  pictures = read_file_list(folder / "n.csv");
  EXPECT_EQ(pictures.entries[0].label, 1);
  EXPECT_TRUE(pictures.classes_sorted);
  write_file(folder / "c.csv", std::string_view("file,label,text\nx.png,3,\"tench, Tinca\"\n"));
  pictures = read_file_list(folder / "c.csv", {"file", "label"});
  EXPECT_EQ(pictures.entries[0].label, 3);
  EXPECT_ERROR(read_file_list(folder / "c.csv", {"file", "lable"}), "c.csv: line 1", "did you mean 'label'");
  write_file(folder / "bad.txt", std::string_view("x.png 1\ny.png\n"));
  EXPECT_ERROR(read_file_list(folder / "bad.txt"), "bad.txt: line 2", "a path and a label");
}

TEST(DrawnDigits, TheSameOnEveryMachine) {
  const auto pictures = draw_digits(200, 1);
  EXPECT_EQ(sha256(std::as_bytes(std::span(pictures.pixels))), "2d4fcdaa039360e00b5632b2305273db895b5d500b29b673dcda06409207ac4c");
  const auto first = draw_digits(50, 1);
  EXPECT_TRUE(std::equal(first.pixels.begin(), first.pixels.end(), pictures.pixels.begin())) << "a picture depends on seed and index alone";
  EXPECT_NE(draw_digits(50, 2).pixels, first.pixels);
  std::vector<int> counts(10);
  for (int label : pictures.labels) ++counts.at(label);
  for (int count : counts) EXPECT_GT(count, 5);
}

}  // namespace
}  // namespace kinglet::data
