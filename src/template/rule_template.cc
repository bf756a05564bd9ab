#include "template/rule_template.h"

#include <array>
#include <fmt/format.h>

#include "template/print.h"
#include "template/rule_funcs.h"

namespace mlalert::tmpl {
namespace {

// Prometheus puts these declarations in front of every text, so its error columns are shifted by their
// length. We predeclare the variables instead of executing the text, and keep the columns.
constexpr std::string_view kPrometheusPrefix =
    "{{$labels := .Labels}}{{$externalLabels := .ExternalLabels}}{{$externalURL := .ExternalURL}}{{$value := "
    ".Value}}";

// Prometheus' four, then vmalert's.
const ParseOptions& Options() {
  static const ParseOptions options{
      {"$labels", "$externalLabels", "$externalURL", "$value", "$expr", "$activeAt", "$for", "$interval",
       "$alertID", "$groupID", "$isPartial", "$type"},
      static_cast<int>(kPrometheusPrefix.size())};
  return options;
}

// What "." is in a rule template.
class RuleRoot final : public Object {
 public:
  explicit RuleRoot(const RuleTemplateData& data) : data_(data) {}

  std::string TypeName() const override {
    return "struct { Labels map[string]string; ExternalLabels map[string]string; ExternalURL string; Value "
           "interface "
           "{} }";
  }
  std::string Print() const override {
    std::string out = "{";
    AppendValue(out, Value::Labels(data_.labels));
    out.push_back(' ');
    AppendValue(out, Value::Labels(data_.external_labels));
    out.push_back(' ');
    out += data_.external_url;
    out.push_back(' ');
    AppendValue(out, Value::Float(data_.value));
    out.push_back('}');
    return out;
  }
  std::optional<Value> Field(std::string_view name) const override {
    if (name == "Labels") {
      return Value::Labels(data_.labels);
    }
    if (name == "ExternalLabels") {
      return Value::Labels(data_.external_labels);
    }
    if (name == "ExternalURL") {
      return Value::View(data_.external_url);
    }
    if (name == "Value") {
      return Value::Float(data_.value);
    }
    return std::nullopt;
  }

 private:
  const RuleTemplateData& data_;
};

}  // namespace

Result<RuleTemplate> RuleTemplate::Parse(std::string_view alert_name, std::string_view text,
                                         const Template* shared) {
  std::string name = fmt::format("__alert_{}", alert_name);
  // A lone "{{" is text, as in vmalert: nobody means an action by it.
  if (text.find("{{") == std::string_view::npos || text == "{{") {
    return RuleTemplate(std::move(name), std::string(text), std::nullopt);
  }
  MLALERT_ASSIGN(Template parsed, shared == nullptr ? Template::Parse(name, text, RuleFunctions(), Options())
                                                    : shared->With(name, text, Options()));
  return RuleTemplate(std::move(name), std::string(), std::move(parsed));
}

std::string RuleTemplate::Expand(const RuleTemplateData& data, std::optional<Error>* error) const {
  if (!template_) {
    return literal_;
  }
  const RuleRoot root(data);
  const std::array<Value, 12> variables{Value::Labels(data.labels),     Value::Labels(data.external_labels),
                                        Value::View(data.external_url), Value::Float(data.value),
                                        Value::View(data.expr),         Value::OfTime({data.active_at}),
                                        Value::OfDuration(data.hold),   Value::OfDuration(data.interval),
                                        Value::Unsigned(data.alert_id), Value::Unsigned(data.group_id),
                                        Value::Bool(data.is_partial),   Value::View("prometheus")};
  const ExecEnv env{data.now, data.external_url, data.query, nullptr};
  Result<std::string> out = template_->Execute(Value::Ref(root), env, {}, variables);
  if (out) {
    return std::move(*out);
  }
  Error failure = std::move(out.error()).Context(fmt::format("error executing template {}", name_));
  std::string text = fmt::format("<error expanding template: {}>", failure.message);
  if (error != nullptr) {
    *error = std::move(failure);
  }
  return text;
}

}  // namespace mlalert::tmpl
