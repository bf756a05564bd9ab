// The same verdict as promtool check rules on every mutant of two rule groups: each key removed, renamed and
// doubled, each value replaced by values of every other type, each word of the expressions dropped, doubled
// and exchanged. Where the two differ on purpose (we follow Prometheus 3, Debian's promtool is 2.42) the
// mutant is named below.
#include <array>
#include <boost/test/unit_test.hpp>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "config/rule_loader.h"

namespace mlalert {
namespace {

// A YAML value in flow style.
struct Value {
  enum class Kind : uint8_t { kScalar, kMap, kList };
  Kind kind = Kind::kScalar;
  std::string text;
  std::vector<std::pair<std::string, Value>> entries;  // of a list: without names

  static Value Scalar(std::string text) { return {Kind::kScalar, std::move(text), {}}; }
  static Value Quoted(const std::string& text) { return Scalar("'" + text + "'"); }
  static Value Map(std::vector<std::pair<std::string, Value>> entries) {
    return {Kind::kMap, {}, std::move(entries)};
  }
  static Value List(std::vector<Value> items) {
    Value out{Kind::kList, {}, {}};
    for (Value& item : items) {
      out.entries.emplace_back("", std::move(item));
    }
    return out;
  }

  std::string Print() const {
    if (kind == Kind::kScalar) {
      return text;
    }
    std::string out = kind == Kind::kMap ? "{" : "[";
    for (size_t i = 0; i < entries.size(); ++i) {
      out += i > 0 ? ", " : "";
      out += kind == Kind::kMap ? entries[i].first + ": " : "";
      out += entries[i].second.Print();
    }
    return out + (kind == Kind::kMap ? "}" : "]");
  }
};

struct Mutant {
  std::string name;
  std::string text;
};

class Mutator {
 public:
  explicit Mutator(Value root) : root_(std::move(root)) {}

  std::vector<Mutant> Run() {
    Add("as it is");
    Visit(root_, "");
    return std::move(mutants_);
  }

 private:
  void Add(std::string name) { mutants_.push_back({std::move(name), root_.Print() + "\n"}); }

  void With(Value& place, Value value, const std::string& name) {
    std::swap(place, value);
    Add(name);
    std::swap(place, value);
  }

  void Visit(Value& value, const std::string& path) {
    for (const char* other :
         {"5", "-1", "1.5", "true", "~", "''", "x", "5m", "5x", "1h30m", "[]", "[x]", "{}", "{a: b}",
          "{1: 2}", "'{{'", "'{{ $value }}'", "'{{ nosuch }}'", "2020-01-01"}) {
      With(value, Value::Scalar(other), path + " = " + other);
    }
    if (value.kind == Value::Kind::kScalar) {
      if (path.ends_with(".expr")) {
        Words(value, path);
      }
      return;
    }
    for (size_t i = 0; i < value.entries.size(); ++i) {
      const bool map = value.kind == Value::Kind::kMap;
      const std::string name = path + (map ? "." + value.entries[i].first : "[" + std::to_string(i) + "]");
      auto entry = value.entries[i];
      const auto at = value.entries.begin() + static_cast<std::ptrdiff_t>(i);
      value.entries.erase(at);
      Add(name + " removed");
      value.entries.insert(value.entries.begin() + static_cast<std::ptrdiff_t>(i), entry);
      value.entries.push_back(entry);
      Add(name + " twice");
      value.entries.pop_back();
      if (map) {
        for (const std::string& other : {entry.first + "x", "X" + entry.first, std::string("\"\""),
                                         std::string("a-b"), std::string("__name__"), std::string("5")}) {
          value.entries[i].first = other;
          Add(name + " named " + other);
        }
        value.entries[i].first = entry.first;
      }
      Visit(value.entries[i].second, name);
    }
  }

  void Words(Value& value, const std::string& path) {
    std::vector<std::string> words{""};
    const std::string expr = value.text.substr(1, value.text.size() - 2);
    const auto kind = [](char c) {
      return std::isalnum(c) != 0 || c == '_' || c == '.' ? 1 : c == ' ' ? 2 : 3;
    };
    for (const char c : expr) {
      if (!words.back().empty() && (kind(c) == 3 || kind(c) != kind(words.back().back()))) {
        words.emplace_back();
      }
      words.back() += c;
    }
    const auto join = [](const std::vector<std::string>& list) {
      std::string out;
      for (const std::string& word : list) {
        out += word;
      }
      return out;
    };
    for (size_t i = 0; i < words.size(); ++i) {
      std::vector<std::string> other = words;
      other.erase(other.begin() + static_cast<std::ptrdiff_t>(i));
      const std::string where = path + " word " + std::to_string(i) + " (" + words[i] + ")";
      With(value, Value::Quoted(join(other)), where + " dropped");
      other = words;
      other.insert(other.begin() + static_cast<std::ptrdiff_t>(i), words[i]);
      With(value, Value::Quoted(join(other)), where + " doubled");
      for (const char* word : {"(", "}", "by", "1", "up", "and", "bool", "offset", "[5m]", "\"s\"", "@"}) {
        other = words;
        other[i] = word;
        With(value, Value::Quoted(join(other)), where + " = " + word);
      }
    }
  }

