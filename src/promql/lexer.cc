#include "promql/lexer.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>

#include "promql/go_text.h"

namespace mlalert::promql {
namespace {

bool IsSpace(int32_t r) {
  return r == ' ' || r == '\t' || r == '\n' || r == '\r';
}
bool IsDigit(int32_t r) {
  return r >= '0' && r <= '9';
}
bool IsAlpha(int32_t r) {
  return r == '_' || (r >= 'a' && r <= 'z') || (r >= 'A' && r <= 'Z');
}
bool IsAlphaNumeric(int32_t r) {
  return IsAlpha(r) || IsDigit(r);
}

struct Keyword {
  std::string_view text;
  TokenType type;
};
constexpr std::array<Keyword, 30> kKeywords{{{"and", TokenType::kAnd},
                                             {"or", TokenType::kOr},
                                             {"unless", TokenType::kUnless},
                                             {"atan2", TokenType::kAtan2},
                                             {"sum", TokenType::kSum},
                                             {"avg", TokenType::kAvg},
                                             {"count", TokenType::kCount},
                                             {"min", TokenType::kMin},
                                             {"max", TokenType::kMax},
                                             {"group", TokenType::kGroup},
                                             {"stddev", TokenType::kStddev},
                                             {"stdvar", TokenType::kStdvar},
                                             {"topk", TokenType::kTopK},
                                             {"bottomk", TokenType::kBottomK},
                                             {"count_values", TokenType::kCountValues},
                                             {"quantile", TokenType::kQuantile},
                                             {"limitk", TokenType::kLimitK},
                                             {"limit_ratio", TokenType::kLimitRatio},
                                             {"offset", TokenType::kOffset},
                                             {"by", TokenType::kBy},
                                             {"without", TokenType::kWithout},
                                             {"on", TokenType::kOn},
                                             {"ignoring", TokenType::kIgnoring},
                                             {"group_left", TokenType::kGroupLeft},
                                             {"group_right", TokenType::kGroupRight},
                                             {"bool", TokenType::kBool},
                                             {"start", TokenType::kStart},
                                             {"end", TokenType::kEnd},
                                             {"inf", TokenType::kNumber},
                                             {"nan", TokenType::kNumber}}};

// Keywords are told apart from names without regard to case.
TokenType WordType(std::string_view word) {
  std::string lower(word);
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  for (const auto& keyword : kKeywords) {
    if (keyword.text == lower) {
      return keyword.type;
    }
  }
  return word.find(':') == std::string_view::npos ? TokenType::kIdentifier : TokenType::kMetricIdentifier;
}

int DigitValue(int32_t r) {
  if (IsDigit(r)) {
    return r - '0';
  }
  if (r >= 'a' && r <= 'f') {
    return r - 'a' + 10;
  }
  if (r >= 'A' && r <= 'F') {
    return r - 'A' + 10;
  }
  return 16;
}

}  // namespace

std::string DescribeToken(const Token& token) {
  constexpr int kShownRunes = 10;
  if (token.type == TokenType::kEof) {
    return "end of input";
  }
  if (IsKeywordToken(token.type)) {
    return fmt::format("<{}>", token.text);
  }
  if (IsOperatorToken(token.type)) {
    return fmt::format("<op:{}>", token.text);
  }
  if (IsAggregatorToken(token.type)) {
    return fmt::format("<aggr:{}>", token.text);
  }
  if (token.type == TokenType::kIdentifier) {
    return "identifier " + GoQuote(token.text);
  }
  if (token.type == TokenType::kMetricIdentifier) {
    return "metric identifier " + GoQuote(token.text);
  }
  std::string shown =
      token.text.size() > kShownRunes ? GoQuoteCut(token.text, kShownRunes) + "..." : GoQuote(token.text);
  switch (token.type) {
    case TokenType::kString:
      return "string " + shown;
    case TokenType::kNumber:
      return "number " + shown;
    case TokenType::kDuration:
      return "duration " + shown;
    default:
      return shown;
  }
}

int32_t Lexer::Advance() {
  if (pos_ >= text_.size()) {
    width_ = 0;
    return kEofRune;
  }
  int32_t rune = DecodeRune(text_.substr(pos_), &width_);
  pos_ += width_;
  return rune;
}

int32_t Lexer::Peek() const {
  size_t width = 0;
  return pos_ < text_.size() ? DecodeRune(text_.substr(pos_), &width) : kEofRune;
}

bool Lexer::PeekIn(std::string_view set) const {
  return pos_ < text_.size() && set.find(text_[pos_]) != std::string_view::npos;
}

bool Lexer::Accept(std::string_view set) {
  if (!PeekIn(set)) {
    return false;
  }
  Advance();
  return true;
}

Token Lexer::Emit(TokenType type) {
  Token token{type, start_, text_.substr(start_, pos_ - start_)};
  start_ = pos_;
  return token;
}

Token Lexer::Fail(std::string message) {
  error_ = std::move(message);
  return Token{TokenType::kError, start_, {}};
}

Token Lexer::Next() {
  if (expect_duration_) {
    while (IsSpace(Peek())) {
      Advance();
    }
    start_ = pos_;
    expect_duration_ = false;
    return NumberOrDuration();
  }
  for (;;) {
    int32_t r = Peek();
    if (IsSpace(r)) {
      Advance();
    } else if (r == '#') {
      while (r != '\n' && r != '\r' && r != kEofRune) {
        r = Advance();
      }
    } else {
      break;
    }
  }
  start_ = pos_;
  return brace_open_ ? InBraces() : InExpression();
}

Token Lexer::InExpression() {
  int32_t r = Advance();
  if (r == kEofRune) {
    if (paren_depth_ != 0) {
      return Fail("unclosed left parenthesis");
    }
    return bracket_open_ ? Fail("unclosed left bracket") : Emit(TokenType::kEof);
  }
  if (r == '"' || r == '\'' || r == '`') {
    return String(static_cast<char>(r));
  }
  if (IsDigit(r) || (r == '.' && IsDigit(Peek()))) {
    Backup();
    return NumberOrDuration();
  }
  if (!IsAlpha(r) && r != ':') {
    return Symbol(r);
  }
  if (!bracket_open_) {
    Backup();
    return KeywordOrIdentifier();
  }
  if (r != ':') {
    return Fail(fmt::format("unexpected character: {}, expected ':'", GoQuoteRune(r)));
  }
  if (got_colon_) {
    return Fail("unexpected colon ':'");
  }
  got_colon_ = true;
  return Emit(TokenType::kColon);
}

// `r` has been read.
Token Lexer::Symbol(int32_t r) {
  switch (r) {
    case ',':
      return Emit(TokenType::kComma);
    case '*':
      return Emit(TokenType::kMul);
    case '/':
      return Emit(TokenType::kDiv);
    case '%':
      return Emit(TokenType::kMod);
    case '+':
      return Emit(TokenType::kAdd);
    case '-':
      return Emit(TokenType::kSub);
    case '^':
      return Emit(TokenType::kPow);
    case '@':
      return Emit(TokenType::kAt);
    case '=':
      if (Peek() == '~') {
        return Fail("unexpected character after '=': '~'");
      }
      return Accept("=") ? Emit(TokenType::kEqlC) : Emit(TokenType::kEql);
    case '!':
      if (int32_t next = Advance(); next != '=') {
        return Fail("unexpected character after '!': " + GoQuoteRune(next));
      }
      return Emit(TokenType::kNeq);
    case '<':
      return Accept("=") ? Emit(TokenType::kLte) : Emit(TokenType::kLss);
    case '>':
      return Accept("=") ? Emit(TokenType::kGte) : Emit(TokenType::kGtr);
    default:
      return Bracket(r);
  }
}

Token Lexer::Bracket(int32_t r) {
  switch (r) {
    case '(':
      ++paren_depth_;
      return Emit(TokenType::kLeftParen);
    case ')': {
      Token token = Emit(TokenType::kRightParen);
      return --paren_depth_ < 0 ? Fail("unexpected right parenthesis ')'") : token;
    }
    case '{':
      brace_open_ = true;
      return Emit(TokenType::kLeftBrace);
    case '[':
      if (bracket_open_) {
        return Fail("unexpected left bracket '['");
      }
      bracket_open_ = true;
      got_colon_ = false;
      expect_duration_ = true;
      return Emit(TokenType::kLeftBracket);
    case ']':
      if (!bracket_open_) {
        return Fail("unexpected right bracket ']'");
      }
      bracket_open_ = false;
      return Emit(TokenType::kRightBracket);
    default:
      return Fail("unexpected character: " + GoQuoteRune(r));
  }
}

Token Lexer::InBraces() {
  int32_t r = Advance();
  switch (r) {
    case kEofRune:
      return Fail("unexpected end of input inside braces");
    case ',':
      return Emit(TokenType::kComma);
    case '"':
    case '\'':
    case '`':
      return String(static_cast<char>(r));
    case '=':
      return Accept("~") ? Emit(TokenType::kEqlRegex) : Emit(TokenType::kEql);
    case '!':
      switch (int32_t next = Advance()) {
        case '~':
          return Emit(TokenType::kNeqRegex);
        case '=':
          return Emit(TokenType::kNeq);
        default:
          return Fail("unexpected character after '!' inside braces: " + GoQuoteRune(next));
      }
    case '{':
      return Fail("unexpected left brace '{'");
    case '}':
      brace_open_ = false;
      return Emit(TokenType::kRightBrace);
    default:
      break;
  }
  if (!IsAlpha(r)) {
    return Fail("unexpected character inside braces: " + GoQuoteRune(r));
  }
  while (IsAlphaNumeric(Peek())) {
    Advance();
  }
  return Emit(TokenType::kIdentifier);
}

Token Lexer::KeywordOrIdentifier() {
  while (IsAlphaNumeric(Peek()) || Peek() == ':') {
    Advance();
  }
  return Emit(WordType(text_.substr(start_, pos_ - start_)));
}

Token Lexer::NumberOrDuration() {
  if (ScanNumber()) {
    return Emit(TokenType::kNumber);
  }
  if (ScanRestOfDuration()) {
    return Emit(TokenType::kDuration);
  }
  return Fail("bad number or duration syntax: " + GoQuote(text_.substr(start_, pos_ - start_)));
}

// Numbers are cut generously; whether one is sound is decided when it is converted.
bool Lexer::ScanNumber() {
  size_t first = pos_;
  bool hex = Accept("0") && Accept("xX");
  if (hex) {
    Accept("_");
  }
  if (!ScanMantissa(hex ? "0123456789abcdefABCDEF" : "0123456789")) {
    return false;
  }
  return pos_ != first && !IsAlphaNumeric(Peek());
}

bool Lexer::ScanMantissa(std::string_view digits) {
  bool hex = digits.size() > 10;
  bool dot_seen = false;
  bool exponent_seen = false;
  Accept(".");
  Accept(digits);
  while (PeekIn(digits) || PeekIn("._eE")) {
    if (PeekIn(".")) {
      Advance();
      if (dot_seen || Accept("_.") || hex) {
        return false;
      }
      dot_seen = true;
    } else if (PeekIn("eE")) {
      Advance();
      if (exponent_seen) {
        return false;
      }
      exponent_seen = true;
      Accept("+-");
      if (Accept("._eE") || Peek() == kEofRune) {
        return false;
      }
    } else if (PeekIn("_")) {
      Advance();
      if (Accept("._eE") || Peek() == kEofRune) {
        return false;
      }
    } else {
      while (Accept(digits)) {
      }
    }
  }
  return true;
}

// The unit of the first number, then further number-unit pairs. Whether the units are in order is decided
// later. On failure the offending character counts as read, so that the error shows it.
bool Lexer::ScanRestOfDuration() {
  if (!Accept("smhdwy")) {
    return false;
  }
  Accept("s");
  while (Accept("0123456789")) {
    while (Accept("0123456789")) {
    }
    if (!Accept("smhdw")) {
      return false;
    }
    Accept("s");
  }
  if (IsAlphaNumeric(Peek())) {
    Advance();
    return false;
  }
  return true;
}

Token Lexer::String(char quote) {
  bool raw = quote == '`';
  for (;;) {
    int32_t r = Advance();
    if (r == quote) {
      return Emit(TokenType::kString);
    }
    if (r == kEofRune) {
      return Fail(raw ? "unterminated raw string" : "unterminated quoted string");
    }
    if (r == kBadRune) {
      return Fail("invalid UTF-8 rune");
    }
    if (raw) {
      continue;
    }
    if (r == '\n') {
      return Fail("unterminated quoted string");
    }
    if (r == '\\') {
      if (std::string message = ScanEscape(quote); !message.empty()) {
        return Fail(std::move(message));
      }
    }
  }
}

std::string Lexer::ScanEscape(char quote) {
  int32_t r = Advance();
  int digits = 0;
  unsigned base = 16;
  uint32_t limit = 0x10FFFF;
  if (r == quote || (r > 0 && r < 0x80 &&
                     std::string_view("abfnrtv\\").find(static_cast<char>(r)) != std::string_view::npos)) {
    return {};
  }
  if (r >= '0' && r <= '7') {
    digits = 3;
    base = 8;
    limit = 255;
    Backup();
  } else if (r == 'x') {
    digits = 2;
    limit = 255;
  } else if (r == 'u') {
    digits = 4;
  } else if (r == 'U') {
    digits = 8;
  } else if (r == kEofRune) {
    return "escape sequence not terminated";
  } else {
    return "unknown escape sequence " + GoUnicode(r);
  }
  uint32_t value = 0;
  for (; digits > 0; --digits) {
    r = Advance();
    auto digit = static_cast<unsigned>(DigitValue(r));
    if (digit >= base) {
      return r == kEofRune ? "escape sequence not terminated"
                           : fmt::format("illegal character {} in escape sequence", GoUnicode(r));
    }
    value = value * base + digit;
  }
  if (value > limit || (value >= 0xD800 && value < 0xE000)) {
    return "escape sequence is an invalid Unicode code point";
  }
  return {};
}

}  // namespace mlalert::promql
