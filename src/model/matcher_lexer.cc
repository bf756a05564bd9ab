#include "model/matcher_lexer.h"

#include <algorithm>
#include <fmt/format.h>

#include "base/json.h"

namespace mlalert {
namespace {

// Length of the character that starts at `pos`; 1 on a bad lead byte, so that a scan always moves on.
size_t CharLength(std::string_view text, size_t pos) {
  auto lead = static_cast<unsigned char>(text[pos]);
  size_t length = lead < 0x80 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
  return std::min(length, text.size() - pos);
}

char32_t CharAt(std::string_view text, size_t pos) {
  size_t length = CharLength(text, pos);
  auto byte = [&](size_t i) { return static_cast<unsigned char>(text[pos + i]); };
  if (length == 1) {
    return byte(0);
  }
  char32_t c = byte(0) & (0xFFU >> (length + 1));
  for (size_t i = 1; i < length; ++i) {
    c = (c << 6) | (byte(i) & 0x3FU);
  }
  return c;
}

// Go's unicode.IsSpace.
bool IsSpace(char32_t c) {
  return (c >= '\t' && c <= '\r') || c == ' ' || c == 0x85 || c == 0xA0 || c == 0x1680 ||
         (c >= 0x2000 && c <= 0x200A) || c == 0x2028 || c == 0x2029 || c == 0x202F || c == 0x205F ||
         c == 0x3000;
}

bool IsReserved(char32_t c) {
  return IsSpace(c) ||
         (c < 0x80 && std::string_view("{}!=~,\\\"'`").find(static_cast<char>(c)) != std::string_view::npos);
}

void AppendUtf8(std::string& out, char32_t c) {
  auto put = [&](char32_t byte) { out += static_cast<char>(static_cast<unsigned char>(byte)); };
  if (c < 0x80) {
    put(c);
  } else if (c < 0x800) {
    put(0xC0 | (c >> 6));
    put(0x80 | (c & 0x3F));
  } else if (c < 0x10000) {
    put(0xE0 | (c >> 12));
    put(0x80 | ((c >> 6) & 0x3F));
    put(0x80 | (c & 0x3F));
  } else {
    put(0xF0 | (c >> 18));
    put(0x80 | ((c >> 12) & 0x3F));
    put(0x80 | ((c >> 6) & 0x3F));
    put(0x80 | (c & 0x3F));
  }
}

// Reads `count` digits of `base` at `pos`; false when there are fewer.
bool ReadNumber(std::string_view text, size_t& pos, size_t count, uint32_t base, uint32_t& value) {
  value = 0;
  for (size_t i = 0; i < count; ++i, ++pos) {
    if (pos >= text.size()) {
      return false;
    }
    char c = text[pos];
    uint32_t digit = 99;
    if (c >= '0' && c <= '9') {
      digit = static_cast<uint32_t>(c - '0');
    } else if (c >= 'a' && c <= 'f') {
      digit = static_cast<uint32_t>(c - 'a') + 10;
    } else if (c >= 'A' && c <= 'F') {
      digit = static_cast<uint32_t>(c - 'A') + 10;
    }
    if (digit >= base) {
      return false;
    }
    value = value * base + digit;
  }
  return true;
}

// `pos` stands behind the backslash.
bool ReadEscape(std::string_view body, size_t& pos, std::string& out) {
  static constexpr std::string_view kLetters = "abfnrtv\\\"";
  static constexpr std::string_view kMeanings = "\a\b\f\n\r\t\v\\\"";
  if (pos >= body.size()) {
    return false;
  }
  char c = body[pos];
  uint32_t value = 0;
  if (size_t i = kLetters.find(c); i != std::string_view::npos) {
    out += kMeanings[i];
    ++pos;
    return true;
  }
  if (c >= '0' && c <= '7') {
    if (!ReadNumber(body, pos, 3, 8, value) || value > 255) {
      return false;
    }
    out += static_cast<char>(static_cast<unsigned char>(value));
    return true;
  }
  ++pos;
  if (c == 'x') {
    if (!ReadNumber(body, pos, 2, 16, value)) {
      return false;
    }
    out += static_cast<char>(static_cast<unsigned char>(value));
    return true;
  }
  if (c == 'u' || c == 'U') {
    if (!ReadNumber(body, pos, c == 'u' ? 4 : 8, 16, value) || value > 0x10FFFF ||
        (value >= 0xD800 && value <= 0xDFFF)) {
      return false;
    }
    AppendUtf8(out, value);
    return true;
  }
  return false;
}

}  // namespace

void MatcherLexer::Advance() {
  pos_ += CharLength(text_, pos_);
  ++column_;
}

MatcherToken MatcherLexer::Emit(MatcherToken::Kind kind, MatchOp op) const {
  return {kind, op, text_.substr(start_, pos_ - start_), column_start_, column_};
}

Error MatcherLexer::Problem(std::string_view what) const {
  return Error{
      ErrorCode::kInvalid,
      fmt::format("{}:{}: {}: {}", column_start_, column_, text_.substr(start_, pos_ - start_), what),
      {},
      {}};
}

Result<MatcherToken> MatcherLexer::Peek() {
  if (!peeked_) {
    peeked_ = Scan();
  }
  return *peeked_;
}

Result<MatcherToken> MatcherLexer::Next() {
  Result<MatcherToken> out = Peek();
  if (out) {
    peeked_.reset();  // an error stays: nothing behind it can be read
  }
  return out;
}

Result<MatcherToken> MatcherLexer::Scan() {
  using Kind = MatcherToken::Kind;
  while (pos_ < text_.size() && IsSpace(CharAt(text_, pos_))) {
    Advance();
  }
  start_ = pos_;
  column_start_ = column_;
  if (pos_ == text_.size()) {
    return Emit(Kind::kEnd);
  }
  char c = text_[pos_];
  if (c == '=' || c == '!') {
    return ScanOperator();
  }
  if (c == '"') {
    return ScanQuoted();
  }
  if (!IsReserved(CharAt(text_, pos_))) {
    return ScanUnquoted();
  }
  Advance();
  switch (c) {
    case '{':
      return Emit(Kind::kOpenBrace);
    case '}':
      return Emit(Kind::kCloseBrace);
    case ',':
      return Emit(Kind::kComma);
    default:
      return Fail(Problem("invalid input"));
  }
}

Result<MatcherToken> MatcherLexer::ScanOperator() {
  bool negative = text_[pos_] == '!';
  Advance();
  char next = pos_ < text_.size() ? text_[pos_] : '\0';
  if (next == '~' || (negative && next == '=')) {
    Advance();
    if (next == '~') {
      return Emit(MatcherToken::Kind::kOperator, negative ? MatchOp::kNotRegex : MatchOp::kRegex);
    }
    return Emit(MatcherToken::Kind::kOperator, MatchOp::kNotEqual);
  }
  if (negative) {
    return Fail(Problem("expected one of '=~'"));
  }
  return Emit(MatcherToken::Kind::kOperator, MatchOp::kEqual);
}

Result<MatcherToken> MatcherLexer::ScanQuoted() {
  Advance();
  bool escaped = false;
  while (pos_ < text_.size()) {
    char c = text_[pos_];
    Advance();
    if (escaped) {
      escaped = false;
    } else if (c == '\\') {
      escaped = true;
    } else if (c == '"') {
      return Emit(MatcherToken::Kind::kQuoted);
    }
  }
  return Fail(Problem("missing end \""));
}

MatcherToken MatcherLexer::ScanUnquoted() {
  while (pos_ < text_.size() && !IsReserved(CharAt(text_, pos_))) {
    Advance();
  }
  return Emit(MatcherToken::Kind::kUnquoted);
}

bool GoUnquote(std::string_view literal, std::string& out) {
  if (literal.size() < 2 || literal.front() != '"' || literal.back() != '"') {
    return false;
  }
  std::string_view body = literal.substr(1, literal.size() - 2);
  out.clear();
  size_t pos = 0;
  while (pos < body.size()) {
    char c = body[pos];
    if (c == '"' || c == '\n') {
      return false;
    }
    ++pos;
    if (c != '\\') {
      out += c;
    } else if (!ReadEscape(body, pos, out)) {
      return false;
    }
  }
  return IsValidUtf8(out);
}

bool HasReservedCharacter(std::string_view text) {
  for (size_t pos = 0; pos < text.size(); pos += CharLength(text, pos)) {
    if (IsReserved(CharAt(text, pos))) {
      return true;
    }
  }
  return false;
}

std::string_view TrimUnicodeSpace(std::string_view text) {
  while (!text.empty() && IsSpace(CharAt(text, 0))) {
    text.remove_prefix(CharLength(text, 0));
  }
  while (!text.empty()) {
    size_t last = text.size() - 1;
    while (last > 0 && (static_cast<unsigned char>(text[last]) & 0xC0U) == 0x80) {
      --last;
    }
    if (!IsSpace(CharAt(text, last))) {
      break;
    }
    text.remove_suffix(text.size() - last);
  }
  return text;
}

}  // namespace mlalert
