#include "config/yaml_document.h"

#include <boost/test/unit_test.hpp>

#include "config/yaml_reader.h"

using namespace mlalert;  // NOLINT(google-build-using-namespace)

namespace {

struct Parsed {
  explicit Parsed(std::string content)
      : text(std::move(content)), source("a.yml", text), root(ParseYaml(text, source, diagnostics)) {}

  std::string text;
  SourceText source;
  Diagnostics diagnostics;
  YamlNodePtr root;

  std::string First() const { return diagnostics.items().empty() ? "" : diagnostics.items()[0].message; }
};

// Flow style: a compact picture of a tree.
std::string Show(const YamlNode& node) {
  std::string out;
  switch (node.kind) {
    case YamlNode::Kind::kNull:
      return "~";
    case YamlNode::Kind::kScalar:
      return node.text;
    case YamlNode::Kind::kSequence:
      for (const auto& item : node.items) {
        out += (out.empty() ? "" : ",") + Show(*item);
      }
      return "[" + out + "]";
    case YamlNode::Kind::kMap:
      for (const auto& entry : node.entries) {
        out += (out.empty() ? "" : ",") + entry.key + ":" + Show(*entry.value);
      }
      return "{" + out + "}";
  }
  return out;
}

std::string ShowText(std::string text) {
  Parsed parsed(std::move(text));
  return parsed.root == nullptr ? "null" : Show(*parsed.root);
}

std::string FirstMessage(std::string text) {
  return Parsed(std::move(text)).First();
}

}  // namespace

BOOST_AUTO_TEST_SUITE(parse_yaml)

BOOST_AUTO_TEST_CASE(keeps_the_text_of_scalars) {
  BOOST_TEST(ShowText("{a: 1.50, b: 0x10, c: yes, d: 2024-01-01, e: ~, f: '', g: }") ==
             "{a:1.50,b:0x10,c:yes,d:2024-01-01,e:~,f:,g:~}");
}

BOOST_AUTO_TEST_CASE(empty_texts_are_null) {
  for (std::string text : {"", "\n", "# only a comment\n", "---\n", "~", "null"}) {
    BOOST_TEST_CONTEXT("text " << text) {
      BOOST_TEST(ShowText(text) == "~");
    }
  }
}

BOOST_AUTO_TEST_CASE(places_count_lines_and_characters_from_one) {
  Parsed parsed("a: b\nübung: {größe: [x, y]}\n");
  const auto& entry = parsed.root->entries[1];
  BOOST_TEST(entry.key_pos.line == 2);
  BOOST_TEST(entry.key_pos.column == 1);
  const auto& inner = entry.value->entries[0];
  BOOST_TEST(inner.key_pos.column == 9);
  BOOST_TEST(inner.value->items[1]->pos.column == 20);
}

BOOST_AUTO_TEST_CASE(a_null_stands_where_its_key_stands) {
  Parsed parsed("a:\n\n\nb: 1\n");
  BOOST_TEST(parsed.root->entries[0].value->pos.line == 1);
}

BOOST_AUTO_TEST_CASE(duplicate_keys_are_reported_with_both_places) {
  Parsed parsed("a: 1\nb: 2\na: 3\n");
  BOOST_TEST(parsed.First() == "mapping key \"a\" already defined at line 1");
  BOOST_TEST(parsed.diagnostics.items()[0].where.line == 3);
  BOOST_TEST(Show(*parsed.root) == "{a:1,b:2}");
}

BOOST_AUTO_TEST_CASE(aliases_share_their_anchor) {
  BOOST_TEST(ShowText("a: &x [1, 2]\nb: *x\n") == "{a:[1,2],b:[1,2]}");
}

BOOST_AUTO_TEST_CASE(merges_bring_keys_that_are_not_there_yet) {
  BOOST_TEST(ShowText("a: &x {p: 1, q: 2}\nb: {<<: *x, q: 3}\n") == "{a:{p:1,q:2},b:{q:3,p:1}}");
  BOOST_TEST(ShowText("a: &x {p: 1}\nb: &y {p: 2, q: 2}\nc: {<<: [*x, *y]}\n") ==
             "{a:{p:1},b:{p:2,q:2},c:{p:1,q:2}}");
  BOOST_TEST(ShowText("a: &x {p: 1}\nb: &y {<<: *x}\nc: {<<: *y}\n") == "{a:{p:1},b:{p:1},c:{p:1}}");
}

