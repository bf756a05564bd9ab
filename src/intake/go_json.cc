#include "intake/go_json.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <fmt/format.h>
#include <vector>

#include "base/json_equal_keys.h"
#include "base/time.h"
#include "model/label_set.h"

namespace mlalert {
namespace {

bool IsSpace(char c) {
  return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}
bool IsDigit(char c) {
  return c >= '0' && c <= '9';
}

std::string QuoteChar(char c) {
  if (c == '\'') {
    return R"('\'')";
  }
  if (c == '"') {
    return R"('"')";
  }
  // Go takes a byte beyond ASCII for the character of that number.
  std::string text(1, c);
  if (const auto byte = static_cast<unsigned char>(c); byte >= 0x80) {
    text = {static_cast<char>(0xC0 | (byte >> 6)), static_cast<char>(0x80 | (byte & 0x3F))};
  }
  std::string quoted = GoQuote(text);
  return "'" + quoted.substr(1, quoted.size() - 2) + "'";
}

// encoding/json's scanner, which looks for the end of the first value before anything is decoded.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : text_(text) {}

  std::optional<std::string> Run() {
    Value();
    return std::move(error_);
  }
  // Behind the value.
  size_t end() const { return at_; }

 private:
  bool Fail(std::string_view context) {
    if (!error_) {
      error_ = at_ < text_.size() ? fmt::format("invalid character {} {}", QuoteChar(text_[at_]), context)
                                  : std::string("unexpected EOF");
    }
    return false;
  }
  void Spaces() {
    while (at_ < text_.size() && IsSpace(text_[at_])) {
      ++at_;
    }
  }
  bool Is(char c) const { return at_ < text_.size() && text_[at_] == c; }

  // Without recursion: the text may be nested as deeply as its sender likes.
  bool Value() {
    std::vector<char> open;
    for (;;) {
      if (!OneValue(open)) {
        return false;
      }
      if (entered_) {
        continue;
      }
      // A value has ended: what follows belongs to whatever it stands in.
      for (;;) {
        if (open.empty()) {
          return true;
        }
        Spaces();
        if (open.back() == '[') {
          if (Is(',')) {
            ++at_;
            break;
          }
          if (!Is(']')) {
            return Fail("after array element");
          }
        } else {
          if (Is(',')) {
            ++at_;
            Spaces();
            if (!Key("looking for beginning of object key string")) {
              return false;
            }
            break;
          }
          if (!Is('}')) {
            return Fail("after object key:value pair");
          }
        }
        ++at_;
        open.pop_back();
      }
    }
  }

  bool OneValue(std::vector<char>& open) {
    entered_ = false;
    Spaces();
    if (Is('{') || Is('[')) {
      const char bracket = text_[at_++];
      Spaces();
      if (Is(bracket == '{' ? '}' : ']')) {
        ++at_;
        return true;
      }
      open.push_back(bracket);
      entered_ = true;
      return bracket == '[' || Key("looking for beginning of object key string");
    }
    if (Is('"')) {
      return String();
    }
    if (Is('-') || (at_ < text_.size() && IsDigit(text_[at_]))) {
      return Number();
    }
    for (std::string_view word : {"true", "false", "null"}) {
      if (Is(word[0])) {
        return Word(word);
      }
    }
    return Fail("looking for beginning of value");
  }

  bool Key(std::string_view context) {
    if (!Is('"')) {
      return Fail(context);
    }
    if (!String()) {
      return false;
    }
    Spaces();
    if (!Is(':')) {
      return Fail("after object key");
    }
    ++at_;
    return true;
  }

  bool String() {
    for (++at_; at_ < text_.size(); ++at_) {
      const char c = text_[at_];
      if (c == '"') {
        ++at_;
        return true;
      }
      if (static_cast<unsigned char>(c) < ' ') {
        return Fail("in string literal");
      }
      if (c != '\\') {
        continue;
      }
      if (++at_ == text_.size()) {
        break;
      }
      if (text_[at_] == 'u') {
        for (int i = 0; i < 4; ++i) {
          if (++at_ == text_.size() || std::isxdigit(static_cast<unsigned char>(text_[at_])) == 0) {
            return Fail("in \\u hexadecimal character escape");
          }
        }
      } else if (std::string_view("bfnrt\\/\"").find(text_[at_]) == std::string_view::npos) {
        return Fail("in string escape code");
      }
    }
    return Fail("");
  }

  bool Digits() {
    const size_t begin = at_;
    while (at_ < text_.size() && IsDigit(text_[at_])) {
      ++at_;
    }
    return at_ > begin;
  }

