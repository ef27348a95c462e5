#include "train/recipe.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "base/error.h"

namespace kinglet::train {
namespace {

constexpr const char* kYaml =
    "model: resnet8@32x32x3,10\n"
    "data: cifar10\n"
    "epochs: 7\n"
    "lr: 0.25\n"
    "augment:\n"
    "  flip: true\n"
    "  cutout: 8\n";

std::string refusal(const std::string& yaml, const std::vector<std::string>& overrides = {}) {
  try {
    parse_recipe(yaml, "r.yaml", overrides);
  } catch (const Error& error) {
    return error.what();
  }
  return "accepted";
}

void expect_says(const std::string& message, const std::vector<std::string>& parts) {
  for (const auto& part : parts) EXPECT_NE(message.find(part), std::string::npos) << message;
}

TEST(Recipe, ReadsKeysAndKeepsDefaults) {
  const Recipe r = parse_recipe(kYaml, "dir/my_run.yaml", {});
  EXPECT_EQ(r.name, "my_run");
  EXPECT_EQ(r.model, "resnet8@32x32x3,10");
  EXPECT_EQ(r.epochs, 7);
  EXPECT_DOUBLE_EQ(r.lr, 0.25);
  EXPECT_TRUE(r.augment.flip);
  EXPECT_EQ(r.augment.cutout, 8);
  EXPECT_EQ(r.batch, 128);
  EXPECT_EQ(r.val, "default");
}

TEST(Recipe, OverridesReachNestedKeys) {
  const Recipe r = parse_recipe(kYaml, "r.yaml", {"epochs=3", "augment.flip=false", "distill.teacher=t.kinglet", "optimizer=adamw"});
  EXPECT_EQ(r.epochs, 3);
  EXPECT_FALSE(r.augment.flip);
  EXPECT_EQ(r.augment.cutout, 8);
  EXPECT_EQ(r.distill.teacher, "t.kinglet");
  EXPECT_EQ(r.optimizer, "adamw");
}

TEST(Recipe, PrintedFormReadsBackTheSame) {
  const Recipe r = parse_recipe(kYaml, "r.yaml", {"lr=0.1234567890123", "val=none", "name=a \"b\"", "seed=18446744073709551615"});
  const std::string text = to_yaml(r);
  const Recipe again = parse_recipe(text, "other.yaml", {});
  EXPECT_EQ(to_yaml(again), text);
  EXPECT_EQ(again.seed, 18446744073709551615u);
  EXPECT_EQ(again.name, "a \"b\"");
}

TEST(Recipe, HashIgnoresNameAndThreadsOnly) {
  const auto hash = [](const std::vector<std::string>& overrides) { return recipe_hash(parse_recipe(kYaml, "r.yaml", overrides)); };
  EXPECT_EQ(hash({}), hash({"name=other", "threads=2"}));
  EXPECT_NE(hash({}), hash({"augment.cutout=9"}));
}

/// Frozen from the first release: checkpoints made then must resume.
TEST(Recipe, HashOfOldRecipesStays) {
  const char* old = "model: mobilenet_v2_rep@0.1,16x16x1,10,stages=2\ndata: drawn_digits\nlimit: 512\nepochs: 3\nbatch: 32\nlr: 0.05\nema: 0.99\n";
  EXPECT_EQ(recipe_hash(parse_recipe(old, "tiny.yaml", {})), "fb448d80f19656d16eefb338b9922d4a4242180154c6e4afa61596f9f2a20661");
  EXPECT_NE(recipe_hash(parse_recipe(old, "tiny.yaml", {"quantize=qat"})), recipe_hash(parse_recipe(old, "tiny.yaml", {})));
}

namespace fs = std::filesystem;

std::string without_name_and_threads(const fs::path& path) {
  Recipe recipe = load_recipe(path, {});
  recipe.name.clear(), recipe.threads = 0;
  return to_yaml(recipe);
}

TEST(Recipe, EveryShippedOneIsRead) {
  int n = 0;
  for (const auto& entry : fs::directory_iterator(fs::path(KINGLET_SOURCE_DIR) / "recipes")) {
    EXPECT_FALSE(load_recipe(entry.path(), {}).data.empty()) << entry.path();
    ++n;
  }
  EXPECT_GE(n, 10);
}

/// What a shipped model was trained with is what recipes/ says, every key.
TEST(Recipe, ShippedModelsHaveTheirs) {
  for (const auto& entry : fs::directory_iterator(fs::path(KINGLET_SOURCE_DIR) / "models")) {
    if (!entry.is_directory()) continue;
    const std::string name = entry.path().filename().string();
    EXPECT_EQ(without_name_and_threads(entry.path() / "recipe.yaml"), without_name_and_threads(fs::path(KINGLET_SOURCE_DIR) / "recipes" / (name + ".yaml"))) << name;
    EXPECT_EQ(load_recipe(entry.path() / "recipe.yaml", {}).name, name);
  }
}

TEST(Recipe, RandAugmentIsAPair) {
  const Recipe r = parse_recipe("model: a\ndata: b\naugment:\n  randaugment: [2, 9]\n", "r.yaml", {});
  EXPECT_EQ(r.augment.randaugment.operations, 2);
  EXPECT_EQ(r.augment.randaugment.magnitude, 9);
  EXPECT_NE(to_yaml(r).find("  randaugment: [2, 9]\n"), std::string::npos);
  EXPECT_EQ(to_yaml(parse_recipe(to_yaml(r), "other.yaml", {})), to_yaml(r));
  EXPECT_EQ(parse_recipe(kYaml, "r.yaml", {"augment.randaugment=[1,12.5]"}).augment.randaugment.magnitude, 12.5);
  expect_says(refusal("model: a\ndata: b\naugment:\n  randaugment: 3\n"), {"line 4", "[operations, magnitude]"});
  expect_says(refusal("model: a\ndata: b\naugment:\n  randaugment: [2, 31]\n"), {"line 4", "from 0 to 30"});
  expect_says(refusal("model: a\ndata: b\naugment:\n  randaugment: [two, 3]\n"), {"line 4", "whole number"});
}

TEST(Recipe, RefusesInWords) {
  expect_says(refusal("model: a\ndata: b\nquantize: qta\n"), {"line 3", "did you mean 'qat'"});
  expect_says(refusal("model: a\ndata: b\ndevice: gpu\n"), {"line 3", "did you mean 'cpu'"});
  expect_says(refusal("model: a\ndata: b\nfreeze_epochs: 2\n"), {"line 3", "`from`"});
  expect_says(refusal("model: a\ndata: b\nepochs: 0\n"), {"line 3", "at least 1"});
  expect_says(refusal("model: a\ndata: b\nepoch: 3\n"), {"r.yaml: line 3: epoch", "did you mean 'epochs'"});
  expect_says(refusal("model: a\ndata: b\naugment:\n  flp: true\n"), {"r.yaml: line 4: augment.flp", "augment.flip"});
  expect_says(refusal(kYaml, {"augment.cutot=3"}), {"'augment.cutot=3'", "augment.cutout"});
  expect_says(refusal("model: a\ndata: b\nepochs: many\n"), {"line 3", "'many' is not a whole number"});
  expect_says(refusal("model: a\ndata: b\nnesterov: yes\n"), {"line 3", "neither true nor false"});
  expect_says(refusal("model: a\ndata: b\nlr: -1\n"), {"line 3", "positive"});
  expect_says(refusal("model: a\ndata: b\noptimizer: sdg\n"), {"line 3", "did you mean 'sgd'"});
  expect_says(refusal("model: a\ndata: cifar10:test\n"), {"line 2", "test split"});
  expect_says(refusal("data: b\n"), {"model", "is missing"});
  expect_says(refusal("model: [a, b]\ndata: b\n"), {"line 1", "one value"});
  expect_says(refusal("model: a\n  data: b: c\n"), {"r.yaml: line 2"});
  expect_says(refusal("just words"), {"r.yaml"});
  expect_says(refusal(kYaml, {"nonsense"}), {"is not key=value"});
}

}  // namespace
}  // namespace kinglet::train