BOOST_AUTO_TEST_CASE(a_quoted_merge_key_is_an_ordinary_key) {
  BOOST_TEST(ShowText("{'<<': 1}") == "{<<:1}");
}

BOOST_AUTO_TEST_CASE(a_merge_of_anything_but_maps_is_an_error) {
  BOOST_TEST(FirstMessage("{<<: 1}") == "map merge requires map or sequence of maps as the value");
  BOOST_TEST(FirstMessage("{<<: [{a: 1}, 2]}") == "map merge requires map or sequence of maps as the value");
}

BOOST_AUTO_TEST_CASE(only_the_first_document_is_read_with_a_warning) {
  Parsed parsed("a: 1\n---\nb: 2\n");
  BOOST_TEST(Show(*parsed.root) == "{a:1}");
  BOOST_TEST(parsed.diagnostics.ok());
  BOOST_TEST(parsed.First() == "the file has more than one YAML document; only the first is read");
}

BOOST_AUTO_TEST_CASE(markers_without_a_second_document_are_no_documents) {
  for (std::string text :
       {"---\na: 1\n", "a: 1\n...\n", "# c\n---\na: 1\n...\n# d\n", "%YAML 1.1\n---\na: 1\n"}) {
    BOOST_TEST_CONTEXT("text " << text) {
      Parsed parsed(text);
      BOOST_TEST(parsed.First() == "");
      BOOST_TEST(Show(*parsed.root) == "{a:1}");
    }
  }
}

// promtool and amtool read no further either, and say nothing.
BOOST_AUTO_TEST_CASE(text_that_is_indented_less_than_the_document_is_ignored_with_a_warning) {
  for (std::string text : {"  a: 1\nb: 2\n", " a: 1\n- b\n", "{a: 1} b\n"}) {
    BOOST_TEST_CONTEXT("text " << text) {
      Parsed parsed(text);
      BOOST_REQUIRE(parsed.root != nullptr);
      BOOST_TEST(Show(*parsed.root) == "{a:1}");
      BOOST_TEST(parsed.diagnostics.ok());
      BOOST_TEST(parsed.First() ==
                 "from here on the file does not belong to what stands above; it is ignored");
    }
  }
  BOOST_TEST(FirstMessage("- a\nb: c\n") == "yaml: did not find expected '-' indicator");
}

BOOST_AUTO_TEST_CASE(a_line_of_a_block_without_a_colon_is_an_error) {
  for (std::string text : {"a: 1\nb", "a: 1\nb\n", "a:\n  b: 1\n  c d 'e'\nf: 1\n", "- a: 1\n  b # c: d\n",
                           "a: 1\n\"b\"\n", "\u00e9: 1\n\u00e9\n"}) {
    BOOST_TEST_CONTEXT("text " << text) {
      Parsed parsed(text);
      BOOST_TEST(parsed.root == nullptr);
      BOOST_TEST(parsed.First().starts_with("yaml: "));
      BOOST_TEST(parsed.diagnostics.items()[0].where.line > 0);
    }
  }
  BOOST_TEST(FirstMessage("a: 1\nb\n") == "yaml: could not find expected ':'");
  BOOST_TEST(ShowText("a:\nb : \n\"c\":\n? d\n") == "{a:~,b:~,c:~,d:~}");
  BOOST_TEST(ShowText("{a, b: 1}") == "{a:~,b:1}");
}

BOOST_AUTO_TEST_CASE(control_characters_are_refused_wherever_they_stand) {
  for (std::string text : {"# a\x7f\na: 1\n", "a: \"\x01\"\n", "a: \xC2\x80\n", "a: \xEF\xBF\xBF\n"}) {
    Parsed parsed(text);
    BOOST_TEST(parsed.root == nullptr);
    BOOST_TEST(parsed.First() == "yaml: control characters are not allowed");
    BOOST_TEST(parsed.diagnostics.items()[0].where.line > 0);
  }
  BOOST_TEST(ShowText("a: \"\t\xC2\xA0\xF0\x9F\x94\xA5\"\n") == "{a:\t\xC2\xA0\xF0\x9F\x94\xA5}");
}

BOOST_AUTO_TEST_CASE(an_anchor_that_contains_itself_is_refused) {
  BOOST_TEST(FirstMessage("&a [1, *a]") == "yaml: an anchor cannot contain itself");
}

BOOST_AUTO_TEST_CASE(a_bomb_of_aliases_is_refused_at_once) {
  std::string text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 12; ++i) {
    std::string last = "*a" + std::to_string(i - 1);
    text += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [";
    for (int j = 0; j < 10; ++j) {
      text += (j > 0 ? ", " : "") + last;
    }
    text += "]\n";
  }
  BOOST_TEST(FirstMessage(text) == "yaml: aliases expand to more than 250000 values");
}

