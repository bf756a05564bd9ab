// The JSON Schema of the configuration. It helps people while they write; what loads is decided by the
// loader, which also says more. So where the table's words are not exact, the schema lets things pass.
#include <algorithm>
#include <cstdlib>
#include <map>
#include <optional>

#include "config/key_table.h"

namespace mlalert {
namespace {

constexpr const char* kDuration = "^(0|([0-9]+(ms|s|m|h|d|w|y))+)$";
constexpr const char* kGoDuration = "^(0|([0-9]+(\\.[0-9]*)?(ns|us|µs|ms|s|m|h))+)$";

Json OfType(Json type) {
  Json out = Json::MakeObject();
  out.Set("type", std::move(type));
  return out;
}

// YAML reads 1 and yes as other types; the loader takes them for text where text is wanted.
Json Text() {
  return OfType(Json(Json::Array{"string", "number", "boolean"}));
}

Json DurationText(const char* pattern) {
  Json out = OfType(Json(Json::Array{"string", "integer"}));
  out.Set("pattern", pattern);
  return out;
}

Json ListOf(Json item) {
  Json out = OfType("array");
  out.Set("items", std::move(item));
  return out;
}

Json Reference(const std::string& name) {
  Json out = Json::MakeObject();
  out.Set("$ref", "#/definitions/" + name);
  return out;
}

std::vector<std::string> Split(std::string_view text, std::string_view separator) {
  std::vector<std::string> out;
  for (;;) {
    const size_t at = text.find(separator);
    out.emplace_back(text.substr(0, at));
    if (at == std::string_view::npos) {
      return out;
    }
    text.remove_prefix(at + separator.size());
  }
}

bool IsQuoted(std::string_view word) {
  return word.size() > 2 && word.front() == '`' && word.back() == '`' && word.find('`', 1) == word.size() - 1;
}

std::string Unquoted(std::string_view word) {
  return IsQuoted(word) ? std::string(word.substr(1, word.size() - 2)) : std::string(word);
}

// "`a`, `b`, empty": one of these words.
std::optional<Json> Enumeration(std::string_view type) {
  Json words = Json::MakeArray();
  for (const std::string& word : Split(type, ", ")) {
    const bool is_word =
        IsQuoted(word) && word.find(':') == std::string::npos && word.find('{') == std::string::npos;
    if (!is_word && word != "empty") {
      return std::nullopt;
    }
    words.Push(word == "empty" ? "" : Unquoted(word));
  }
  Json out = Json::MakeObject();
  out.Set("enum", std::move(words));
  return out;
}

// "1 to 256"
std::optional<Json> Range(std::string_view type) {
  const std::vector<std::string> ends = Split(type, " to ");
  auto digits = [](const std::string& text) {
    return !text.empty() && text.size() < 10 &&
           std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
  };
  if (ends.size() != 2 || !digits(ends[0]) || !digits(ends[1])) {
    return std::nullopt;
  }
  Json out = OfType("integer");
  out.Set("minimum", std::stoi(ends[0])).Set("maximum", std::stoi(ends[1]));
  return out;
}

// One word of the column "Type". What is not known here may be anything.
Json SchemaOfWord(const std::string& type) {
  static const std::map<std::string, Json, std::less<>> known{
      {"duration", DurationText(kDuration)},
      {"Go duration", DurationText(kGoDuration)},
      {"bool", OfType("boolean")},
      {"number", OfType("number")},
      {"map", OfType("object")},
      {"matchers", ListOf(OfType("string"))},
      {"list", OfType("array")},
  };
  if (auto found = known.find(type); found != known.end()) {
    return found->second;
  }
  if (auto words = Enumeration(type)) {
    return *words;
  }
  if (auto range = Range(type)) {
    return *range;
  }
  if (type.starts_with("list of ") && type.find(" or ") == std::string::npos) {
    return ListOf(Text());
  }
  if (type.starts_with("map of ")) {
    return OfType("object");
  }
  for (const char* word : {"text", "secret", "URL", "template", "path", "name", "label", "PEM", "address",
                           "time zone", "regex", "phone"}) {
    if (type.find(word) != std::string::npos && type.find(" or ") == std::string::npos) {
      return Text();
    }
  }
  return Json::MakeObject();
}

// The type of the row's n-th key: "secret, path" are those of `x`, `x_file`.
std::string TypeOf(const KeyRow& row, size_t n) {
  if (Enumeration(row.type)) {
    return row.type;
  }
  const std::vector<std::string> types = Split(row.type, ", ");
  return types.size() == row.keys.size() ? types[n] : types.front();
}

void AddDefault(const KeyRow& row, size_t n, Json& out) {
  const std::string value = DefaultOf(row, n);
  if (value.empty()) {
    return;
  }
  if (row.type == "bool") {
    out.Set("default", value == "true");
  } else if (row.type == "number" || Range(row.type)) {
    char* end = nullptr;
    const double number = std::strtod(value.c_str(), &end);
    if (*end == '\0') {
      out.Set("default", number);
    }
  } else {
    out.Set("default", value);
  }
}

Json SchemaOfSection(const KeySection& section);

// What the key holds: a section of its own, one that several places share, or a plain value.
Json SchemaOfKey(const std::string& path, const KeyRow& row, size_t n) {
  const std::string& key = row.keys[n];
  const std::string place = path.empty() ? key : path + "." + key;
  if (key == "http_config") {
    return Reference("http_config");
  }
  if (key == "tls_config" || key.ends_with("_tls_config")) {
    return Reference("tls_config");
  }
  if (place == "route" || place == "route.routes") {
    return place == "route" ? Reference("root_route") : ListOf(Reference("route"));
  }
  const KeySection* list = FindKeySection(place == "mute_time_intervals" ? "time_intervals[]" : place + "[]");
  const KeySection* map = FindKeySection(place);
  if (list != nullptr) {
    Json item = SchemaOfSection(*list);
    if (row.type.find("globs") != std::string::npos) {
      Json either = Json::MakeObject();
      either.Set("anyOf", Json(Json::Array{OfType("string"), std::move(item)}));
      item = std::move(either);
    }
    return ListOf(std::move(item));
  }
  if (map != nullptr && row.type.find("template or map") != std::string::npos) {
    Json out = Json::MakeObject();
    out.Set("anyOf", Json(Json::Array{Text(), SchemaOfSection(*map)}));
    return out;
  }
  if (map != nullptr) {
    return SchemaOfSection(*map);
  }
  if (const KeySection* each = FindKeySection(place + ".<name>")) {
    Json out = OfType("object");
    out.Set("additionalProperties", SchemaOfSection(*each));
    return out;
  }
  return SchemaOfWord(TypeOf(row, n));
}

Json SchemaOfSection(const KeySection& section) {
  Json properties = Json::MakeObject();
  Json required = Json::MakeArray();
  for (const KeyRow& row : section.rows) {
    if (row.meaning.starts_with("refused")) {
      continue;
    }
    for (size_t n = 0; n < row.keys.size(); ++n) {
      Json value = SchemaOfKey(section.path, row, n);
      // Beside a $ref draft 7 reads nothing; editors show the description all the same.
      std::string words = PlainMeaning(row.meaning);
      if (!words.empty()) {
        value.Set("description", std::move(words));
      }
      AddDefault(row, n, value);
      properties.Set(row.keys[n], std::move(value));
      if (row.fallback == "required" || row.fallback.starts_with("required,")) {
        required.Push(row.keys[n]);
      }
    }
  }
  Json out = OfType("object");
  out.Set("additionalProperties", false).Set("properties", std::move(properties));
  if (!required.AsArray().empty()) {
    out.Set("required", std::move(required));
  }
  return out;
}

Json Definition(std::string_view path) {
  const KeySection* section = FindKeySection(path);
  return section == nullptr ? Json::MakeObject() : SchemaOfSection(*section);
}

}  // namespace

Json ConfigSchema() {
  Json root_route = Definition("route");
  root_route.Set("required", Json(Json::Array{"receiver"}));
  Json definitions = Json::MakeObject();
  definitions.Set("route", Definition("route"))
      .Set("root_route", std::move(root_route))
      .Set("http_config", Definition("http_config"))
      .Set("tls_config", Definition("http_config.tls_config"));
  Json out = Json::MakeObject();
  out.Set("$schema", "http://json-schema.org/draft-07/schema#")
      .Set("title", "mlalert configuration")
      .Set("description", "A superset of alertmanager.yml");
  const Json root = Definition("");
  for (const auto& [name, value] : root.AsObject()) {
    out.Set(name, value);
  }
  out.Set("definitions", std::move(definitions));
  return out;
}

}  // namespace mlalert
