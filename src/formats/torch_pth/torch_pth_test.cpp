// State dictionaries written and read back, pickles written by hand, and those that no checkpoint would hold.
#include "formats/torch_pth/torch_pth.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "base/bytes.h"
#include "base/error.h"
#include "formats/onnx/models_for_test.h"
#include "formats/tflite/zip.h"
#include "formats/torch_pth/container.h"

namespace kinglet::formats::torch_pth {
namespace {

std::vector<std::byte> bytes_of(std::string_view text) {
  const auto raw = std::as_bytes(std::span(text));
  return {raw.begin(), raw.end()};
}

using Files = std::vector<std::pair<std::string, std::string>>;

std::vector<std::byte> zip_of(const Files& files) {
  std::vector<tflite::ZipEntry> entries;
  for (const auto& [name, text] : files) entries.push_back({name, bytes_of(text)});
  return tflite::zip_to_append(entries, 0);
}

/// A checkpoint of one pickle and one storage "0" of three floats.
std::vector<std::byte> checkpoint(const std::string& pickle) {
  return zip_of({{"archive/data.pkl", pickle}, {"archive/data/0", std::string("\0\0\x80\x3f\0\0\0\x40\0\0\x40\x40", 12)}, {"archive/version", "3\n"}});
}

/// The pickle of a tensor over storage "0"; `geometry` is offset, size and stride as pickle text.
std::string tensor_pickle(const std::string& geometry, const std::string& type = "FloatStorage") {
  return "ctorch._utils\n_rebuild_tensor_v2\n((S'storage'\nctorch\n" + type + "\nS'0'\nS'cpu'\nI3\ntQ" + geometry + "I00\nNtR";
}

std::string refusal(std::span<const std::byte> bytes) {
  try {
    read_state(bytes, "m.pth");
    return "accepted";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::bad_input);
    return error.what();
  }
}

TEST(TorchPth, AModelComesBackAsItWas) {
  graph::Model model = onnx::picture_model();
  model.provenance["architecture"] = "none";
  const auto bytes = write_state(state_of(model));
  ASSERT_TRUE(is_torch_pth(bytes));
  const auto state = read_state(bytes, "m.pth");
  ASSERT_TRUE(has_graph(state));
  const auto back = model_from_state(state);
  EXPECT_EQ(back.labels, model.labels);
  EXPECT_EQ(back.input, model.input);
  EXPECT_EQ(back.provenance, model.provenance);
  ASSERT_EQ(back.graph.value_count(), model.graph.value_count());
  for (int v = 0; v < model.graph.value_count(); ++v) {
    EXPECT_EQ(back.graph.value(v).constant.has_value(), model.graph.value(v).constant.has_value());
    if (model.graph.value(v).constant) {
      EXPECT_TRUE(*back.graph.value(v).constant == *model.graph.value(v).constant) << model.graph.value(v).name;
    }
  }
}

TEST(TorchPth, Int8ModelsComeBackToTheBit) {
  const graph::Model model = golden::random_model(3, DType::s8);
  const auto back = model_from_state(read_state(write_state(state_of(model)), "m.pth"));
  const Tensor x = onnx::random_tensor(DType::s8, model.graph.value(model.graph.inputs[0]).shape, 5);
  EXPECT_TRUE(reference::run(model.graph, std::span(&x, 1))[0] == reference::run(back.graph, std::span(&x, 1))[0]);
}

TEST(TorchPth, WeightsStandInPyTorchsOrder) {
  const auto state = state_of(onnx::picture_model());
  auto shape = [&](const std::string& name) {
    for (const auto& [key, tensor] : state.tensors)
      if (key == name) return tensor.shape().str();
    return std::string("absent");
  };
  EXPECT_EQ(shape("conv/w"), "4x3x3x3");
  EXPECT_EQ(shape("dw/w"), "4x1x3x3");
  EXPECT_EQ(shape("fc/w"), "6x24");
  EXPECT_EQ(shape("gamma"), "4");
}

TEST(TorchPth, ViewsAreReadThroughTheirStrides) {
  const auto state = read_state(checkpoint("(dS'flipped'\n" + tensor_pickle("I0\n(I2\nI2\nt(I1\nI1\nt") + "sS'one'\n" + tensor_pickle("I2\n)(t") + "s."), "m.pth");
  ASSERT_EQ(state.tensors.size(), 2u);
  const auto data = state.tensors[0].second.data<float>();
  EXPECT_EQ(std::vector<float>(data.begin(), data.end()), (std::vector<float>{1, 2, 2, 3}));
  EXPECT_EQ(state.tensors[1].second.data<float>()[0], 3);
}

TEST(TorchPth, CheckpointsOfTrainersAreSearched) {
  const std::string tensor = tensor_pickle("I0\n(I3\nt(I1\nt");
  EXPECT_EQ(read_state(checkpoint("(dS'epoch'\nI7\nsS'state_dict'\n(dS'w'\n" + tensor + "ss."), "m.pth").tensors.at(0).first, "w");
  EXPECT_EQ(read_state(checkpoint("(dS'generator'\n(dS'w'\n" + tensor + "ss."), "m.pth").tensors.at(0).first, "w");
  std::vector<std::string> warnings;
  const auto two = checkpoint("(dS'model_ema'\n(dS'e'\n" + tensor + "ssS'model'\n(dS'w'\n" + tensor + "ss.");
  EXPECT_EQ(read_state(two, "m.pth", [&](const std::string& text) { warnings.push_back(text); }).tensors.at(0).first, "w");
  ASSERT_EQ(warnings.size(), 1u);
  EXPECT_NE(warnings[0].find("beside it stand model_ema, model"), std::string::npos) << warnings[0];
  EXPECT_NE(refusal(checkpoint("(dS'a'\n(dS'e'\n" + tensor + "ssS'b'\n(dS'w'\n" + tensor + "ss.")).find("several dictionaries of tensors: a, b"), std::string::npos);
  EXPECT_NE(refusal(checkpoint("(dS'epoch'\nI7\ns.")).find("holds no dictionary of tensors"), std::string::npos);
}

TEST(TorchPth, TensorsBesideTheStateDictionaryDoNotHideIt) {
  const std::string tensor = tensor_pickle("I0\n(I3\nt(I1\nt"), number = tensor_pickle("I2\n)(t");
  for (const char* key : {"state_dict", "model", "generator"})
    for (bool first : {false, true}) {
      const std::string inner = "S'" + std::string(key) + "'\n(dS'w'\n" + tensor + "ss", beside = "S'best_acc1'\n" + number + "s";
      const auto state = read_state(checkpoint("(d" + (first ? beside + inner : inner + beside) + "."), "m.pth");
      ASSERT_EQ(state.tensors.size(), 1u) << key;
      EXPECT_EQ(state.tensors[0].first, "w") << key;
    }
}

TEST(TorchPth, NothingButDataIsMade) {
  for (const char* name : {"os\nsystem", "posix\nsystem", "builtins\neval", "subprocess\nPopen", "torch.nn.modules.conv\nConv2d", "torch\nload"}) {
    std::string dotted = name;
    dotted[dotted.find('\n')] = '.';
    for (const auto& pickle : {"c" + std::string(name) + "\n(S'echo 1'\ntR.", "(i" + std::string(name) + "\n.", "(c" + std::string(name) + "\no."}) {
      const std::string message = refusal(checkpoint(pickle));
      EXPECT_NE(message.find("wants the Python object '" + dotted + "'"), std::string::npos) << message;
    }
  }
  const std::string stack_global = std::string("\x80\x04\x8c\x02os\x8c\x06system\x93)R.", 18);
  EXPECT_NE(refusal(checkpoint(stack_global)).find("'os.system'"), std::string::npos) << refusal(checkpoint(stack_global));
  EXPECT_NE(refusal(checkpoint("cnumpy\nndarray\n)R.")).find("calls 'numpy.ndarray'"), std::string::npos);
}

struct Bad {
  const char* name;
  std::string pickle;
  const char* message;
};

class BadPickle : public testing::TestWithParam<Bad> {};

TEST_P(BadPickle, IsRefusedInWords) {
  const std::string message = refusal(checkpoint(GetParam().pickle));
  EXPECT_EQ(message.rfind("m.pth", 0), 0u) << message;
  EXPECT_NE(message.find(GetParam().message), std::string::npos) << message;
}

std::string one_tensor(const std::string& geometry, const std::string& type = "FloatStorage") { return "(dS'w'\n" + tensor_pickle(geometry, type) + "s."; }

/// A list that holds itself twice, that list twice, and so on.
std::string doubling(int levels) {
  std::string text = "]q\x01";
  for (int i = 0; i < levels; ++i) text += "](h\x01h\x01" "eq\x01";
  return text + ".";
}

INSTANTIATE_TEST_SUITE_P(
    Pickles, BadPickle,
    testing::Values(Bad{"Empty", "", "more were expected"}, Bad{"StackUnderflow", "0.", "takes more than it has"}, Bad{"NoMark", "t.", "without the mark"},
                    Bad{"UnknownOpcode", std::string("\x99.", 2), "unknown operation 0x99"}, Bad{"UnknownMemo", "h\x05.", "recalls what it never noted"},
                    Bad{"OddDictionary", "(S'a'\nd.", "a key and no value"}, Bad{"LongText", "X\xff\xff\xff\xff.", "more were expected"},
                    Bad{"OutsideItsStorage", one_tensor("I0\n(I2\nI2\nt(I2\nI1\nt"), "tensor 'w': reaches outside its storage of 3"},
                    Bad{"NegativeOffset", one_tensor("I-1\n(I1\nt(I1\nt"), "reaches outside"},
                    Bad{"HugeSize", one_tensor("I0\n(I4611686018427387904\nI4\nt(I0\nI0\nt"), "impossibly large"},
                    Bad{"HugeStride", one_tensor("I0\n(I3\nt(I9223372036854775807\nt"), "reaches outside"},
                    Bad{"Unfolds", one_tensor("I0\n(I100000000\nt(I0\nt"), "unfolds to many times"},
                    Bad{"Ranks", one_tensor("I0\n(I1\nt)"), "1 dimensions and 0 strides"},
                    Bad{"Complex", one_tensor("I0\n(I1\nt(I1\nt", "FloatTensor"), "holds a 'FloatTensor'"},
                    Bad{"NotAStorage", "(S'module'\nNtQ.", "refers to something else than a storage"},
                    Bad{"List", "].", "holds no dictionary"}, Bad{"Doubling", doubling(40), "holds no dictionary"}),
    [](const auto& test) { return std::string(test.param.name); });

TEST(BadTorchPth, SelfReferencesAreHarmless) {
  EXPECT_NE(refusal(checkpoint("(dq\x01S'self'\nh\x01s.")).find("holds no dictionary of tensors"), std::string::npos);
  EXPECT_NE(refusal(checkpoint("]q\x01h\x01" "a.")).find("holds no dictionary"), std::string::npos);
}

TEST(BadTorchPth, AMillionObjectsEndIt) {
  std::string pickle = "(";
  pickle.append(3'000'000, '}');
  EXPECT_NE(refusal(checkpoint(pickle + "t.")).find("more than 1000000 objects"), std::string::npos);
}

TEST(BadTorchPth, ArchivesOfOtherThingsAreRefused) {
  EXPECT_NE(refusal(zip_of({{"word/document.xml", "<a/>"}})).find("without PyTorch's data.pkl"), std::string::npos);
  EXPECT_NE(refusal(zip_of({{"m/data.pkl", "N."}, {"m/constants.pkl", "N."}})).find("TorchScript"), std::string::npos);
  EXPECT_NE(refusal(bytes_of("PK\3\4 and then nothing of a ZIP at all")).find("without its directory"), std::string::npos);
  EXPECT_NE(refusal(bytes_of("hello")).find("no PyTorch checkpoint"), std::string::npos);
}

TEST(BadTorchPth, CutAndFlippedFilesNeverDoMoreThanBeRefused) {
  const auto sound = write_state(state_of(onnx::picture_model()));
  for (size_t n = 0; n < sound.size(); n += 7) EXPECT_NE(refusal(std::span(sound).first(n)), "accepted");
  RandomStream random(11, 0, 0, Purpose::draw);
  int refusals = 0;
  for (int k = 0; k < 2000; ++k) {
    auto spoiled = sound;
    for (int i = 0; i <= k % 3; ++i) spoiled[random.bits() % spoiled.size()] ^= static_cast<std::byte>(1 + random.bits() % 255);
    try {
      const auto state = read_state(spoiled, "m.pth");
      if (has_graph(state)) model_from_state(state);
    } catch (const Error&) {
      ++refusals;
    }
  }
  EXPECT_GT(refusals, 500);
}

/// int32 numbers become three pickles and the storages behind them, as torch before 1.6 wrote them.
TEST(TorchPth, StreamsOfPicklesAreRead) {
  ByteWriter file;
  file.append(std::string_view("\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.", 15));
  file.append(std::string_view("\x80\x02M\xe9\x03."));
  file.append(std::string_view("(dS'little_endian'\nI01\ns."));
  file.append(one_tensor("I1\n(I2\nt(I1\nt"));
  file.append(std::string_view("(lS'0'\na."));
  file.write<int64_t>(3);
  for (float value : {5.0f, 6.0f, 7.0f}) file.write<float>(value);
  const auto state = read_state(file.bytes(), "m.pth");
  EXPECT_EQ(state.tensors.at(0).second.data<float>()[1], 7);
  auto cut = file.bytes();
  cut.pop_back();
  EXPECT_NE(refusal(cut).find("storage longer than itself"), std::string::npos);
}

std::string tar_entry(const std::string& name, const std::string& contents) {
  std::string header(512, '\0');
  header.replace(0, name.size(), name);
  const std::string size = fmt::format("{:011o}", contents.size());
  header.replace(124, size.size(), size);
  header.replace(257, 5, "ustar");
  std::string padded = contents;
  padded.resize((contents.size() + 511) / 512 * 512, '\0');
  return header + padded;
}

TEST(TorchPth, TarsOfTheFirstVersionsAreRead) {
  ByteWriter storages, tensors;
  storages.append(std::string_view("I1\n.(I9\nS'cpu'\nctorch\nFloatStorage\nt."));
  storages.write<int64_t>(2);
  storages.write<float>(1.5f), storages.write<float>(2.5f);
  tensors.append(std::string_view("I1\n.(I8\nI9\nctorch\nFloatTensor\nt."));
  tensors.write<int32_t>(1), tensors.write<int32_t>(0);
  for (int64_t number : {2, 1, 0}) tensors.write<int64_t>(number);
  auto text = [](ByteWriter& writer) { return std::string(reinterpret_cast<const char*>(writer.bytes().data()), writer.bytes().size()); };
  const auto tar = tar_entry("sys_info", "(d.") + tar_entry("pickle", "(dS'w'\nI8\nQs.") + tar_entry("tensors", text(tensors)) + tar_entry("storages", text(storages)) + std::string(1024, '\0');
  const auto state = read_state(bytes_of(tar), "m.pth");
  ASSERT_EQ(state.tensors.size(), 1u);
  EXPECT_EQ(state.tensors[0].second.data<float>()[1], 2.5f);
  EXPECT_NE(refusal(bytes_of(tar_entry("pickle", "(d.") + std::string(1024, '\0'))).find("without PyTorch's 'storages'"), std::string::npos);
}

TEST(AssignState, MissingSurplusAndMisshapenTensorsAreNamed) {
  const graph::Model model = onnx::picture_model();
  const StateDict sound = state_of(model);
  auto refused = [&](const StateDict& state) -> std::string {
    try {
      assign_state(model, state);
      return "accepted";
    } catch (const Error& error) {
      return error.what();
    }
  };
  EXPECT_EQ(refused(sound), "accepted");
  StateDict spoiled = sound;
  spoiled.where = "m.pth";
  spoiled.tensors[0].first = "other";
  EXPECT_NE(refused(spoiled).find("lacks tensors of picture: conv/w; it holds other, conv/b"), std::string::npos) << refused(spoiled);
  spoiled = sound;
  spoiled.tensors.emplace_back("extra", Tensor::scalar<float>(1));
  spoiled.tensors.emplace_back("bn.num_batches_tracked", Tensor::scalar<int64_t>(1));
  EXPECT_NE(refused(spoiled).find("no place for: extra"), std::string::npos) << refused(spoiled);
  spoiled = sound;
  spoiled.tensors[1].second = Tensor(DType::f32, Shape{5});
  EXPECT_NE(refused(spoiled).find("tensor 'conv/b' is 5 where 'conv/b' needs 4"), std::string::npos) << refused(spoiled);
}

TEST(AssignState, TrainersPrefixesAreSeenThrough) {
  const graph::Model model = onnx::picture_model();
  StateDict state = state_of(model);
  for (size_t i = 0; i < state.tensors.size(); ++i) state.tensors[i].first = (i % 2 ? "module.backbone." : "module.head.") + state.tensors[i].first;
  const auto back = assign_state(model, state);
  EXPECT_EQ(back.graph.value_count(), model.graph.value_count());
}

}  // namespace
}  // namespace kinglet::formats::torch_pth
