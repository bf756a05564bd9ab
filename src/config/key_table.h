// Every key of the configuration file: section, name, type, default, meaning. The one place that describes
// them; made from it are the tables of docs/configuration.md, the JSON Schema that editors complete keys with
// (docs/mlalert.schema.json), and the sample of `mlalert check --print-defaults`. Tests hold it to the
// loader, in both directions. To add a key: a row in key_table.cc, then
// `./dev docs`. Thread: any.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"

namespace mlalert {

struct KeyRow {
  std::vector<std::string> keys;
  std::string type;
  std::string fallback;  // the default, as the page says it
  std::string meaning;
  std::string line;  // all of it, as a row of a Markdown table
};

// `path` names the map that has these keys: "" is the file, "receivers[]" an entry of that list,
// "http_config.http_headers.<name>" each value of that map.
struct KeySection {
  std::string path;
  std::vector<KeyRow> rows;
};

const std::vector<KeySection>& KeyTable();
// Null when no section has this path.
const KeySection* FindKeySection(std::string_view path);

// The default of the row's n-th key as text; empty when there is none, or when it is no value ("that of
// `global`").
std::string DefaultOf(const KeyRow& row, size_t n);

// The page with the rows of its tables replaced by those of the table; the text around them stays.
std::string ReplaceKeyTables(std::string_view page);

// Draft 7, which is what editors' YAML language servers read.
Json ConfigSchema();

// A configuration that loads and does nothing, with every key, its default and its meaning as comments.
std::string ConfigSample();

// A meaning without the Markdown of links.
std::string PlainMeaning(std::string_view text);

}  // namespace mlalert
