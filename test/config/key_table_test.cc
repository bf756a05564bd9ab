// What is made of the table of keys: the tables of docs/configuration.md, docs/mlalert.schema.json, the
// sample. That the page agrees with the loader is documented_keys_test.cc's. MLALERT_UPDATE_DOCS=1 (`./dev
// docs`) writes the files instead.
#include "config/key_table.h"

#include <boost/test/unit_test.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

#include "config/yaml_document.h"
#include "config_case.h"
#include "support/source_dir.h"

using namespace mlalert;           // NOLINT(google-build-using-namespace)
using namespace mlalert::testing;  // NOLINT(google-build-using-namespace)

namespace {

namespace fs = std::filesystem;

const char* const kPage = "docs/configuration.md";
const char* const kSchema = "docs/mlalert.schema.json";

fs::path PathOf(const char* name) {
  return fs::path(mlalert::testing::SourceDir()) / name;
}

std::string Contents(const char* name) {
  std::ifstream in(PathOf(name));
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

void WriteIfAsked(const char* name, const std::string& text) {
  if (std::getenv("MLALERT_UPDATE_DOCS") != nullptr) {
    std::ofstream(PathOf(name)) << text;
  }
}

// Rows that only one of the two has.
std::string Difference(const std::string& a, const std::string& b) {
  std::string out;
  std::istringstream lines(a);
  for (std::string line; std::getline(lines, line);) {
    if (line.rfind("| `", 0) == 0 && b.find(line + "\n") == std::string::npos) {
      out += line + "\n";
    }
  }
  return out;
}

// A property of a property: "route.group_wait"; through lists, references and alternatives.
const Json* Property(const Json& schema, const Json& at, const std::string& path) {
  const Json* here = &at;
  if (const Json* reference = here->Find("$ref")) {
    const std::string& name = reference->AsString();
    here = schema.Find("definitions")->Find(name.substr(name.rfind('/') + 1));
  }
  if (const Json* items = here->Find("items")) {
    return Property(schema, *items, path);
  }
  if (const Json* either = here->Find("anyOf")) {
    return Property(schema, either->AsArray().back(), path);
  }
  if (path.empty()) {
    return here;
  }
  const size_t dot = std::min(path.find('.'), path.size());
  const Json* properties = here->Find("properties");
  const Json* next = properties == nullptr ? nullptr : properties->Find(path.substr(0, dot));
  return next == nullptr ? nullptr : Property(schema, *next, path.substr(std::min(dot + 1, path.size())));
}

}  // namespace

BOOST_AUTO_TEST_SUITE(key_table)

BOOST_AUTO_TEST_CASE(the_page_is_made_of_the_table) {
  const std::string page = Contents(kPage);
  const std::string wanted = ReplaceKeyTables(page);
  const std::string only_page = Difference(page, wanted);
  BOOST_TEST(only_page.empty(),
             "rows of docs/configuration.md that src/config/key_table.cc does not have (add them there):\n"
                 << only_page);
  if (only_page.empty()) {
    WriteIfAsked(kPage, wanted);
  }
  BOOST_TEST((Contents(kPage) == wanted),
             "docs/configuration.md does not follow src/config/key_table.cc: ./dev docs\n"
                 << Difference(wanted, page));
}

BOOST_AUTO_TEST_CASE(every_section_of_the_table_stands_on_the_page_with_its_rows) {
  const std::string page = Contents(kPage);
  BOOST_TEST(KeyTable().size() > 60U);
  size_t rows = 0;
  std::set<std::string> paths;
  for (const KeySection& section : KeyTable()) {
    BOOST_TEST(paths.insert(section.path).second, "two sections " << section.path);
    const std::string heading = section.path.empty() ? "## Top level" : "### `" + section.path + "`";
    BOOST_TEST(page.find("\n" + heading + "\n") != std::string::npos,
               "docs/configuration.md has no heading " << heading);
    rows += section.rows.size();
    for (const KeyRow& row : section.rows) {
      BOOST_TEST(!row.keys.empty(), row.line);
      BOOST_TEST(page.find("\n" + row.line + "\n") != std::string::npos,
                 "docs/configuration.md lacks " << row.line);
    }
  }
  std::istringstream lines(page.substr(0, page.find("\n## Flags")));
  size_t on_page = 0;
  bool of_table = false;
  for (std::string line; std::getline(lines, line);) {
    of_table = line.rfind('#', 0) == 0 ? line == "## Top level" || line.rfind("### `", 0) == 0 : of_table;
    on_page += of_table && line.rfind("| `", 0) == 0 ? 1 : 0;
  }
  BOOST_TEST(on_page == rows);
}

BOOST_AUTO_TEST_CASE(a_default_is_a_value_or_nothing) {
  auto value = [](const char* fallback, size_t keys = 1, size_t n = 0) {
    KeyRow row;
    row.keys.resize(keys, "x");
    row.fallback = fallback;
    return DefaultOf(row, n);
  };
  BOOST_TEST(value("`30s`") == "30s");
  BOOST_TEST(value("**`false`**") == "false");
  BOOST_TEST(value("`4`, `3`", 2, 1) == "3");
  BOOST_TEST(value("`1h`", 2, 1) == "1h");
  for (const char* none :
       {"", "none", "required", "`global`'s", "`webex_api_url`", "`evaluation.concurrency`",
        "`slack.default.*`", "`webex.default.message`", "`0`: all"}) {
    BOOST_TEST(value(none) == "", none);
  }
}

BOOST_AUTO_TEST_CASE(the_committed_schema_is_made_of_the_table) {
  const std::string wanted = ConfigSchema().DumpIndented() + "\n";
  WriteIfAsked(kSchema, wanted);
  BOOST_TEST((Contents(kSchema) == wanted),
             kSchema << " does not follow src/config/key_table.cc: ./dev docs");
}

BOOST_AUTO_TEST_CASE(the_schema_knows_every_key_its_type_and_its_default) {
  const Json schema = ConfigSchema();
  for (const KeySection& section : KeyTable()) {
    std::string path = section.path;
    if (path.rfind("http_config", 0) == 0) {
      continue;  // a definition; below through global
    }
    for (size_t at = path.find("[]"); at != std::string::npos; at = path.find("[]")) {
      path.erase(at, 2);
    }
    for (const KeyRow& row : section.rows) {
      for (const std::string& key : row.keys) {
        const std::string place = path.empty() ? key : path + "." + key;
        const bool refused = row.meaning.rfind("refused", 0) == 0;
        BOOST_TEST((Property(schema, schema, place) != nullptr) == !refused, place);
      }
    }
  }
  const Json* wait = Property(schema, schema, "route.group_wait");
  BOOST_REQUIRE(wait != nullptr);
  BOOST_TEST(wait->GetString("default") == "30s");
  BOOST_TEST(!wait->GetString("pattern").empty());
  BOOST_TEST(Property(schema, schema, "route.routes.routes.continue")->GetString("type") == "boolean");
  BOOST_TEST(Property(schema, schema, "receivers.webhook_configs.http_config.oauth2.tls_config.ca_file") !=
             nullptr);
  BOOST_TEST(Property(schema, schema, "global.smtp_tls_config.server_name") != nullptr);
  BOOST_TEST(Property(schema, schema, "datasources.method")->Find("enum")->AsArray().size() == 2U);
  BOOST_TEST(Property(schema, schema, "datasources.concurrency")->Find("maximum")->AsInt() == 256);
  BOOST_TEST(Property(schema, schema, "route.group_weight") == nullptr);
  BOOST_TEST(schema.Find("required")->AsArray().size() == 2U);
}

BOOST_AUTO_TEST_CASE(the_sample_loads_and_names_every_key) {
  const std::string sample = ConfigSample();
  BOOST_TEST(Check(sample).ok());
  for (const KeySection& section : KeyTable()) {
    for (const KeyRow& row : section.rows) {
      const bool refused = row.meaning.rfind("refused", 0) == 0;
      for (const std::string& key : row.keys) {
        BOOST_TEST((refused || sample.find(key + ":") != std::string::npos), section.path << " " << key);
      }
    }
  }
  BOOST_TEST(sample.find("](") == std::string::npos, "links of Markdown say nothing in a YAML file");
}

BOOST_AUTO_TEST_CASE(what_stands_commented_is_yaml_where_it_stands) {
  // Every line without its first "# " is a comment or `key: value` at its depth: the whole is one YAML map
  // again.
  std::istringstream lines(ConfigSample());
  std::string text;
  bool body = false;
  for (std::string line; std::getline(lines, line);) {
    body |= line.rfind("# global:", 0) == 0 || body;
    if (body && line.rfind("# ", 0) == 0) {
      text += line.substr(2) + "\n";
    }
  }
  Diagnostics found;
  SourceText source("sample.yml", text);
  BOOST_TEST((ParseYaml(text, source, found) != nullptr));
  BOOST_TEST(found.ok(), found.ToText());
}

BOOST_AUTO_TEST_SUITE_END()
