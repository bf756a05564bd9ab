// Values that are one of a few words, and numbers that several sections limit alike. Used by: the parts of
// the config loader. Thread: confined to one load.
#pragma once

#include <fmt/format.h>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "config/config_sections.h"

namespace mlalert {

inline constexpr int kEvaluationConcurrencyMax = 256;

// One of a few words; an unknown one is an error with a hint.
template <class T>
void ReadWord(YamlMap& map, std::string_view key, std::initializer_list<std::pair<std::string_view, T>> words,
              T& out) {
  std::string text;
  if (!map.Read(key, text)) {
    return;
  }
  std::vector<std::string> known;
  for (const auto& [word, value] : words) {
    if (text == word) {
      out = value;
      return;
    }
    known.emplace_back(word);
  }
  map.At(key).Error(fmt::format("{} is {}, must be {}", key, Quoted(text), fmt::join(known, " or ")),
                    DidYouMean(text, {known.begin(), known.end()}));
}

}  // namespace mlalert
