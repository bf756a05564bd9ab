#include "template/lexer.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>

#include "template/quote.h"
#include "template/utf8.h"

namespace mlalert::tmpl {
namespace {

constexpr std::string_view kLeft = "{{";
constexpr std::string_view kRight = "}}";
constexpr std::string_view kSpaces = " \t\r\n";

struct Keyword {
  std::string_view word;
  TokenType type;
};
constexpr std::array<Keyword, 13> kKeywords{{{"block", TokenType::kBlock},
                                             {"break", TokenType::kBreak},
                                             {"continue", TokenType::kContinue},
                                             {"define", TokenType::kDefine},
                                             {"else", TokenType::kElse},
                                             {"end", TokenType::kEnd},
                                             {"if", TokenType::kIf},
                                             {"range", TokenType::kRange},
                                             {"nil", TokenType::kNil},
                                             {"template", TokenType::kTemplate},
                                             {"with", TokenType::kWith},
                                             {"true", TokenType::kBool},
                                             {"false", TokenType::kBool}}};

bool IsSpace(char32_t c) {
  return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

// Names may hold any letter; above ASCII everything printable but punctuation and symbols counts as one.
bool IsNameRune(const Rune& r) {
  char32_t c = r.code;
  if (r.width == 0 || !r.valid) {
    return false;
  }
  if (c < 0x80) {
    return c == '_' || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
  }
  bool punctuation = (c < 0xC0 && c != 0xAA && c != 0xB5 && c != 0xBA) || c == 0xD7 || c == 0xF7 ||
                     (c >= 0x2000 && c <= 0x2BFF) || (c >= 0x3000 && c <= 0x3004) || c >= 0x1F000;
  return !punctuation && IsPrintable(c);
}

std::string CodeName(const Rune& r) {
  std::string out = fmt::format("U+{:04X}", r.width == 0 ? 0xFFFFFFFFU : static_cast<uint32_t>(r.code));
  if (r.width > 0 && IsPrintable(r.code)) {
    out += " '";
    AppendRune(out, r.code);
    out += "'";
  }
  return out;
}

class Lexer {
 public:
  explicit Lexer(std::string_view text) : text_(text) {}

  TokenList Run() {
    while (!done_) {
      if (!inside_) {
        LexText();
      } else {
        LexAction();
      }
    }
    return std::move(out_);
  }

 private:
  std::string_view Rest() const { return text_.substr(pos_); }
  bool At(std::string_view prefix) const { return Rest().substr(0, prefix.size()) == prefix; }
  Rune Peek() const { return DecodeRune(text_, pos_); }
  void Skip(size_t count) { start_ = pos_ = pos_ + count; }

  void Emit(TokenType type) {
    Push(type, text_.substr(start_, pos_ - start_));
    start_ = pos_;
  }
  void Push(TokenType type, std::string_view val) {
    line_ += static_cast<int>(std::count(text_.begin() + static_cast<std::ptrdiff_t>(counted_),
                                         text_.begin() + static_cast<std::ptrdiff_t>(start_), '\n'));
    counted_ = start_;
    out_.tokens.push_back({type, static_cast<uint32_t>(start_), line_, val});
  }
  void Error(std::string message) {
    out_.error = std::make_shared<const std::string>(std::move(message));
    Push(TokenType::kError, *out_.error);
    done_ = true;
  }

  static size_t LeadingSpace(std::string_view s) { return std::min(s.find_first_not_of(kSpaces), s.size()); }

  // "}}" or " -}}" here; `trim` tells which.
  bool AtRightDelim(bool& trim) const {
    std::string_view rest = Rest();
    trim = rest.size() >= 4 && IsSpace(static_cast<unsigned char>(rest[0])) && rest[1] == '-' &&
           rest.substr(2, 2) == kRight;
    return trim || rest.substr(0, 2) == kRight;
  }

  void LexText() {
    size_t open = text_.find(kLeft, pos_);
    if (open == std::string_view::npos) {
      pos_ = text_.size();
      if (pos_ > start_) {
        Emit(TokenType::kText);
      }
      Push(TokenType::kEof, "");
      done_ = true;
      return;
    }
    size_t after = open + kLeft.size();
    bool trim = after + 1 < text_.size() && text_[after] == '-' &&
                IsSpace(static_cast<unsigned char>(text_[after + 1]));
    std::string_view before = text_.substr(start_, open - start_);
    if (trim) {
      before = before.substr(0, before.find_last_not_of(kSpaces) + 1);
    }
    if (!before.empty()) {
      pos_ = start_ + before.size();
      Emit(TokenType::kText);
    }
    start_ = pos_ = open;
    size_t inside = after + (trim ? 2 : 0);
    if (text_.substr(inside, 2) == "/*") {
      LexComment(inside);
      return;
    }
    pos_ = after;
    Emit(TokenType::kLeftDelim);
    start_ = pos_ = inside;
    paren_depth_ = 0;
    inside_ = true;
  }

  void LexComment(size_t begin) {
    size_t close = text_.find("*/", begin + 2);
    if (close == std::string_view::npos) {
      return Error("unclosed comment");
    }
    start_ = begin;
    pos_ = close + 2;
    bool trim = false;
    if (!AtRightDelim(trim)) {
      return Error("comment ends before closing delimiter");
    }
    Skip(trim ? 4 : 2);
    if (trim) {
      Skip(LeadingSpace(Rest()));
    }
  }

  void LexAction() {
    bool trim = false;
    if (AtRightDelim(trim)) {
      if (paren_depth_ > 0) {
        return Error("unclosed left paren");
      }
      return LexRightDelim(trim);
    }
    Rune r = Peek();
    if (r.width == 0) {
      return Error("unclosed action");
    }
    if (IsSpace(r.code)) {
      return LexSpace();
    }
    bool dot_number =
        r.code == '.' && pos_ + 1 < text_.size() && text_[pos_ + 1] >= '0' && text_[pos_ + 1] <= '9';
    if (dot_number || r.code == '+' || r.code == '-' || (r.code >= '0' && r.code <= '9')) {
      return LexNumber();
    }
    if (IsNameRune(r)) {
      return LexIdentifier();
    }
    pos_ += r.width;
    switch (r.code) {
      case '=':
        return Emit(TokenType::kAssign);
      case ':':
        if (!At("=")) {
          return Error("expected :=");
        }
        ++pos_;
        return Emit(TokenType::kDeclare);
      case '|':
        return Emit(TokenType::kPipe);
      case '"':
        return LexQuoted('"', TokenType::kString, "unterminated quoted string");
      case '\'':
        return LexQuoted('\'', TokenType::kCharConstant, "unterminated character constant");
      case '`':
        return LexRawString();
      case '$':
        return LexName(TokenType::kVariable);
      case '.':
        return LexName(TokenType::kField);
      case '(':
        ++paren_depth_;
        return Emit(TokenType::kLeftParen);
      case ')':
        if (--paren_depth_ < 0) {
          return Error("unexpected right paren");
        }
        return Emit(TokenType::kRightParen);
      default:
        if (r.code < 0x80 && IsPrintable(r.code)) {
          return Emit(TokenType::kChar);
        }
        return Error("unrecognized character in action: " + CodeName(r));
    }
  }

  void LexRightDelim(bool trim) {
    Skip(trim ? 2 : 0);
    pos_ += kRight.size();
    Emit(TokenType::kRightDelim);
    if (trim) {
      Skip(LeadingSpace(Rest()));
    }
    inside_ = false;
  }

  void LexSpace() {
    pos_ += LeadingSpace(Rest());
    // The last space may belong to a closing " -}}".
    if (Rest().substr(0, 3) == "-}}") {
      --pos_;
      if (pos_ == start_) {
        return LexRightDelim(true);
      }
    }
    Emit(TokenType::kSpace);
  }

  bool AtTerminator() const {
    Rune r = Peek();
    if (r.width == 0 || IsSpace(r.code) ||
        std::string_view(".,|:)(").find(static_cast<char>(r.code)) != std::string_view::npos) {
      return r.width == 0 || r.code < 0x80;
    }
    return At(kRight);
  }

  void SkipName() {
    for (Rune r = Peek(); IsNameRune(r); r = Peek()) {
      pos_ += r.width;
    }
  }

  void LexIdentifier() {
    SkipName();
    if (!AtTerminator()) {
      return Error("bad character " + CodeName(Peek()));
    }
    std::string_view word = text_.substr(start_, pos_ - start_);
    auto it =
        std::find_if(kKeywords.begin(), kKeywords.end(), [&](const Keyword& k) { return k.word == word; });
    Emit(it == kKeywords.end() ? TokenType::kIdentifier : it->type);
  }

  // Behind "." or "$".
  void LexName(TokenType type) {
    if (AtTerminator()) {
      return Emit(type == TokenType::kVariable ? type : TokenType::kDot);
    }
    SkipName();
    if (!AtTerminator()) {
      return Error("bad character " + CodeName(Peek()));
    }
    Emit(type);
  }

  void LexQuoted(char quote, TokenType type, const char* unterminated) {
    for (; pos_ < text_.size() && text_[pos_] != '\n'; ++pos_) {
      if (text_[pos_] == quote) {
        ++pos_;
        return Emit(type);
      }
      if (text_[pos_] == '\\' && pos_ + 1 < text_.size() && text_[pos_ + 1] != '\n') {
        ++pos_;
      }
    }
    Error(unterminated);
  }

  void LexRawString() {
    size_t close = text_.find('`', pos_);
    if (close == std::string_view::npos) {
      return Error("unterminated raw quoted string");
    }
    pos_ = close + 1;
    Emit(TokenType::kRawString);
  }

  bool Accept(std::string_view set) {
    bool hit = pos_ < text_.size() && set.find(text_[pos_]) != std::string_view::npos;
    pos_ += hit ? 1 : 0;
    return hit;
  }
  void AcceptRun(std::string_view set) {
    while (Accept(set)) {
    }
  }

  // One number, also imaginary; false: a letter follows it.
  bool ScanNumber() {
    constexpr std::string_view kDecimal = "0123456789_";
    constexpr std::string_view kHex = "0123456789abcdefABCDEF_";
    std::string_view digits = kDecimal;
    Accept("+-");
    if (Accept("0")) {
      digits = Accept("xX") ? kHex : Accept("oO") ? "01234567_" : Accept("bB") ? "01_" : kDecimal;
    }
    AcceptRun(digits);
    if (Accept(".")) {
      AcceptRun(digits);
    }
    if ((digits == kDecimal && Accept("eE")) || (digits == kHex && Accept("pP"))) {
      Accept("+-");
      AcceptRun(kDecimal);
    }
    Accept("i");
    Rune r = Peek();
    if (IsNameRune(r)) {
      pos_ += r.width;
      return false;
    }
    return true;
  }

  void LexNumber() {
    bool good = ScanNumber();
    if (good && (At("+") || At("-"))) {
      // Two parts make a complex number: 1+2i.
      good = ScanNumber() && text_[pos_ - 1] == 'i';
    }
    if (!good) {
      return Error("bad number syntax: " + QuoteGo(text_.substr(start_, pos_ - start_)));
    }
    Emit(TokenType::kNumber);
  }

  std::string_view text_;
  TokenList out_;
  size_t pos_ = 0;
  size_t start_ = 0;
  size_t counted_ = 0;  // newlines before this are in line_
  int line_ = 1;
  int paren_depth_ = 0;
  bool inside_ = false;
  bool done_ = false;
};

}  // namespace

TokenList Lex(std::string_view text) {
  return Lexer(text).Run();
}

std::string Describe(const Token& token) {
  if (token.type == TokenType::kEof) {
    return "EOF";
  }
  if (token.type == TokenType::kError) {
    return std::string(token.val);
  }
  // "." and "nil" are keywords to Go's messages.
  if (token.type >= TokenType::kDot) {
    return fmt::format("<{}>", token.val);
  }
  constexpr size_t kShown = 10;
  if (token.val.size() > kShown) {
    return QuoteGo(token.val.substr(0, RunePrefix(token.val, kShown))) + "...";
  }
  return QuoteGo(token.val);
}

}  // namespace mlalert::tmpl
