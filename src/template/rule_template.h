// One label or annotation text of an alerting rule, with Prometheus' variables and functions.
// Fed by: rules/, which parses every text at load and expands it for every element of every evaluation.
// A text without "{{" is a literal and costs one string copy. An error at run time does not fail the rule:
// its text takes the place of the value, as in Prometheus. Thread: immutable; Expand() may run concurrently.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/time.h"
#include "template/template.h"

namespace mlalert::tmpl {

// Everything is borrowed for the call. Label lists are sorted by name.
struct RuleTemplateData {
  std::span<const LabelPair> labels;
  double value = 0;
  std::span<const LabelPair> external_labels;
  std::string_view external_url;  // no trailing slash
  Timestamp now = kUnset;         // the evaluation's timestamp
  const QueryFn* query = nullptr;
  // vmalert's additional variables.
  std::string_view expr;
  Timestamp active_at = kUnset;
  Duration hold{};      // $for
  Duration interval{};  // $interval
  uint64_t alert_id = 0;
  uint64_t group_id = 0;
  bool is_partial = false;
};

class RuleTemplate {
 public:
  // `shared`: templates defined in files for all rules (-rule.templates); may be null.
  // Errors: Go's parse error with the name __alert_<alert_name>.
  static Result<RuleTemplate> Parse(std::string_view alert_name, std::string_view text,
                                    const Template* shared = nullptr);

  // Never fails: an error is rendered as "<error expanding template: ...>". When `error` is not null it
  // receives that error.
  std::string Expand(const RuleTemplateData& data, std::optional<Error>* error = nullptr) const;

  bool IsLiteral() const { return !template_.has_value(); }

 private:
  RuleTemplate(std::string name, std::string literal, std::optional<Template> parsed)
      : name_(std::move(name)), literal_(std::move(literal)), template_(std::move(parsed)) {}

  std::string name_;
  std::string literal_;
  std::optional<Template> template_;
};

}  // namespace mlalert::tmpl

namespace mlalert {
using tmpl::RuleTemplate;
using tmpl::RuleTemplateData;
}  // namespace mlalert
