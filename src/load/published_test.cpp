// Published files over loopback: fetched, verified, opened by the model's name.
#include "load/published.h"

#include <gtest/gtest.h>

#include <set>

#include "base/error.h"
#include "base/file.h"
#include "data/test_files.h"
#include "data/test_http_server.h"
#include "load/open_model.h"
#include "zoo/zoo.h"

namespace kinglet::load {
namespace {

namespace fs = std::filesystem;

constexpr const char* kSumOfAbc = "a9993e364706816aba3e25717850c26c9cd0d89d";  // FIPS 180's example

class Loopback : public testing::Test {
 protected:
  Loopback() : home_("XDG_CACHE_HOME", cache_.path().string()) { model_.name = "somebody_net"; }
  PublishedFile& add(const std::string& path, const std::string& body) {
    if (!body.empty()) server_.put(path, {body});
    PublishedFile& file = model_.files.emplace_back();
    file.url = server_.url(path), file.sha1 = kSumOfAbc;
    return file;
  }
  data::TestHttpServer server_;
  data::TempFolder cache_;
  data::ScopedEnvironment home_;
  PublishedModel model_;
};

TEST_F(Loopback, FilesAreFetchedAndVerified) {
  add("/net_int8.tflite", "abc");
  const auto paths = get_published(model_).paths;
  ASSERT_EQ(paths.size(), 1u);
  EXPECT_EQ(paths[0], cache_.path() / "kinglet/models/somebody_net/net_int8.tflite");
  EXPECT_EQ(read_text_file(paths[0]), "abc");
  get_published(model_);
  EXPECT_EQ(server_.requests().size(), 1u);  // what is there is not fetched again
  write_file(paths[0], std::string_view("abd"));
  get_published(model_);
  EXPECT_EQ(read_text_file(paths[0]), "abc");
  model_.files[0].sha1[0] = 'b';
  EXPECT_EQ(get_published(model_).failed.size(), 1u);
  model_.files.clear();
  EXPECT_THROW(get_published(model_), Error);
}

TEST_F(Loopback, OneBadFileDoesNotHideTheGoodOnes) {
  add("/wrong.tflite", "abd");
  add("/net.tflite", "abc");
  add("/net_vela.tflite", "another").sha1_of = "net.tflite";
  add("/net.onnx", "abc");
  const auto fetched = get_published(model_);
  EXPECT_EQ(fetched.paths.size(), 2u);
  ASSERT_EQ(fetched.failed.size(), 1u);
  EXPECT_NE(fetched.failed[0].find("wrong.tflite"), std::string::npos);
  ASSERT_EQ(fetched.skipped.size(), 1u);
  EXPECT_EQ(fetched.skipped[0], "net_vela.tflite: no sum of its own is published, the one that is printed is that of net.tflite");
}

TEST(Published, NoSumStandsForTwoFiles) {
  for (const auto& model : published_models()) {
    std::set<std::string> sums;
    for (const auto& file : model.files) {
      EXPECT_TRUE(file.sum().empty() || sums.insert(file.sum()).second) << model.name << " " << file.name();
    }
  }
}

TEST(Published, StatedContractFillsWhatTheFileDoesNotSay) {
  PublishedModel published;
  published.name = "somebody_net", published.input = "order=bgr,size=32x32,resize=crop,crop=0.875,scale=127.5,mean=1/1/1", published.classes = {"a", "b", "c"};
  auto model = zoo::build("plain_cnn@32x32x3,3", 1);
  graph::set_origins(model.input, graph::Origin::assumed);
  model.input.origins["order"] = graph::Origin::embedded;
  apply_published(published, model);
  EXPECT_EQ(model.input.order, graph::ColorOrder::rgb) << "the file's own word is stronger";
  EXPECT_EQ(model.input.resize, graph::ResizeMode::crop);
  EXPECT_EQ(model.input.divisor, 127.5);
  EXPECT_EQ(model.input.origins["divisor"], graph::Origin::known_file);
  EXPECT_EQ(model.input.origins["filter"], graph::Origin::assumed);
  EXPECT_EQ(model.labels, published.classes);
}

constexpr const char* kOneModel = R"({"models": [{"name": "somebody_net", "title": "Net", "publisher": "Somebody", "data": "mnist", "data_as_printed": "MNIST",
  "input_as_printed": "32x32", "ours": "", "not_comparable": "", "input": "order=gray,size=32x32,resize=stretch,scale=255", "classes": ["a", "b"], "recipe": "r",
  "licences": {"code": "MIT", "weights": "MIT", "data": "none"}, "references": [], "notes": [], "files": [
  {"backend": "TFLite", "precision": "FP32", "top1_percent": "", "top5_percent": "", "flops_as_printed": "", "params_as_printed_m": "", "size_as_printed": "", "inference_ms": "",
   "device": "", "boards": "", "url": "https://example.org/f.tflite", "sha1": "a9993e364706816aba3e25717850c26c9cd0d89d"},
  {"backend": "TFLite", "precision": "INT8", "top1_percent": "", "top5_percent": "", "flops_as_printed": "", "params_as_printed_m": "", "size_as_printed": "", "inference_ms": "",
   "device": "", "boards": "", "url": "https://example.org/q.tflite", "sha1": "b9993e364706816aba3e25717850c26c9cd0d89d"}]}]})";

TEST(Published, ANameOpensItsFetchedFileTheInt8OneFirst) {
  const data::TempFolder folder;
  const data::ScopedEnvironment models("KINGLET_MODELS", (folder.path() / "shelf").string()), cache("XDG_CACHE_HOME", folder.path().string());
  write_file(folder.path() / "shelf/published.json", std::string_view(kOneModel));
  try {
    open_model("somebody_net");
    FAIL();
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("kinglet zoo get somebody_net"), std::string::npos) << error.what();
    EXPECT_EQ(error.kind(), ErrorKind::missing_dependency);
  }
  const fs::path shipped = fs::path(KINGLET_SOURCE_DIR) / "models/mnist_rep035", place = folder.path() / "kinglet/models/somebody_net";
  write_file(place / "f.tflite", read_file(shipped / "mnist_rep035_float.tflite"));
  const auto input_type = [](const graph::Model& model) { return model.graph.value(model.graph.inputs.at(0)).dtype; };
  EXPECT_EQ(input_type(open_model("somebody_net")), DType::f32);
  write_file(place / "q.tflite", read_file(shipped / "mnist_rep035_int8.tflite"));
  const auto model = open_model("somebody_net");
  EXPECT_EQ(input_type(model), DType::s8);
  EXPECT_EQ(named_file("somebody_net", false), place / "f.tflite");
  EXPECT_EQ(model.provenance["known_file"]["title"], "Net");
  EXPECT_EQ(open_model((place / "f.tflite").string()).provenance["known_file"]["title"], "Net");
}

}  // namespace
}  // namespace kinglet::load