  Value root_;
  std::vector<Mutant> mutants_;
};

std::vector<Mutant> AllMutants() {
  using V = Value;
  const Value alerts = V::Map(
      {{"groups",
        V::List({V::Map(
            {{"name", V::Scalar("g")},
             {"interval", V::Scalar("30s")},
             {"limit", V::Scalar("3")},
             {"rules",
              V::List({V::Map(
                  {{"alert", V::Scalar("A")},
                   {"expr", V::Quoted("sum by (job) (rate(m{a=\"b\",c!~\"d.*\"}[5m])) / on (job) group_left "
                                      "avg(n offset 5m) > bool 0.5")},
                   {"for", V::Scalar("5m")},
                   {"keep_firing_for", V::Scalar("1h")},
                   {"labels", V::Map({{"severity", V::Scalar("P1")}})},
                   {"annotations",
                    V::Map({{"summary", V::Quoted("{{ $labels.job }} {{ $value }}")}})}})})}})})}});
  const Value records =
      V::Map({{"groups", V::List({V::Map({{"name", V::Scalar("r")},
                                          {"rules", V::List({V::Map({
                                                        {"record", V::Scalar("a:b")},
                                                        {"expr", V::Quoted("histogram_quantile(0.9, "
                                                                           "sum(x) without (le))")},
                                                        {"labels", V::Map({{"k", V::Scalar("v")}})},
                                                    })})}})})}});
  std::vector<Mutant> out = Mutator(alerts).Run();
  for (Mutant& mutant : Mutator(records).Run()) {
    out.push_back({"recording " + mutant.name, std::move(mutant.text)});
  }
  return out;
}

// Where we say yes and promtool 2.42 says no: names in UTF-8, labels in quotes and durations as numbers are
// Prometheus 3's, a text that is nothing but "{{" is vmalert's.
bool IsNewer(const std::string& name) {
  for (const char* end : {" = {1: 2}", " named 5", " named a-b", ".expr = 5m", ".expr = 1h30m", " = \"s\"",
                          " (5m) = 1", ".record = -1", ".record = 1.5", ".record = 1h30m",
                          ".record = 2020-01-01", ".record = 5", ".record = 5m", ".record = 5x", " = '{{'"}) {
    if (name.ends_with(end)) {
      return true;
    }
  }
  return false;
}

// Where it is the other way round: Prometheus 3 reads it as no name.
bool IsOlder(const std::string& name) {
  return name.ends_with(".alert = ~");
}

// By promtool's verdict, in the order of the mutants. Empty: it is not installed.
std::vector<bool> Verdicts(const std::vector<Mutant>& mutants) {
  std::vector<bool> out;
  if (std::system("command -v promtool >/dev/null 2>&1") != 0) {
    return out;
  }
  std::string folder = (std::filesystem::temp_directory_path() / "mlalert-mutants-XXXXXX").string();
  BOOST_REQUIRE(mkdtemp(folder.data()) != nullptr);
  for (size_t i = 0; i < mutants.size(); ++i) {
    std::ofstream(folder + "/" + std::to_string(10000 + i) + ".yml") << mutants[i].text;
  }
  FILE* pipe = popen(("cd " + folder + " && promtool check rules --lint=none *.yml 2>&1").c_str(), "r");
  BOOST_REQUIRE(pipe != nullptr);
  std::string output;
  std::array<char, 65536> chunk{};
  while (const size_t got = std::fread(chunk.data(), 1, chunk.size(), pipe)) {
    output.append(chunk.data(), got);
  }
  pclose(pipe);
  std::filesystem::remove_all(folder);
  size_t at = 0;
  for (size_t i = 0; i < mutants.size(); ++i) {
    at = output.find("Checking " + std::to_string(10000 + i) + ".yml\n", at);
    BOOST_REQUIRE(at != std::string::npos);
    const size_t end = output.find("Checking ", at + 1);
    out.push_back(output.substr(at, end - at).find("SUCCESS") != std::string::npos);
  }
  return out;
}

BOOST_AUTO_TEST_SUITE(rule_mutants)

BOOST_AUTO_TEST_CASE(promtool_agrees_on_every_mutant) {
  const std::vector<Mutant> mutants = AllMutants();
  const std::vector<bool> verdicts = Verdicts(mutants);
  if (verdicts.empty()) {
    BOOST_TEST_MESSAGE("promtool is not installed: skipped");
    return;
  }
  size_t good = 0;
  for (size_t i = 0; i < mutants.size(); ++i) {
    std::vector<RuleGroup> groups;
    const Diagnostics found = LoadRuleText(mutants[i].text, "a.yml", {}, groups);
    good += verdicts[i] ? 1 : 0;
    const bool known = found.ok() ? IsNewer(mutants[i].name) : IsOlder(mutants[i].name);
    BOOST_TEST((found.ok() == verdicts[i] || known), mutants[i].name << "\n"
                                                                     << mutants[i].text << found.ToText());
  }
  BOOST_TEST(good > 100U);
  BOOST_TEST(mutants.size() - good > 300U);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace mlalert
