#include "data/dataset.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <fstream>
#include <set>

#include "base/sha256.h"
#include "data/audit.h"
#include "data/manifest.h"
#include "data/readers/readers.h"
#include "data/stored_dataset.h"
#include "data/test_files.h"

namespace kinglet::data {
namespace {

void write_tree(const TempFolder& folder, const std::string& part, int a, int b) {
  for (int i = 0; i < a + b; ++i) {
    const Image image{2, 2, 1, {static_cast<uint8_t>(i), 0, static_cast<uint8_t>(part.size()), 9}};
    write_file(folder.path() / part / (i < a ? "a" : "b") / (std::to_string(i) + ".png"), encode_png(image));
  }
}

std::set<std::string> ids(const Dataset& dataset) {
  std::set<std::string> all;
  for (int64_t i = 0; i < dataset.size(); ++i) all.insert(dataset.id(i));
  return all;
}

TEST(OpenDataset, TreeWithTrainAndTest) {
  TempFolder folder;
  write_tree(folder, "train", 30, 20);
  write_tree(folder, "test", 3, 4);
  const std::string path = folder.path().string();
  EXPECT_EQ(open_dataset(path, "test")->size(), 7);
  EXPECT_EQ(open_dataset(path + ":train+val", "test")->size(), 50);
  const auto train = open_dataset(path + ":train", "test"), val = open_dataset(path + ":val", "test");
  EXPECT_EQ(train->size(), 45);
  EXPECT_EQ(val->size(), 5);
  EXPECT_EQ(val->info().split, "val");
  auto both = ids(*train);
  both.merge(ids(*val));
  EXPECT_EQ(both.size(), 50u);
  EXPECT_TRUE(train->info().classes_sorted);
  EXPECT_EQ(train->info().classes, (std::vector<std::string>{"a", "b"}));
  EXPECT_ERROR(open_dataset(path + ":tets", "test"), "no split 'tets'", "test, train, val, train+val");
}

TEST(OpenDataset, TheValidationTenthStaysWhenPicturesAreAdded) {
  TempFolder folder;
  write_tree(folder, "train", 50, 50);
  const auto before = ids(*open_dataset(folder.path().string() + ":val", "test"));
  write_tree(folder, "train", 55, 55);  // renames some b to a, so compare what is in both
  const auto after = ids(*open_dataset(folder.path().string() + ":val", "test"));
  int kept = 0;
  for (const auto& id : before) kept += after.contains(id);
  EXPECT_GE(kept, 7);  // of 10; chance alone would keep one
}

TEST(OpenDataset, TreeWithoutParts) {
  TempFolder folder;
  write_tree(folder, "", 12, 8);
  const std::string path = folder.path().string();
  const auto all = open_dataset(path, "test");
  EXPECT_EQ(all->size(), 20);
  EXPECT_EQ(all->info().split, "all");
  ASSERT_EQ(all->info().notes.size(), 1u);
  EXPECT_EQ(open_dataset(path, "train")->size(), 18);
  EXPECT_EQ(open_dataset(path + ":val", "test")->size(), 2);
  EXPECT_ERROR(open_dataset(path + ":test", "test"), "no split 'test'");
  const auto training = open_training_data(path);
  EXPECT_EQ(training.train->size(), 18);
  EXPECT_EQ(training.val->size(), 2);
  EXPECT_EQ(open_training_data(path, false).train->size(), 20);
  EXPECT_ERROR(open_training_data(path + ":train"), "names a split");
}

TEST(OpenDataset, PathsOfOtherStorage) {
  TempFolder folder;
  auto digits = draw_digits(20, 9);
  write_idx(folder / "x-images-idx3-ubyte", folder / "x-labels-idx1-ubyte", digits);
  const auto idx = open_dataset((folder / "x-images-idx3-ubyte").string(), "test");
  EXPECT_EQ(idx->size(), 20);
  EXPECT_EQ(idx->label(3), digits.labels[3]);
  EXPECT_EQ(idx->id(3), "x-images-idx3-ubyte[3]");
  write_file(folder / "labels.txt", std::string_view("zero\none\n"));
  EXPECT_ERROR(open_dataset((folder / "x-images-idx3-ubyte").string(), "test"), "x-images-idx3-ubyte[", "2 classes are known", "labels.txt");
  std::string record(3073, '\0');
  write_file(folder / "b.bin", record);
  EXPECT_EQ(open_dataset((folder / "b.bin").string(), "test")->info().classes[0], "airplane");
  record[0] = 11;
  write_file(folder / "bad.bin", record);
  EXPECT_ERROR(open_dataset((folder / "bad.bin").string(), "test"), "bad.bin[0]", "label 11", "10 classes");
  EXPECT_ERROR(open_dataset((folder / "nothing").string(), "test"), "nothing", "was not found");
  write_file(folder / "m.pdf", record);
  EXPECT_ERROR(open_dataset((folder / "m.pdf").string(), "test"), "m.pdf", "not a data set");
}

TEST(OpenDataset, UnknownAndMissingNames) {
  TempFolder folder;
  ScopedEnvironment data("KINGLET_DATA", folder.path().string()), cache("XDG_CACHE_HOME", (folder / "cache").string());
  EXPECT_ERROR(open_dataset("cifar01", "test"), "cifar01", "did you mean 'cifar10'?");
  EXPECT_ERROR(open_dataset("cifar10", "test"), "cifar10", "test_batch.bin", folder.path().string(), "kinglet data get cifar10");
  try {
    open_dataset("cifar10", "test");
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::missing_dependency);
  }
}

TEST(OpenDataset, BuiltInDigits) {
  const auto training = open_training_data("drawn_digits");
  EXPECT_EQ(training.train->size(), 9000);
  EXPECT_EQ(training.val->size(), 1000);
  EXPECT_EQ(open_dataset("drawn_digits", "test")->size(), 2000);
  TempFolder folder;
  make("drawn_digits", folder.path());
  const auto made = open_dataset((folder / "test-images-idx3-ubyte").string(), "test");
  EXPECT_EQ(made->image(77).pixels, open_dataset("drawn_digits:test", "test")->image(77).pixels);
  EXPECT_ERROR(make("mnist", folder.path()), "mnist", "not a built-in");
}

TEST(Manifests, AllParseAndNameWhatCardsNeed) {
  const auto names = list_manifests();
  EXPECT_GE(names.size(), 9u);
  for (const auto& name : names) {
    const auto m = load_manifest(name);
    EXPECT_EQ(m.name, name);
    EXPECT_FALSE(m.licence.empty()) << name;
    EXPECT_FALSE(m.url.empty()) << name;
    EXPECT_FALSE(m.notes.empty()) << name;
    for (const auto& [split, json] : m.splits) EXPECT_NO_THROW(files_of_split(m, split)) << name;
    for (const auto& part : m.downloads) EXPECT_EQ(part.sha256.size(), 64u) << name;
  }
  EXPECT_EQ(load_manifest("fer2013").classes, (std::vector<std::string>{"angry", "disgust", "fear", "happy", "sad", "surprise", "neutral"}));
}

TEST(Manifests, UnknownKeysAndDamageAreErrors) {
  TempFolder folder;
  ScopedEnvironment manifests("KINGLET_DATASETS", folder.path().string());
  write_file(folder / "x.json", std::string_view("{\"name\": \"x\", \"titel\": \"y\"}"));
  EXPECT_ERROR(load_manifest("x"), "x.json", "unknown key 'titel'", "did you mean 'title'");
  write_file(folder / "x.json", std::string_view("{\"name\": \"x\""));
  EXPECT_ERROR(load_manifest("x"), "x.json", "not valid JSON");
}

TEST(Manifests, AUnionReadsOneSetAfterAnother) {
  TempFolder folder;
  ScopedEnvironment manifests("KINGLET_DATASETS", (folder / "sets").string()), data("KINGLET_DATA", folder.path().string());
  auto manifest = [&](const std::string& name, const std::string& classes, const std::string& reader, const std::string& split) {
    write_file(folder / "sets" / (name + ".json"), fmt::format(R"({{"name": "{}", "title": "t", "url": "u", "licence": "l", "reader": "{}", "classes": {}, "folders": ["{}"],
               "notes": ["note of {}"], "splits": {{"train": {}, "test": {}}}}})", name, reader, classes, name, name, fmt::format(fmt::runtime(split), "train"), fmt::format(fmt::runtime(split), "test")));
  };
  for (const char* name : {"one", "two"}) manifest(name, R"(["a", "b"])", "image_folder", R"({{"folder": "{}"}})");
  manifest("both", R"(["a", "b"])", "union", R"({{"sets": ["one", "two"]}})");
  write_tree(folder, "one/train", 6, 5);
  write_tree(folder, "one/test", 1, 2);
  EXPECT_ERROR(open_dataset("both", "test"), "two: split 'test' was not found");
  write_tree(folder, "two/train", 4, 5);
  write_tree(folder, "two/test", 3, 1);
  const auto test = open_dataset("both", "test");
  ASSERT_EQ(test->size(), 7);
  EXPECT_EQ(test->info().name, "both");
  EXPECT_EQ(test->id(2), "one/test/b/2.png");
  EXPECT_EQ(test->id(3), "two/test/a/0.png");
  EXPECT_EQ(test->label(2), 1);
  EXPECT_EQ(test->label(3), 0);
  EXPECT_EQ(test->image(6).pixels, open_dataset("two", "test")->image(3).pixels);
  EXPECT_EQ(test->info().notes, (std::vector<std::string>{"Pictures in test: 3 of one, 4 of two.", "note of both", "one: note of one", "two: note of two"}));
  const auto training = open_training_data("both");
  EXPECT_EQ(training.train->size(), 18);
  EXPECT_EQ(training.val->size(), 2);
  manifest("two", R"(["b", "a"])", "image_folder", R"({{"folder": "{}"}})");
  EXPECT_ERROR(open_dataset("both", "test"), "both.json: split test", "set 'two' has other classes");
  manifest("two", R"(["a", "b"])", "union", R"({{"sets": ["one"]}})");
  EXPECT_ERROR(open_dataset("both", "test"), "set 'two' is itself a union");
}

