// What YAML 1.1 takes a plain scalar for.
#include <algorithm>
#include <array>
#include <charconv>
#include <limits>

#include "config/yaml_document.h"

namespace mlalert {

const YamlNode::Entry* YamlNode::Find(std::string_view key) const {
  auto it = std::find_if(entries.begin(), entries.end(), [&](const Entry& e) { return e.key == key; });
  return it != entries.end() ? &*it : nullptr;
}

bool ParseYamlBool(std::string_view text, bool& out) {
  static constexpr std::array<std::string_view, 4> kTrue{"y", "yes", "on", "true"};
  static constexpr std::array<std::string_view, 4> kFalse{"n", "no", "off", "false"};
  if (text.empty() || text.size() > 5) {
    return false;
  }
  auto is_upper = [](char c) { return c >= 'A' && c <= 'Z'; };
  std::string lower;
  size_t upper = 0;
  for (char c : text) {
    upper += is_upper(c) ? 1 : 0;
    lower += is_upper(c) ? static_cast<char>(c - 'A' + 'a') : c;
  }
  bool cased = upper == 0 || upper == text.size() || (upper == 1 && is_upper(text[0]));
  bool is_true = std::find(kTrue.begin(), kTrue.end(), lower) != kTrue.end();
  bool is_false = std::find(kFalse.begin(), kFalse.end(), lower) != kFalse.end();
  if (!cased || (!is_true && !is_false)) {
    return false;
  }
  out = is_true;
  return true;
}

bool ParseYamlInt(std::string_view text, int64_t& out) {
  std::string digits;
  for (char c : text) {
    if (c != '_') {
      digits += c;
    }
  }
  std::string_view rest = digits;
  bool negative = rest.starts_with('-');
  if (negative || rest.starts_with('+')) {
    rest.remove_prefix(1);
  }
  int base = 10;
  if (rest.starts_with("0x") || rest.starts_with("0X")) {
    base = 16;
  } else if (rest.starts_with("0b") || rest.starts_with("0B")) {
    base = 2;
  } else if (rest.starts_with("0o") || rest.starts_with("0O")) {
    base = 8;
  }
  if (base != 10) {
    rest.remove_prefix(2);
  } else if (rest.size() > 1 && rest.front() == '0') {
    base = 8;
    rest.remove_prefix(1);
  }
  if (rest.empty() || rest.front() == '-' || rest.front() == '+') {
    return false;
  }
  std::string signed_text = (negative ? "-" : "") + std::string(rest);
  const char* end = signed_text.data() + signed_text.size();
  auto parsed = std::from_chars(signed_text.data(), end, out, base);
  return parsed.ec == std::errc() && parsed.ptr == end;
}

bool ParseYamlFloat(std::string_view text, double& out) {
  std::string digits;
  for (char c : text) {
    if (c != '_') {
      digits += c;
    }
  }
  std::string_view rest = digits;
  bool negative = rest.starts_with('-');
  if (negative || rest.starts_with('+')) {
    rest.remove_prefix(1);
  }
  double value = 0;
  if (rest == ".inf" || rest == ".Inf" || rest == ".INF") {
    value = std::numeric_limits<double>::infinity();
  } else if (digits == ".nan" || digits == ".NaN" || digits == ".NAN") {
    value = std::numeric_limits<double>::quiet_NaN();
  } else {
    bool number = !rest.empty() && (rest[0] == '.' || (rest[0] >= '0' && rest[0] <= '9'));
    auto parsed = std::from_chars(rest.data(), rest.data() + rest.size(), value);
    if (!number || parsed.ec != std::errc() || parsed.ptr != rest.data() + rest.size()) {
      return false;
    }
  }
  out = negative ? -value : value;
  return true;
}

std::string_view YamlNode::Tag() const {
  switch (kind) {
    case Kind::kNull:
      return "!!null";
    case Kind::kSequence:
      return "!!seq";
    case Kind::kMap:
      return "!!map";
    case Kind::kScalar:
      break;
  }
  bool truth = false;
  int64_t number = 0;
  double real = 0;
  if (!plain) {
    return "!!str";
  }
  if (ParseYamlBool(text, truth)) {
    return "!!bool";
  }
  if (ParseYamlInt(text, number)) {
    return "!!int";
  }
  return ParseYamlFloat(text, real) ? "!!float" : "!!str";
}

}  // namespace mlalert
