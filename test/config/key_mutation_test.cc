// Every key of a config with every mistake that a single key can have: removed, twice, misspelt, of another
// type. amtool check-config must think the same of each file as we do. Debian's amtool is older than the
// Alertmanager we follow; where it is known to judge otherwise, kKnown says why.
#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cstdlib>
#include <fstream>
#include <sstream>

#include "config/yaml_json.h"
#include "config_case.h"
#include "support/amtool.h"
#include "support/source_dir.h"

using namespace mlalert;           // NOLINT(google-build-using-namespace)
using namespace mlalert::testing;  // NOLINT(google-build-using-namespace)

namespace {

std::string CorpusFile(const std::string& name) {
  std::ifstream in(SourceDir() + "/test/config/corpus/" + name);
  BOOST_REQUIRE(in.good());
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

Json Tree(const std::string& text) {
  Diagnostics diagnostics;
  SourceText source("a.yml", text);
  YamlNodePtr node = ParseYaml(text, source, diagnostics);
  BOOST_REQUIRE_MESSAGE(node != nullptr && diagnostics.ok(), diagnostics.ToText());
  return YamlToJson(*node);
}

constexpr size_t kEvery = 13;

struct Mutant {
  std::string what;  // "route.group_wait: removed"
  std::string text;
};

// JSON is YAML, and its types are plain to see.
class Mutator {
 public:
  explicit Mutator(const Json& tree) : tree_(tree) { Walk(tree, ""); }
  std::vector<Mutant> Take() { return std::move(mutants_); }

 private:
  void Walk(const Json& value, const std::string& path) {  // NOLINT(misc-no-recursion)
    if (value.is_object()) {
      for (size_t i = 0; i < value.AsObject().size(); ++i) {
        const auto& [key, child] = value.AsObject()[i];
        const std::string at = path.empty() ? key : path + "." + key;
        Keys(value, i, at);
        Types(child, at);
        Walk(child, at);
      }
    } else if (value.is_array()) {
      for (size_t i = 0; i < value.AsArray().size(); ++i) {
        const std::string at = path + "[" + std::to_string(i) + "]";
        Types(value.AsArray()[i], at);
        Walk(value.AsArray()[i], at);
      }
    }
  }

  void Keys(const Json& map, size_t i, const std::string& at) {
    Json::Object removed = map.AsObject();
    removed.erase(removed.begin() + static_cast<std::ptrdiff_t>(i));
    Add(map, Json(std::move(removed)), at, "removed");
    Json::Object twice = map.AsObject();
    twice.push_back(twice[i]);
    Add(map, Json(std::move(twice)), at, "twice");
    Json::Object renamed = map.AsObject();
    renamed[i].first += "x";
    Add(map, Json(std::move(renamed)), at, "renamed");
  }

  void Types(const Json& value, const std::string& at) {
    Add(value, "some text", at, "to text");
    Add(value, "", at, "to empty text");
    Add(value, 7, at, "to int");
    Add(value, 1.5, at, "to float");
    Add(value, true, at, "to bool");
    Add(value, nullptr, at, "to null");
    Add(value, Json::MakeArray(), at, "to empty list");
    Add(value, Json::MakeArray().Push("x"), at, "to list of text");
    Add(value, Json::MakeArray().Push(nullptr), at, "to list of null");
    Add(value, Json::MakeObject(), at, "to empty map");
    Add(value, Json::MakeObject().Set("x", "y"), at, "to map");
  }

  void Add(const Json& place, const Json& put, const std::string& at, const std::string& what) {
    mutants_.push_back({at + ": " + what, Print(tree_, place, put)});
  }

  // The tree with `put` in the place of the node `place`, which is known by its address.
  static std::string Print(const Json& node, const Json& place,
                           const Json& put) {  // NOLINT(misc-no-recursion)
    const Json& shown = &node == &place ? put : node;
    std::string out;
    if (shown.is_object()) {
      for (const auto& [key, child] : shown.AsObject()) {
        out += out.empty() ? "{" : ", ";
        AppendJsonString(out, key);
        out += ": " + Print(child, place, put);
      }
      return out.empty() ? "{}" : out + "}";
    }
    if (shown.is_array()) {
      for (const Json& child : shown.AsArray()) {
        out += (out.empty() ? "[" : ", ") + Print(child, place, put);
      }
      return out.empty() ? "[]" : out + "]";
    }
    return shown.Dump();
  }

  const Json& tree_;
  std::vector<Mutant> mutants_;
};

// Where amtool 0.25 judges otherwise than the Alertmanager we follow.
struct Known {
  std::string_view path_part, what, why;
};
constexpr Known kKnown[] = {
    {"pagerduty_configs[0].details", "", "0.25 takes flat texts only"},
    {"tls_config.cert_file", "removed", "0.25 looks at certificate and key when it builds the client"},
    {"tls_config.cert_file", "to empty text", "the same"},
    {"tls_config.cert_file", "to null", "the same"},
    {"tls_config.key_file", "removed", "the same"},
    {"tls_config.key_file", "to empty text", "the same"},
    {"tls_config.key_file", "to null", "the same"},
    {"group_by[", "to text", "0.25 knows no UTF-8 label names"},
    {"group_by[", "to int", "the same"},
    {"group_by[", "to float", "the same"},
    {"equal[0]", "to text", "the same"},
    {"equal[0]", "to int", "the same"},
    {"equal[0]", "to float", "the same"},
    {"equal[0]", "to null", "0.25 does not look at a null label; later ones call it \"\""},
    {"inhibit_rules[0].equal", "to list of null", "the same"},
    {"slack_configs: to list", "of null", "0.25 crashes; later ones take an empty section"},
    {"slack_configs[0]: to", "null", "the same"},
    {"opsgenie_configs: to list", "of null", "the same"},
    {"opsgenie_configs[0]: to", "null", "the same"},
    {"wechat_configs: to list", "of null", "the same"},
    {"wechat_configs[0]: to", "null", "the same"},
    {"oauth2.client_secret", "removed", "0.25 wants one of client_secret and its file"},
    {"oauth2.client_secret", "to empty text", "the same"},
    {"oauth2.client_secret", "to null", "the same"},
};

bool IsKnown(const std::string& what) {
  return std::any_of(std::begin(kKnown), std::end(kKnown), [&](const Known& known) {
    return what.find(known.path_part) != std::string::npos &&
           (known.what.empty() || what.ends_with(known.what));
  });
}

}  // namespace

BOOST_AUTO_TEST_SUITE(key_mutation)

BOOST_AUTO_TEST_CASE(amtool_agrees_on_every_mistake_in_one_key) {
  if (!AmtoolIsInstalled()) {
    BOOST_TEST_MESSAGE("amtool is not installed: skipped");
    return;
  }
  const Json tree = Tree(CorpusFile("every-key-0.25.yml"));
  std::vector<Mutant> mutants = Mutator(tree).Take();
  std::erase_if(mutants, [](const Mutant& mutant) { return IsKnown(mutant.what); });
  BOOST_TEST(mutants.size() > 3000U);
  // amtool takes minutes for all of them on a busy machine. MLALERT_ALL_MUTANTS=1 asks about each.
  if (std::getenv("MLALERT_ALL_MUTANTS") == nullptr) {
    size_t i = 0;
    std::erase_if(mutants, [&](const Mutant&) { return ++i % kEvery != 0; });
  }
  mutants.push_back({"the file itself", tree.Dump()});
  std::vector<std::string> texts;
  texts.reserve(mutants.size());
  for (const Mutant& mutant : mutants) {
    texts.push_back(mutant.text);
  }
  const std::vector<bool> theirs = AmtoolVerdicts(texts);
  BOOST_TEST(theirs.back(), "amtool refuses the file that is mutated");
  size_t accepted = 0;
  for (size_t i = 0; i < mutants.size(); ++i) {
    Diagnostics diagnostics = Check(texts[i]);
    accepted += diagnostics.ok() ? 1 : 0;
    if (diagnostics.ok() != theirs[i]) {
      BOOST_ERROR(mutants[i].what << ": amtool " << (theirs[i] ? "accepts" : "refuses") << ", we say "
                                  << diagnostics.ToText().substr(0, 160));
    }
  }
  // Both verdicts are frequent, or the comparison proves little.
  BOOST_TEST(accepted > mutants.size() / 10);
  BOOST_TEST(accepted < mutants.size() * 9 / 10);
}

BOOST_AUTO_TEST_CASE(no_mistake_in_a_key_of_any_kind_goes_unnoticed) {
  const Json tree = Tree(CorpusFile("all-receivers.yml"));
  size_t refused = 0;
  for (const Mutant& mutant : Mutator(tree).Take()) {
    // The names in free maps are free.
    bool free = false;
    for (std::string_view map : {".headers.", ".details.", ".payload.", ".custom_fields.", ".fields."}) {
      free = free || mutant.what.find(map) != std::string::npos;
    }
    if (mutant.what.ends_with(": twice") || (mutant.what.ends_with(": renamed") && !free)) {
      BOOST_TEST(!Check(mutant.text).ok(), mutant.what);
      ++refused;
    }
  }
  BOOST_TEST(refused > 200U);
}

BOOST_AUTO_TEST_SUITE_END()
