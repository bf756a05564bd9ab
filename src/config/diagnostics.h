// What is wrong with a file: many errors and warnings, each with its place, key path, the source line with a
// caret and a hint. Loading goes on after an error, so that one run shows everything there is to mend. Fed
// by: the loaders of config/. Read by: cli/ (check), api/ (reload), the log. Secrets: messages never repeat
// secret values, and source lines come from SourceText, which hides them. Thread: plain values.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "base/json.h"
#include "base/result.h"

namespace mlalert {

enum class DiagnosticLevel : uint8_t { kError, kWarning };
std::string_view ToString(DiagnosticLevel level);

struct Diagnostic {
  DiagnosticLevel level = DiagnosticLevel::kError;
  SourcePos where;   // line 0: about the file as a whole
  std::string path;  // route.routes[2].group_wait; empty at the root
  std::string message;
  std::string hint;
  std::string source_line;  // empty when unknown
  int caret = 0;            // 1-based character in source_line; 0: none

  // "file:line:column: error: message", the source line, the caret, "hint: ...".
  std::string ToString() const;
};

// One bad file must not print for ever.
inline constexpr size_t kDiagnosticsMax = 200;

class Diagnostics {
 public:
  // Repetitions (an alias read twice) are dropped, and so is everything past kDiagnosticsMax of one level.
  void Add(Diagnostic diagnostic);
  void Append(Diagnostics other);
  // Another one of this level would only be counted: callers may save the work of describing it.
  bool IsFull(DiagnosticLevel level) const {
    return (level == DiagnosticLevel::kError ? error_count_ : warning_count_) >= kDiagnosticsMax;
  }

  // No errors; there may be warnings.
  bool ok() const { return error_count_ == 0; }
  size_t error_count() const { return error_count_; }
  size_t warning_count() const { return warning_count_; }
  const std::vector<Diagnostic>& items() const { return items_; }

  // By file and place; of one place errors first. Loaders call it before they return.
  void Sort();

  // Errors and warnings in order, each as Diagnostic::ToString(), one empty line between them.
  std::string ToText() const;
  // {"errors":1,"warnings":0,"diagnostics":[{"level":..,"file":..,"line":..,"column":..,"path":..,"message":..,"hint":..,"source":..}]}
  Json ToJson() const;
  // The first error with the number of the others; success when there is none.
  Status ToStatus() const;

 private:
  std::vector<Diagnostic> items_;
  std::set<std::tuple<std::string, int, int, std::string>> seen_;
  size_t error_count_ = 0;
  size_t warning_count_ = 0;
  size_t dropped_ = 0;
};

// The candidate that `word` was probably meant to be; empty when none is near.
std::string_view NearestWord(std::string_view word, const std::vector<std::string_view>& candidates);
// `did you mean "x"?`, or empty.
std::string DidYouMean(std::string_view word, const std::vector<std::string_view>& candidates);
// Insertions, deletions, replacements and swaps of neighbours; stops counting above `limit`.
size_t EditDistance(std::string_view a, std::string_view b, size_t limit);

}  // namespace mlalert
