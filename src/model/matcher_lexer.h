// Tokens of the UTF-8 matcher grammar, and the small text helpers both matcher grammars need.
// Used only by matcher_parse.cc. Input must be valid UTF-8. Thread: plain values.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "model/matcher.h"

namespace mlalert {

struct MatcherToken {
  enum class Kind : uint8_t { kEnd, kOpenBrace, kCloseBrace, kComma, kOperator, kQuoted, kUnquoted };
  Kind kind = Kind::kEnd;
  MatchOp op = MatchOp::kEqual;  // of kOperator
  std::string_view text;         // as written, quotes included
  int column_start = 0;          // in characters
  int column_end = 0;
};

class MatcherLexer {
 public:
  explicit MatcherLexer(std::string_view text) : text_(text) {}

  Result<MatcherToken> Peek();
  Result<MatcherToken> Next();
  // Where the last token read ended, in characters.
  int column() const { return column_; }

 private:
  Result<MatcherToken> Scan();
  Result<MatcherToken> ScanOperator();
  Result<MatcherToken> ScanQuoted();
  MatcherToken ScanUnquoted();
  void Advance();  // one character
  MatcherToken Emit(MatcherToken::Kind kind, MatchOp op = MatchOp::kEqual) const;
  Error Problem(std::string_view what) const;

  std::string_view text_;
  size_t pos_ = 0;
  size_t start_ = 0;
  int column_ = 0;
  int column_start_ = 0;
  std::optional<Result<MatcherToken>> peeked_;
};

// Decodes a Go string literal with its double quotes. False when it is not one or is not valid UTF-8 after
// it.
bool GoUnquote(std::string_view literal, std::string& out);

// Holds a character that ends an unquoted token: space of any script, braces, commas, operators, quotes.
bool HasReservedCharacter(std::string_view text);

std::string_view TrimUnicodeSpace(std::string_view text);

}  // namespace mlalert
