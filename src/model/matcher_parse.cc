#include "model/matcher_parse.h"

#include <fmt/format.h>

#include "base/json.h"
#include "model/matcher_lexer.h"

namespace mlalert {
namespace {

bool IsAsciiSpace(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\f' || c == '\r';
}

bool IsClassicNameByte(char c, bool first) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == ':' ||
         (!first && c >= '0' && c <= '9');
}

// --- classic grammar ---

// Splits ^\s*(name)\s*(op)\s*(value)\s*$; false when the piece does not have that shape.
bool SplitClassic(std::string_view piece, std::string_view& name, MatchOp& op, std::string_view& raw) {
  size_t i = 0;
  auto skip_space = [&] {
    while (i < piece.size() && IsAsciiSpace(piece[i])) {
      ++i;
    }
  };
  skip_space();
  size_t start = i;
  while (i < piece.size() && IsClassicNameByte(piece[i], i == start)) {
    ++i;
  }
  name = piece.substr(start, i - start);
  skip_space();
  std::string_view rest = piece.substr(i);
  if (name.empty()) {
    return false;
  }
  if (rest.starts_with("=~")) {
    op = MatchOp::kRegex;
  } else if (rest.starts_with("!=")) {
    op = MatchOp::kNotEqual;
  } else if (rest.starts_with("!~")) {
    op = MatchOp::kNotRegex;
  } else if (rest.starts_with("=")) {
    op = MatchOp::kEqual;
  } else {
    return false;
  }
  i += op == MatchOp::kEqual ? 1 : 2;
  skip_space();
  size_t end = piece.size();
  while (end > i && IsAsciiSpace(piece[end - 1])) {
    --end;
  }
  raw = piece.substr(i, end - i);
  return true;
}

// False when a double quote stands where it must not.
bool UnescapeClassic(std::string_view raw, std::string& value) {
  bool closing_quote_due = raw.starts_with('"');
  std::string_view body = closing_quote_due ? raw.substr(1) : raw;
  bool escaped = false;
  for (size_t i = 0; i < body.size(); ++i) {
    char c = body[i];
    if (escaped) {
      escaped = false;
      if (c == 'n') {
        value += '\n';
      } else {
        if (c != '"' && c != '\\') {
          value += '\\';
        }
        value += c;
      }
      continue;
    }
    if (c == '\\' && i + 1 < body.size()) {
      escaped = true;
    } else if (c == '"') {
      if (!closing_quote_due || i + 1 < body.size()) {
        return false;
      }
      closing_quote_due = false;
    } else {
      value += c;
    }
  }
  return !closing_quote_due;
}

Result<Matcher> ParseClassicOne(std::string_view piece) {
  std::string_view name;
  std::string_view raw;
  MatchOp op = MatchOp::kEqual;
  if (!SplitClassic(piece, name, op, raw)) {
    return Fail(ErrorCode::kInvalid, fmt::format("bad matcher format: {}", piece));
  }
  std::string value;
  if (!UnescapeClassic(raw, value)) {
    return Fail(ErrorCode::kInvalid, fmt::format("matcher value contains unescaped double quote: {}", raw));
  }
  return Matcher::Make(std::string(name), op, std::move(value));
}

Result<Matchers> ParseClassicList(std::string_view text) {
  if (text.starts_with('{')) {
    text.remove_prefix(1);
  }
  if (text.ends_with('}')) {
    text.remove_suffix(1);
  }
  std::vector<std::string_view> pieces;
  bool quoted = false;
  bool escaped = false;
  size_t start = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    if (c == ',' && !quoted) {
      // As upstream, a comma outside quotes leaves `escaped` as it is.
      pieces.push_back(text.substr(start, i - start));
      start = i + 1;
    } else if (c == ',') {
      continue;
    } else if (c == '"') {
      quoted = escaped ? quoted : !quoted;
      escaped = false;
    } else {
      escaped = c == '\\' && !escaped;
    }
  }
  std::string_view last = TrimUnicodeSpace(text.substr(start));
  if (!last.empty()) {
    pieces.push_back(last);
  }
  Matchers out;
  for (std::string_view piece : pieces) {
    MLALERT_ASSIGN(Matcher matcher, ParseClassicOne(piece));
    out.push_back(std::move(matcher));
  }
  return out;
}

