#include "train/small_matrix.h"

#include <gtest/gtest.h>

#include <vector>

#include "base/random.h"

namespace kinglet::train {
namespace {

std::vector<double> draw(size_t n, uint64_t item) {
  std::vector<double> out(n);
  RandomStream random(32, 0, item, Purpose::draw);
  for (double& x : out) x = random.uniform(-1, 1);
  return out;
}

TEST(SmallMatrix, ProductsAreTheSumsWrittenDown) {
  for (size_t n : {1, 7, 8, 17})
    for (size_t k : {1, 5, 16})
      for (size_t m : {1, 8, 13, 24}) {
        const auto left = draw(n * k, 1), right = draw(k * m, 2), start = draw(n * m, 3);
        std::vector<double> left_turned(n * k), right_turned(k * m), expected = start;
        for (size_t i = 0; i < n; ++i)
          for (size_t l = 0; l < k; ++l) left_turned[l * n + i] = left[i * k + l];
        for (size_t l = 0; l < k; ++l)
          for (size_t j = 0; j < m; ++j) right_turned[j * k + l] = right[l * m + j];
        for (size_t i = 0; i < n; ++i)
          for (size_t j = 0; j < m; ++j)
            for (size_t l = 0; l < k; ++l) expected[i * m + j] += left[i * k + l] * right[l * m + j];
        auto plain = start, turned_left = start, turned_right = start;
        multiply_add(left.data(), right.data(), plain.data(), n, k, m);
        multiply_add_transposed_left(left_turned.data(), right.data(), turned_left.data(), n, k, m);
        multiply_add_transposed_right(left.data(), right_turned.data(), turned_right.data(), n, k, m);
        for (size_t i = 0; i < n * m; ++i) {
          ASSERT_NEAR(plain[i], expected[i], 1e-13) << n << " " << k << " " << m;
          ASSERT_NEAR(turned_left[i], expected[i], 1e-13) << n << " " << k << " " << m;
          ASSERT_NEAR(turned_right[i], expected[i], 1e-13) << n << " " << k << " " << m;
        }
      }
}

}  // namespace
}  // namespace kinglet::train
