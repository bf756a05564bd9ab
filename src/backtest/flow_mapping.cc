#include "backtest/flow_mapping.h"

#include <algorithm>

namespace mlalert {
namespace {

// Behind the quoted text that begins at `at`; npos: it does not end here.
size_t SkipQuoted(std::string_view line, size_t at) {
  const char quote = line[at];
  for (size_t i = at + 1; i < line.size(); ++i) {
    if (quote == '"' && line[i] == '\\') {
      ++i;
    } else if (line[i] == quote) {
      if (quote != '\'' || i + 1 >= line.size() || line[i + 1] != '\'') {
        return i + 1;
      }
      ++i;  // '' stands for one quote
    }
  }
  return std::string_view::npos;
}

// The next `,` or closing bracket of the mapping or list that `from` is in; npos: none on this line. A quote
// counts where a text begins: in the middle of one it is a letter (`it's`).
size_t EndOfItem(std::string_view line, size_t from) {
  int depth = 0;
  bool begins = true;
  for (size_t i = from; i < line.size(); ++i) {
    const char c = line[i];
    if (begins && (c == '"' || c == '\'')) {
      i = SkipQuoted(line, i);
      if (i == std::string_view::npos) {
        return i;
      }
      --i;
      begins = false;
    } else if (c == '#' && line[i - 1] == ' ') {
      return std::string_view::npos;
    } else if (c == '{' || c == '[') {
      ++depth;
      begins = true;
    } else if (c == '}' || c == ']') {
      if (depth == 0) {
        return i;
      }
      --depth;
    } else if (c == ',') {
      if (depth == 0) {
        return i;
      }
      begins = true;
    } else if (c != ' ') {
      begins = c == ':';
    }
  }
  return std::string_view::npos;
}

}  // namespace

std::optional<size_t> FlowEnd(std::string_view line, size_t open) {
  for (size_t at = open + 1; at < line.size(); ++at) {
    at = EndOfItem(line, at);
    if (at == std::string_view::npos) {
      return std::nullopt;
    }
    if (line[at] != ',') {
      return at + 1;
    }
  }
  return std::nullopt;
}

std::optional<TextSpan> FlowValue(std::string_view line, size_t open, std::string_view key) {
  for (size_t at = open + 1; at < line.size();) {
    const size_t end = EndOfItem(line, at);
    if (end == std::string_view::npos) {
      return std::nullopt;
    }
    at = std::min(line.find_first_not_of(' ', at), end);
    std::string_view item = line.substr(at, end - at);
    for (const char quote : {'"', '\''}) {
      if (item.size() > key.size() + 2 && item.front() == quote && item[key.size() + 1] == quote) {
        ++at;
        item = item.substr(1);
      }
    }
    const size_t colon = item.starts_with(key) ? item.find(':', key.size()) : std::string_view::npos;
    if (colon != std::string_view::npos &&
        item.substr(key.size(), colon - key.size()).find_first_not_of("\"' ") == std::string_view::npos) {
      const size_t value = std::min(item.find_first_not_of(' ', colon + 1), item.size());
      size_t last = item.size();
      while (last > value && item[last - 1] == ' ') {
        --last;
      }
      return TextSpan{at + value, at + last};
    }
    if (line[end] != ',') {
      return std::nullopt;
    }
    at = end + 1;
  }
  return std::nullopt;
}

}  // namespace mlalert
