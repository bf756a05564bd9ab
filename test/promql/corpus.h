// The corpus of test/promql/corpus.txt and the expressions of rule files, for tests that run over many
// expressions.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "support/source_dir.h"

namespace mlalert::testing {

enum class Corpus { kAll, kOnlyPrometheus2 };

inline std::vector<std::string> ReadCorpus(Corpus which = Corpus::kAll) {
  constexpr std::string_view kNewer = "3.x ";
  std::ifstream file(mlalert::testing::SourceDir() + "/test/promql/corpus.txt");
  std::vector<std::string> out;
  for (std::string line; std::getline(file, line);) {
    if (line.empty() || line[0] == '#') {
      continue;
    }
    bool newer = line.starts_with(kNewer);
    if (newer && which == Corpus::kAll) {
      out.push_back(line.substr(kNewer.size()));
    } else if (!newer) {
      out.push_back(line);
    }
  }
  return out;
}

// The `expr` values of a rule file: plain one-line scalars and |, |-, >, >- blocks, which is what our rules
// use.
inline std::vector<std::string> ReadRuleExpressions(const std::filesystem::path& path) {
  std::ifstream file(path);
  std::vector<std::string> out;
  size_t block_indent = 0;
  bool in_block = false;
  for (std::string line; std::getline(file, line);) {
    size_t indent = line.find_first_not_of(" -");
    if (in_block && (indent == std::string::npos || line.find_first_not_of(' ') > block_indent)) {
      out.back() += line + "\n";
      continue;
    }
    in_block = false;
    constexpr std::string_view kKey = "expr: ";
    if (indent == std::string::npos || line.compare(indent, kKey.size(), kKey) != 0) {
      continue;
    }
    std::string value = line.substr(indent + kKey.size());
    if (value[0] == '|' || value[0] == '>') {
      in_block = true;
      block_indent = indent;
      value.clear();
    } else if (value[0] == '\'') {
      value = value.substr(1, value.size() - 2);
    }
    out.push_back(value);
  }
  return out;
}

// Breaks expressions in the ways people and bad luck do. The same seed gives the same text everywhere.
class Mutator {
 public:
  explicit Mutator(uint32_t seed) : random_(seed) {}

  size_t Below(size_t bound) { return random_() % bound; }

  std::string Mutate(std::string text) {
    static constexpr std::string_view kPieces[] = {
        "(",      ")",     "{",       "}",        "[",          "]",   ",",      "+",   "-",     "*",
        "/",      "==",    "=",       "!",        "!=",         "=~",  "@",      "by",  "on",    "5m",
        "1",      "\"x\"", "'",       "\"",       "`",          "#",   "\n",     " ",   ":",     "$",
        ".",      "\\",    "~",       "<",        ">=",         "^",   "offset", "sum", "bool",  "and",
        "unless", "0x",    "start()", "ignoring", "group_left", "a:b", "inf",    "é",   "rate(", "[5m:1m]"};
    size_t changes = 1 + Below(3);
    for (size_t i = 0; i < changes; ++i) {
      size_t at = Below(text.size() + 1);
      switch (Below(4)) {
        case 0:
          text.erase(at, 1 + Below(4));
          break;
        case 1:
          text.resize(at);
          break;
        default:
          text.insert(at, kPieces[Below(std::size(kPieces))]);
          break;
      }
    }
    return text;
  }

  // Any bytes at all, UTF-8 or not.
  std::string Scramble(std::string text) {
    for (size_t i = 0, n = 1 + Below(4); i < n && !text.empty(); ++i) {
      text[Below(text.size())] = static_cast<char>(Below(256));
    }
    return text;
  }

 private:
  std::mt19937 random_;
};

}  // namespace mlalert::testing