BOOST_AUTO_TEST_CASE(deep_nesting_is_refused) {
  BOOST_TEST(FirstMessage(std::string(10000, '[') + std::string(10000, ']')) ==
             "yaml: nested deeper than 100 levels");
  std::string text = "a: &a " + std::string(60, '[') + std::string(60, ']') + "\nb: " + std::string(60, '[') +
                     "*a" + std::string(60, ']') + "\n";
  BOOST_TEST(FirstMessage(text) == "yaml: nested deeper than 100 levels");
}

BOOST_AUTO_TEST_CASE(too_many_values_are_refused) {
  std::string text = "[";
  for (size_t i = 0; i <= kYamlNodesMax; ++i) {
    text += "1,";
  }
  BOOST_TEST(FirstMessage(text + "]") == "yaml: the file has more than 250000 values");
}

BOOST_AUTO_TEST_CASE(too_large_a_text_is_refused) {
  BOOST_TEST(FirstMessage(std::string(kYamlBytesMax + 1, '#')) == "the file is larger than 8388608 bytes");
}

BOOST_AUTO_TEST_CASE(invalid_utf8_is_refused_with_its_line_and_not_echoed) {
  Parsed parsed("a: 1\nb: \xff\n");
  BOOST_TEST(parsed.root == nullptr);
  BOOST_TEST(parsed.diagnostics.items()[0].ToString() == "a.yml:2: error: yaml: invalid UTF-8");
}

BOOST_AUTO_TEST_CASE(syntax_errors_have_a_place) {
  for (std::string text :
       {"a: [1, 2\n", "a: b: c\n", "a:\n\t- b\n", "a: \"x\nb: c\n", "a: 'x", "a: 'x\n", "a: *nope\n", "{a: 1",
        "- a\nb: c\n", "a: @x\n", "%YAML 9.9 nonsense\n", "a: \"\\q\"\n", "]", "a: {b\n"}) {
    BOOST_TEST_CONTEXT("text " << text) {
      Parsed parsed(text);
      BOOST_TEST(parsed.root == nullptr);
      BOOST_REQUIRE(!parsed.diagnostics.items().empty());
      BOOST_TEST(parsed.First().starts_with("yaml: "));
      BOOST_TEST(parsed.diagnostics.items()[0].where.line > 0);
    }
  }
}

BOOST_AUTO_TEST_CASE(a_forgotten_quote_around_a_template_is_explained) {
  BOOST_TEST(FirstMessage("a: {{ .x }}\n") ==
             "yaml: a key must be a text, not a list or a map (is a {{ }} missing its quotes?)");
}

BOOST_AUTO_TEST_CASE(carriage_returns_and_a_byte_order_mark_are_no_content) {
  BOOST_TEST(ShowText("a: 1\r\nb: x\r\n") == "{a:1,b:x}");
  BOOST_TEST(ShowText("\xEF\xBB\xBF"
                      "a: 1\n") == "{a:1}");
}

