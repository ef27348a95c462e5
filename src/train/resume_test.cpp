// The program itself, killed with SIGKILL in the middle of an epoch's work: going on gives the numbers of an uninterrupted
// run to the bit.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <thread>

#include "base/error.h"
#include "base/file.h"
#include "data/image.h"
#include "graph/serialize.h"
#include "train/checkpoint.h"
#include "train/recipe.h"

namespace kinglet::train {
namespace {

namespace fs = std::filesystem;

const char* const kRecipe =
    "name: tiny\n"
    "model: mobilenet_v2_rep@0.1,16x16x1,10,stages=2\n"
    "data: drawn_digits\n"
    "limit: 512\n"
    "epochs: 6\n"
    "batch: 32\n"
    "lr: 0.05\n"
    "ema: 0.99\n"
    "label_smoothing: 0.1\n"
    "eval_every: 2\n"
    "augment:\n"
    "  pad_crop: 1\n"
    "  rotate: 5\n"
    "  mixup: 0.2\n";

class Program : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::temp_directory_path() / ("kinglet_resume_" + std::to_string(getpid()));
    fs::create_directories(folder_);
    write_file(folder_ / "tiny.yaml", kRecipe);
  }
  void TearDown() override { fs::remove_all(folder_); }

  pid_t start(const std::string& runs, std::vector<std::string> more) {
    std::vector<std::string> words{KINGLET_BUILD_DIR "/bin/kinglet-train", (folder_ / "tiny.yaml").string(), "--runs", (folder_ / runs).string()};
    words.insert(words.end(), more.begin(), more.end());
    return start_words(std::move(words));
  }
  pid_t start_words(std::vector<std::string> words) {
    const pid_t child = fork();
    if (child != 0) return child;
    std::vector<char*> argv;
    for (auto& word : words) argv.push_back(word.data());
    argv.push_back(nullptr);
    if (!freopen((folder_ / "out.txt").c_str(), "a", stdout) || !freopen((folder_ / "err.txt").c_str(), "a", stderr)) _exit(98);
    execv(argv[0], argv.data());
    _exit(99);
  }
  int finish(pid_t child) {
    int status = 0;
    waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
  }
  int run(const std::string& runs, std::vector<std::string> more) { return finish(start(runs, std::move(more))); }
  std::string said() const { return read_text_file(folder_ / "err.txt"); }

