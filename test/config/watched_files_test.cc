// Which changes of which files are a reason to reload.
#include "config/watched_files.h"

#include <boost/test/unit_test.hpp>
#include <filesystem>
#include <fstream>
#include <string>
#include <unistd.h>

using namespace mlalert;  // NOLINT(google-build-using-namespace)
namespace fs = std::filesystem;

namespace {

struct Folder {
  Folder() : path(fs::temp_directory_path() / ("mlalert-watched-" + std::to_string(::getpid()))) {
    fs::create_directories(path);
  }
  ~Folder() { fs::remove_all(path); }
  void Write(const std::string& name, const std::string& text) const {
    fs::create_directories((path / name).parent_path());
    std::ofstream(path / name) << text;
  }
  std::string Hash() const { return FilesFingerprint((path / "c.yml").string()); }
  fs::path path;
};

constexpr const char* kConfig = R"(
rule_files: [rules/*.yml, {files: [more/*.yml], datasource: x}]
templates: [t/*.tmpl]
receivers: [{name: r, rocketchat_configs: [{token_file: TOKEN}], slack_configs: [{api_url_file: SLACK}]}]
)";

std::string Config(const Folder& folder) {
  std::string text = kConfig;
  for (const char* name : {"TOKEN", "SLACK"}) {
    text.replace(text.find(name), 5, (folder.path / name).string());
  }
  return text;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(watched_files)

BOOST_AUTO_TEST_CASE(each_file_that_is_read_at_a_load_counts) {
  Folder folder;
  folder.Write("c.yml", Config(folder));
  std::string before = folder.Hash();
  BOOST_TEST(before == folder.Hash());
  for (const char* name : {"rules/a.yml", "more/b.yml", "t/x.tmpl", "TOKEN"}) {
    folder.Write(name, "1");
    const std::string created = folder.Hash();
    BOOST_TEST(created != before, name << " appeared");
    folder.Write(name, "2");
    const std::string changed = folder.Hash();
    BOOST_TEST(changed != created, name << " changed");
    before = changed;
  }
  fs::remove(folder.path / "more/b.yml");
  BOOST_TEST(folder.Hash() != before);
}

BOOST_AUTO_TEST_CASE(what_is_read_for_each_call_and_what_is_not_named_does_not_count) {
  Folder folder;
  folder.Write("c.yml", Config(folder));
  folder.Write("rules/a.yml", "1");
  const std::string before = folder.Hash();
  folder.Write("SLACK", "https://example.com");
  folder.Write("rules/a.txt", "x");
  folder.Write("rules/a.yml", "1");  // another time, the same content
  BOOST_TEST(folder.Hash() == before);
}

BOOST_AUTO_TEST_CASE(a_swapped_symbolic_link_is_a_change) {
  // As Kubernetes updates a ConfigMap: c.yml -> ..data/c.yml, ..data -> ..v1.
  Folder folder;
  folder.Write("..v1/c.yml", "a: 1");
  folder.Write("..v2/c.yml", "a: 2");
  fs::create_directory_symlink("..v1", folder.path / "..data");
  fs::create_symlink("..data/c.yml", folder.path / "c.yml");
  const std::string before = folder.Hash();
  fs::create_directory_symlink("..v2", folder.path / "..data_tmp");
  fs::rename(folder.path / "..data_tmp", folder.path / "..data");
  BOOST_TEST(folder.Hash() != before);
}

BOOST_AUTO_TEST_CASE(broken_and_missing_files_have_a_hash_too) {
  Folder folder;
  const std::string missing = folder.Hash();
  folder.Write("c.yml", "{");
  const std::string broken = folder.Hash();
  BOOST_TEST(missing != broken);
  folder.Write("c.yml", "{{");
  BOOST_TEST(broken != folder.Hash());
}

BOOST_AUTO_TEST_SUITE_END()
