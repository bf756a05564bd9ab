// The lines of one file, for showing the line an error is about. Knows which stretches hold secrets and
// prints <secret> in their place. Columns count characters, because that is what an editor shows. Made by:
// yaml_document.cc. Used by: yaml_reader.cc when it reports. Thread: confined to one load.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "config/diagnostics.h"

namespace mlalert {

// 1-based, column in characters; line 0 means unknown.
struct TextPos {
  int line = 0;
  int column = 0;
  friend auto operator<=>(const TextPos&, const TextPos&) = default;
};

class SourceText {
 public:
  // `text` must outlive this.
  SourceText(std::string file, std::string_view text);

  const std::string& file() const { return file_; }
  // Without the line break; empty when there is no such line. `line` is 1-based.
  std::string_view Line(int line) const;
  int line_count() const { return static_cast<int>(lines_.size()); }

  // [from, to) holds a secret. Calls come in rising order and do not overlap.
  void Hide(TextPos from, TextPos to) { hidden_.push_back({from, to}); }

  // Fills file, line, column, source line (shortened around the place, secrets hidden) and caret.
  void Locate(TextPos pos, Diagnostic& diagnostic) const;

 private:
  struct Span {
    TextPos from;
    TextPos to;
  };
  std::string file_;
  std::vector<std::string_view> lines_;
  std::vector<Span> hidden_;
};

}  // namespace mlalert