TEST(Audit, CountsRepeatsAndSharedPictures) {
  DatasetInfo info;
  info.classes = {"a", "b"};
  const std::vector<uint8_t> train{1, 2, 2, 3}, test{2, 3, 9, 9};
  const auto a = make_dataset(RawPictures{1, 1, 1, train, {0, 0, 1, 1}, {{"t", 0}}}, info);
  const auto b = make_dataset(RawPictures{1, 1, 1, test, {1, 0, 0, 0}, {{"e", 0}}}, info);
  const auto report = find_leaks(*a, *b);
  EXPECT_EQ(report.first_repeats, 1);
  EXPECT_EQ(report.second_repeats, 1);
  EXPECT_EQ(report.shared, 2);
  EXPECT_EQ(report.shared_other_label, 1);
  ASSERT_EQ(report.examples.size(), 2u);
  EXPECT_EQ(report.examples[0].first, "t[1]");
  EXPECT_EQ(report.examples[0].second, "e[0]");
}

// ---- With real files

#define SKIP_WITHOUT(name, split) \
  if (!where_found(load_manifest(name), split)) GTEST_SKIP() << "needs " << name

void expect_sums(const std::string& name) {
  for (const auto& state : verify_files(load_manifest(name))) EXPECT_TRUE(state.ok) << state.file;
}

