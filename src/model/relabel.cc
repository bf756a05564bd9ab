#include "model/relabel.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <openssl/evp.h>

#include "base/regex_groups.h"

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

using Captures = std::vector<std::string_view>;

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
  if (!MatchGroups(*step.program, joined, captures)) {
    return;
  }
  const std::string target = ExpandGroups(*step.program, captures, step.target_label);
  if (IsClassicLabelName(target)) {
    Put(labels, target, ExpandGroups(*step.program, captures, step.replacement));
  }
}

void MapNames(LabelMap& labels, const RelabelConfig& step) {
  Captures captures;
  const LabelMap before = labels;
  for (const auto& [name, value] : before) {
    if (MatchGroups(*step.program, name, captures)) {
      Put(labels, ExpandGroups(*step.program, captures, step.replacement), value);
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
      return MatchGroups(*step.program, joined, captures);
    case kDrop:
      return !MatchGroups(*step.program, joined, captures);
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
      std::erase_if(labels, [&](const auto& l) { return MatchGroups(*step.program, l.first, captures); });
      return true;
    case kLabelKeep:
      std::erase_if(labels, [&](const auto& l) { return !MatchGroups(*step.program, l.first, captures); });
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
  MLALERT_ASSIGN(program, CompileWithGroups(regex));
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
