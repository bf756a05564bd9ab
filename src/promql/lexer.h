// Cuts PromQL text into tokens, lazily: the parser asks for the next one only when the grammar needs it,
// because the first error that is met is the one the user sees, and Prometheus meets them in that order. Used
// by: promql/parser.cc only. Borrows the text. Thread: one parse, one lexer.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace mlalert::promql {

// The groups matter: a token's description in error texts depends on its group (see DescribeToken).
enum class TokenType : uint8_t {
  kEof,
  kError,
  kIdentifier,
  kMetricIdentifier,
  kNumber,
  kDuration,
  kString,
  // Punctuation.
  kEql,
  kColon,
  kComma,
  kLeftBrace,
  kLeftBracket,
  kLeftParen,
  kRightBrace,
  kRightBracket,
  kRightParen,
  // Operators.
  kAdd,
  kDiv,
  kEqlC,
  kEqlRegex,
  kGte,
  kGtr,
  kAnd,
  kOr,
  kLss,
  kLte,
  kUnless,
  kMod,
  kMul,
  kNeq,
  kNeqRegex,
  kPow,
  kSub,
  kAt,
  kAtan2,
  // Aggregators.
  kAvg,
  kBottomK,
  kCount,
  kCountValues,
  kGroup,
  kLimitK,
  kLimitRatio,
  kMax,
  kMin,
  kQuantile,
  kStddev,
  kStdvar,
  kSum,
  kTopK,
  // Keywords.
  kBool,
  kBy,
  kGroupLeft,
  kGroupRight,
  kIgnoring,
  kOffset,
  kOn,
  kWithout,
  // Words of the @ modifier.
  kStart,
  kEnd,
};

constexpr bool IsOperatorToken(TokenType type) {
  return type >= TokenType::kAdd && type <= TokenType::kAtan2;
}
constexpr bool IsAggregatorToken(TokenType type) {
  return type >= TokenType::kAvg && type <= TokenType::kTopK;
}
constexpr bool IsKeywordToken(TokenType type) {
  return type >= TokenType::kBool && type <= TokenType::kWithout;
}

struct Token {
  TokenType type = TokenType::kEof;
  size_t pos = 0;
  std::string_view text;

  size_t end() const { return pos + text.size(); }
};

// As error texts name a token: identifier "up", <op:+>, <aggr:sum>, "(", end of input.
std::string DescribeToken(const Token& token);

class Lexer {
 public:
  explicit Lexer(std::string_view text) : text_(text) {}

  // After kEof or kError the lexer must not be asked again.
  Token Next();
  // Why the last token was kError.
  const std::string& error() const { return error_; }

 private:
  // One code point; kEofRune at the end, kBadRune for bytes that are not UTF-8.
  int32_t Advance();
  int32_t Peek() const;
  void Backup() { pos_ -= width_; }
  bool Accept(std::string_view set);
  bool PeekIn(std::string_view set) const;

  Token Emit(TokenType type);
  Token Fail(std::string message);

  Token InExpression();
  Token Symbol(int32_t r);
  Token Bracket(int32_t r);
  Token InBraces();
  Token NumberOrDuration();
  Token String(char quote);
  Token KeywordOrIdentifier();
  bool ScanNumber();
  bool ScanMantissa(std::string_view digits);
  bool ScanRestOfDuration();
  // Empty when the escape after a backslash is sound; otherwise the error.
  std::string ScanEscape(char quote);

  std::string_view text_;
  size_t pos_ = 0;
  size_t start_ = 0;
  size_t width_ = 0;
  int paren_depth_ = 0;
  bool brace_open_ = false;
  bool bracket_open_ = false;
  bool got_colon_ = false;
  bool expect_duration_ = false;  // right after "["
  std::string error_;
};

}  // namespace mlalert::promql