// --- UTF-8 grammar ---

using Token = MatcherToken;
using Kind = MatcherToken::Kind;

constexpr std::string_view kNoName = "expected label name";
constexpr std::string_view kNoOperator = "expected an operator such as '=', '!=', '=~' or '!~'";
constexpr std::string_view kNoValue = "expected label value";
constexpr std::string_view kNoCommaOrBrace = "expected a comma or close brace";
constexpr std::string_view kNoMatcherAfterComma = "expected a matcher or close brace after comma";
constexpr std::string_view kNoEnd = "expected end of input";

// Grammar: [ "{" ] [ matcher { "," matcher } [ "," ] ] [ "}" ], the braces both or none.
class Utf8Parser {
 public:
  explicit Utf8Parser(std::string_view text) : lexer_(text) {}

  Result<Matchers> Parse() {
    MLALERT_ASSIGN(Token token, lexer_.Peek());
    if (token.kind == Kind::kEnd) {
      return Matchers{};
    }
    bool braced = token.kind == Kind::kOpenBrace;
    if (braced) {
      MLALERT_TRY(lexer_.Next());
      MLALERT_ASSIGN(token, lexer_.Peek());
    }
    bool more = token.kind != Kind::kCloseBrace && (token.kind != Kind::kEnd || !braced);
    while (more) {
      MLALERT_TRY(ParseOne());
      MLALERT_ASSIGN(more, AnotherFollows());
    }
    MLALERT_TRY(ParseEnd(braced));
    return std::move(matchers_);
  }

 private:
  static tl::unexpected<Error> Bad(std::string message) {
    return Fail(ErrorCode::kInvalid, std::move(message));
  }
  static tl::unexpected<Error> Unexpected(const Token& token, std::string_view wanted) {
    if (token.kind == Kind::kEnd) {
      return Bad(fmt::format("end of input: {}", wanted));
    }
    return Bad(
        fmt::format("{}:{}: unexpected {}: {}", token.column_start, token.column_end, token.text, wanted));
  }
  // A lexer error gets the name of what was wanted there behind it.
  static tl::unexpected<Error> Wanted(Error error, std::string_view wanted) {
    error.message = fmt::format("{}: {}", error.message, wanted);
    return Fail(std::move(error));
  }

  Result<std::string> NameOrValue(std::string_view wanted) {
    auto token = lexer_.Next();
    if (!token) {
      return Wanted(std::move(token.error()), wanted);
    }
    if (token->kind == Kind::kUnquoted) {
      return std::string(token->text);
    }
    if (token->kind != Kind::kQuoted) {
      return Unexpected(*token, wanted);
    }
    std::string decoded;
    if (!GoUnquote(token->text, decoded)) {
      return Bad(
          fmt::format("{}:{}: {}: invalid input", token->column_start, token->column_end, token->text));
    }
    return decoded;
  }

  Status ParseOne() {
    MLALERT_ASSIGN(std::string name, NameOrValue(kNoName));
    auto token = lexer_.Next();
    if (!token) {
      return Wanted(std::move(token.error()), kNoOperator);
    }
    if (token->kind != Kind::kOperator) {
      return Unexpected(*token, kNoOperator);
    }
    MatchOp op = token->op;
    MLALERT_ASSIGN(std::string value, NameOrValue(kNoValue));
    auto matcher = Matcher::Make(std::move(name), op, std::move(value));
    if (!matcher) {
      return Fail(std::move(matcher.error()).Context("failed to create matcher"));
    }
    matchers_.push_back(std::move(*matcher));
    return {};
  }

  // After a matcher: consumes a comma; true when a further matcher must come.
  Result<bool> AnotherFollows() {
    auto token = lexer_.Peek();
    if (!token) {
      return Wanted(std::move(token.error()), kNoCommaOrBrace);
    }
    if (token->kind == Kind::kEnd || token->kind == Kind::kCloseBrace) {
      return false;
    }
    if (token->kind != Kind::kComma) {
      return Unexpected(*token, kNoCommaOrBrace);
    }
    MLALERT_TRY(lexer_.Next());
    token = lexer_.Peek();
    if (!token) {
      return Wanted(std::move(token.error()), kNoMatcherAfterComma);
    }
    if (token->kind == Kind::kEnd || token->kind == Kind::kCloseBrace) {
      return false;
    }
    if (token->kind != Kind::kQuoted && token->kind != Kind::kUnquoted) {
      return Unexpected(*token, kNoMatcherAfterComma);
    }
    return true;
  }

