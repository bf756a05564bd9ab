#include "model/matcher.h"

#include <algorithm>
#include <tuple>

#include "model/matcher_lexer.h"

namespace mlalert {

std::string_view ToString(MatchOp op) {
  switch (op) {
    case MatchOp::kEqual:
      return "=";
    case MatchOp::kNotEqual:
      return "!=";
    case MatchOp::kRegex:
      return "=~";
    case MatchOp::kNotRegex:
      return "!~";
  }
  return "=";
}

Result<Matcher> Matcher::Make(std::string name, MatchOp op, std::string value) {
  Matcher out;
  out.name_ = std::move(name);
  out.op_ = op;
  out.value_ = std::move(value);
  if (op == MatchOp::kRegex || op == MatchOp::kNotRegex) {
    MLALERT_ASSIGN(out.regex_, Regex::CompileAnchored(out.value_));
  }
  return out;
}

bool Matcher::MatchesValue(std::string_view value) const {
  switch (op_) {
    case MatchOp::kEqual:
      return value == value_;
    case MatchOp::kNotEqual:
      return value != value_;
    case MatchOp::kRegex:
      return regex_->FullMatch(value);
    case MatchOp::kNotRegex:
      return !regex_->FullMatch(value);
  }
  return false;
}

std::string Matcher::ToString() const {
  bool quote_name = HasReservedCharacter(name_);
  std::string out = quote_name ? GoQuote(name_) : name_;
  out += mlalert::ToString(op_);
  if (quote_name) {
    return out + GoQuote(value_);
  }
  out += '"';
  for (char c : value_) {
    if (c == '\\' || c == '"') {
      out += '\\';
      out += c;
    } else if (c == '\n') {
      out += "\\n";
    } else {
      out += c;
    }
  }
  return out + '"';
}

bool MatchesAll(const Matchers& matchers, const LabelSet& labels) {
  return std::all_of(matchers.begin(), matchers.end(), [&](const Matcher& m) { return m.Matches(labels); });
}

std::string ToString(const Matchers& matchers) {
  std::string out = "{";
  for (size_t i = 0; i < matchers.size(); ++i) {
    if (i > 0) {
      out += ',';
    }
    out += matchers[i].ToString();
  }
  return out + "}";
}

void SortMatchers(Matchers& matchers) {
  std::stable_sort(matchers.begin(), matchers.end(), [](const Matcher& a, const Matcher& b) {
    return std::make_tuple(std::string_view(a.name()), std::string_view(a.value()), a.op()) <
           std::make_tuple(std::string_view(b.name()), std::string_view(b.value()), b.op());
  });
}

}  // namespace mlalert
