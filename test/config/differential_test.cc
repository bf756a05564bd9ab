// The same verdict as amtool check-config and promtool check rules over small files. Without those programs
// the corpus still holds us to the verdict it states.
#include <algorithm>
#include <array>
#include <boost/test/unit_test.hpp>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "config/config_loader.h"
#include "config/rule_loader.h"
#include "support/source_dir.h"

using namespace mlalert;  // NOLINT(google-build-using-namespace)

namespace {

struct Case {
  bool good = false;
  std::string name;
  std::string text;
};

std::vector<Case> ReadCorpus(const std::string& name) {
  std::ifstream in(mlalert::testing::SourceDir() + "/test/config/corpus/" + name);
  BOOST_REQUIRE(in.good());
  std::vector<Case> out;
  std::string line;
  while (std::getline(in, line)) {
    if (line.starts_with("=== ")) {
      bool good = line.starts_with("=== good ");
      out.push_back({good, line.substr(good ? 9 : 8), ""});
    } else if (!out.empty()) {
      out.back().text += line + "\n";
    }
  }
  return out;
}

bool Installed(const std::string& program) {
  return std::system(("command -v " + program + " >/dev/null 2>&1").c_str()) == 0;
}

// Writes every case to a file, gives all files to one run of `command`, returns its output.
std::string RunPeer(const std::string& command, const std::vector<Case>& cases,
                    const std::filesystem::path& dir) {
  std::string files;
  for (size_t i = 0; i < cases.size(); ++i) {
    std::string file = std::to_string(i) + ".yml";
    std::ofstream(dir / file) << cases[i].text;
    files += " " + file;
  }
  std::string line = "cd " + dir.string() + " && " + command + files + " 2>&1";
  FILE* pipe = popen(line.c_str(), "r");
  BOOST_REQUIRE(pipe != nullptr);
  std::string out;
  std::array<char, 4096> chunk{};
  while (size_t got = std::fread(chunk.data(), 1, chunk.size(), pipe)) {
    out.append(chunk.data(), got);
  }
  pclose(pipe);
  return out;
}

class TempDir {
 public:
  TempDir() {
    std::string pattern = (std::filesystem::temp_directory_path() / "mlalert-config-XXXXXX").string();
    path_ = mkdtemp(pattern.data());
  }
  ~TempDir() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

// What stands between the line about one file and the next one.
std::string_view Section(std::string_view output, const std::string& begin) {
  size_t at = output.find(begin);
  if (at == std::string_view::npos) {
    return {};
  }
  std::string_view rest = output.substr(at + begin.size());
  return rest.substr(0, rest.find("Checking "));
}

}  // namespace

BOOST_AUTO_TEST_SUITE(differential)

BOOST_AUTO_TEST_CASE(configs_have_the_stated_verdict) {
  for (const Case& c : ReadCorpus("configs.txt")) {
    ConfigPtr config;
    Diagnostics d = LoadConfigText(c.text, "a.yml", config);
    BOOST_TEST(d.ok() == c.good, c.name << "\n" << d.ToText());
  }
}

BOOST_AUTO_TEST_CASE(rules_have_the_stated_verdict) {
  for (const Case& c : ReadCorpus("rules.txt")) {
    std::vector<RuleGroup> groups;
    Diagnostics d = LoadRuleText(c.text, "a.yml", {}, groups);
    BOOST_TEST(d.ok() == c.good, c.name << "\n" << d.ToText());
  }
}

BOOST_AUTO_TEST_CASE(amtool_agrees) {
  if (!Installed("amtool")) {
    BOOST_TEST_MESSAGE("amtool is not installed: skipped");
    return;
  }
  TempDir dir;
  std::vector<Case> cases = ReadCorpus("configs.txt");
  std::string output = RunPeer("amtool check-config", cases, dir.path());
  for (size_t i = 0; i < cases.size(); ++i) {
    std::string_view section = Section(output, "Checking '" + std::to_string(i) + ".yml'");
    BOOST_TEST(section.starts_with("  SUCCESS") == cases[i].good, cases[i].name << ": " << section);
  }
}

BOOST_AUTO_TEST_CASE(promtool_agrees) {
  if (!Installed("promtool")) {
    BOOST_TEST_MESSAGE("promtool is not installed: skipped");
    return;
  }
  TempDir dir;
  std::vector<Case> cases = ReadCorpus("rules.txt");
  std::string output = RunPeer("promtool check rules --lint=none", cases, dir.path());
  for (size_t i = 0; i < cases.size(); ++i) {
    std::string_view section = Section(output, "Checking " + std::to_string(i) + ".yml\n");
    bool success = section.find("SUCCESS") != std::string_view::npos;
    BOOST_TEST(success == cases[i].good, cases[i].name << ": " << section);
  }
}

BOOST_AUTO_TEST_SUITE_END()
