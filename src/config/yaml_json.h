// A YAML value of any shape as JSON: the free trees of receivers (payload, details, fields). Typed as Go's
// reader types them: 1 is a number, "1" a text, yes a bool, a date a text. Thread: pure.
#pragma once

#include "base/json.h"
#include "config/yaml_document.h"

namespace mlalert {

// Keys that are no texts (`n:`, `1:`) are dropped with their values, as upstream drops them when it renders.
Json YamlToJson(const YamlNode& node);

}  // namespace mlalert
