#include "config/yaml_reader.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <fmt/format.h>
#include <limits>

#include "model/label_set.h"

namespace mlalert {
namespace {

// Go's YAML reader cuts the value it repeats.
constexpr size_t kEchoBytesMax = 10;
constexpr size_t kEchoBytesKept = 7;

std::string Echo(const std::string& text) {
  if (text.size() <= kEchoBytesMax) {
    return fmt::format(" `{}`", text);
  }
  size_t keep = kEchoBytesKept;
  while (keep > 0 && (static_cast<unsigned char>(text[keep]) & 0xC0U) == 0x80) {
    --keep;
  }
  return fmt::format(" `{}...`", text.substr(0, keep));
}

tl::unexpected<Error> BadGoDuration(std::string_view text) {
  return Fail(ErrorCode::kInvalid, fmt::format("time: invalid duration {}", GoQuote(text)));
}

struct GoUnit {
  std::string_view name;
  double nanos;
};
constexpr std::array<GoUnit, 8> kGoUnits{{{"ns", 1},
                                          {"us", 1e3},
                                          {"\xC2\xB5s", 1e3},
                                          {"\xCE\xBCs", 1e3},
                                          {"ms", 1e6},
                                          {"s", 1e9},
                                          {"m", 60e9},
                                          {"h", 3600e9}}};

}  // namespace

Result<Duration> ParseGoDuration(std::string_view text) {
  std::string_view rest = text;
  bool negative = rest.starts_with('-');
  if (negative || rest.starts_with('+')) {
    rest.remove_prefix(1);
  }
  if (rest == "0") {
    return Duration::zero();
  }
  if (rest.empty()) {
    return BadGoDuration(text);
  }
  double total = 0;
  while (!rest.empty()) {
    size_t digits = rest.find_first_not_of("0123456789.");
    digits = digits == std::string_view::npos ? rest.size() : digits;
    double number = 0;
    auto parsed = std::from_chars(rest.data(), rest.data() + digits, number, std::chars_format::fixed);
    if (digits == 0 || parsed.ec != std::errc() || parsed.ptr != rest.data() + digits) {
      return BadGoDuration(text);
    }
    rest.remove_prefix(digits);
    size_t end = std::min(rest.find_first_of("0123456789."), rest.size());
    std::string_view name = rest.substr(0, end);
    auto unit =
        std::find_if(kGoUnits.begin(), kGoUnits.end(), [&](const GoUnit& u) { return u.name == name; });
    if (name.empty()) {
      return Fail(ErrorCode::kInvalid, fmt::format("time: missing unit in duration {}", GoQuote(text)));
    }
    if (unit == kGoUnits.end()) {
      return Fail(ErrorCode::kInvalid,
                  fmt::format("time: unknown unit {} in duration {}", GoQuote(name), GoQuote(text)));
    }
    total += number * unit->nanos;
    rest.remove_prefix(end);
  }
  if (total >= 9.2e18) {
    return BadGoDuration(text);
  }
  auto nanos = static_cast<int64_t>(total);
  return Duration(negative ? -nanos : nanos);
}

// --- YamlValue ---

YamlValue YamlValue::Child(const YamlNode& node, TextPos pos, std::string path) const {
  YamlValue child(node, *source_, *out_);
  child.pos_ = pos.line > 0 ? pos : pos_;
  child.path_ = std::move(path);
  return child;
}

YamlValue YamlValue::Inside(const SourcePos& in_text) const {
  YamlValue out = *this;
  std::string_view rest = node_->text;
  for (int i = 1; i < in_text.line && !rest.empty(); ++i) {
    rest.remove_prefix(std::min(rest.find('\n'), rest.size() - 1) + 1);
  }
  std::string_view line = rest.substr(0, rest.find('\n'));
  auto offset = static_cast<size_t>(std::max(in_text.column - 1, 0));
  if (in_text.line < 1 || line.empty() || offset > line.size()) {
    return out;
  }
  // A flow scalar begins on its own line, a block scalar on the next one.
  for (int source_line : {pos_.line + in_text.line - 1, pos_.line + in_text.line}) {
    std::string_view source = source_->Line(source_line);
    size_t at = source.find(line);
    if (at != std::string_view::npos && source.find(line, at + 1) == std::string_view::npos) {
      auto chars = std::count_if(source.begin(), source.begin() + static_cast<std::ptrdiff_t>(at + offset),
                                 [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80; });
      out.pos_ = {source_line, static_cast<int>(chars) + 1};
      return out;
    }
  }
  return out;
}

void YamlValue::Report(DiagnosticLevel level, std::string message, std::string hint) const {
  Diagnostic diagnostic;
  diagnostic.level = level;
  diagnostic.path = path_;
  diagnostic.message = std::move(message);
  diagnostic.hint = std::move(hint);
  if (out_->IsFull(level)) {
    diagnostic.where = {source_->file(), pos_.line, pos_.column};
  } else {
    source_->Locate(pos_, diagnostic);
  }
  out_->Add(std::move(diagnostic));
}

void YamlValue::Error(std::string message, std::string hint) const {
  Report(DiagnosticLevel::kError, std::move(message), std::move(hint));
}

void YamlValue::Warn(std::string message, std::string hint) const {
  Report(DiagnosticLevel::kWarning, std::move(message), std::move(hint));
}

namespace {

// The message is what Prometheus and Alertmanager say, and names a type of Go; this is for everybody else.
std::string PlainType(std::string_view go_type) {
  static constexpr std::array<std::pair<std::string_view, std::string_view>, 10> kPlain{{
      {"[]", "a list is expected here: [a, b], or one line with a dash for each"},
      {"map[", "keys with values are expected here: {key: value}"},
      {"string", "one text is expected here"},
      {"bool", "true or false is expected here"},
      {"int", "a whole number is expected here"},
      {"uint", "a whole number is expected here, not below 0"},
      {"float", "a number is expected here"},
      {"time.Duration", "a duration such as 1m30s is expected here"},
      {"config.", "keys with values are expected here: {key: value}"},
      {"ladder", "the steps stand under a key of their own: {steps: [{after: 15m, severity: P3}, ...]}"},
  }};
  for (const auto& [prefix, text] : kPlain) {
    if (go_type.starts_with(prefix)) {
      return std::string(text);
    }
  }
  return {};
}

}  // namespace

void YamlValue::WrongType(std::string_view go_type, bool secret) const {
  std::string echo = IsScalar() && !secret ? Echo(node_->text) : std::string();
  Error(fmt::format("cannot unmarshal {}{} into {}", node_->Tag(), echo, go_type), PlainType(go_type));
}

bool YamlValue::Read(std::string& out) const {
  if (IsNull()) {
    out.clear();
    return true;
  }
  if (!IsScalar()) {
    WrongType("string");
    return false;
  }
  out = node_->text;
  return true;
}

bool YamlValue::Read(Secret& out) const {
  std::string text;
  if (!Read(text)) {
    return false;
  }
  out = Secret(std::move(text));
  return true;
}

bool YamlValue::Read(bool& out) const {
  if (IsNull()) {
    out = false;
    return true;
  }
  if (!IsScalar() || !node_->plain || !ParseYamlBool(node_->text, out)) {
    WrongType("bool");
    return false;
  }
  return true;
}

namespace {

// What Go's reader puts into an integer: floats too, cut off.
bool WholeNumber(const YamlNode& node, int64_t& out) {
  if (node.kind == YamlNode::Kind::kNull) {
    out = 0;
    return true;
  }
  if (node.kind != YamlNode::Kind::kScalar || !node.plain) {
    return false;
  }
  if (ParseYamlInt(node.text, out)) {
    return true;
  }
  double real = 0;
  if (!ParseYamlFloat(node.text, real) || !(std::abs(real) < 9.2e18)) {
    return false;
  }
  out = static_cast<int64_t>(real);
  return true;
}

}  // namespace

bool YamlValue::Read(int& out) const {
  int64_t number = 0;
  if (!WholeNumber(*node_, number) || number > std::numeric_limits<int>::max() ||
      number < std::numeric_limits<int>::min()) {
    WrongType("int");
    return false;
  }
  out = static_cast<int>(number);
  return true;
}

bool YamlValue::Read(int64_t& out) const {
  int64_t number = 0;
  if (!WholeNumber(*node_, number)) {
    WrongType("int64");
    return false;
  }
  out = number;
  return true;
}

bool YamlValue::Read(uint64_t& out) const {
  int64_t number = 0;
  if (!WholeNumber(*node_, number) || number < 0) {
    WrongType("uint64");
    return false;
  }
  out = static_cast<uint64_t>(number);
  return true;
}

bool YamlValue::Read(double& out) const {
  int64_t number = 0;
  double real = 0;
  if (IsNull()) {
    out = 0;
    return true;
  }
  if (IsScalar() && node_->plain && ParseYamlInt(node_->text, number)) {
    out = static_cast<double>(number);
    return true;
  }
  if (!IsScalar() || !node_->plain || !ParseYamlFloat(node_->text, real)) {
    WrongType("float64");
    return false;
  }
  out = real;
  return true;
}

bool YamlValue::Read(std::optional<bool>& out) const {
  bool flag = false;
  if (IsNull()) {
    out.reset();
    return true;
  }
  if (!Read(flag)) {
    return false;
  }
  out = flag;
  return true;
}

bool YamlValue::Read(Duration& out) const {
  if (IsNull()) {
    out = Duration::zero();
    return true;
  }
  std::string text;
  if (!Read(text)) {
    return false;
  }
  auto parsed = ParseDuration(text);
  if (!parsed) {
    bool bare_number = !text.empty() && text.find_first_not_of("0123456789") == std::string::npos;
    Error(std::move(parsed.error().message),
          bare_number ? fmt::format("a unit is missing: \"{0}s\" or \"{0}m\"", text) : std::string());
    return false;
  }
  out = *parsed;
  return true;
}

bool YamlValue::ReadGoDuration(Duration& out) const {
  int64_t nanos = 0;
  if (WholeNumber(*node_, nanos)) {
    out = Duration(nanos);
    return true;
  }
  auto parsed = IsScalar() ? ParseGoDuration(node_->text) : Fail(ErrorCode::kInvalid, "");
  if (!parsed) {
    WrongType("time.Duration");
    return false;
  }
  out = *parsed;
  return true;
}

std::vector<YamlValue> YamlValue::Items(std::string_view go_type) const {
  std::vector<YamlValue> out;
  if (IsNull()) {
    return out;
  }
  if (node_->kind != YamlNode::Kind::kSequence) {
    WrongType(go_type);
    return out;
  }
  out.reserve(node_->items.size());
  for (size_t i = 0; i < node_->items.size(); ++i) {
    const YamlNode& item = *node_->items[i];
    out.push_back(Child(item, item.pos, fmt::format("{}[{}]", path_, i)));
  }
  return out;
}

bool YamlValue::Read(std::vector<std::string>& out) const {
  if (!IsNull() && node_->kind != YamlNode::Kind::kSequence) {
    WrongType("[]string");
    return false;
  }
  std::vector<std::string> texts;
  bool good = true;
  for (const YamlValue& item : Items("[]string")) {
    good = item.Read(texts.emplace_back()) && good;
  }
  if (good) {
    out = std::move(texts);
  }
  return good;
}

bool YamlValue::Read(std::map<std::string, std::string>& out) const {
  if (!IsNull() && node_->kind != YamlNode::Kind::kMap) {
    WrongType("map[string]string");
    return false;
  }
  std::map<std::string, std::string> texts;
  bool good = true;
  for (const auto& entry : node_->entries) {
    YamlValue value = Child(*entry.value, entry.value->pos, fmt::format("{}.{}", path_, entry.key));
    good = value.Read(texts[entry.key]) && good;
  }
  if (good) {
    out = std::move(texts);
  }
  return good;
}

// --- YamlMap ---

YamlMap::YamlMap(const YamlValue& value, std::string_view go_type)
    : value_(value), go_type_(go_type), errors_before_(value.error_count()) {
  if (!value.IsNull() && value.node().kind != YamlNode::Kind::kMap) {
    value.WrongType(go_type);
  }
}

std::optional<YamlValue> YamlMap::Take(std::string_view key) {
  known_.push_back(key);
  const YamlNode::Entry* entry = value_.node().Find(key);
  if (entry == nullptr) {
    return std::nullopt;
  }
  bool is_null = entry->value->kind == YamlNode::Kind::kNull;
  std::string path = value_.path().empty() ? std::string(key) : fmt::format("{}.{}", value_.path(), key);
  return value_.Child(*entry->value, is_null ? entry->key_pos : entry->value->pos, std::move(path));
}

std::optional<YamlValue> YamlMap::TakeSet(std::string_view key) {
  auto found = Take(key);
  return found && !found->IsNull() ? found : std::nullopt;
}

YamlValue YamlMap::At(std::string_view key) const {
  const YamlNode::Entry* entry = value_.node().Find(key);
  if (entry == nullptr) {
    return value_;
  }
  return value_.Child(*entry->value, entry->key_pos,
                      value_.path().empty() ? std::string(key) : fmt::format("{}.{}", value_.path(), key));
}

bool YamlMap::ReadGoDuration(std::string_view key, Duration& out) {
  auto found = Take(key);
  return found && found->ReadGoDuration(out);
}

void YamlMap::Finish() {
  for (const auto& entry : value_.node().entries) {
    if (std::find(known_.begin(), known_.end(), entry.key) != known_.end()) {
      continue;
    }
    // Not through At(), which looks the key up: a hostile map may have very many.
    YamlValue at =
        value_.Child(*entry.value, entry.key_pos,
                     value_.path().empty() ? entry.key : fmt::format("{}.{}", value_.path(), entry.key));
    at.Error(fmt::format("field {} not found in type {}", entry.key, go_type_),
             at.IsFull() ? std::string() : DidYouMean(entry.key, known_));
  }
}

}  // namespace mlalert
