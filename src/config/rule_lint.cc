#include "config/rule_lint.h"

#include <algorithm>
#include <fmt/format.h>

#include "model/label_set.h"
#include "promql/label_scope.h"
#include "promql/printer.h"

namespace mlalert {
namespace {

bool IsWordByte(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

std::string_view WordAt(std::string_view text, size_t at) {
  size_t end = at;
  while (end < text.size() && IsWordByte(text[end])) {
    ++end;
  }
  return text.substr(at, end - at);
}

// Calls f with what stands behind each occurrence of `what` that is not part of a longer word.
template <class F>
void ForEach(std::string_view text, std::string_view what, F&& f) {
  for (size_t at = text.find(what); at != std::string_view::npos; at = text.find(what, at + 1)) {
    const char before = at > 0 ? text[at - 1] : ' ';
    const size_t behind = at + what.size();
    if (!IsWordByte(before) && before != '$' && before != '.') {
      f(behind);
    }
  }
}

// What stands between {{ and }}.
std::string ActionsOf(std::string_view text) {
  std::string out;
  while (true) {
    const size_t begin = text.find("{{");
    if (begin == std::string_view::npos) {
      return out;
    }
    const size_t end = std::min(text.find("}}", begin), text.size());
    out.append(text.substr(begin + 2, end - begin - 2)) += ' ';
    text.remove_prefix(std::min(end + 2, text.size()));
  }
}

YamlValue EntryOf(const YamlMap& map, std::string_view section, const std::string& name) {
  const YamlValue at = map.At(section);
  const auto* entry = at.node().Find(name);
  return entry == nullptr ? at
                          : at.Child(*entry->value, entry->key_pos, fmt::format("{}.{}", at.path(), name));
}

class Linter {
 public:
  Linter(const YamlMap& map, const std::string& prefix, const AlertingRule& rule, const promql::Expr* expr,
         Duration interval)
      : map_(map), prefix_(prefix), rule_(rule), expr_(expr), interval_(interval) {}

  void Run() const {
    CheckTexts("labels", "label", rule_.raw_labels);
    CheckTexts("annotations", "annotation", rule_.raw_annotations);
    CheckFor();
    CheckPresent();
    if (expr_ != nullptr) {
      CheckAbsent(*expr_);
    }
  }

 private:
  void Warn(const YamlValue& at, const std::string& message, std::string hint) const {
    at.Warn(prefix_ + message, std::move(hint));
  }

  void CheckTexts(std::string_view section, std::string_view kind, const LabelSet& texts) const {
    for (const auto& [label_name, text] : texts) {
      const std::string name(label_name);
      if (kind == "label" && ReadsValue(text)) {
        Warn(EntryOf(map_, section, name), fmt::format("label {} holds the value", GoQuote(name)),
             "each new value is another alert: for starts anew and the old one resolves; use an annotation");
      }
      if (expr_ == nullptr) {
        continue;
      }
      const promql::LabelScope scope = promql::LabelsOf(*expr_);
      for (const std::string& label : LabelsRead(text)) {
        if (!scope.MayHave(label)) {
          Warn(EntryOf(map_, section, name),
               fmt::format("{} {} uses the label {}, which the result of the expression does not have", kind,
                           GoQuote(name), GoQuote(label)),
               scope.names.empty() && !scope.all
                   ? "the expression leaves no labels: aggregate by (...) what the text needs"
                   : "an aggregation or a match drops it: add it to by (...), or take it out of without "
                     "(...)");
        }
      }
    }
  }

  void CheckFor() const {
    if (rule_.hold > Duration::zero() && rule_.hold < interval_) {
      Warn(map_.At("for"),
           fmt::format("for is {}, shorter than the group's interval {}", FormatDuration(rule_.hold),
                       FormatDuration(interval_)),
           "it fires at the second evaluation that is true, whatever is less than the interval");
    }
  }

  void CheckPresent() const {
    if (!rule_.raw_labels.Has("severity")) {
      Warn(map_.At("alert"), "no label severity", "routes and incident policies go by it");
    }
    bool runbook = false;
    for (const Label annotation : rule_.raw_annotations) {
      runbook = runbook || annotation.name.find("runbook") != std::string_view::npos;
    }
    if (!runbook) {
      Warn(map_.At("alert"), "no annotation runbook_url", "whoever is woken wants to know what to do");
    }
  }

  void CheckAbsent(const promql::Expr& expr) const {
    const auto* call = promql::As<promql::Call>(expr);
    if (call != nullptr && call->function->name.starts_with("absent") &&
        promql::LabelsOf(expr).names.empty()) {
      Warn(map_.At("expr"), fmt::format("{} gives an alert without labels", promql::Print(expr)),
           "it says that no series at all is there; write one rule per expected label set, with = matchers");
    }
    for (const promql::Expr* child : promql::Children(expr)) {
      CheckAbsent(*child);
    }
  }

  const YamlMap& map_;
  const std::string& prefix_;
  const AlertingRule& rule_;
  const promql::Expr* expr_;
  Duration interval_;
};

}  // namespace

std::vector<std::string> LabelsRead(std::string_view whole) {
  const std::string text_of_actions = ActionsOf(whole);
  const std::string_view text = text_of_actions;
  std::vector<std::string> out;
  const auto add = [&](std::string_view name) {
    if (!name.empty() && std::find(out.begin(), out.end(), name) == out.end()) {
      out.emplace_back(name);
    }
  };
  const auto field = [&](size_t at) {
    if (at < text.size() && text[at] == '.') {
      add(WordAt(text, at + 1));
    }
  };
  ForEach(text, "$labels", field);
  // Inside range and with, .Labels may be those of another sample.
  if (text.find("query") == std::string_view::npos) {
    ForEach(text, ".Labels", field);
  }
  for (std::string_view start : {"index $labels \"", "index .Labels \""}) {
    ForEach(text, start, [&](size_t at) { add(text.substr(at, text.find('"', at) - at)); });
  }
  return out;
}

bool ReadsValue(std::string_view whole) {
  const std::string text_of_actions = ActionsOf(whole);
  const std::string_view text = text_of_actions;
  bool found = false;
  const auto whole_word = [&](size_t at) { found = found || at >= text.size() || !IsWordByte(text[at]); };
  ForEach(text, "$value", whole_word);
  if (text.find("query") == std::string_view::npos) {
    ForEach(text, ".Value", whole_word);
  }
  return found;
}

void LintRule(const YamlMap& map, const std::string& prefix, const AlertingRule& rule,
              const promql::Expr* expr, Duration interval) {
  Linter(map, prefix, rule, expr, interval).Run();
}

}  // namespace mlalert
