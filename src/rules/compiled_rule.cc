#include "rules/compiled_rule.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>

#include "base/hash.h"
#include "net/url.h"
#include "promql/parser.h"
#include "promql/printer.h"

namespace mlalert {

namespace {

// Keywords, and functions whose result depends on their arguments alone.
constexpr std::array<std::string_view, 59> kPureWords = {"if",
                                                         "else",
                                                         "end",
                                                         "with",
                                                         "range",
                                                         "break",
                                                         "continue",
                                                         "and",
                                                         "or",
                                                         "not",
                                                         "eq",
                                                         "ne",
                                                         "lt",
                                                         "le",
                                                         "gt",
                                                         "ge",
                                                         "len",
                                                         "index",
                                                         "slice",
                                                         "print",
                                                         "printf",
                                                         "println",
                                                         "html",
                                                         "js",
                                                         "urlquery",
                                                         "true",
                                                         "false",
                                                         "nil",
                                                         "humanize",
                                                         "humanize1024",
                                                         "humanizeDuration",
                                                         "humanizePercentage",
                                                         "humanizeTimestamp",
                                                         "toTime",
                                                         "toDuration",
                                                         "title",
                                                         "toUpper",
                                                         "toLower",
                                                         "stripPort",
                                                         "stripDomain",
                                                         "match",
                                                         "reReplaceAll",
                                                         "graphLink",
                                                         "tableLink",
                                                         "parseDuration",
                                                         "parseDurationTime",
                                                         "parseFloat",
                                                         "parseInt",
                                                         "parseBool",
                                                         "safeHtml",
                                                         "args",
                                                         "urlQueryEscape",
                                                         "pathEscape",
                                                         "queryEscape",
                                                         "quotesEscape",
                                                         "jsonEscape",
                                                         "htmlEscape",
                                                         "crlfEscape",
                                                         "strvalue"};

bool IsWordByte(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

bool IsPureWord(std::string_view word) {
  return std::find(kPureWords.begin(), kPureWords.end(), word) != kPureWords.end();
}

// Reads one {{ action }}. It finds the end itself, because "}}" inside a string does not count.
class ActionScanner {
 public:
  // `start`: behind the "{{".
  ActionScanner(std::string_view text, size_t start) : text_(text), at_(start) {}

  size_t end() const { return at_; }

  Varies Scan() {
    while (at_ < text_.size() && varies_ != Varies::kAlways && !text_.substr(at_).starts_with("}}")) {
      const char c = text_[at_];
      if (c == '"' || c == '`' || c == '\'') {
        SkipQuoted(c);
      } else if (c == '$') {
        ++at_;
        Variable(Word());
      } else if (c == '.') {
        ++at_;
        Field(Word());
      } else if (c >= '0' && c <= '9') {
        SkipNumber();
      } else if (IsWordByte(c)) {
        if (!IsPureWord(Word())) {
          varies_ = Varies::kAlways;
        }
      } else {
        ++at_;
      }
    }
    return varies_;
  }

 private:
  void Raise(Varies to) { varies_ = std::max(varies_, to); }

  std::string_view Word() {
    const size_t start = at_;
    while (at_ < text_.size() && IsWordByte(text_[at_])) {
      ++at_;
    }
    return text_.substr(start, at_ - start);
  }

  void SkipNumber() {
    while (at_ < text_.size() && (IsWordByte(text_[at_]) || text_[at_] == '.')) {
      ++at_;
    }
  }

  // The labels below .Labels and its like.
  void SkipFields() {
    while (at_ < text_.size() && text_[at_] == '.') {
      ++at_;
      Word();
    }
  }

  void Variable(std::string_view name) {
    if (name == "labels" || name == "externalLabels") {
      Raise(Varies::kWithLabels);
      SkipFields();
    } else if (name == "value") {
      Raise(Varies::kWithValue);
    } else if (name.empty() || name == "activeAt" || name == "isPartial" || name == "alertID") {
      Raise(Varies::kAlways);
    }
    // Others are the user's own, made of what is scanned anyway, or do not change.
  }

  void Field(std::string_view name) {
    if (name == "Labels" || name == "ExternalLabels") {
      Raise(Varies::kWithLabels);
      SkipFields();
    } else if (name == "Value") {
      Raise(Varies::kWithValue);
    } else {
      Raise(Varies::kAlways);
    }
  }

  void SkipQuoted(char quote) {
    for (++at_; at_ < text_.size() && text_[at_] != quote; ++at_) {
      if (text_[at_] == '\\' && quote != '`') {
        ++at_;
      }
    }
    ++at_;
  }

  std::string_view text_;
  size_t at_;
  Varies varies_ = Varies::kConstant;
};

Varies VaryWith(const LabelSet& texts) {
  Varies varies = Varies::kConstant;
  for (const Label text : texts) {
    varies = std::max(varies, VariesWith(text.value));
  }
  return varies;
}

}  // namespace

Varies VariesWith(std::string_view text) {
  Varies varies = Varies::kConstant;
  size_t open = text.find("{{");
  while (open != std::string_view::npos && varies != Varies::kAlways) {
    ActionScanner action(text, open + 2);
    varies = std::max(varies, action.Scan());
    open = text.find("{{", action.end());
  }
  return varies;
}

std::string CanonicalQuery(const std::string& expr) {
  const auto tree = promql::ParseExpr(expr);
  return tree ? promql::Print(**tree) : expr;
}

SharedText CompiledRule::GeneratorUrl() const {
  return fmt::format("{}/graph?g0.expr={}&g0.tab=1", graph_url.view(),
                     QueryEscape(CanonicalQuery(rule->expr)));
}

RequiredSeries CompiledRule::Required() const {
  RequiredSeries out;
  auto tree = promql::ParseExpr(rule->expr);
  if (tree) {
    out.tree = std::move(*tree);
    out.selectors = promql::RequiredSelectors(*out.tree);
    out.selectors.resize(std::min(out.selectors.size(), kPresenceSelectorsMax));
  }
  return out;
}

bool CompiledRule::Sets(std::string_view label) const {
  return label == "alertname" || rule->raw_labels.Has(label);
}

std::shared_ptr<const CompiledRule> CompileRule(std::shared_ptr<const AlertingRule> rule,
                                                const SharedText& graph_url) {
  auto out = std::make_shared<CompiledRule>();
  out->graph_url = graph_url;
  out->labels_vary = VaryWith(rule->raw_labels);
  out->annotations_vary = VaryWith(rule->raw_annotations);
  uint64_t hash = kFnvOffset;
  for (const auto& [name, value] : rule->raw_labels) {
    hash = FnvAdd(FnvAdd(hash, name), static_cast<unsigned char>(0xFF));
    hash = FnvAdd(FnvAdd(hash, value), static_cast<unsigned char>(0xFF));
  }
  out->labels_hash = hash;
  const auto tree = promql::ParseExpr(rule->expr);
  out->expr_hash = FnvAdd(kFnvOffset, tree ? promql::Print(**tree) : rule->expr);
  out->needs_series = tree && !promql::RequiredSelectors(**tree).empty();
  out->rule = std::move(rule);
  return out;
}

bool SameRule(const AlertingRule& a, const AlertingRule& b) {
  return a.name == b.name && a.expr == b.expr && a.hold == b.hold && a.keep_firing_for == b.keep_firing_for &&
         a.raw_labels == b.raw_labels && a.raw_annotations == b.raw_annotations;
}

}  // namespace mlalert
