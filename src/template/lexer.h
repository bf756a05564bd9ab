// Text to tokens: plain text, comments (dropped), and what stands between {{ and }}.
// Fed by: parser. Trim markers are applied here, so the parser never sees them.
// Thread: pure functions.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace mlalert::tmpl {

enum class TokenType : uint8_t {
  kError,  // val is the message; always the last token
  kBool,
  kChar,  // one printable character that is nothing else
  kCharConstant,
  kAssign,   // =
  kDeclare,  // :=
  kEof,
  kField,  // .name
  kIdentifier,
  kLeftDelim,
  kLeftParen,
  kNumber,
  kPipe,
  kRawString,
  kRightDelim,
  kRightParen,
  kSpace,
  kString,
  kText,
  kVariable,  // $ or $name
  kDot,
  kNil,
  // keywords, from here on
  kBlock,
  kBreak,
  kContinue,
  kDefine,
  kElse,
  kEnd,
  kIf,
  kRange,
  kTemplate,
  kWith,
};

struct Token {
  TokenType type = TokenType::kEof;
  uint32_t pos = 0;
  int line = 1;
  std::string_view val;  // into the text, except for kError
};

struct TokenList {
  std::vector<Token> tokens;                 // ends with kEof or kError
  std::shared_ptr<const std::string> error;  // backs the kError token
};

// `text` must outlive the tokens.
TokenList Lex(std::string_view text);

// As messages show a token: "EOF", <if>, "long text ..."...
std::string Describe(const Token& token);

}  // namespace mlalert::tmpl
