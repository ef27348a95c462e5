#include <gtest/gtest.h>
#include <sys/resource.h>

#include <array>
#include <atomic>
#include <cmath>
#include <csignal>
#include <filesystem>

#include "base/bytes.h"
#include "base/did_you_mean.h"
#include "base/error.h"
#include "base/exact_math.h"
#include "base/file.h"
#include "base/random.h"
#include "base/sha256.h"
#include "base/statistics.h"
#include "base/tensor.h"
#include "base/text.h"
#include "base/thread_pool.h"

namespace kinglet {
namespace {

TEST(Error, OneSentenceWithPlaceAndMend) {
  Error e("m.onnx", "has no graph", "export it again");
  EXPECT_STREQ(e.what(), "m.onnx: has no graph; export it again");
  EXPECT_EQ(e.exit_code(), 3);
}

TEST(Shape, ElementsRefusesOverflow) {
  EXPECT_EQ((Shape{2, 3, 4}.elements()), 24);
  EXPECT_THROW((Shape{int64_t{1} << 39, 1 << 30}.elements()), Error);
  EXPECT_THROW((Shape{-1, 3}.elements()), Error);
  EXPECT_EQ((Shape{1, 32, 32, 3}.batch_str()), "Nx32x32x3");
}

TEST(Tensor, CopiesShareUntilWritten) {
  auto a = Tensor::of<int32_t>({3}, std::vector<int32_t>{1, 2, 3});
  Tensor b = a;
  EXPECT_TRUE(a.same_buffer(b));
  b.mutable_data<int32_t>()[0] = 9;
  EXPECT_EQ(a.data<int32_t>()[0], 1);
  EXPECT_FALSE(a == b);
  EXPECT_THROW(a.data<float>(), std::logic_error);
}

TEST(ByteReader, StopsAtTheEnd) {
  std::array<std::byte, 5> raw{std::byte{1}};
  ByteReader reader(raw, "f.bin");
  EXPECT_EQ(reader.read<uint32_t>(), 1u);
  EXPECT_THROW(reader.read<uint16_t>(), Error);
  EXPECT_THROW(reader.take(SIZE_MAX), Error);
  EXPECT_THROW(reader.seek(6), Error);
}

TEST(File, WritesWholeOrNothing) {
  auto dir = std::filesystem::temp_directory_path() / "kinglet_file_test";
  std::filesystem::remove_all(dir);
  write_file(dir / "a.txt", "hello");
  EXPECT_EQ(read_text_file(dir / "a.txt"), "hello");
  EXPECT_THROW(read_file(dir / "a.txt", 4), Error);
  EXPECT_THROW(read_file(dir), Error);
  EXPECT_THROW(read_file(dir / "none"), Error);
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(dir), {}), 1);
}

// A file-size limit fails the write in the middle, as a full disk does.
TEST(File, FailedWriteLeavesTheOldFile) {
  auto dir = std::filesystem::temp_directory_path() / "kinglet_full_disk_test";
  std::filesystem::remove_all(dir);
  write_file(dir / "a.txt", "old");
  rlimit old{};
  ::getrlimit(RLIMIT_FSIZE, &old);
  std::signal(SIGXFSZ, SIG_IGN);
  rlimit small{1000, old.rlim_max};
  ::setrlimit(RLIMIT_FSIZE, &small);
  EXPECT_THROW(write_file(dir / "a.txt", std::string(100000, 'x')), Error);
  ::setrlimit(RLIMIT_FSIZE, &old);
  EXPECT_EQ(read_text_file(dir / "a.txt"), "old");
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(dir), {}), 1);
}

TEST(Sha256, KnownAnswer) {
  std::string text = "abc";
  EXPECT_EQ(sha256(std::as_bytes(std::span(text))), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST(DidYouMean, NearestOrList) {
  std::vector<std::string> known{"epochs", "batch", "seed"};
  EXPECT_EQ(did_you_mean("epcohs", known), "did you mean 'epochs'?");
  EXPECT_EQ(did_you_mean("zzzzzz", known), "known: epochs, batch, seed");
}

TEST(Random, DependsOnKeyOnly) {
  RandomStream a(1, 2, 3, Purpose::crop), b(1, 2, 3, Purpose::crop), c(1, 2, 3, Purpose::flip);
  const uint64_t first = a.bits();
  EXPECT_EQ(first, b.bits());
  EXPECT_NE(first, c.bits());
  double sum = 0, square = 0;
  for (int i = 0; i < 20000; ++i) {
    const double x = a.normal();
    sum += x, square += x * x;
  }
  EXPECT_NEAR(sum / 20000, 0.0, 0.03);
  EXPECT_NEAR(square / 20000, 1.0, 0.04);
}

TEST(ExactMath, AgreesWithLibm) {
  for (double x = -700; x < 700; x += 0.37) {
    EXPECT_NEAR(exact_exp(x) / std::exp(x), 1.0, 2e-15) << x;
    EXPECT_NEAR(exact_tanh(x), std::tanh(x), 1e-14) << x;
  }
  for (double x = -0.01; x < 0.01; x += 1e-5) EXPECT_NEAR(exact_tanh(x), std::tanh(x), 1e-15) << x;
}

TEST(Statistics, KnownValues) {
  const std::vector<double> two_to_nine{2, 4, 4, 4, 5, 5, 7, 9};
  EXPECT_DOUBLE_EQ(mean(two_to_nine), 5);
  EXPECT_NEAR(sample_deviation(two_to_nine), 2.13809, 1e-5);  // 32 / 7 below the root
  auto i = wilson95(81, 263);  // Newcombe 1998, table I: 0.2553 to 0.3662
  EXPECT_NEAR(i.low, 0.2553, 5e-5);
  EXPECT_NEAR(i.high, 0.3662, 5e-5);
  EXPECT_NEAR(mcnemar_p(1, 8), 0.0390625, 1e-9);
  EXPECT_EQ(mcnemar_p(0, 0), 1.0);
  std::array<double, 4> v{4, 1, 3, 2};
  EXPECT_DOUBLE_EQ(median(v), 2.5);
  std::array<float, 4> scores{0.1f, 0.5f, 0.5f, 0.2f};
  EXPECT_EQ(top_k(scores, 3), (std::vector<int>{1, 2, 3}));
}

TEST(Text, LowerCaseAndGroupedDigits) {
  EXPECT_EQ(lower("ReLU6 Größe"), "relu6 größe");
  EXPECT_EQ(group_digits(0), "0");
  EXPECT_EQ(group_digits(999), "999");
  EXPECT_EQ(group_digits(1364288), "1,364,288");
  EXPECT_EQ(group_digits(-1000), "-1,000");
  EXPECT_EQ(group_digits(-100), "-100");
}

TEST(ThreadPool, EveryIndexOnceAndExceptionsReturn) {
  ThreadPool pool(3);
  std::vector<std::atomic<int>> seen(100);
  for (int round = 0; round < 50; ++round) pool.parallel_for(100, [&](int64_t i, int) { ++seen[i]; });
  for (auto& s : seen) EXPECT_EQ(s, 50);
  EXPECT_THROW(pool.parallel_for(10, [](int64_t i, int) { if (i == 5) throw Error("x", "y"); }), Error);
  pool.parallel_for(1, [](int64_t, int) {});
}

}  // namespace
}  // namespace kinglet
