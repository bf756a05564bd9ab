// Template texts, executed as a notification's text, as its HTML and as a rule's annotation. What parses
// runs, and what runs stays within its limits.
#include <memory>
#include <string>

#include "fuzz.h"
#include "template/notify_funcs.h"
#include "template/rule_template.h"
#include "template/template.h"

using namespace mlalert;
using tmpl::Value;

namespace {

constexpr tmpl::ExecLimits kLimits{
    .output_bytes = 1 << 16, .template_depth = 20, .steps = 20000, .query_calls = 3};

Value Data() {
  return Value::AnyMap({{"Status", Value::View("firing")},
                        {"Labels", Value::StringMap({{"alertname", "A<b>&\"'"}, {"url", "javascript:x"}})},
                        {"Alerts", Value::List({Value::StringMap({{"a", "b"}}), Value::Integer(7)})},
                        {"Value", Value::Float(1234.5678)},
                        {"StartsAt", Value::OfTime({FromUnixMillis(1795402082123)})},
                        {"For", Value::OfDuration(std::chrono::minutes(90))},
                        {"Html", Value::String("<i a=\"b\">x</i>", tmpl::StringType::kHtml)},
                        {"Nil", Value()}});
}

void RunNotification(const std::string& text) {
  static const Value data = Data();
  static const auto base = tmpl::Template::Parse("base", "{{ define \"x\" }}<a href=\"{{ . }}\">{{ end }}",
                                                 tmpl::NotifyFunctions());
  auto parsed = base->With("", text);
  if (!parsed) {
    FUZZ_CHECK(!parsed.error().message.empty());
    return;
  }
  const tmpl::ExecEnv env{.now = FromUnixMillis(1795402082000), .external_url = "http://x"};
  auto out = parsed->Execute(data, env, kLimits);
  FUZZ_CHECK(!out || out->size() <= kLimits.output_bytes);
  auto html = parsed->Html();
  if (html) {
    auto safe = html->Execute(data, env, kLimits);
    FUZZ_CHECK(!safe || safe->size() <= kLimits.output_bytes);
  }
}

void RunRule(const std::string& text) {
  auto parsed = tmpl::RuleTemplate::Parse("T", text);
  if (!parsed) {
    return;
  }
  static const tmpl::LabelPair labels[] = {{"instance", "h:9100"}, {"job", "api"}};
  static const tmpl::QueryFn query = [](const std::string& expr) -> Result<std::vector<tmpl::Sample>> {
    return std::vector<tmpl::Sample>{{{{"expr", expr}}, 1.5}};
  };
  tmpl::RuleTemplateData data;
  data.labels = labels;
  data.value = 0.25;
  data.now = FromUnixMillis(1795402082000);
  data.query = &query;
  (void)parsed->Expand(data);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string text(FuzzText(data, size));
  RunNotification(text);
  RunRule(text);
  return 0;
}