  // Here the next token is a close brace or the end.
  Status ParseEnd(bool braced) {
    MLALERT_ASSIGN(Token token, lexer_.Next());
    bool closed = token.kind == Kind::kCloseBrace;
    if (braced && !closed) {
      return Bad(fmt::format("0:{}: end of input: expected close brace", lexer_.column()));
    }
    if (!braced && closed) {
      return Bad(fmt::format("0:{}: }}: expected opening brace", lexer_.column()));
    }
    auto rest = lexer_.Next();
    if (!rest) {
      return Wanted(std::move(rest.error()), kNoEnd);
    }
    if (rest->kind != Kind::kEnd) {
      return Bad(fmt::format("{}:{}: {}: {}", rest->column_start, rest->column_end, rest->text, kNoEnd));
    }
    return {};
  }

  MatcherLexer lexer_;
  Matchers matchers_;
};

Result<Matchers> ParseUtf8List(std::string_view text) {
  return Utf8Parser(text).Parse();
}

Result<Matcher> ParseUtf8One(std::string_view text) {
  MLALERT_ASSIGN(Matchers list, ParseUtf8List(text));
  if (list.empty()) {
    return Fail(ErrorCode::kInvalid, "no matchers");
  }
  if (list.size() > 1) {
    return Fail(ErrorCode::kInvalid, fmt::format("expected 1 matcher, found {}", list.size()));
  }
  return std::move(list.front());
}

// --- the modes ---

std::string Printed(const Matchers& matchers) {
  return ToString(matchers);
}
std::string Printed(const Matcher& matcher) {
  return matcher.ToString();
}

template <class T>
Result<T> Fallback(std::string_view text, Result<T> utf8, Result<T> classic, std::string* warning) {
  auto warn = [&](std::string_view what) {
    if (warning != nullptr) {
      *warning = fmt::format("{} (input {}, suggestion {})", what, text, Printed(*classic));
    }
  };
  if (!utf8) {
    if (classic) {
      warn("matchers are not valid in the UTF-8 grammar and were read with the classic one");
    }
    return classic;
  }
  if (classic && !(*utf8 == *classic)) {
    warn("the two matcher grammars disagree about this text; the classic meaning was taken");
    return classic;
  }
  return utf8;
}

Status CheckText(std::string_view text) {
  if (text.size() > kMatcherTextBytesMax) {
    return Fail(ErrorCode::kLimit, fmt::format("matcher text is longer than {} bytes", kMatcherTextBytesMax));
  }
  if (!IsValidUtf8(text)) {
    return Fail(ErrorCode::kInvalid, "matcher text is not valid UTF-8");
  }
  return {};
}

}  // namespace

Result<Matchers> ParseMatchers(std::string_view text, MatcherMode mode, std::string* warning) {
  if (warning != nullptr) {
    warning->clear();
  }
  MLALERT_TRY(CheckText(text));
  switch (mode) {
    case MatcherMode::kClassic:
      return ParseClassicList(text);
    case MatcherMode::kUtf8Strict:
      return ParseUtf8List(text);
    case MatcherMode::kFallback:
      break;
  }
  return Fallback(text, ParseUtf8List(text), ParseClassicList(text), warning);
}

Result<Matcher> ParseMatcher(std::string_view text, MatcherMode mode, std::string* warning) {
  if (warning != nullptr) {
    warning->clear();
  }
  MLALERT_TRY(CheckText(text));
  if (mode == MatcherMode::kClassic) {
    return ParseClassicOne(text);
  }
  if (text.starts_with('{') || text.ends_with('}')) {
    return Fail(ErrorCode::kInvalid, fmt::format("unexpected open or close brace: {}", text));
  }
  if (mode == MatcherMode::kUtf8Strict) {
    return ParseUtf8One(text);
  }
  return Fallback(text, ParseUtf8One(text), ParseClassicOne(text), warning);
}

}  // namespace mlalert