TEST(RealDataCifar10, EqualsTheFile) {
  SKIP_WITHOUT("cifar10", "test");
  expect_sums("cifar10");
  const auto test = open_dataset("cifar10", "test");
  ASSERT_EQ(test->size(), 10000);
  std::vector<int> counts(10);
  for (int64_t i = 0; i < test->size(); ++i) ++counts.at(test->label(i));
  EXPECT_EQ(counts, std::vector<int>(10, 1000));
  EXPECT_EQ(test->id(17), "test_batch.bin[17]");
  std::ifstream file(*where_found(load_manifest("cifar10"), "test") / "test_batch.bin", std::ios::binary);
  file.seekg(17 * 3073);
  std::vector<uint8_t> record(3073);
  file.read(reinterpret_cast<char*>(record.data()), 3073);
  EXPECT_EQ(test->label(17), record[0]);
  const auto image = test->image(17);
  for (int i = 0; i < 1024; ++i)
    for (int c = 0; c < 3; ++c) ASSERT_EQ(image.pixels[i * 3 + c], record[1 + c * 1024 + i]);
}

TEST(RealDataCifar10, ValidationIsFixedAndApart) {
  SKIP_WITHOUT("cifar10", "train");
  const auto data = open_training_data("cifar10");
  EXPECT_EQ(data.train->size(), 45000);
  EXPECT_EQ(data.val->size(), 5000);
  auto all = ids(*data.train);
  all.merge(ids(*data.val));
  EXPECT_EQ(all.size(), 50000u);
  std::string names;
  for (int64_t i = 0; i < data.val->size(); ++i) names += data.val->id(i) + "\n";
  EXPECT_EQ(sha256(std::as_bytes(std::span(names.data(), names.size()))), "83c69b9ccdb60a211b0ef87f3e12d916085c8ffbec1380cbb445135c55f801a4") << "published figures depend on this choice";
}

