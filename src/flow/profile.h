// profiles/NAME.json: what a firmware, runtime or accelerator accepts, as data with its source. check() reads it.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/dtype.h"
#include "base/json.h"

namespace kinglet::flow {

/// Something measured of a node (measures.h lists what there is), and what it may be.
struct Limit {
  std::string measure;
  std::optional<int64_t> low, high;
  int64_t multiple_of = 1;
  bool holds(int64_t value) const;
  std::string allowed() const;  ///< "1 to 3", "at most 127", "a multiple of 8"
};

/// Limits that count only where all of `when` hold.
struct Case {
  std::vector<Limit> when, limits;
  std::string hint;     ///< what to change; empty for the measure's own words
  bool advice = false;  ///< missing it costs speed only
};

struct OperatorRule {
  std::vector<DType> activations;  ///< types its activations may have; empty: the profile's
  std::vector<DType> weights;      ///< empty: any
  std::vector<Case> cases;
  std::string note;  ///< told as information about each such node
};

/// The interface of the whole model, where a firmware prescribes it.
struct InterfaceRule {
  std::optional<int> inputs, outputs;
  std::vector<DType> input_types, output_types;
  std::vector<Limit> size;         ///< "height", "width", "channels" of the first input
  bool bytes_as_they_are = false;  ///< its int8 input takes each picture byte less 128, whatever the file says
  std::optional<double> input_scale;
};

struct Profile {
  std::string name, title, runs_elsewhere, fallback;  ///< fallback: the profile that takes what this one does not
  std::vector<std::string> sources, notes;
  std::vector<DType> activations;
  std::vector<Limit> limits;                      ///< for every node
  std::map<std::string, OperatorRule> operators;  ///< by our name, or by the foreign name of an opaque node
  InterfaceRule interface;
  int64_t activation_bytes = 0;  ///< memory for activations, 0 where it is not known
};

/// Names of profiles/*.json.
std::vector<std::string> list_profiles();
/// Usage Error with a suggestion for an unknown name; Error naming file and key for a damaged one.
Profile load_profile(const std::string& name);

}  // namespace kinglet::flow