  bool Number() {
    at_ += Is('-') ? 1 : 0;
    if (Is('0')) {
      ++at_;
    } else if (!Digits()) {
      return Fail("in numeric literal");
    }
    if (Is('.')) {
      ++at_;
      if (!Digits()) {
        return Fail("after decimal point in numeric literal");
      }
    }
    if (Is('e') || Is('E')) {
      ++at_;
      at_ += Is('+') || Is('-') ? 1 : 0;
      if (!Digits()) {
        return Fail("in exponent of numeric literal");
      }
    }
    return true;
  }

  bool Word(std::string_view word) {
    for (char c : word) {
      if (!Is(c)) {
        return Fail(fmt::format("in literal {} (expecting {})", word, QuoteChar(c)));
      }
      ++at_;
    }
    return true;
  }

  std::string_view text_;
  size_t at_ = 0;
  bool entered_ = false;
  std::optional<std::string> error_;
};

std::string_view GoType(const Json& json) {
  return json.is_bool()     ? "bool"
         : json.is_number() ? "number"
         : json.is_string() ? "string"
         : json.is_array()  ? "array"
                            : "object";
}

std::string WrongField(const Json& got, std::string_view field, std::string_view type) {
  return fmt::format("json: cannot unmarshal {} into Go struct field {} of type {}", GoType(got), field,
                     type);
}

std::optional<std::string> LabelsError(const Json& value, std::string_view field) {
  if (value.is_null()) {
    return std::nullopt;
  }
  if (!value.is_object()) {
    return WrongField(value, field, "models.LabelSet");
  }
  for (const auto& [name, text] : value.AsObject()) {
    if (!text.is_string() && !text.is_null()) {
      return WrongField(text, fmt::format("{}.{}", field, name), "string");
    }
  }
  return std::nullopt;
}

// A wrong type is told when the whole object has been read, a time that is none at once.
std::optional<std::string> AlertError(const Json& alert) {
  if (alert.is_null()) {
    return std::nullopt;
  }
  if (!alert.is_object()) {
    return fmt::format(
        "json: cannot unmarshal {} into Go value of type struct {{ Annotations models.LabelSet "
        "\"json:\\\"annotations,omitempty\\\"\"; EndsAt strfmt.DateTime \"json:\\\"endsAt,omitempty\\\"\"; "
        "StartsAt strfmt.DateTime \"json:\\\"startsAt,omitempty\\\"\" }}",
        GoType(alert));
  }
  // The model is made of two parts, decoded one after the other.
  std::optional<std::string> first;
  for (const auto& [name, value] : alert.AsObject()) {
    if (GoSameKey("annotations", name) && !first) {
      first = LabelsError(value, ".annotations");
    }
    for (std::string_view key : {"endsAt", "startsAt"}) {
      if (!GoSameKey(key, name) || value.is_null()) {
        continue;
      }
      if (!value.is_string()) {
        return WrongField(value, fmt::format(".{}", key), "string");
      }
      if (!value.AsString().empty() && !ParseApiTime(value.AsString())) {
        return GoDateTimeError(value.AsString());
      }
    }
  }
  if (first) {
    return first;
  }
  for (const auto& [name, value] : alert.AsObject()) {
    if (GoSameKey("generatorURL", name) && !value.is_string() && !value.is_null()) {
      return WrongField(value, "Alert.generatorURL", "string");
    }
    if (GoSameKey("labels", name) && !first) {
      first = LabelsError(value, "Alert.labels");
    }
  }
  return first;
}

// Go's time package quotes on its own: nothing beyond ASCII.
std::string QuoteTimeText(std::string_view text) {
  std::string out = "\"";
  for (char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x80 || byte < ' ') {
      out += fmt::format("\\x{:02x}", byte);
      continue;
    }
    if (c == '"' || c == '\\') {
      out += '\\';
    }
    out += c;
  }
  return out + '"';
}

int HexValue(char c) {
  return IsDigit(c) ? c - '0' : (c | 0x20) - 'a' + 10;
}

// The code unit of the escape \uXXXX at `at`; -1 when there is none.
int EscapedUnit(std::string_view text, size_t at) {
  if (text.substr(at, 2) != "\\u" || text.size() - at < 6) {
    return -1;
  }
  int unit = 0;
  for (size_t i = at + 2; i < at + 6; ++i) {
    if (std::isxdigit(static_cast<unsigned char>(text[i])) == 0) {
      return -1;
    }
    unit = unit * 16 + HexValue(text[i]);
  }
  return unit;
}

}  // namespace

bool IsBlankJson(std::string_view text) {
  return std::all_of(text.begin(), text.end(), IsSpace);
}

bool GoSameKey(std::string_view field, std::string_view key) {
  size_t at = 0;
  for (char c : field) {
    const auto lower = static_cast<char>(c | 0x20);  // fields are made of letters
    std::string_view rest = key.substr(at);
    if (!rest.empty() && static_cast<char>(rest[0] | 0x20) == lower) {
      at += 1;
    } else if (lower == 's' && rest.starts_with("\xC5\xBF")) {
      at += 2;
    } else if (lower == 'k' && rest.starts_with("\xE2\x84\xAA")) {
      at += 3;
    } else {
      return false;
    }
  }
  return at == key.size();
}