TEST(RealDataMnist, BothSplits) {
  SKIP_WITHOUT("mnist", "test");
  expect_sums("mnist");
  const auto test = open_dataset("mnist", "test");
  EXPECT_EQ(test->size(), 10000);
  EXPECT_EQ(test->label(0), 7);
  EXPECT_EQ(test->image(0).channels, 1);
  EXPECT_EQ(open_dataset("mnist:train", "test")->size(), 55000);
}

TEST(RealDataFashionMnist, BothSplits) {
  SKIP_WITHOUT("fashion_mnist", "test");
  expect_sums("fashion_mnist");
  const auto test = open_dataset("fashion_mnist", "test");
  EXPECT_EQ(test->size(), 10000);
  EXPECT_EQ(test->info().classes.at(test->label(0)), "Ankle boot");
}

TEST(RealDataFer2013, SplitsAndLeaks) {
  SKIP_WITHOUT("fer2013", "train");
  expect_sums("fer2013");
  const auto train = open_dataset("fer2013:train", "test"), test = open_dataset("fer2013:private", "test");
  EXPECT_EQ(train->size(), 28556);
  EXPECT_EQ(open_dataset("fer2013:val", "test")->size(), 3579);
  EXPECT_EQ(test->size(), 3573);
  EXPECT_EQ(test->info().split, "test");
  const auto report = find_leaks(*train, *test);
  EXPECT_EQ(report.first_repeats, 1224);
  EXPECT_EQ(report.shared, 288);
}

TEST(RealDataTrees, CountsByClass) {
  SKIP_WITHOUT("person_voc", "test");
  const auto test = open_dataset("person_voc", "test");
  EXPECT_EQ(test->size(), 195 + 317);
  int person = 0;
  for (int64_t i = 0; i < test->size(); ++i) person += test->label(i);
  EXPECT_EQ(person, 195);
  EXPECT_FALSE(test->info().classes_sorted);
  EXPECT_EQ(test->image(0).width, 128);
  SKIP_WITHOUT("person_inria", "train");
  EXPECT_EQ(open_dataset("person_inria:train+val", "test")->size(), 913 + 1714);
  const auto both = open_dataset("person", "test");
  EXPECT_EQ(both->size(), 195 + 317 + 295 + 573);
  EXPECT_EQ(both->info().notes.at(0), "Pictures in test: 512 of person_voc, 868 of person_inria.");
  EXPECT_EQ(open_dataset("person:train+val", "test")->size(), 568 + 920 + 913 + 1714);
  SKIP_WITHOUT("gender_utkface", "test");
  EXPECT_EQ(open_dataset("gender_utkface", "test")->size(), 1000);
}

TEST(RealDataImagenetSample, OnePictureAClass) {
  SKIP_WITHOUT("imagenet_sample1000", "test");
  expect_sums("imagenet_sample1000");
  const auto test = open_dataset("imagenet_sample1000", "test");
  ASSERT_EQ(test->size(), 1000);
  std::set<int> labels;
  for (int64_t i = 0; i < test->size(); ++i) labels.insert(test->label(i));
  EXPECT_EQ(labels.size(), 1000u);
  EXPECT_EQ(test->info().classes[0], "tench, Tinca tinca");
  for (int64_t i = 0; i < test->size(); i += 100) EXPECT_EQ(test->image(i).channels, 3) << test->id(i);
}

}  // namespace
}  // namespace kinglet::data
