// The language: tokens, grammar, control flow, and the texts of its errors.
#include <boost/test/unit_test.hpp>

#include "template/fixture.h"

namespace mlalert::tmpl {
namespace {

using testing::Case;
using testing::Render;

// A struct with a field, a method with an argument and a list, as notification data has them.
class Person final : public Object {
 public:
  std::string TypeName() const override { return "test.Person"; }
  std::string Print() const override { return "{Ann}"; }
  std::optional<Value> Field(std::string_view name) const override {
    if (name == "Name") {
      return Value::View("Ann");
    }
    if (name == "Tags") {
      return Value::StringList({"x", "y"});
    }
    if (name == "Extra") {
      return Value::AnyMap({{"n", Value::Integer(7)}});
    }
    return std::nullopt;
  }
  const Signature* FindMethod(std::string_view name) const override {
    static const Signature one_string{{ParamType::kString}, false};
    return name == "Greet" ? &one_string : nullptr;
  }
  Result<Value> Call(std::string_view, std::span<const Value> args) const override {
    if (args[0].AsString() == "nobody") {
      return Fail(ErrorCode::kInvalid, "not in the mood");
    }
    return Value::String(std::string(args[0].AsString()) + ", Ann");
  }
};

Value PersonValue() {
  return Value::Of(std::make_shared<Person>());
}

void CheckAll(std::span<const Case> cases, const Value& data = {}) {
  for (const Case& c : cases) {
    BOOST_TEST_CONTEXT(c.text) {
      BOOST_TEST(Render(c.text, data) == c.want);
    }
  }
}

}  // namespace

BOOST_AUTO_TEST_SUITE(parse_errors)

BOOST_AUTO_TEST_CASE(carry_the_text_and_line_of_go) {
  const Case cases[] = {
      {"{{", "E: template: t:1: unclosed action"},
      {"a\nb {{ .x", "E: template: t:2: unclosed action"},
      {"{{ .x\n\n", "E: template: t:3: unclosed action started at t:1"},
      {"{{/* x", "E: template: t:1: unclosed comment"},
      {"{{/* x */ }}", "E: template: t:1: comment ends before closing delimiter"},
      {"{{ /* c */ }}", "E: template: t:1: unexpected \"/\" in command"},
      {"{{ end }}", "E: template: t:1: unexpected {{end}}"},
      {"{{ else }}", "E: template: t:1: unexpected {{else}}"},
      {"{{ if true }}", "E: template: t:1: unexpected EOF"},
      {"{{ if }}x{{ end }}", "E: template: t:1: missing value for if"},
      {"{{ if true }}{{else}}{{else}}{{end}}", "E: template: t:1: expected end; found {{else}}"},
      {"{{ break }}", "E: template: t:1: {{break}} outside {{range}}"},
      {"{{ continue }}", "E: template: t:1: {{continue}} outside {{range}}"},
      {"{{ $x }}", "E: template: t:1: undefined variable \"$x\""},
      {"{{ nofunc 1 }}", "E: template: t:1: function \"nofunc\" not defined"},
      {"{{ (1 }}", "E: template: t:1: unclosed left paren"},
      {"{{ 1) }}", "E: template: t:1: unexpected right paren"},
      {"{{ \"a }}", "E: template: t:1: unterminated quoted string"},
      {"{{ `a }}", "E: template: t:1: unterminated raw quoted string"},
      {"{{ 'a }}", "E: template: t:1: unterminated character constant"},
      {"{{ 1x }}", "E: template: t:1: bad number syntax: \"1x\""},
      {"{{ 99999999999999999999 }}", "E: template: t:1: integer overflow: \"99999999999999999999\""},
      {"{{ .a | 1 }}", "E: template: t:1: non executable command in pipeline stage 2"},
      {"{{ 1.5.x }}", "E: template: t:1: unexpected . after term \"1.5\""},
      {"{{ nil.x }}", "E: template: t:1: unexpected . after term \"nil\""},
      {"{{ template x }}", "E: template: t:1: unexpected \"x\" in template clause"},
      {"{{ define \"a\" }}x{{ else }}{{ end }}", "E: template: t:1: unexpected {{else}} in define clause"},
      {"{{ define \"a\" }}1{{ end }}{{ define \"a\" }}2{{ end }}",
       "E: template: t:1: template: multiple definition of template \"a\""},
      {"{{ range $a, $b, $c := . }}{{ end }}", "E: template: t:1: too many declarations in range"},
      {"{{ $a, $b := . }}", "E: template: t:1: too many declarations in command"},
      {"{{ . \x01 }}", "E: template: t:1: unrecognized character in action: U+0001"},
      {"{{ .a! }}", "E: template: t:1: bad character U+0021 '!'"},
      {"{{ $x := 1 }}{{ define \"a\" }}{{ $x }}{{ end }}", "E: template: t:1: undefined variable \"$x\""},
  };
  CheckAll(cases);
}

BOOST_AUTO_TEST_CASE(deep_nesting_is_refused) {
  std::string ifs;
  std::string parens;
  for (int i = 0; i < 100000; ++i) {
    ifs += "{{if 1}}";
    parens += "(";
  }
  BOOST_TEST(Render(ifs) == "E: template: t:1: blocks and parentheses nest too deeply");
  BOOST_TEST(Render("{{" + parens) == "E: template: t:1: blocks and parentheses nest too deeply");
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(control_flow)

BOOST_AUTO_TEST_CASE(branches_loops_and_scopes) {
  const Case cases[] = {
      {"{{ if 0 }}a{{ else if 1 }}b{{ else }}c{{ end }}", "b"},
      {"{{ with 0 }}a{{ else with 2 }}{{ . }}{{ else }}c{{ end }}", "2"},
      {"{{ $x := 1 }}{{ if true }}{{ $x := 2 }}{{ end }}{{ $x }}", "1"},
      {"{{ $x := 1 }}{{ if true }}{{ $x = 2 }}{{ end }}{{ $x }}", "2"},
      {"{{ range $i, $e := list 5 6 }}{{ $i }}{{ $e }} {{ end }}", "05 16 "},
      {"{{ $i := 0 }}{{ $e := 0 }}{{ range $i, $e = list 5 6 }}{{ end }}{{ $i }}{{ $e }}", "16"},
      {"{{ range list 1 2 3 4 }}{{ if eq . 2 }}{{ continue }}{{ end }}{{ if eq . 4 }}{{ break }}{{ end }}{{ "
       ". }}{{ end }}",
       "13"},
      {"{{ range list }}x{{ else }}none{{ end }}", "none"},
      {"{{ range 0 }}x{{ else }}none{{ end }}", "none"},
      {"{{ range nil | print | len | list }}{{ . }}{{ end }}",
       "E: template: t:1:9: executing \"t\" at <nil>: nil is not a command"},
      {"{{ range dict \"b\" 2 \"a\" 1 }}{{ . }}{{ end }}", "12"},
      {"{{ $x := 0 }}{{ range $k, $v := dict (printf \"key that is long %d\" 1) 1 }}{{ $x = $k }}{{ end }}{{ "
       "$x }}",
       "key that is long 1"},
      {"{{ range list 1 2 }}{{ range list 8 9 }}{{ break }}{{ end }}{{ . }}{{ end }}", "12"},
      {"{{ define \"f\" }}<{{ . }}{{ $ }}>{{ end }}{{ template \"f\" 3 }}{{ template \"f\" }}",
       "<33><<no value><no value>>"},
      {"{{ block \"b\" 4 }}[{{ . }}]{{ end }}{{ template \"b\" 5 }}", "[4][5]"},
      {"{{ 1 -}} \n {{- 2 }}", "12"},
      {"{{3 -}}\n{{-4}}", "3-4"},
      {"a {{- /* c */ -}} b", "ab"},
      {"{{ true | not | not }}", "true"},
      {"{{ (list 1 2) | len }}", "2"},
      {"{{ 1\n| print }}", "1"},
      {"{{ and }}",
       "E: template: t:1:3: executing \"t\" at <and>: wrong number of args for and: want at least 1 got 0"},
      {"{{ or 0 \"\" nil }}", "<no value>"},
      {"{{ 3 | and 0 }}{{ 3 | and 1 }}", "03"},
      {"{{ $x = 1 }}", "E: template: t:1:8: executing \"t\" at <1>: undefined variable: $x"},
      {"{{ 1 2 }}", "E: template: t:1:3: executing \"t\" at <1>: can't give argument to non-function 1"},
      {"{{ range true }}{{ end }}",
       "E: template: t:1:9: executing \"t\" at <true>: range can't iterate over true"},
  };
  CheckAll(cases);
}

BOOST_AUTO_TEST_CASE(objects_offer_fields_methods_and_lists) {
  const Case cases[] = {
      {"{{ .Name }} {{ .Greet \"Hi\" }} {{ \"Yo\" | .Greet }}", "Ann Hi, Ann Yo, Ann"},
      {"{{ . }}{{ printf \"%s|%v|%q|%T\" . . . . }}", "{Ann}{Ann}|{Ann}|\"{Ann}\"|test.Person"},
      {"{{ index .Tags 1 }}{{ join \"+\" .Tags }}{{ len .Tags }}", "yx+y2"},
      {"{{ .Extra.n }}{{ .Extra.none }}", "7<no value>"},
      {"{{ define \"f\" }}{{ .A }},{{ .A.B }},{{ $.C }},{{ with .A }}w{{ end }}{{ range .A }}{{ else }}e{{ "
       "end }}{{ end }}"
       "{{ template \"f\" }}",
       "<no value>,<no value>,<no value>,e"},
      {"{{ define \"f\" }}[{{ join \",\" .Names }}]{{ end }}{{ template \"f\" }}", "[]"},
      {"{{ join \"+\" (slice .Tags 1) }}", "y"},
      {"{{ .Extra.none.deep }}",
       "E: template: t:1:9: executing \"t\" at <.Extra.none.deep>: nil pointer evaluating interface {}.deep"},
      {"{{ .Greet }}",
       "E: template: t:1:3: executing \"t\" at <.Greet>: wrong number of args for Greet: want 1 got 0"},
      {"{{ .Greet 5 }}", "E: template: t:1:10: executing \"t\" at <5>: expected string; found 5"},
      {"{{ .Greet \"nobody\" }}",
       "E: template: t:1:3: executing \"t\" at <.Greet>: error calling Greet: not in the mood"},
      {"{{ .Foo }}",
       "E: template: t:1:3: executing \"t\" at <.Foo>: can't evaluate field Foo in type test.Person"},
      {"{{ .Name 1 }}",
       "E: template: t:1:3: executing \"t\" at <.Name>: Name has arguments but cannot be invoked as "
       "function"},
      {"{{ .Extra.n 1 }}",
       "E: template: t:1:9: executing \"t\" at <.Extra.n>: n is not a method but has arguments"},
      {"{{ with . }}{{ .Name }}{{ end }}{{ if . }}y{{ end }}", "Anny"},
  };
  CheckAll(cases, PersonValue());
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(template_set)

BOOST_AUTO_TEST_CASE(later_files_override_earlier_definitions_in_this_handle_only) {
  auto base = Template::Parse("base", "{{ define \"s\" }}one{{ end }}", NotifyFunctions());
  BOOST_REQUIRE(base.has_value());
  Template copy = *base;
  BOOST_REQUIRE(
      copy.AddFile("user.tmpl", "{{ define \"s\" }}two{{ end }}{{ define \"e\" }} {{ end }}").has_value());
  auto field = copy.With("", "{{ template \"s\" . }}!");
  BOOST_REQUIRE(field.has_value());
  BOOST_TEST(*field->Execute({}) == "two!");
  BOOST_TEST(*base->ExecuteNamed("s", {}) == "one");
  BOOST_TEST(!base->Has("e"));
  BOOST_TEST(copy.Has("e"));
}

BOOST_AUTO_TEST_CASE(an_empty_definition_replaces_nothing) {
  auto set = Template::Parse("base", "{{ define \"s\" }}one{{ end }}", NotifyFunctions());
  BOOST_REQUIRE(set->AddFile("user", "{{ define \"s\" }}  {{ end }}").has_value());
  BOOST_TEST(*set->ExecuteNamed("s", {}) == "one");
}

BOOST_AUTO_TEST_CASE(a_bad_file_leaves_the_set_alone_and_names_the_file) {
  auto set = Template::Parse("base", "{{ define \"s\" }}one{{ end }}", NotifyFunctions());
  auto added = set->AddFile("bad.tmpl", "{{ define \"s\" }}two{{ end }}\n{{ foo }}");
  BOOST_REQUIRE(!added);
  BOOST_TEST(added.error().message == "template: bad.tmpl:2: function \"foo\" not defined");
  BOOST_TEST(*set->ExecuteNamed("s", {}) == "one");
}

BOOST_AUTO_TEST_CASE(missing_templates_are_errors_of_execution) {
  auto set = Template::Parse("", "{{ template \"x\" . }}", NotifyFunctions());
  BOOST_REQUIRE(set.has_value());
  BOOST_TEST(set->Execute({}).error().message ==
             "template: :1:12: executing \"\" at <{{template \"x\" .}}>: template \"x\" not defined");
  BOOST_TEST((set->ExecuteNamed("y", {}).error().code == ErrorCode::kNotFound));
}

BOOST_AUTO_TEST_CASE(errors_inside_a_definition_name_its_file_and_itself) {
  auto set = Template::Parse("base", "", NotifyFunctions());
  BOOST_REQUIRE(set->AddFile("f.tmpl", "\n{{ define \"s\" }}{{ .Foo }}{{ end }}").has_value());
  BOOST_TEST(set->ExecuteNamed("s", Value::Integer(1)).error().message ==
             "template: f.tmpl:2:19: executing \"s\" at <.Foo>: can't evaluate field Foo in type int");
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(limits)

BOOST_AUTO_TEST_CASE(hostile_templates_stop_at_a_named_limit) {
  const Case cases[] = {
      {"{{ range 1000000000000 }}{{ end }}", "exceeded the limit of 1000000 steps"},
      {"{{ range 1000000 }}xxxxxxxxxxxxxxxx{{ end }}", "output is longer than 1048576 bytes"},
      {"{{ define \"r\" }}{{ template \"r\" }}{{ end }}{{ template \"r\" }}",
       "exceeded maximum template depth (100)"},
      {"{{ $s := \"aaaaaaaaaaaaaaaa\" }}{{ range 100 }}{{ $s = printf \"%s%s\" $s $s }}{{ end }}",
       "result is longer than 1048576 bytes"},
      {"{{ $l := list }}{{ range 100000 }}{{ $l = list $l }}{{ end }}", "lists nest too deeply"},
      {"{{ $l := list }}{{ range 100000 }}{{ $l = append $l 1 }}{{ end }}",
       "exceeded the limit of 1000000 steps"},
      {"{{ $s := printf \"%1000000d\" 1 }}{{ $l := list $s $s $s $s }}{{ range 9 }}{{ $l = list $l $l $l $l "
       "}}{{ end }}{{ $l }}",
       "output is longer than 1048576 bytes"},
      {"{{ $s := printf \"%1000000d\" 1 }}{{ range 100000 }}{{ $x := len (toUpper $s) }}{{ end }}",
       "exceeded the limit"},
      {"{{ range $i := 100000 }}{{ $x := match (printf \"a%d\" $i) \"b\" }}{{ end }}", "exceeded the limit"},
      {"{{ $s := printf \"%1000000d\" 1 }}{{ reReplaceAll \".\" \"$0$0$0$0$0$0$0$0\" $s | len }}",
       "longer than"},
      {"{{ match \"((a{100}){100}){100}\" \"a\" }}", "error parsing regexp"},
      {"{{ printf \"%99999999d\" 1 }}", ""},
  };
  for (const Case& c : cases) {
    BOOST_TEST_CONTEXT(c.text) {
      std::string got = Render(c.text);
      BOOST_TEST(got.find(c.want) != std::string::npos, got.substr(0, 300));
    }
  }
}

BOOST_AUTO_TEST_CASE(queries_are_counted) {
  const QueryFn query = [](const std::string&) -> Result<std::vector<Sample>> {
    return std::vector<Sample>{};
  };
  ExecEnv env;
  env.query = &query;
  std::string got = Render("{{ range 11 }}{{ $x := query \"up\" }}{{ end }}", {}, RuleFunctions(), env);
  BOOST_TEST(got.find("error calling query: more than 10 queries in one template") != std::string::npos, got);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace mlalert::tmpl