  fs::path last(const std::string& runs) const { return folder_ / runs / "tiny" / "last.kinglet"; }
  TrainState state(const std::string& runs) const {
    const auto model = graph::load(last(runs));
    return decode_state(model.sections.at("train_state"), "last");
  }
  /// Waits until the run has saved `epochs` epochs, then sends `signal`.
  void signal_after(pid_t child, const std::string& runs, size_t lines, int signal) {
    for (int i = 0; i < 3000; ++i) {
      if (fs::exists(folder_ / runs / "tiny" / "metrics.csv")) {
        const auto text = read_text_file(folder_ / runs / "tiny" / "metrics.csv");
        if (static_cast<size_t>(std::count(text.begin(), text.end(), '\n')) > lines) break;
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    kill(child, signal);
  }
  void expect_same(const std::string& a, const std::string& b) const {
    const auto x = graph::load(last(a)), y = graph::load(last(b));
    ASSERT_EQ(x.graph.value_count(), y.graph.value_count());
    for (int id = 0; id < x.graph.value_count(); ++id)
      if (x.graph.value(id).is_constant()) {
        EXPECT_TRUE(*x.graph.value(id).constant == *y.graph.value(id).constant) << x.graph.value(id).name;
      }
    const auto s = state(a), t = state(b);
    EXPECT_EQ(s.first, t.first);
    EXPECT_EQ(s.average, t.average);
    EXPECT_EQ(s.average_statistics, t.average_statistics);
    EXPECT_EQ(s.best_top1, t.best_top1);
    ASSERT_EQ(s.records.size(), t.records.size());
    for (size_t i = 0; i < s.records.size(); ++i) {
      EXPECT_EQ(s.records[i].loss, t.records[i].loss) << "epoch " << i + 1;
      EXPECT_EQ(s.records[i].train_top1, t.records[i].train_top1);
      EXPECT_EQ(s.records[i].val_top1, t.records[i].val_top1);
    }
  }

  fs::path folder_;
};

TEST_F(Program, ResumesAfterAKillToTheBit) {
  ASSERT_EQ(run("whole", {"--threads", "2"}), 0) << said();
  EXPECT_EQ(state("whole").records.size(), 6u);
  const pid_t child = start("cut", {"--threads", "2"});
  signal_after(child, "cut", 2, SIGKILL);
  ASSERT_EQ(finish(child), 1000 + SIGKILL) << said();
  const auto done = state("cut").records.size();
  ASSERT_GE(done, 2u);
  ASSERT_LT(done, 6u);
  ASSERT_EQ(run("cut", {"--resume", "--threads", "1"}), 0) << said();
  EXPECT_NE(said().find("with the checkpoint's 2 threads"), std::string::npos) << said();
  expect_same("whole", "cut");
}

TEST_F(Program, InterruptSavesTheStepAndResumes) {
  ASSERT_EQ(run("whole", {"--threads", "1"}), 0) << said();
  const pid_t child = start("cut", {"--threads", "1"});
  signal_after(child, "cut", 1, SIGINT);
  ASSERT_EQ(finish(child), 130) << said();
  ASSERT_EQ(run("cut", {"--resume"}), 0) << said();
  expect_same("whole", "cut");
}

TEST_F(Program, NothingTrainedIsLost) {
  ASSERT_EQ(run("runs", {"epochs=1"}), 0) << said();
  const fs::path first = folder_ / "runs" / "tiny" / "best.kinglet";
  const auto bytes = read_file(first), recipe = read_file(folder_ / "runs" / "tiny" / "recipe.yaml");
  EXPECT_EQ(run("runs", {"epochs=1", "data=no_such_set"}), 2);
  EXPECT_EQ(run("runs", {"epochs=1", "lr=0.5", "--resume"}), 3);
  EXPECT_NE(said().find("was made with another recipe"), std::string::npos) << said();
  EXPECT_EQ(read_file(first), bytes) << "refused before anything was written";
  EXPECT_EQ(read_file(folder_ / "runs" / "tiny" / "recipe.yaml"), recipe);
  ASSERT_EQ(run("runs", {"epochs=1", "--from", first.string(), "seed=9"}), 0) << said();
  EXPECT_NE(said().find("is now in"), std::string::npos) << said();
  EXPECT_EQ(read_file(folder_ / "runs" / "tiny.1" / "best.kinglet"), bytes);
  EXPECT_NE(read_file(first), bytes);
}

TEST_F(Program, ValidationMustHaveTheSameClasses) {
  const data::Image gray{16, 16, 1, std::vector<uint8_t>(256, 90)};
  for (const char* path : {"a/blue", "a/red", "b/red", "b/zebra"}) {
    fs::create_directories(folder_ / path);
    write_file(folder_ / path / "p.png", data::encode_png(gray));
  }
  EXPECT_EQ(run("runs", {"data=" + (folder_ / "a").string(), "val=" + (folder_ / "b").string()}), 3);
  EXPECT_NE(said().find("has for validation the classes red, zebra, for training blue, red"), std::string::npos) << said();
}

TEST_F(Program, TheImageNetRecipesTrainFromATreeOfFolders) {
  const fs::path tree = folder_ / "tree";
  for (int label = 0; label < 3; ++label)
    for (int i = 0; i < 12; ++i) {
      data::Image image{30 + i, 26 + label, 3, {}};
      image.pixels.resize(static_cast<size_t>(image.width * image.height * 3));
      for (size_t k = 0; k < image.pixels.size(); ++k) image.pixels[k] = static_cast<uint8_t>(k * static_cast<size_t>(label + 1) + static_cast<size_t>(i));
      const fs::path folder = tree / (i < 8 ? "train" : "val") / ("n0" + std::to_string(label));
      fs::create_directories(folder);
      write_file(folder / (std::to_string(i) + ".png"), data::encode_png(image));
    }
  for (const char* name : {"mobilenet_v1_025", "mobilenet_v2_10", "mnasnet_a1_075"}) {
    const std::string recipe = std::string(KINGLET_SOURCE_DIR) + "/recipes/imagenet_" + name + ".yaml";
    const std::string network = load_recipe(recipe, {}).model, small = network.substr(0, network.find(',')) + ",32x32x3,3";
    ASSERT_EQ(finish(start_words({KINGLET_BUILD_DIR "/bin/kinglet-train", recipe, "data=" + tree.string(), "model=" + small, "epochs=1", "warmup_epochs=0", "batch=8",
                                  "--threads", "2", "--runs", (folder_ / "runs").string()})),
              0)
        << said();
    const auto best = graph::load(folder_ / "runs" / (std::string("imagenet_") + name) / "best.kinglet");
    EXPECT_EQ(best.provenance["training"]["n"], 24);
    EXPECT_EQ(best.provenance["training"]["val_n"], 12);
    EXPECT_EQ(best.input.resize, graph::ResizeMode::crop);
    EXPECT_EQ(best.input.crop_fraction, 0.875);
  }
}

TEST_F(Program, WritesItsRunFolderAndJson) {
  ASSERT_EQ(run("runs", {"epochs=2", "--json", "--quiet"}), 0) << said();
  EXPECT_EQ(said(), "");
  const Json json = parse_json(read_text_file(folder_ / "out.txt"), "out");
  EXPECT_EQ(json_at<int>(json, "epochs", "out"), 2);
  EXPECT_GT(json_at<double>(json, "images_per_s", "out"), 0);
  EXPECT_GE(json_at<double>(json, "top1", "out"), 0);
  EXPECT_TRUE(fs::exists(json_at<std::string>(json, "best", "out")));
  const fs::path run_folder = json_at<std::string>(json, "run", "out");
  for (const char* file : {"recipe.yaml", "log.txt", "metrics.csv", "curves.svg", "last.kinglet"}) EXPECT_TRUE(fs::exists(run_folder / file)) << file;
  const auto best = graph::load(run_folder / "best.kinglet");
  EXPECT_TRUE(best.sections.empty());
  EXPECT_EQ(best.labels.size(), 10u);
  EXPECT_EQ(best.provenance["training"]["n"], 512);
  EXPECT_EQ(best.provenance["training"]["chosen_on"], "val");
}

TEST_F(Program, FineTunesFromAModelWithANewHead) {
  ASSERT_EQ(run("runs", {"epochs=1", "model=mobilenet_v2_rep@0.1,16x16x1,7,stages=2", "name=seven"}), 3) << "seven outputs for ten classes";
  EXPECT_NE(said().find("has 10 classes, the model 7"), std::string::npos) << said();
  ASSERT_EQ(run("runs", {"epochs=1", "name=first"}), 0) << said();
  const std::string best = (folder_ / "runs" / "first" / "best.kinglet").string();
  ASSERT_EQ(run("runs", {"epochs=1", "name=second", "--from", best}), 0) << said();
  const auto tuned = graph::load(folder_ / "runs" / "second" / "best.kinglet");
  EXPECT_EQ(tuned.provenance["parent"]["file"], best);
}

TEST_F(Program, DistillsFromATeacher) {
  ASSERT_EQ(run("runs", {"epochs=1", "name=teacher"}), 0) << said();
  const std::string teacher = (folder_ / "runs" / "teacher" / "best.kinglet").string();
  ASSERT_EQ(run("runs", {"epochs=1", "name=pupil", "distill.teacher=" + teacher}), 0) << said();
}

TEST_F(Program, DistillsFromATeacherOfAnotherContract) {
  ASSERT_EQ(run("runs", {"epochs=1", "name=teacher", "model=plain_cnn@24x24x3,10,input=signed"}), 0) << said();
  ASSERT_EQ(run("runs", {"epochs=1", "name=pupil", "distill.teacher=" + (folder_ / "runs" / "teacher").string()}), 0) << said();
  EXPECT_EQ(run("runs", {"epochs=1", "name=seven", "model=plain_cnn@16x16x1,7", "distill.teacher=" + (folder_ / "runs" / "teacher").string()}), 3);
}

TEST_F(Program, QuantizationAwareTrainingGivesBothModels) {
  ASSERT_EQ(run("runs", {"epochs=2", "quantize=qat", "qat.epochs=2", "qat.calibration_n=64", "--json"}), 0) << said();
  const Json json = parse_json(read_text_file(folder_ / "out.txt"), "out");
  const auto best = graph::load(json_at<std::string>(json, "best", "out")), int8 = graph::load(json_at<std::string>(json, "int8", "out"));
  EXPECT_EQ(best.graph.value(best.graph.inputs[0]).dtype, DType::f32);
  EXPECT_EQ(int8.graph.value(int8.graph.inputs[0]).dtype, DType::s8);
  EXPECT_EQ(int8.provenance["quantize"]["method"], "quantization-aware training");
  EXPECT_EQ(int8.provenance["training"], best.provenance["training"]);
  EXPECT_EQ(int8.provenance["qat"]["training"]["epochs"], 2);
  EXPECT_EQ(int8.labels.size(), 10u);
  EXPECT_GT(json_at<double>(json, "int8_top1", "out"), 10.0);
  // From the checkpoint alone, and on after the float part.
  ASSERT_EQ(run("runs", {"epochs=0", "quantize=qat", "qat.epochs=1", "name=later", "--from", json_at<std::string>(json, "best", "out")}), 0) << said();
  EXPECT_TRUE(fs::exists(folder_ / "runs" / "later" / "later_int8.kinglet"));
  fs::remove(folder_ / "runs" / "tiny" / "qat_last.kinglet");
  ASSERT_EQ(run("runs", {"epochs=2", "quantize=qat", "qat.epochs=2", "qat.calibration_n=64", "--resume", "--quiet"}), 0) << said();
  fs::remove(folder_ / "out.txt");
  ASSERT_EQ(run("runs", {"epochs=2", "quantize=qat", "qat.epochs=2", "qat.calibration_n=64", "--resume", "--quiet", "--json"}), 0) << said();
  const Json resumed = parse_json(read_text_file(folder_ / "out.txt"), "out");
  EXPECT_EQ(json_at<int>(resumed, "epochs", "out"), 2) << "the float part was over when this one began";
  EXPECT_EQ(resumed["top1"], json["top1"]);
  const auto again = graph::load(json_at<std::string>(json, "int8", "out"));
  for (int id = 0; id < int8.graph.value_count(); ++id)
    if (int8.graph.value(id).is_constant()) {
      EXPECT_TRUE(*int8.graph.value(id).constant == *again.graph.value(id).constant) << int8.graph.value(id).name;
    }
}

TEST_F(Program, FineTunesWithoutARecipe) {
  ASSERT_EQ(run("runs", {"epochs=2", "name=first", "model=plain_cnn@16x16x3,10"}), 0) << said();
  std::vector<std::string> words{KINGLET_BUILD_DIR "/bin/kinglet-train", "--from", (folder_ / "runs" / "first").string(), "--data", "drawn_digits", "--runs",
                                 (folder_ / "runs").string(), "--minutes", "0.1", "--threads", "1", "limit=640", "name=tuned", "augment.flip=false"};
  ASSERT_EQ(finish(start_words(words)), 0) << said();
  EXPECT_NE(said().find("head epoch 1/"), std::string::npos) << said();
  EXPECT_NE(said().find("measured "), std::string::npos) << said();
  const auto tuned = graph::load(folder_ / "runs" / "tuned" / "best.kinglet");
  EXPECT_GT(tuned.provenance["training"]["val_top1"].get<double>(), 15.0);
  ASSERT_EQ(finish(start_words({words[0], "--resume", "name=tuned", "--runs", (folder_ / "runs").string()})), 0) << said();
  EXPECT_NE(said().find("resuming after epoch"), std::string::npos) << said();
}

TEST_F(Program, RefusesInWords) {
  EXPECT_EQ(run("runs", {"epoch=2"}), 3);
  EXPECT_NE(said().find("did you mean 'epochs'"), std::string::npos) << said();
  EXPECT_EQ(run("runs", {"--resume"}), 3);
  EXPECT_NE(said().find("nothing to resume"), std::string::npos) << said();
  EXPECT_EQ(run("runs", {"--no-such-flag"}), 2);
  EXPECT_EQ(run("runs", {"data=no_such_set"}), 2) << said();
}

}  // namespace
}  // namespace kinglet::train
