#include "backtest/rule_patch.h"

#include <algorithm>
#include <fmt/format.h>
#include <optional>
#include <vector>

#include "backtest/flow_mapping.h"

namespace mlalert {
namespace {

constexpr size_t kContext = 3;

std::vector<std::string> Lines(std::string_view text) {
  std::vector<std::string> out;
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    out.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(text.size(), end + 1));
  }
  return out;
}

size_t IndentOf(std::string_view line) {
  const size_t at = line.find_first_not_of(' ');
  return at == std::string_view::npos ? line.size() : at;
}

bool IsBlank(std::string_view line) {
  const size_t at = line.find_first_not_of(" \t\r");
  return at == std::string_view::npos || line[at] == '#';
}

std::string_view Unquoted(std::string_view text) {
  const bool quoted =
      text.size() >= 2 && (text.front() == '"' || text.front() == '\'') && text.back() == text.front();
  return quoted ? text.substr(1, text.size() - 2) : text;
}

// The value of `key: value` at the end of the indent; the comment behind it is not part of it.
std::optional<std::string> ValueOf(std::string_view rest, std::string_view key) {
  if (!rest.starts_with(key) || rest.size() <= key.size() || rest[key.size()] != ':') {
    return std::nullopt;
  }
  rest.remove_prefix(key.size() + 1);
  if (!rest.empty() && rest.front() != ' ') {
    return std::nullopt;
  }
  rest = rest.substr(std::min(rest.size(), rest.find_first_not_of(' ')));
  if (const size_t comment = rest.find(" #"); comment != std::string_view::npos) {
    rest = rest.substr(0, comment);
  }
  while (!rest.empty() && (rest.back() == ' ' || rest.back() == '\r')) {
    rest.remove_suffix(1);
  }
  return std::string(Unquoted(rest));
}

struct Block {
  size_t first = 0;  // the line with the dash
  size_t end = 0;    // behind the last one
  size_t keys = 0;   // indent of the keys
  size_t alert = 0;  // the line with `alert:`
};

std::optional<Block> FindRule(const std::vector<std::string>& lines, std::string_view rule) {
  for (size_t i = 0; i < lines.size(); ++i) {
    const std::string_view line = lines[i];
    size_t keys = IndentOf(line);
    std::string_view rest = line.substr(std::min(keys, line.size()));
    const bool dash = rest.starts_with("- ");
    if (dash) {
      const size_t skip = rest.find_first_not_of(' ', 1);
      keys += std::min(skip, rest.size());
      rest = line.substr(std::min(keys, line.size()));
    }
    if (ValueOf(rest, "alert") != std::optional(std::string(rule))) {
      continue;
    }
    Block block{i, i + 1, keys, i};
    while (!dash && block.first > 0) {
      --block.first;
      const std::string_view above = lines[block.first];
      if (IndentOf(above) < keys && !IsBlank(above)) {
        break;
      }
    }
    if (!std::string_view(lines[block.first]).substr(IndentOf(lines[block.first])).starts_with("- ")) {
      return std::nullopt;
    }
    while (block.end < lines.size() && (IsBlank(lines[block.end]) || IndentOf(lines[block.end]) >= keys)) {
      ++block.end;
    }
    // Blank lines and comments before the next rule are its own.
    while (block.end > i + 1 && IsBlank(lines[block.end - 1])) {
      --block.end;
    }
    return block;
  }
  return std::nullopt;
}

// Puts another value behind the key and keeps a comment.
std::string WithValue(const std::string& line, std::string_view key, std::string_view value) {
  const size_t at = line.find(std::string(key) + ":");
  const size_t comment = line.find(" #", at);
  const bool carriage = line.ends_with('\r');
  std::string out = line.substr(0, at + key.size() + 1) + " " + std::string(value);
  if (comment != std::string::npos) {
    return out + " " + line.substr(line.find('#', comment));
  }
  return carriage ? out + "\r" : out;
}

std::string Replaced(const std::string& line, TextSpan span, std::string_view value) {
  return line.substr(0, span.begin) + std::string(value) + line.substr(span.end);
}

// The line `labels: {..., severity: P1, ...}` with another severity.
std::optional<std::string> WithFlowSeverity(const std::string& line, std::string_view rest,
                                            std::string_view value) {
  if (!rest.starts_with("labels: {")) {
    return std::nullopt;
  }
  const std::optional<TextSpan> span = FlowValue(line, line.find('{'), "severity");
  return span ? std::optional(Replaced(line, *span, value)) : std::nullopt;
}

