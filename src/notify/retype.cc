// Rendered texts that mean more than text: "3" is a number, "[1, 2]" a list, "a: b" a map.
#include <algorithm>

#include "base/json.h"
#include "config/yaml_document.h"
#include "config/yaml_json.h"
#include "notify/json_object.h"
#include "notify/payload.h"

namespace mlalert {
namespace {

// Longer texts stay text unless they are JSON: reading YAML is slow, and nobody writes that much of it by
// template.
constexpr size_t kRetypedYamlBytesMax = size_t{64} << 10;

// Maps come out with sorted keys, because upstream has turned them into generic maps.
void AppendSorted(std::string& out, const Json& json) {
  if (json.is_array()) {
    out.push_back('[');
    const char* separator = "";
    for (const Json& item : json.AsArray()) {
      out += separator;
      AppendSorted(out, item);
      separator = ",";
    }
    out.push_back(']');
  } else if (json.is_object()) {
    std::vector<const std::pair<std::string, Json>*> fields;
    for (const auto& field : json.AsObject()) {
      fields.push_back(&field);
    }
    std::sort(fields.begin(), fields.end(), [](auto* a, auto* b) { return a->first < b->first; });
    JsonObject object(out);
    for (const auto* field : fields) {
      AppendSorted(object.Key(field->first), field->second);
    }
    object.End();
  } else if (json.is_string()) {
    AppendJsonString(out, json.AsString());
  } else {
    out += json.Dump();
  }
}

}  // namespace

std::string RetypeAsJson(std::string_view rendered) {
  std::string out;
  size_t start = rendered.find_first_not_of(" \t\r\n");
  char first = start == std::string_view::npos ? '\0' : rendered[start];
  if (first == '[' || first == '{') {
    if (auto json = ParseJson(rendered)) {
      AppendSorted(out, *json);
      return out;
    }
  }
  if (rendered.size() <= kRetypedYamlBytesMax && IsValidUtf8(rendered)) {
    SourceText source("", rendered);
    Diagnostics diagnostics;
    YamlNodePtr node = ParseYaml(rendered, source, diagnostics);
    if (node != nullptr && diagnostics.ok() &&
        (node->kind != YamlNode::Kind::kScalar || node->Tag() != "!!str")) {
      AppendSorted(out, YamlToJson(*node));
      return out;
    }
  }
  AppendJsonString(out, rendered);
  return out;
}

}  // namespace mlalert
