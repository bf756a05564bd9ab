#include "promql/go_text.h"
#include "promql/literals.h"
#include "promql/matcher_regex.h"
#include "promql/parser_impl.h"

namespace mlalert::promql {
namespace {

bool IsUtf8(std::string_view text) {
  while (!text.empty()) {
    size_t width = 0;
    if (DecodeRune(text, &width) == kBadRune && width == 1) {
      return false;
    }
    text.remove_prefix(width);
  }
  return true;
}

}  // namespace

ExprPtr Parser::ParseSelector(const Token& name) {
  auto node = std::make_unique<VectorSelector>();
  node->name = name.text;
  node->range = {name.pos, name.end()};
  if (Peek().type == TokenType::kLeftBrace && !ParseMatchers(*node)) {
    return nullptr;
  }
  if (!node->name.empty()) {
    node->matchers.push_back({std::string(kMetricNameLabel), MatchOp::kEqual, node->name});
  }
  return node;
}

bool Parser::ParseMatchers(VectorSelector& selector) {
  Within braces(*this, kMatcherName);
  Take();
  while (Peek().type != TokenType::kRightBrace) {
    place_ = kMatcherName;
    if (!ParseMatcher(selector)) {
      return false;
    }
    place_ = kMatcherNext;
    if (!Accept(TokenType::kComma) && Peek().type != TokenType::kRightBrace) {
      Unexpected();
      return false;
    }
    place_ = kMatcherName;
  }
  selector.range.end = Take().end();
  return true;
}

bool Parser::ParseMatcher(VectorSelector& selector) {
  Token name = Peek();
  bool quoted = name.type == TokenType::kString;
  if (!quoted && name.type != TokenType::kIdentifier) {
    Unexpected();
    return false;
  }
  Take();
  LabelMatcher matcher;
  matcher.name = quoted ? Unquote(name.text) : std::string(name.text);
  auto op = MatchOpOf(Peek().type);
  if (!op && quoted) {
    selector.matchers.push_back({std::string(kMetricNameLabel), MatchOp::kEqual, std::move(matcher.name)});
    return !error_;
  }
  place_ = kMatcherOp;
  if (!op) {
    Unexpected();
    return false;
  }
  Take();
  matcher.op = *op;
  place_ = kMatcherValue;
  Token value = Peek();
  if (!Expect(TokenType::kString)) {
    return false;
  }
  matcher.value = Unquote(value.text);
  if (matcher.op == MatchOp::kRegex || matcher.op == MatchOp::kNotRegex) {
    if (auto sound = CheckMatcherRegex(matcher.value); !sound) {
      SetError(name.pos, sound.error().message);
      return false;
    }
  }
  selector.matchers.push_back(std::move(matcher));
  return true;
}

bool Parser::ParseGrouping(std::vector<std::string>& labels) {
  Within open(*this, kGroupingOpen);
  if (!Expect(TokenType::kLeftParen)) {
    return false;
  }
  while (Peek().type != TokenType::kRightParen) {
    place_ = kGroupingLabel;
    if (!ParseGroupingLabel(labels)) {
      return false;
    }
    place_ = kGroupingNext;
    if (!Accept(TokenType::kComma) && Peek().type != TokenType::kRightParen) {
      Unexpected();
      return false;
    }
    place_ = kGroupingLabel;
  }
  Take();
  return true;
}

bool Parser::ParseGroupingLabel(std::vector<std::string>& labels) {
  const Token& token = Peek();
  std::string label;
  if (token.type == TokenType::kString) {
    label = Unquote(token.text);
  } else if (IsGroupingLabel(token.type) && token.text.find(':') == std::string_view::npos) {
    label = token.text;
  }
  if (label.empty() || !IsUtf8(label)) {
    Unexpected();
    return false;
  }
  Take();
  labels.push_back(std::move(label));
  return true;
}

}  // namespace mlalert::promql
