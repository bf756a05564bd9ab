#include "config/yaml_writer.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>

#include "config/yaml_document.h"

namespace mlalert {
namespace {

bool IsBlank(char c) {
  return c == ' ' || c == '\t';
}

// What libyaml asks about a text before it chooses a style.
struct Analysis {
  bool block_plain = true;
  bool flow_plain = true;
  bool single_quoted = true;
  bool multiline = false;
};

void AnalyzeIndicators(std::string_view s, Analysis& out) {
  static constexpr std::string_view kFirst = "#,[]{}&*!|>'\"%@`";
  static constexpr std::string_view kFlow = ",?[]{}";
  bool block = s.starts_with("---") || s.starts_with("...");
  bool flow = block;
  for (size_t i = 0; i < s.size(); ++i) {
    char c = s[i];
    bool blank_after = i + 1 == s.size() || IsBlank(s[i + 1]) || s[i + 1] == '\n';
    bool blank_before = i == 0 || IsBlank(s[i - 1]) || s[i - 1] == '\n';
    if (i == 0) {
      flow = flow || kFirst.find(c) != std::string_view::npos || c == '?' || c == ':';
      block = block || kFirst.find(c) != std::string_view::npos ||
              ((c == '?' || c == ':' || c == '-') && blank_after);
      flow = flow || (c == '-' && blank_after);
    } else {
      flow = flow || kFlow.find(c) != std::string_view::npos || c == ':' || (c == '#' && blank_before);
      block = block || (c == ':' && blank_after) || (c == '#' && blank_before);
    }
  }
  out.block_plain = !block;
  out.flow_plain = !flow;
}

Analysis Analyze(std::string_view s) {
  Analysis out;
  AnalyzeIndicators(s, out);
  bool special = std::any_of(s.begin(), s.end(), [](char c) {
    return (static_cast<unsigned char>(c) < 0x20 && c != '\n') || c == 0x7F;
  });
  out.multiline = s.find('\n') != std::string_view::npos;
  bool edges = IsBlank(s.front()) || IsBlank(s.back()) || s.front() == '\n' || s.back() == '\n';
  if (edges || special || out.multiline) {
    out.block_plain = false;
    out.flow_plain = false;
  }
  out.single_quoted = !special && !out.multiline;
  return out;
}

// 17:00, 1:5: [0-9]+ and then groups of :[0-5]?[0-9].
bool IsBase60(std::string_view s) {
  size_t colon = s.find(':');
  if (colon == 0 || colon == std::string_view::npos ||
      s.substr(0, colon).find_first_not_of("0123456789") != std::string_view::npos) {
    return false;
  }
  for (s.remove_prefix(colon); !s.empty();) {
    size_t end = std::min(s.find(':', 1), s.size());
    std::string_view group = s.substr(1, end - 1);
    bool digits = !group.empty() && group.find_first_not_of("0123456789") == std::string_view::npos;
    if (s[0] != ':' || !digits || group.size() > 2 || (group.size() == 2 && group[0] > '5')) {
      return false;
    }
    s.remove_prefix(end);
  }
  return true;
}

// Whether the reader takes the bare text for a text. 12:30 is one for us and a number for old readers.
bool ReadsAsText(const std::string& s) {
  YamlNode node;
  node.kind = YamlNode::Kind::kScalar;
  node.plain = true;
  node.text = s;
  static constexpr std::array<std::string_view, 6> kOthers{"", "~", "null", "Null", "NULL", "<<"};
  bool special = std::find(kOthers.begin(), kOthers.end(), s) != kOthers.end();
  bool base60 = IsBase60(s);
  bool date = s.size() >= 8 && s[0] >= '0' && s[0] <= '9' &&
              s.find_first_not_of("0123456789-") == std::string::npos && s.find('-') != std::string::npos;
  return !special && !base60 && !date && node.Tag() == "!!str";
}

std::string DoubleQuoted(std::string_view s) {
  std::string out = "\"";
  for (char c : s) {
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (c == '\n') {
      out += "\\n";
    } else if (c == '\t') {
      out += "\\t";
    } else if (c == '\r') {
      out += "\\r";
    } else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) {
      out += fmt::format("\\x{:02X}", static_cast<unsigned char>(c));
    } else {
      out += c;
    }
  }
  return out + "\"";
}

std::string SingleQuoted(std::string_view s) {
  std::string out = "'";
  for (char c : s) {
    out += c;
    if (c == '\'') {
      out += c;
    }
  }
  return out + "'";
}

class Writer {
 public:
  void Map(const Json::Object& map, size_t indent, bool first_inline) {
    bool first = first_inline;
    for (const auto& [key, value] : map) {
      if (!first) {
        out_.append(indent, ' ');
      }
      first = false;
      Text(key, 0, true);
      out_ += ':';
      Value(value, indent, IsFlowKey(key));
    }
  }

