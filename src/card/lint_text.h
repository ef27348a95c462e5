// The parts of lint_readme: each looks at one sort of fault in a card's text and adds what it finds.
#pragma once

#include <string>
#include <vector>

#include "card/lint.h"
#include "card/markdown.h"

namespace kinglet::card {

struct CardText {
  std::string whole;  ///< lower case
  std::string title;  ///< lower case: the first heading, else the first line
  std::vector<Table> tables;
};

class Findings {
 public:
  void add(int line, const std::string& what, const std::string& hint = {});
  /// By line, then in the order they were found.
  std::vector<Finding> take();

 private:
  std::vector<std::pair<int, Finding>> all_;
};

/// A figure against its neighbours: accuracies that are fractions, one time for several files, parameters that are no count or
/// do not fit the file, int8 far below float32, operations counted in bytes.
void lint_figures(const CardText& text, Findings& findings);

/// The figures against what the network of that name has (zoo.def) and what its authors report.
void lint_network(const CardText& text, Findings& findings);

/// What the text says against its own title and file names: classes of another model, two numbers of epochs, one sum for two files.
void lint_words(const CardText& text, Findings& findings);

}  // namespace kinglet::card