// Quadratic work anywhere would take minutes here.
BOOST_AUTO_TEST_CASE(very_many_unknown_and_duplicate_keys_on_one_line_end_soon) {
  std::string text = "{";
  for (int i = 0; i < 100000; ++i) {
    text += "k" + std::to_string(i / 2) + ": 1, ";
  }
  Parsed parsed(text + "}");
  YamlMap map(YamlValue(*parsed.root, parsed.source, parsed.diagnostics), "config.plain");
  map.Finish();
  BOOST_TEST(parsed.diagnostics.error_count() == 100000U);
  BOOST_TEST(parsed.diagnostics.items().size() == kDiagnosticsMax);
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(yaml_scalars)

BOOST_AUTO_TEST_CASE(booleans_are_those_of_yaml_1_1) {
  bool out = false;
  for (std::string_view text : {"y", "Y", "yes", "Yes", "YES", "on", "On", "ON", "true", "True", "TRUE"}) {
    BOOST_TEST((ParseYamlBool(text, out) && out), text);
  }
  for (std::string_view text : {"n", "N", "no", "No", "NO", "off", "Off", "OFF", "false", "False", "FALSE"}) {
    BOOST_TEST((ParseYamlBool(text, out) && !out), text);
  }
  for (std::string_view text : {"", "yEs", "tRUE", "1", "0", "t", "truely"}) {
    BOOST_TEST(!ParseYamlBool(text, out), text);
  }
}

BOOST_AUTO_TEST_CASE(integers_have_four_bases) {
  int64_t out = 0;
  struct Case {
    std::string_view text;
    int64_t value;
  };
  for (const Case& c : {Case{"0", 0},
                        {"12", 12},
                        {"-7", -7},
                        {"+7", 7},
                        {"0x1F", 31},
                        {"0b101", 5},
                        {"0o17", 15},
                        {"010", 8},
                        {"1_000", 1000},
                        {"-0x10", -16}}) {
    BOOST_TEST_CONTEXT("text " << c.text) {
      BOOST_TEST(ParseYamlInt(c.text, out));
      BOOST_TEST(out == c.value);
    }
  }
  for (std::string_view text :
       {"", "-", "x", "1.5", "1e3", "--1", "+-1", "09", "99999999999999999999", "0x", " 1"}) {
    BOOST_TEST(!ParseYamlInt(text, out), text);
  }
}

BOOST_AUTO_TEST_CASE(go_durations_are_those_of_go) {
  struct Case {
    std::string_view text;
    int64_t nanos;
  };
  for (const Case& c : {Case{"0", 0},
                        {"1s", 1000000000},
                        {"1.5s", 1500000000},
                        {"100ms", 100000000},
                        {"1h2m", 3720000000000},
                        {"-1s", -1000000000},
                        {"1us", 1000},
                        {"2µs", 2000},
                        {".5s", 500000000},
                        {"7ns", 7}}) {
    BOOST_TEST_CONTEXT("text " << c.text) {
      auto parsed = ParseGoDuration(c.text);
      BOOST_REQUIRE(parsed.has_value());
      BOOST_TEST(parsed->count() == c.nanos);
    }
  }
  BOOST_TEST(ParseGoDuration("1d").error().message == R"(time: unknown unit "d" in duration "1d")");
  BOOST_TEST(ParseGoDuration("").error().message == R"(time: invalid duration "")");
  BOOST_TEST(ParseGoDuration("5").error().message == R"(time: missing unit in duration "5")");
  for (std::string_view text : {"s", "1.2.3s", "-", "1e3s", "99999999999h", ".s"}) {
    BOOST_TEST(!ParseGoDuration(text).has_value(), text);
  }
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(source_text)

BOOST_AUTO_TEST_CASE(long_lines_are_cut_around_the_caret) {
  std::string line(1000, 'a');
  line[499] = 'X';
  SourceText source("a.yml", line);
  Diagnostic d;
  source.Locate({1, 500}, d);
  BOOST_TEST(d.source_line.size() == 160U);
  BOOST_TEST(d.source_line[static_cast<size_t>(d.caret) - 1] == 'X');
}

BOOST_AUTO_TEST_CASE(hidden_stretches_print_as_secret_and_the_caret_moves_along) {
  SourceText source("a.yml", "a: hunter2, b: x");
  source.Hide({1, 4}, {1, 13});
  Diagnostic d;
  source.Locate({1, 16}, d);
  BOOST_TEST(d.source_line == "a: <secret> b: x");
  BOOST_TEST(d.source_line[static_cast<size_t>(d.caret) - 1] == 'x');
}

BOOST_AUTO_TEST_CASE(a_stretch_over_several_lines_hides_all_of_them) {
  SourceText source("a.yml", "a: hun\n  ter\n  2\nb: x");
  source.Hide({1, 4}, {4, 1});
  for (int line : {2, 3}) {
    Diagnostic d;
    source.Locate({line, 1}, d);
    BOOST_TEST(d.source_line == "<secret>");
  }
  Diagnostic d;
  source.Locate({4, 1}, d);
  BOOST_TEST(d.source_line == "b: x");
}

BOOST_AUTO_TEST_CASE(places_outside_the_text_have_no_line) {
  SourceText source("a.yml", "a");
  for (TextPos pos : {TextPos{0, 0}, TextPos{9, 1}, TextPos{-1, -1}}) {
    Diagnostic d;
    source.Locate(pos, d);
    BOOST_TEST(d.source_line.empty());
    BOOST_TEST(d.caret == 0);
  }
}

BOOST_AUTO_TEST_CASE(control_characters_do_not_reach_the_terminal) {
  SourceText source("a.yml", "a: \x1b[31mx");
  Diagnostic d;
  source.Locate({1, 1}, d);
  BOOST_TEST(d.source_line == "a:  [31mx");
}

BOOST_AUTO_TEST_SUITE_END()