  std::string Take() { return std::move(out_); }

 private:
  static bool IsFlowKey(const std::string& key) {
    return key == "weekdays" || key == "days_of_month" || key == "months" || key == "years";
  }

  // After "key:" or "-"; ends the line.
  void Value(const Json& value, size_t indent, bool flow_list) {  // NOLINT(misc-no-recursion)
    if (value.is_object() && !value.AsObject().empty()) {
      out_ += '\n';
      Map(value.AsObject(), indent + 2, false);
    } else if (value.is_array() && !value.AsArray().empty()) {
      flow_list ? FlowList(value.AsArray()) : List(value.AsArray(), indent, false);
    } else {
      out_ += ' ';
      Scalar(value, indent + 2, false);
      out_ += '\n';
    }
  }

  void FlowList(const Json::Array& list) {
    out_ += " [";
    bool first = true;
    for (const Json& item : list) {
      out_ += first ? "" : ", ";
      first = false;
      Scalar(item, 0, true);
    }
    out_ += "]\n";
  }

  void List(const Json::Array& list, size_t indent, bool first_inline) {  // NOLINT(misc-no-recursion)
    bool inline_now = first_inline;
    if (!first_inline) {
      out_ += '\n';
    }
    for (const Json& item : list) {
      out_.append(inline_now ? 0 : indent, ' ');
      inline_now = false;
      out_ += "- ";
      if (item.is_object() && !item.AsObject().empty()) {
        Map(item.AsObject(), indent + 2, true);
      } else if (item.is_array() && !item.AsArray().empty()) {
        List(item.AsArray(), indent + 2, true);
      } else {
        Scalar(item, indent + 2, false);
        out_ += '\n';
      }
    }
  }

  void Scalar(const Json& value, size_t indent, bool flow) {
    if (value.is_string()) {
      Text(value.AsString(), indent, flow);
    } else if (value.is_object()) {
      out_ += "{}";
    } else if (value.is_array()) {
      out_ += "[]";
    } else {
      out_ += value.Dump();  // null, true, numbers
    }
  }

  // `one_line`: a key, or within [].
  void Text(const std::string& s, size_t indent, bool one_line) {
    if (s.empty()) {
      out_ += "\"\"";
      return;
    }
    Analysis a = Analyze(s);
    bool block_literal =
        a.multiline && !one_line && !IsBlank(s.front()) && s.front() != '\n' && !HasTrailingBlankLine(s);
    if (block_literal) {
      Literal(s, indent);
    } else if (a.multiline || !ReadsAsText(s)) {
      out_ += DoubleQuoted(s);
    } else if (one_line ? a.flow_plain : a.block_plain) {
      out_ += s;
    } else {
      out_ += a.single_quoted ? SingleQuoted(s) : DoubleQuoted(s);
    }
  }

  // Blanks before a line end, and what no editor shows, are safer in quotes.
  static bool HasTrailingBlankLine(const std::string& s) {
    bool control = std::any_of(s.begin(), s.end(), [](char c) {
      return (static_cast<unsigned char>(c) < 0x20 && c != '\n') || c == 0x7F;
    });
    return control || s.find(" \n") != std::string::npos || s.back() == ' ';
  }

  void Literal(const std::string& s, size_t indent) {
    bool ends = s.ends_with('\n');
    out_ += ends ? (s.ends_with("\n\n") ? "|+" : "|") : "|-";
    std::string_view rest = s;
    if (ends) {
      rest.remove_suffix(1);
    }
    while (true) {
      size_t end = rest.find('\n');
      std::string_view line = rest.substr(0, end);
      out_ += '\n';
      if (!line.empty()) {
        out_.append(indent, ' ');
        out_ += line;
      }
      if (end == std::string_view::npos) {
        return;
      }
      rest.remove_prefix(end + 1);
    }
  }

  std::string out_;
};

}  // namespace

std::string WriteYaml(const Json& tree) {
  Writer writer;
  writer.Map(tree.AsObject(), 0, false);
  return writer.Take();
}

}  // namespace mlalert
