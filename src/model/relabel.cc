#include "model/relabel.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <openssl/evp.h>
#include <re2/re2.h>

#include "base/regex.h"

namespace mlalert {
namespace {

constexpr std::array<std::pair<std::string_view, RelabelAction>, 11> kActions{{
    {"replace", RelabelAction::kReplace},
    {"keep", RelabelAction::kKeep},
    {"drop", RelabelAction::kDrop},
    {"keepequal", RelabelAction::kKeepEqual},
    {"dropequal", RelabelAction::kDropEqual},
    {"hashmod", RelabelAction::kHashMod},
    {"labelmap", RelabelAction::kLabelMap},
    {"labeldrop", RelabelAction::kLabelDrop},
    {"labelkeep", RelabelAction::kLabelKeep},
    {"lowercase", RelabelAction::kLowercase},
    {"uppercase", RelabelAction::kUppercase},
}};

using Captures = std::vector<re2::StringPiece>;

re2::StringPiece Piece(std::string_view text) {
  return {text.data(), text.size()};
}

bool Match(const re2::RE2& re, std::string_view text, Captures& captures) {
  captures.assign(static_cast<size_t>(re.NumberOfCapturingGroups()) + 1, {});
  return re.Match(Piece(text), 0, text.size(), re2::RE2::ANCHOR_BOTH, captures.data(),
                  static_cast<int>(captures.size()));
}

bool IsWord(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

std::string_view GroupText(const re2::RE2& re, const Captures& captures, std::string_view name) {
  size_t index = 0;
  const bool number =
      std::all_of(name.begin(), name.end(), [](char c) { return c >= '0' && c <= '9'; }) && name.size() < 8;
  if (number) {
    for (char c : name) {
      index = index * 10 + static_cast<size_t>(c - '0');
    }
  } else {
    const auto at = re.NamedCapturingGroups().find(std::string(name));
    index = at == re.NamedCapturingGroups().end() ? captures.size() : static_cast<size_t>(at->second);
  }
  return index < captures.size() ? std::string_view(captures[index].data(), captures[index].size())
                                 : std::string_view();
}

// Go's regexp.Expand: $name takes the longest name, $$ is a dollar, what is no name stays.
std::string Expand(const re2::RE2& re, const Captures& captures, std::string_view replacement) {
  std::string out;
  for (size_t at = 0; at < replacement.size();) {
    if (replacement[at] != '$') {
      out += replacement[at++];
      continue;
    }
    if (replacement.substr(at).starts_with("$$")) {
      out += '$';
      at += 2;
      continue;
    }
    const bool braces = replacement.substr(at).starts_with("${");
    const size_t begin = at + (braces ? 2 : 1);
    size_t end = begin;
    while (end < replacement.size() && IsWord(replacement[end])) {
      ++end;
    }
    const bool closed = !braces || (end < replacement.size() && replacement[end] == '}');
    if (end == begin || !closed) {
      out += replacement[at++];
      continue;
    }
    out += GroupText(re, captures, replacement.substr(begin, end - begin));
    at = braces ? end + 1 : end;
  }
  return out;
}

std::string Mapped(std::string text, bool upper) {
  for (char& c : text) {
    if (upper ? c >= 'a' && c <= 'z' : c >= 'A' && c <= 'Z') {
      c = static_cast<char>(c ^ 0x20);
    }
  }
  return text;
}

std::string Joined(const LabelMap& labels, const RelabelConfig& step) {
  std::string out;
  for (size_t i = 0; i < step.source_labels.size(); ++i) {
    out += i > 0 ? step.separator : "";
    const auto at = labels.find(step.source_labels[i]);
    out += at == labels.end() ? "" : at->second;
  }
  return out;
}

void Put(LabelMap& labels, const std::string& name, std::string value) {
  if (value.empty()) {
    labels.erase(name);
  } else {
    labels[name] = std::move(value);
  }
}

void Replace(LabelMap& labels, const RelabelConfig& step, const std::string& joined) {
  Captures captures;
  if (!Match(*step.program, joined, captures)) {
    return;
  }
  const std::string target = Expand(*step.program, captures, step.target_label);
  if (IsClassicLabelName(target)) {
    Put(labels, target, Expand(*step.program, captures, step.replacement));
  }
}

void MapNames(LabelMap& labels, const RelabelConfig& step) {
  Captures captures;
  const LabelMap before = labels;
  for (const auto& [name, value] : before) {
    if (Match(*step.program, name, captures)) {
      Put(labels, Expand(*step.program, captures, step.replacement), value);
    }
  }
}

// The last 8 bytes of the MD5, big endian. 0 on a system that forbids MD5.
uint64_t Md5Tail(std::string_view text) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned int size = 0;
  uint64_t out = 0;
  if (EVP_Digest(text.data(), text.size(), digest.data(), &size, EVP_md5(), nullptr) == 1) {
    for (size_t i = 8; i < 16; ++i) {
      out = out << 8 | digest[i];
    }
  }
  return out;
}

// False: dropped.
bool Apply(LabelMap& labels, const RelabelConfig& step) {
  using enum RelabelAction;
  const std::string joined = Joined(labels, step);
  Captures captures;
  const auto target = labels.find(step.target_label);
  const std::string_view target_value = target == labels.end() ? std::string_view() : target->second;
  switch (step.action) {
    case kKeep:
      return Match(*step.program, joined, captures);
    case kDrop:
      return !Match(*step.program, joined, captures);
    case kKeepEqual:
      return joined == target_value;
    case kDropEqual:
      return joined != target_value;
    case kReplace:
      Replace(labels, step, joined);
      return true;
    case kHashMod:
      Put(labels, step.target_label, std::to_string(Md5Tail(joined) % step.modulus));
      return true;
    case kLabelMap:
      MapNames(labels, step);
      return true;
    case kLabelDrop:
      std::erase_if(labels, [&](const auto& l) { return Match(*step.program, l.first, captures); });
      return true;
    case kLabelKeep:
      std::erase_if(labels, [&](const auto& l) { return !Match(*step.program, l.first, captures); });
      return true;
    case kLowercase:
    case kUppercase:
      Put(labels, step.target_label, Mapped(joined, step.action == kUppercase));
      return true;
  }
  return true;
}

}  // namespace

std::optional<RelabelAction> ParseRelabelAction(std::string_view text) {
  for (const auto& [name, action] : kActions) {
    if (name == text) {
      return action;
    }
  }
  return std::nullopt;
}

std::string_view ToString(RelabelAction action) {
  return kActions[static_cast<size_t>(action)].first;
}

Status RelabelConfig::Compile() {
  // For the words of the error; Regex itself shows no groups.
  if (auto checked = Regex::CompileAnchored(regex); !checked) {
    return Fail(checked.error());
  }
  re2::RE2::Options options;
  options.set_log_errors(false);
  program = std::make_shared<const re2::RE2>(fmt::format("^(?s:{})$", regex), options);
  return {};
}

std::optional<LabelMap> Relabel(LabelMap labels, const std::vector<RelabelConfig>& steps) {
  for (const RelabelConfig& step : steps) {
    if (!Apply(labels, step)) {
      return std::nullopt;
    }
  }
  return labels;
}

}  // namespace mlalert
