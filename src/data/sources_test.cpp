// Data sets of other builders, on small copies of their layouts that the tests write.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <fstream>
#include <map>

#include "base/json.h"
#include "data/dataset.h"
#include "data/manifest.h"
#include "data/readers/readers.h"
#include "data/test_files.h"

namespace kinglet::data {
namespace {

void write_picture(const std::filesystem::path& path, uint8_t value = 0) { write_file(path, encode_png(Image{1, 2, 1, {value, 9}})); }

/// A data set folder of its own, where manifests find their files.
class Layout : public ::testing::Test {
 protected:
  TempFolder folder_;
  ScopedEnvironment data_{"KINGLET_DATA", folder_.path().string()}, cache_{"XDG_CACHE_HOME", (folder_ / "cache").string()};
};

std::map<std::string, int> labels_of(const Dataset& set) {
  std::map<std::string, int> labels;
  for (int64_t i = 0; i < set.size(); ++i) labels[set.id(i)] = set.label(i);
  return labels;
}

// ---- COCO

class Coco : public Layout {
 protected:
  struct Seen {
    int picture, category;
    double area, box_w, box_h;
    int crowd = 0;
  };
  /// Pictures of 100 x 100.
  void write_coco(const std::string& year, const std::vector<int>& pictures, const std::vector<Seen>& seen) {
    Json json = {{"info", {{"id", 7}}}, {"categories", {{{"id", 1}, {"name", "person"}}, {{"id", 18}, {"name", "dog"}}}}};
    for (int id : pictures) {
      json["images"].push_back({{"id", id}, {"file_name", fmt::format("{:012}.jpg", id)}, {"width", 100}, {"height", 100}});
      write_picture(folder_ / "coco" / year / fmt::format("{:012}.jpg", id), static_cast<uint8_t>(id));
    }
    for (const auto& s : seen)
      json["annotations"].push_back({{"segmentation", {{1.5, 2, 3, 4, 5, 6}}},
                                     {"area", s.area},
                                     {"iscrowd", s.crowd},
                                     {"image_id", s.picture},
                                     {"bbox", {0, 0, s.box_w, s.box_h}},
                                     {"category_id", s.category},
                                     {"id", 900}});
    write_file(folder_ / "coco" / "annotations" / ("instances_" + year + ".json"), json.dump());
  }
};

TEST_F(Coco, VisualWakeWordsByOutlineWithSmallPersonsAsNone) {
  // 1: large; 2: below 0.5 %, its box above; 3: a dog; 4: nothing; 5: a crowd; 6: exactly 0.5 %
  write_coco("train2014", {1, 2, 3}, {{1, 1, 51, 5, 8}, {2, 1, 49, 50, 50}, {3, 18, 9000, 90, 90}});
  write_coco("val2014", {4, 5, 6, 7}, {{5, 1, 2000, 50, 50, 1}, {6, 1, 50, 9, 9}, {7, 1, 5000, 9, 9}});
  EXPECT_ERROR(open_dataset("vww", "test"), "vww", "mscoco_minival_ids.txt", "was not found");
  write_file(folder_ / "coco" / "mscoco_minival_ids.txt", std::string_view("5\n6\n"));
  EXPECT_EQ(labels_of(*open_dataset("vww:test", "test")),
            (std::map<std::string, int>{{"val2014/000000000005.jpg", 1}, {"val2014/000000000006.jpg", 0}}));
  const auto train = open_dataset("vww:train+val", "test");
  EXPECT_EQ(labels_of(*train), (std::map<std::string, int>{{"train2014/000000000001.jpg", 1},
                                                           {"train2014/000000000002.jpg", 0},
                                                           {"train2014/000000000003.jpg", 0},
                                                           {"val2014/000000000004.jpg", 0},
                                                           {"val2014/000000000007.jpg", 1}}));
  EXPECT_EQ(train->info().classes, (std::vector<std::string>{"non_person", "person"}));
  EXPECT_EQ(train->image(1).pixels[0], 2);
}

TEST_F(Coco, MlperfByBoxWithSmallPersonsLeftOut) {
  // 1: box 2.6 %; 2: box 2.4 %, outline 9 %; 3: a crowd alone counts as nothing; 4: nothing
  write_coco("val2017", {1, 2, 3, 4}, {{1, 1, 10, 20, 13}, {2, 1, 900, 24, 10}, {3, 1, 4000, 90, 90, 1}});
  write_file(folder_ / "coco" / "y_labels.csv", std::string_view("000000000001.bin,2,1\n000000000002.bin,2,0\n000000000003.bin, 2, 0\n"));
  EXPECT_EQ(labels_of(*open_dataset("vww_mlperf:test", "test")),
            (std::map<std::string, int>{{"val2017/000000000001.jpg", 1}, {"val2017/000000000003.jpg", 0}}));
}

TEST_F(Coco, DamageIsNamed) {
  write_coco("val2014", {1}, {});
  write_file(folder_ / "coco" / "mscoco_minival_ids.txt", std::string_view("1\nnobody\n"));
  EXPECT_ERROR(open_dataset("vww:test", "test"), "mscoco_minival_ids.txt: line 2", "names no picture");
  write_file(folder_ / "coco" / "mscoco_minival_ids.txt", std::string_view("COCO_val2014_000000000001.jpg\n"));
  EXPECT_EQ(open_dataset("vww:test", "test")->size(), 1);
  write_file(folder_ / "coco" / "annotations" / "instances_val2014.json", std::string_view("{\"images\": [{\"id\": 1"));
  EXPECT_ERROR(open_dataset("vww:test", "test"), "instances_val2014.json", "not valid JSON at byte");
  write_file(folder_ / "coco" / "annotations" / "instances_val2014.json", std::string_view("[1, 2]"));
  EXPECT_ERROR(open_dataset("vww:test", "test"), "instances_val2014.json", "no 'images'");
}

// ---- ILSVRC

class Ilsvrc : public Layout {
 protected:
  void write_flat() {
    for (int i = 1; i <= 3; ++i)
      write_picture(folder_ / "imagenet" / "ILSVRC2012_img_val" / fmt::format("ILSVRC2012_val_{:08}.JPEG", i), static_cast<uint8_t>(i));
  }
  std::map<std::string, int> labels() { return labels_of(*open_dataset("imagenet:validation", "test")); }
  void write_truth(const char* name, std::string_view text) { write_file(folder_ / "imagenet" / name, text); }
  const std::map<std::string, int> expected_{
      {"ILSVRC2012_val_00000001.JPEG", 65}, {"ILSVRC2012_val_00000002.JPEG", 0}, {"ILSVRC2012_val_00000003.JPEG", 999}};
};

TEST_F(Ilsvrc, SynsetFolders) {
  write_picture(folder_ / "imagenet" / "val" / "n01440764" / "a.JPEG");
  write_picture(folder_ / "imagenet" / "val" / "n15075141" / "b.JPEG");
  const auto set = open_dataset("imagenet", "test");
  EXPECT_EQ(labels_of(*set), (std::map<std::string, int>{{"n01440764/a.JPEG", 0}, {"n15075141/b.JPEG", 999}}));
  EXPECT_EQ(set->info().classes.size(), 1000u);
  EXPECT_EQ(set->info().classes[999], "toilet tissue, toilet paper, bathroom tissue");
  write_picture(folder_ / "imagenet" / "val" / "n00000000" / "c.JPEG");
  EXPECT_ERROR(open_dataset("imagenet", "test"), "n00000000", "not a known class");
}

TEST_F(Ilsvrc, GroundTruthNeedsTheKitsNumbers) {
  write_flat();
  EXPECT_ERROR(labels(), "ILSVRC2012_img_val", "neither synset folders", "LOC_val_solution.csv");
  write_truth("ILSVRC2012_validation_ground_truth.txt", "490\n449\n12\n");
  EXPECT_ERROR(labels(), "ground_truth.txt", "order of the development kit", "map_clsloc.txt");
  write_truth("map_clsloc.txt", "n01751748 490 sea_snake\nn01440764 449 tench\nn15075141 12 toilet_tissue\n");
  EXPECT_EQ(labels(), expected_);
  write_truth("ILSVRC2012_validation_ground_truth.txt", "490\n449\n");
  EXPECT_ERROR(labels(), "has 2 lines for the 3 pictures");
  write_truth("ILSVRC2012_validation_ground_truth.txt", "490\n449\n13\n");
  EXPECT_ERROR(labels(), "line 3", "class 13 is not in");
}

TEST_F(Ilsvrc, SynsetsALineNamesWithSynsetsAndNamesWithLabels) {
  write_flat();
  write_truth("val.txt", "ILSVRC2012_val_00000003.JPEG 999\nILSVRC2012_val_00000001.JPEG 65\nILSVRC2012_val_00000002.JPEG 0\n");
  EXPECT_EQ(labels(), expected_);
  write_truth("imagenet_2012_validation_synset_labels.txt", "n01751748\nn01440764\nn15075141\n");
  EXPECT_EQ(labels(), expected_);
  write_truth("LOC_val_solution.csv",
              "ImageId,PredictionString\nILSVRC2012_val_00000001,n01751748 111 108 370 294 \nILSVRC2012_val_00000002,n01440764 1 2 3 "
              "4\nILSVRC2012_val_00000003,n15075141 1 2 3 4\n");
  EXPECT_EQ(labels(), expected_);
  write_truth("LOC_val_solution.csv", "ImageId,PredictionString\nILSVRC2012_val_00000001,n01751748 111 108 370 294 \n");
  EXPECT_ERROR(labels(), "ILSVRC2012_val_00000002.JPEG", "is not named by");
}

// ---- FER2013 as folders

TEST_F(Layout, Fer2013AsFolders) {
  int n = 0;
  for (const char* emotion : {"angry", "disgust", "fear", "happy", "neutral", "sad", "surprise"}) {
    for (int i = 0; i < 5; ++i) write_picture(folder_ / "fer2013" / "train" / emotion / fmt::format("Training_{}.png", ++n));
    write_picture(folder_ / "fer2013" / "test" / emotion / "PrivateTest_1.png");
  }
  const auto test = open_dataset("fer2013", "test");
  EXPECT_EQ(test->size(), 7);
  EXPECT_EQ(labels_of(*test).at("test/neutral/PrivateTest_1.png"), 6) << "the publisher's order, not the sorted one";
  EXPECT_NE(test->info().notes.back().find("public and the private"), std::string::npos);
  EXPECT_EQ(open_dataset("fer2013:train", "test")->size(), 31);
  EXPECT_EQ(open_dataset("fer2013:val", "test")->size(), 4);
}

// ---- Roboflow

TEST_F(Layout, RoboflowFolders) {
  for (const char* part : {"train", "valid", "test"})
    for (const char* name : {"cat", "dog"}) write_picture(folder_ / "pets" / part / name / "a_jpg.rf.0.jpg");
  write_file(folder_ / "pets" / "README.dataset.txt", std::string_view("Provided by a Roboflow user\r\nLicense: CC BY 4.0\r\n"));
  const std::string path = (folder_ / "pets").string();
  const auto val = open_dataset(path + ":valid", "test");
  EXPECT_EQ(val->size(), 2);
  EXPECT_EQ(val->info().split, "val");
  EXPECT_EQ(val->id(0), "valid/cat/a_jpg.rf.0.jpg");
  EXPECT_EQ(val->info().licence, "CC BY 4.0");
  EXPECT_EQ(open_dataset(path, "test")->info().split, "test");
  EXPECT_EQ(open_training_data(path).train->size(), 2);
}

TEST_F(Layout, RoboflowCsv) {
  for (const char* part : {"train", "valid"}) {
    for (const char* name : {"a.jpg", "b.jpg"}) write_picture(folder_ / "pets" / part / name);
    write_file(folder_ / "pets" / part / "_classes.csv", std::string_view("filename, dog, cat\na.jpg, 0, 1\nb.jpg, 1, 0\n"));
  }
  const std::string path = (folder_ / "pets").string();
  const auto val = open_dataset(path + ":val", "test");
  EXPECT_EQ(val->info().classes, (std::vector<std::string>{"dog", "cat"}));
  EXPECT_FALSE(val->info().classes_sorted);
  EXPECT_EQ(labels_of(*val), (std::map<std::string, int>{{"valid/a.jpg", 1}, {"valid/b.jpg", 0}}));
  EXPECT_EQ(val->image(0).width, 2);
  write_file(folder_ / "pets" / "valid" / "_classes.csv", std::string_view("filename, dog, cat\na.jpg, 1, 1\n"));
  EXPECT_ERROR(open_dataset(path + ":val", "test"), "_classes.csv: line 2", "more than one class");
  write_file(folder_ / "pets" / "valid" / "_classes.csv", std::string_view("filename, dog, cat\na.jpg, 0, 0\n"));
  EXPECT_ERROR(open_dataset(path + ":val", "test"), "line 2", "marks no class");
}

}  // namespace
}  // namespace kinglet::data
