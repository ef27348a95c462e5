// Do a published model's fetched files have their sums, and do they give the figures that were printed?
#pragma once

#include <optional>
#include <vector>

#include "flow/zoo_verify.h"
#include "load/published.h"

namespace kinglet::flow {

/// Per file with an address: its sum; and, where `measure` is set and the data set is on this machine, its top-1: equal to what
/// Kinglet has measured before, else with the printed figure inside its 95 % interval. Throws Error (missing_dependency) naming
/// `kinglet zoo get` when none of the files was fetched.
std::vector<Check> verify_published(const load::PublishedModel& model, bool measure, int threads = 0, const ProgressCallback& progress = {});

/// A fetched file's accuracy on the test split of its model's data set; nullopt, with the reason in `why`, where it cannot be
/// measured on this machine.
std::optional<load::MeasuredFile> measure_published(const load::PublishedModel& model, const load::PublishedFile& file, std::string& why, int threads = 0,
                                                    const ProgressCallback& progress = {});

/// There is nothing of ours to train for a published model: throws a usage Error that names what stands beside it.
[[noreturn]] void refuse_to_reproduce(const load::PublishedModel& model);

}  // namespace kinglet::flow
