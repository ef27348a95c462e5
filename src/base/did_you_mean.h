// The nearest known word to a misspelt one, for messages about unknown keys, names and flags.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace kinglet {

/// Edit distance (insert, delete, replace, swap of neighbours; Damerau 1964).
int edit_distance(std::string_view a, std::string_view b);
/// "did you mean 'x'?" for the nearest candidate within a third of its length, else "known: a, b, c".
std::string did_you_mean(std::string_view word, std::span<const std::string> known);

}  // namespace kinglet