void ReplaceLoneSurrogates(std::string& text) {
  for (size_t at = text.find('\\'); at != std::string::npos; at = text.find('\\', at)) {
    const int unit = EscapedUnit(text, at);
    if (unit < 0) {
      at += 2;  // another escape, or one that the parser refuses
      continue;
    }
    const bool high = unit >= 0xD800 && unit < 0xDC00;
    const bool low = unit >= 0xDC00 && unit < 0xE000;
    const int next = high ? EscapedUnit(text, at + 6) : -1;
    if (next >= 0xDC00 && next < 0xE000) {
      at += 12;
      continue;
    }
    if (high || low) {
      text.replace(at, 6, "\\ufffd");
    }
    at += 6;
  }
}

void ReplaceInvalidUtf8(std::string& text) {
  std::string good;
  good.reserve(text.size() + 16);
  for (size_t at = 0; at < text.size();) {
    // No sequence is longer than four bytes.
    size_t length = 1;
    while (length <= 4 && at + length <= text.size() &&
           !IsValidUtf8(std::string_view(text).substr(at, length))) {
      ++length;
    }
    if (length > 4 || at + length > text.size()) {
      good += "\xEF\xBF\xBD";
      at += 1;
    } else {
      good.append(text, at, length);
      at += length;
    }
  }
  text = std::move(good);
}

std::string AsGoReads(std::string_view text) {
  Scanner scanner(text);
  std::string value(scanner.Run() ? text : text.substr(0, scanner.end()));
  if (MayEscapeSurrogates(value)) {
    ReplaceLoneSurrogates(value);
  }
  if (!IsValidUtf8(value)) {
    ReplaceInvalidUtf8(value);
  }
  return value;
}

std::optional<std::string> GoJsonSyntaxError(std::string_view text) {
  return Scanner(text).Run();
}

Result<Timestamp> ParseApiTime(std::string_view text, int* offset_minutes) {
  auto time = ParseRfc3339(text, offset_minutes);
  constexpr int kLastYear = 2261;
  int year = 0;
  std::from_chars(text.data(), text.data() + std::min<size_t>(4, text.size()), year);
  if (!time && year > kLastYear) {
    std::string nearer = "2260" + std::string(text.substr(4));
    if (nearer.starts_with("2260-02-29") || ParseRfc3339(nearer, offset_minutes)) {
      return kNever;
    }
  }
  return time;
}

std::string GoDateTimeError(std::string_view text) {
  constexpr size_t kShownBytesMax = 256;
  text = text.substr(0, kShownBytesMax);
  const std::string begin = "parsing time " + QuoteTimeText(text);
  std::string_view rest = text;
  // Go's time.Parse with the layout "2006-01-02".
  auto cannot = [&](std::string_view part) {
    return fmt::format("{} as \"2006-01-02\": cannot parse {} as {}", begin, QuoteTimeText(rest),
                       QuoteTimeText(part));
  };
  auto digits = [&](size_t count) {
    return rest.size() >= count &&
           std::all_of(rest.begin(), rest.begin() + static_cast<ptrdiff_t>(count), IsDigit);
  };
  auto number = [&](size_t count) {
    int value = 0;
    for (size_t i = 0; i < count; ++i) {
      value = value * 10 + (rest[i] - '0');
    }
    rest.remove_prefix(count);
    return value;
  };
  if (!digits(1) || rest.size() < 4) {
    return cannot("2006");
  }
  if (!digits(4)) {
    rest.remove_prefix(4);  // Go has taken them by then
    return cannot("2006");
  }
  rest.remove_prefix(4);
  int month = 0;
  int day = 0;
  for (auto [value, layout] : {std::pair(&month, "01"), std::pair(&day, "02")}) {
    if (!rest.starts_with('-')) {
      return cannot("-");
    }
    rest.remove_prefix(1);
    if (!digits(2)) {
      return cannot(layout);
    }
    *value = number(2);
    if (value == &month && (month < 1 || month > 12)) {
      return begin + ": month out of range";
    }
  }
  if (!rest.empty()) {
    return begin + ": extra text: " + QuoteTimeText(rest);
  }
  return begin + ": day out of range";
}

std::optional<std::string> GoAlertsTypeError(std::string_view text) {
  auto json = ParseJsonWithEqualKeys(AsGoReads(text));
  if (!json || json->is_null()) {
    return std::nullopt;
  }
  if (!json->is_array()) {
    return fmt::format("json: cannot unmarshal {} into Go value of type models.PostableAlerts",
                       GoType(*json));
  }
  for (const Json& alert : json->AsArray()) {
    if (auto error = AlertError(alert)) {
      return error;
    }
  }
  return std::nullopt;
}

}  // namespace mlalert
