#include "model/severity.h"

#include <array>
#include <cctype>
#include <string>
#include <utility>

namespace mlalert {
namespace {

std::string Lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  }
  return out;
}

}  // namespace

std::optional<Severity> ParseSeverity(std::string_view text) {
  if (text.size() != 2 || (text[0] != 'P' && text[0] != 'p') || text[1] < '0' || text[1] > '3') {
    return std::nullopt;
  }
  return static_cast<Severity>(4 - (text[1] - '0'));
}

Severity SeverityFromLabel(std::string_view value) {
  if (auto exact = ParseSeverity(value)) {
    return *exact;
  }
  static constexpr std::array<std::pair<std::string_view, Severity>, 8> kAliases{{{"critical", Severity::kP0},
                                                                                  {"page", Severity::kP0},
                                                                                  {"high", Severity::kP1},
                                                                                  {"error", Severity::kP1},
                                                                                  {"medium", Severity::kP2},
                                                                                  {"warning", Severity::kP2},
                                                                                  {"low", Severity::kP3},
                                                                                  {"info", Severity::kP3}}};
  if (value.size() > 8) {
    return Severity::kNone;
  }
  std::string lower = Lower(value);
  for (const auto& [name, severity] : kAliases) {
    if (lower == name) {
      return severity;
    }
  }
  return Severity::kNone;
}

std::string_view ToString(Severity severity) {
  static constexpr std::array<std::string_view, 5> kNames{"", "P3", "P2", "P1", "P0"};
  return kNames[static_cast<size_t>(severity)];
}

}  // namespace mlalert
