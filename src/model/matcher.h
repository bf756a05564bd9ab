// Label matchers: = != =~ !~ with Alertmanager's semantics. A missing label is the empty string; regexes are
// RE2, anchored at both ends. Parsing of matcher text is in matcher_parse.h.
// Thread: immutable.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/regex.h"
#include "model/label_set.h"

namespace mlalert {

enum class MatchOp : uint8_t { kEqual, kNotEqual, kRegex, kNotRegex };

std::string_view ToString(MatchOp op);

class Matcher {
 public:
  // Fails only for a bad regex.
  static Result<Matcher> Make(std::string name, MatchOp op, std::string value);

  bool Matches(const LabelSet& labels) const { return MatchesValue(labels.Get(name_)); }
  bool MatchesValue(std::string_view value) const;

  const std::string& name() const { return name_; }
  MatchOp op() const { return op_; }
  const std::string& value() const { return value_; }

  // name="value" as it appears in group keys: only \, newline and " are escaped, unless the name needs
  // quotes.
  std::string ToString() const;

  friend bool operator==(const Matcher& a, const Matcher& b) {
    return a.name_ == b.name_ && a.op_ == b.op_ && a.value_ == b.value_;
  }

 private:
  std::string name_;
  MatchOp op_ = MatchOp::kEqual;
  std::string value_;
  std::optional<Regex> regex_;
};

using Matchers = std::vector<Matcher>;

// All of them; an empty list matches everything.
bool MatchesAll(const Matchers& matchers, const LabelSet& labels);
// {m1,m2}, no spaces.
std::string ToString(const Matchers& matchers);
// By name, value, op: the order in which config lists are displayed and keyed.
void SortMatchers(Matchers& matchers);

}  // namespace mlalert
