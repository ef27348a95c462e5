#include "card/markdown.h"

#include <gtest/gtest.h>

namespace kinglet::card {
namespace {

TEST(Markdown, TablesWithAndWithoutOuterPipes) {
  const auto tables = markdown_tables("a | pipe in prose\n\n| A | B |\n|---|:-:|\n| 1 | x\\|y |\n\nC | Top-1 (%) | D\n--- | --- | ---\n`2` | **3** |\n");
  ASSERT_EQ(tables.size(), 2u);
  EXPECT_EQ(tables[0].rows.at(0).at(1).text, "x|y");
  EXPECT_EQ(tables[0].rows[0][1].line, 5);
  EXPECT_EQ(tables[1].head, (std::vector<std::string>{"C", "Top-1 (%)", "D"}));
  EXPECT_EQ(tables[1].rows.at(0).at(1).text, "3");
}

TEST(Markdown, TwoColumnsAreOneRecordUnlessTheSecondIsAFigure) {
  EXPECT_EQ(markdown_tables("K | V\n--- | ---\nParameters | 5\nOPS | 6\n").at(0).records.size(), 1u);
  EXPECT_EQ(markdown_tables("Model | Accuracy\n--- | ---\na | 5\nb | 6\n").at(0).records.size(), 2u);
}

TEST(Markdown, QuantitiesWithTheUnitOfCellOrHead) {
  EXPECT_EQ(quantity({"Inference(ms)", "22<sup>(1)</sup>", 1})->unit, "ms");
  EXPECT_DOUBLE_EQ(quantity({"OPS", "58.5 M", 1})->value * quantity({"OPS", "58.5 M", 1})->scale(), 58.5e6);
  EXPECT_DOUBLE_EQ(quantity({"Params(M)", "0.021", 1})->half_step, 0.0005);
  EXPECT_TRUE(quantity({"Parameters", "30,874", 1})->whole);
  EXPECT_FALSE(quantity({"Top-1", "TODO", 1}));
  EXPECT_FALSE(quantity({"Top-1", "", 1}));
}

}  // namespace
}  // namespace kinglet::card
