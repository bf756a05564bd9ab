// The arrows between folders of src/ point one way: a file includes only from folders that stand before its
// own. The order is the design's; the linker checks the same for symbols, this checks it for headers.
#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <filesystem>
#include <fstream>
#include <map>
#include <regex>
#include <set>
#include <string>
#include <vector>

#include "support/source_dir.h"

namespace {

namespace fs = std::filesystem;

// What each folder may use; "uses" is transitive.
const std::vector<std::pair<std::string, std::vector<std::string>>> kFolders = {
    {"base", {}},
    {"model", {"base"}},
    {"template", {"model"}},
    {"promql", {"model"}},
    {"config", {"template", "promql"}},
    {"storage", {"model"}},
    {"net", {"base"}},
    {"intake", {"model"}},
    {"rules", {"config", "net", "template", "intake", "promql"}},
    {"alerts", {"model", "intake"}},
    {"incidents", {"alerts", "config"}},
    {"mute", {"alerts", "config"}},
    {"dispatch", {"mute", "config"}},
    {"notify", {"dispatch", "template", "net"}},
    {"engine", {"notify", "incidents", "storage", "rules"}},
    {"review", {"storage", "template"}},
    {"backtest", {"engine", "rules", "review"}},
    {"api", {"engine", "review"}},
    {"cli", {"api", "backtest"}},
};

std::map<std::string, std::set<std::string>> Allowed() {
  std::map<std::string, std::set<std::string>> out;
  for (const auto& [folder, uses] : kFolders) {
    auto& allowed = out[folder];
    allowed.insert(folder);
    for (const auto& used : uses) {
      BOOST_REQUIRE_MESSAGE(out.count(used) == 1,
                            folder << " uses " << used << ", which does not stand before it");
      allowed.insert(out[used].begin(), out[used].end());
    }
  }
  return out;
}

std::vector<fs::path> Sources() {
  std::vector<fs::path> out;
  for (const auto& item : fs::recursive_directory_iterator(fs::path(mlalert::testing::SourceDir()) / "src")) {
    if (item.path().extension() == ".cc" || item.path().extension() == ".h") {
      out.push_back(item.path());
    }
  }
  std::sort(out.begin(), out.end());
  return out;
}

std::string FolderOf(const fs::path& file) {
  fs::path relative = fs::relative(file, fs::path(mlalert::testing::SourceDir()) / "src");
  return relative.begin()->string();
}

std::vector<std::string> LinesOf(const fs::path& file) {
  std::ifstream in(file);
  std::vector<std::string> out;
  for (std::string line; std::getline(in, line);) {
    out.push_back(line);
  }
  return out;
}

BOOST_AUTO_TEST_SUITE(tidy)

BOOST_AUTO_TEST_CASE(every_include_points_to_a_folder_that_stands_before) {
  auto allowed = Allowed();
  const std::regex include("^#include \"([a-z_]+)/.*\"");
  size_t seen = 0;
  for (const auto& file : Sources()) {
    std::string folder = FolderOf(file);
    if (folder == "main.cc") {
      continue;
    }
    BOOST_REQUIRE_MESSAGE(allowed.count(folder) == 1, "src/" << folder << " is not in the design's list");
    for (const auto& line : LinesOf(file)) {
      std::smatch match;
      if (std::regex_search(line, match, include) && allowed.count(match[1]) == 1) {
        ++seen;
        BOOST_CHECK_MESSAGE(
            allowed[folder].count(match[1]) == 1,
            file.string() << " includes from " << match[1] << "/, which stands after " << folder << "/");
      }
    }
  }
  BOOST_TEST(seen > 100U);  // the test reads something
}

BOOST_AUTO_TEST_CASE(third_party_headers_stay_in_their_folder) {
  const std::vector<std::pair<std::string, std::set<std::string>>> homes = {
      {"<sqlite3.h>", {"storage"}},
      {"<httplib.h>", {"api"}},
      {"<yaml-cpp/", {"config"}},
      {"<curl/", {"net"}},
      {"<rapidjson/", {"base", "intake", "rules"}},
      {"<re2/", {"base", "template"}},
      {"<prometheus/", {"base", "api"}},
      {"<spdlog/", {"base"}},
      {"<CLI/", {"cli"}},
      {"<date/", {"base", "template", "config", "mute", "review"}},
  };
  for (const auto& file : Sources()) {
    for (const auto& line : LinesOf(file)) {
      for (const auto& [header, folders] : homes) {
        if (line.rfind("#include " + header, 0) == 0) {
          BOOST_CHECK_MESSAGE(folders.count(FolderOf(file)) == 1, file.string()
                                                                      << " must not include " << header);
        }
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(headers_begin_with_what_they_are) {
  for (const auto& file : Sources()) {
    if (file.extension() == ".h") {
      auto lines = LinesOf(file);
      BOOST_CHECK_MESSAGE(!lines.empty() && lines[0].rfind("// ", 0) == 0, file.string()
                                                                               << " has no opening comment");
    }
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
