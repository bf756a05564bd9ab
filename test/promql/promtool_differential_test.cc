// The same expressions to promtool and to our parser: the verdict must be the same, and the words of a
// refusal too, except where PromQL 3.x differs from the 2.42 that Debian ships.
#include <array>
#include <boost/test/unit_test.hpp>
#include <cstdio>
#include <filesystem>
#include <fmt/format.h>
#include <fstream>
#include <string>
#include <string_view>
#include <unistd.h>
#include <vector>

#include "promql/corpus.h"
#include "promql/go_text.h"
#include "promql/parser.h"

namespace mlalert::promql {
namespace {

namespace fs = std::filesystem;

std::string Run(const std::string& command) {
  std::string out;
  FILE* pipe = popen(command.c_str(), "r");
  if (pipe == nullptr) {
    return out;
  }
  std::array<char, 4096> buffer;
  for (size_t n = 0; (n = fread(buffer.data(), 1, buffer.size(), pipe)) > 0;) {
    out.append(buffer.data(), n);
  }
  pclose(pipe);
  return out;
}

// A YAML double-quoted scalar.
std::string YamlQuote(std::string_view text) {
  std::string out = "\"";
  for (char c : text) {
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (static_cast<unsigned char>(c) < 0x20) {
      out += fmt::format("\\x{:02x}", static_cast<unsigned>(c));
    } else {
      out += c;
    }
  }
  return out + '"';
}

// promtool's verdict on each expression: empty, or the error behind "could not parse expression: ". One run
// for all: it reports every broken rule of a file.
std::vector<std::string> AskPromtool(const std::vector<std::string>& expressions) {
  fs::path path = fs::temp_directory_path() / fmt::format("mlalert_promql_{}.yml", getpid());
  {
    std::ofstream file(path);
    file << "groups:\n- name: g\n  rules:\n";
    for (const auto& text : expressions) {
      file << "  - alert: A\n    expr: " << YamlQuote(text) << "\n";
    }
  }
  std::string output = Run("promtool check rules --lint=none " + path.string() + " 2>&1");
  fs::remove(path);
  std::vector<std::string> verdicts(expressions.size());
  constexpr std::string_view kRule = "group \"g\", rule ";
  constexpr std::string_view kError = "could not parse expression: ";
  std::string separator = path.string() + ": ";
  size_t from = output.find(separator);
  while (from != std::string::npos) {
    size_t next = output.find(separator, from + 1);
    std::string entry = output.substr(from, next == std::string::npos ? next : next - from);
    size_t rule = entry.find(kRule);
    size_t error = entry.find(kError);
    if (rule != std::string::npos && error != std::string::npos) {
      while (entry.ends_with('\n')) {
        entry.pop_back();
      }
      size_t number = std::stoul(entry.substr(rule + kRule.size()));
      verdicts.at(number - 1) = entry.substr(error + kError.size());
    }
    from = next;
  }
  return verdicts;
}

void ReplaceAll(std::string& text, std::string_view from, std::string_view to) {
  for (size_t at = 0; (at = text.find(from, at)) != std::string::npos; at += to.size()) {
    text.replace(at, from.size(), to);
  }
}

bool Has(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

bool IsUtf8(std::string_view text) {
  for (size_t width = 0; !text.empty(); text.remove_prefix(width)) {
    if (DecodeRune(text, &width) == kBadRune) {
      return false;
    }
  }
  return true;
}

// What 2.42 says, in the words of 3.x.
std::string InNewerWords(std::string text) {
  ReplaceAll(text, "bad duration syntax", "bad number or duration syntax");
  ReplaceAll(text, "expected duration", "expected number or duration");
  size_t at = text.find("\"<Item ");
  if (at != std::string::npos) {
    text.erase(at, text.find(' ', text.find(' ', at) + 1) - at + 1);
  }
  return text;
}

// Where 3.x reads on and 2.42 refuses: plain numbers as durations and durations as numbers, underscores in
// numbers, quoted names, signs of offsets; and where it refuses in other words.
bool NewerSyntax(std::string_view expression, std::string_view promtool) {
  constexpr std::string_view kAlways[] = {
      "missing unit character in duration",
      "duration syntax: \"",
      "not a valid duration string",
      "unexpected duration",
      "unexpected number \".",
      "unexpected character: '.'",
      "unexpected <op:+> in offset",
      "unexpected colon '",
      "parsing \"1e\"",
  };
  for (std::string_view part : kAlways) {
    if (Has(promtool, part)) {
      return true;
    }
  }
  bool number = Has(promtool, "unexpected number");
  bool text = Has(promtool, "unexpected string");
  return (number && (Has(promtool, "in offset") || Has(promtool, "in subquery selector"))) ||
         (number && Has(expression, "..")) ||
         (text && (Has(promtool, "expected identifier or") || Has(promtool, "in grouping opts"))) ||
         (Has(promtool, "duration must be greater than 0") && Has(expression, "offset")) ||
         (Has(promtool, "trailing commas") && Has(expression, "5m"));
}

BOOST_AUTO_TEST_SUITE(promql_promtool)

BOOST_AUTO_TEST_CASE(agrees_on_verdict_and_words) {
  if (!Has(Run("promtool --version 2>&1"), "promtool, version 2.")) {
    BOOST_TEST_MESSAGE("skipped: no promtool 2.x on this machine (Debian package: prometheus)");
    return;
  }
  auto corpus = testing::ReadCorpus(testing::Corpus::kOnlyPrometheus2);
  std::vector<std::string> expressions = corpus;
  testing::Mutator mutator(7);
  while (expressions.size() < 4000) {
    std::string text = mutator.Mutate(corpus[mutator.Below(corpus.size())]);
    // promtool refuses these before it parses an expression.
    if (!text.empty() && IsUtf8(text)) {
      expressions.push_back(text);
    }
  }
  auto promtool = AskPromtool(expressions);
  size_t good = 0;
  size_t newer = 0;
  for (size_t i = 0; i < expressions.size(); ++i) {
    auto expr = ParseExpr(expressions[i]);
    std::string ours = expr ? "" : expr.error().message;
    std::string theirs = InNewerWords(promtool[i]);
    good += theirs.empty() ? 1U : 0U;
    if (ours != theirs && !theirs.empty() && NewerSyntax(expressions[i], promtool[i])) {
      ++newer;
      continue;
    }
    BOOST_TEST(ours == theirs, expressions[i] << "\n  promtool: " << promtool[i] << "\n  ours:     " << ours);
  }
  BOOST_TEST_MESSAGE(expressions.size()
                     << " expressions, " << good << " good, " << newer << " left out as newer syntax");
  BOOST_TEST(good > 500U);
  BOOST_TEST(newer < expressions.size() / 20);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace mlalert::promql
