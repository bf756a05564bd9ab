// Short forms for template tests: parse and execute in one call, errors as text.
#pragma once

#include <string>
#include <string_view>

#include "template/notify_funcs.h"
#include "template/rule_funcs.h"
#include "template/template.h"

namespace mlalert::tmpl::testing {

// The output, or "E: " and the error's message.
inline std::string Render(std::string_view text, const Value& data = {},
                          const FuncMap& funcs = NotifyFunctions(), const ExecEnv& env = {},
                          const ExecLimits& limits = {}) {
  auto parsed = Template::Parse("t", text, funcs);
  if (!parsed) {
    return "E: " + parsed.error().message;
  }
  auto out = parsed->Execute(data, env, limits);
  return out ? *out : "E: " + out.error().message;
}

struct Case {
  const char* text;
  const char* want;
};

}  // namespace mlalert::tmpl::testing
