#include "config/source_text.h"

#include <algorithm>

#include "base/secret.h"

namespace mlalert {
namespace {

// Longer lines are cut to a window around the caret.
constexpr int kSnippetCharsMax = 160;
constexpr int kSnippetBefore = 80;

bool IsContinuationByte(char c) {
  return (static_cast<unsigned char>(c) & 0xC0U) == 0x80;
}

}  // namespace

SourceText::SourceText(std::string file, std::string_view text) : file_(std::move(file)) {
  while (!text.empty()) {
    size_t end = text.find('\n');
    std::string_view line = text.substr(0, end);
    if (line.ends_with('\r')) {
      line.remove_suffix(1);
    }
    lines_.push_back(line);
    if (end == std::string_view::npos) {
      break;
    }
    text.remove_prefix(end + 1);
  }
}

std::string_view SourceText::Line(int line) const {
  return line >= 1 && line <= line_count() ? lines_[static_cast<size_t>(line) - 1] : std::string_view();
}

void SourceText::Locate(TextPos pos, Diagnostic& diagnostic) const {
  diagnostic.where = {file_, pos.line, pos.column};
  std::string_view line = Line(pos.line);
  int first = std::max(1, pos.column - kSnippetBefore);
  int last = first + kSnippetCharsMax - 1;
  // Only spans that reach this line matter; they are sorted, so the first candidate is found by its end.
  auto span = std::partition_point(hidden_.begin(), hidden_.end(), [&](const Span& s) {
    return s.to <= TextPos{pos.line, first};
  });
  std::string out;
  int shown = 0;
  int caret = 0;
  bool masked = false;
  int column = 0;
  for (size_t i = 0; i < line.size(); ++column) {
    size_t next = i + 1;
    while (next < line.size() && IsContinuationByte(line[next])) {
      ++next;
    }
    TextPos here{pos.line, column + 1};
    if (here.column > last) {
      break;
    }
    if (here.column >= first) {
      while (span != hidden_.end() && span->to <= here) {
        ++span;
        masked = false;
      }
      if (here.column == pos.column) {
        caret = shown + 1;
      }
      if (span != hidden_.end() && span->from <= here) {
        if (!masked) {
          out += kSecretMask;
          out += ' ';
          shown += static_cast<int>(kSecretMask.size()) + 1;
        }
        masked = true;
      } else {
        char c = line[i];
        out.append(static_cast<unsigned char>(c) < 0x20 || c == 0x7F ? " " : line.substr(i, next - i));
        ++shown;
      }
    }
    i = next;
  }
  if (caret == 0 && pos.column > 0 && !out.empty()) {
    caret = shown + 1;  // behind the last character
  }
  while (out.ends_with(' ')) {
    out.pop_back();
  }
  diagnostic.source_line = std::move(out);
  diagnostic.caret = diagnostic.source_line.empty() ? 0 : caret;
}

}  // namespace mlalert
