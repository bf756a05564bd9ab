// Groups given as JSON, in the form of Alertmanager's template.Data (which is that of a webhook's body too),
// and the example group that previews use when none is given. Read by: `mlalert template`. Thread: pure
// functions.
#pragma once

#include "base/json.h"
#include "base/result.h"
#include "notify/template_data.h"

namespace mlalert {

// Keys as upstream (any case), unknown ones are ignored, missing ones are empty. Of an alert without
// `severity` its label decides. Errors name the key: "alerts[0].startsAt: ...".
Result<TemplateGroup> ParseTemplateGroup(const Json& json);

// The two alerts that `amtool template render` shows.
TemplateGroup ExampleGroup(Timestamp now);

// -- shared with other readers of preview data
// A value by its key in any case; null when absent or null.
const Json* FindAnyCase(const Json& object, std::string_view key);
// An object of strings; null and absent are empty.
Result<std::vector<std::pair<std::string, std::string>>> StringPairs(const Json* json, std::string_view key);
Result<std::string> StringOf(const Json* json, std::string_view key);
Result<tmpl::Time> TimeOf(const Json* json, std::string_view key);

}  // namespace mlalert
