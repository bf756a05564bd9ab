// docs/configuration.md against the loader: in every section of the page, the keys of its table are exactly
// the keys that the loader knows there. Headings are key paths (`receivers[].slack_configs[]`), first cells
// are keys.
#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <filesystem>
#include <fstream>
#include <map>
#include <regex>
#include <set>
#include <sstream>

#include "config_case.h"
#include "support/source_dir.h"

using namespace mlalert;           // NOLINT(google-build-using-namespace)
using namespace mlalert::testing;  // NOLINT(google-build-using-namespace)

namespace {

namespace fs = std::filesystem;
using Names = std::set<std::string>;

std::string ReadText(const fs::path& path) {
  std::ifstream in(path);
  BOOST_REQUIRE_MESSAGE(in, "cannot read " << path);
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

std::string Page() {
  return ReadText(fs::path(mlalert::testing::SourceDir()) / "docs/configuration.md");
}

Names AllMatches(const std::string& text, const std::string& pattern) {
  Names out;
  const std::regex regex(pattern);
  for (std::sregex_iterator it(text.begin(), text.end(), regex), end; it != end; ++it) {
    out.insert((*it)[1]);
  }
  return out;
}

// What stands in backquotes in the first cell of each row, by section. The root's path is "".
std::map<std::string, Names> DocumentedKeys() {
  std::map<std::string, Names> out;
  std::istringstream page(Page());
  std::string section = "-";
  const std::regex heading("^### `([^`]+)`$");
  for (std::string line; std::getline(page, line);) {
    std::smatch match;
    if (line.rfind("#", 0) == 0) {
      section = line == "## Top level" ? "" : std::regex_match(line, match, heading) ? match[1].str() : "-";
    } else if (section != "-" && line.rfind("| `", 0) == 0) {
      out[section].merge(AllMatches(line.substr(0, line.find(" | ")), "`([^`]+)`"));
    }
  }
  return out;
}

// Every text in the loader's sources that may be a key.
Names KeyCandidates() {
  Names out;
  for (const auto& item : fs::directory_iterator(fs::path(mlalert::testing::SourceDir()) / "src/config")) {
    std::string name = item.path().filename().string();
    if (name.rfind("config_", 0) == 0 && item.path().extension() == ".cc") {
      out.merge(AllMatches(ReadText(item.path()), "\"([a-z][a-z0-9_]*)\""));
    }
  }
  return out;
}

// A file in which these keys stand at this path: {receivers: [{slack_configs: [{a: null, b: null}]}]}.
std::string FileWith(const std::string& section, const Names& keys) {
  std::string open;
  std::string close;
  std::istringstream parts(section);
  for (std::string part; std::getline(parts, part, '.');) {
    bool list = part.size() > 2 && part.compare(part.size() - 2, 2, "[]") == 0;
    open += "{" + part.substr(0, part.size() - (list ? 2 : 0)) + ": " + (list ? "[" : "");
    close.insert(0, list ? "]}" : "}");
  }
  std::string fields;
  for (const auto& key : keys) {
    fields += (fields.empty() ? "" : ", ") + key + ": null";
  }
  return open + "{" + fields + "}" + close + "\n";
}

// Those of at most kProbes keys that the loader does not call unknown at this path.
constexpr size_t kProbes = 99;
static_assert(kProbes < kDiagnosticsMax / 2, "what the loader leaves out for length would count as known");

Names KnownAmong(const std::string& section, const Names& keys) {
  const Diagnostics found = Check(FileWith(section, keys));
  Names known;
  for (const auto& key : keys) {
    const std::string unknown = "field " + key + " not found in type";
    bool refused = std::any_of(found.items().begin(), found.items().end(),
                               [&](const Diagnostic& d) { return d.message.rfind(unknown, 0) == 0; });
    if (!refused) {
      known.insert(key);
    }
  }
  return known;
}

Names KnownKeys(const std::string& section, const Names& keys) {
  Names known;
  for (auto it = keys.begin(); it != keys.end();) {
    Names some;
    for (; it != keys.end() && some.size() < kProbes; ++it) {
      some.insert(*it);
    }
    known.merge(KnownAmong(section, some));
  }
  return known;
}

// http_config is one section of the page and stands in five places of the file.
std::vector<std::string> PlacesOf(const std::string& section) {
  if (section.rfind("http_config", 0) != 0) {
    return {section};
  }
  std::vector<std::string> out;
  for (const char* parent : {"global", "receivers[].webhook_configs[]", "receivers[].slack_configs[]",
                             "receivers[].pagerduty_configs[]", "datasources[]"}) {
    out.push_back(std::string(parent) + "." + section);
  }
  return out;
}

std::string Join(const Names& names) {
  std::string out;
  for (const auto& name : names) {
    out += " " + name;
  }
  return out;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(documented_keys)

BOOST_AUTO_TEST_CASE(every_section_of_the_page_is_read_strictly) {
  // Otherwise the loader seems to know every key there, and the other cases say nothing.
  auto documented = DocumentedKeys();
  BOOST_TEST(documented.size() > 25U);
  for (const auto& [section, keys] : documented) {
    for (const auto& place : PlacesOf(section)) {
      BOOST_TEST(KnownAmong(place, {"no_such_key"}).empty(), "the loader does not look into " << place);
    }
  }
}

BOOST_AUTO_TEST_CASE(the_page_names_the_keys_the_loader_knows_and_no_others) {
  const Names candidates = KeyCandidates();
  for (const auto& [section, keys] : DocumentedKeys()) {
    Names probes = candidates;
    probes.insert(keys.begin(), keys.end());
    for (const auto& place : PlacesOf(section)) {
      const Names known = KnownKeys(place, probes);
      BOOST_TEST(Join(keys) == Join(known), "section " << place << " documents\n " << Join(keys)
                                                       << "\nand the loader knows\n " << Join(known));
    }
  }
}

BOOST_AUTO_TEST_CASE(every_key_the_loader_reads_stands_in_some_section) {
  // A nested map without a section of its own would escape the case above.
  Names documented;
  for (auto& [section, keys] : DocumentedKeys()) {
    documented.insert(keys.begin(), keys.end());
  }
  Names read;
  for (const auto& item : fs::directory_iterator(fs::path(mlalert::testing::SourceDir()) / "src/config")) {
    if (item.path().filename().string().rfind("config_", 0) == 0) {
      read.merge(
          AllMatches(ReadText(item.path()), "(?:Take|Read|Refuse)[A-Za-z]*\\((?:[a-z]+, )?\"([a-z0-9_]+)\""));
    }
  }
  BOOST_TEST(read.size() > 100U);
  for (const auto& key : read) {
    BOOST_TEST(documented.count(key) == 1U, key << " is read and stands in no section of the page");
  }
}

BOOST_AUTO_TEST_CASE(every_flag_of_serve_is_on_the_page_of_the_command_line) {
  const fs::path root = mlalert::testing::SourceDir();
  const Names flags = AllMatches(ReadText(root / "src/cli/serve_flags.cc"), "\"(--[a-z.-]+[a-z])[\",]");
  const std::string page = ReadText(root / "docs/cli.md");
  BOOST_TEST(flags.size() >= 30U);
  for (const std::string& flag : flags) {
    BOOST_TEST(page.find("`" + flag + "`") != std::string::npos, flag);
  }
}

BOOST_AUTO_TEST_SUITE_END()