// A rule that is one line, `- {alert: X, expr: Y, for: 5m}`.
struct FlowRule {
  size_t line = 0;
  size_t open = 0;
};

std::optional<FlowRule> FindFlowRule(const std::vector<std::string>& lines, std::string_view rule) {
  for (size_t i = 0; i < lines.size(); ++i) {
    const std::string_view line = lines[i];
    const size_t dash = IndentOf(line);
    const size_t open =
        line.substr(dash).starts_with("- ") ? line.find_first_not_of(' ', dash + 1) : std::string_view::npos;
    if (open == std::string_view::npos || line[open] != '{') {
      continue;
    }
    const std::optional<TextSpan> name = FlowValue(line, open, "alert");
    if (name && Unquoted(line.substr(name->begin, name->end - name->begin)) == rule && FlowEnd(line, open)) {
      return FlowRule{i, open};
    }
  }
  return std::nullopt;
}

std::optional<std::string> WithFlowValue(const std::string& line, size_t open, std::string_view field,
                                         std::string_view value) {
  if (field == "severity") {
    const std::optional<TextSpan> labels = FlowValue(line, open, "labels");
    const std::optional<TextSpan> severity =
        labels && line[labels->begin] == '{' ? FlowValue(line, labels->begin, field) : std::nullopt;
    return severity ? std::optional(Replaced(line, *severity, value)) : std::nullopt;
  }
  if (const std::optional<TextSpan> span = FlowValue(line, open, field)) {
    return Replaced(line, *span, value);
  }
  const size_t end = FlowValue(line, open, "alert")->end;
  return Replaced(line, {end, end}, fmt::format(", {}: {}", field, value));
}

std::string Hunk(const std::vector<std::string>& lines, size_t from, size_t removed,
                 const std::vector<std::string>& added) {
  const size_t begin = from - std::min(from, kContext);
  const size_t end = std::min(lines.size(), from + removed + kContext);
  std::string out = fmt::format("@@ -{},{} +{},{} @@\n", begin + 1, end - begin, begin + 1,
                                end - begin - removed + added.size());
  for (size_t i = begin; i < from; ++i) {
    out += " " + lines[i] + "\n";
  }
  for (size_t i = from; i < from + removed; ++i) {
    out += "-" + lines[i] + "\n";
  }
  for (const std::string& line : added) {
    out += "+" + line + "\n";
  }
  for (size_t i = from + removed; i < end; ++i) {
    out += " " + lines[i] + "\n";
  }
  return out;
}

}  // namespace

std::string RulePatch(const std::string& file, std::string_view text, std::string_view rule,
                      std::string_view field, std::string_view value) {
  const std::vector<std::string> lines = Lines(text);
  std::string relative = file;
  while (relative.starts_with('/')) {
    relative.erase(0, 1);
  }
  const std::string head = fmt::format("--- a/{0}\n+++ b/{0}\n", relative);
  const std::optional<Block> block = FindRule(lines, rule);
  if (!block) {
    const std::optional<FlowRule> flow = FindFlowRule(lines, rule);
    if (!flow) {
      return "";
    }
    if (field == "delete") {
      return head + Hunk(lines, flow->line, 1, {});
    }
    const std::optional<std::string> line = WithFlowValue(lines[flow->line], flow->open, field, value);
    return line ? head + Hunk(lines, flow->line, 1, {*line}) : "";
  }
  if (field == "delete") {
    return head + Hunk(lines, block->first, block->end - block->first, {});
  }
  bool in_labels = false;
  for (size_t i = block->first; i < block->end; ++i) {
    if (IsBlank(lines[i])) {
      continue;
    }
    const bool own = i == block->first || IndentOf(lines[i]) == block->keys;
    const std::string_view rest =
        std::string_view(lines[i]).substr(std::min(own ? block->keys : IndentOf(lines[i]), lines[i].size()));
    if (own) {
      in_labels = ValueOf(rest, "labels") == std::optional<std::string>("");
    }
    if (field == "severity" && own) {
      if (auto line = WithFlowSeverity(lines[i], rest, value)) {
        return head + Hunk(lines, i, 1, {*line});
      }
    }
    const bool hit = field == "severity" ? in_labels && !own && ValueOf(rest, "severity").has_value()
                                         : own && ValueOf(rest, field).has_value();
    if (hit) {
      return head + Hunk(lines, i, 1, {WithValue(lines[i], field, value)});
    }
  }
  if (field == "severity") {
    return "";
  }
  return head + Hunk(lines, block->alert + 1, 0,
                     {std::string(block->keys, ' ') + fmt::format("{}: {}", field, value)});
}

}  // namespace mlalert
