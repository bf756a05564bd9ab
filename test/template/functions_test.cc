// Printing, printf, comparison, times, and Alertmanager's functions.
#include <boost/test/unit_test.hpp>

#include "template/fixture.h"
#include "template/number.h"
#include "template/quote.h"
#include "template/utf8.h"

namespace mlalert::tmpl {
namespace {

using testing::Case;
using testing::Render;

void CheckAll(std::span<const Case> cases, const Value& data = {}, const ExecEnv& env = {}) {
  for (const Case& c : cases) {
    BOOST_TEST_CONTEXT(c.text) {
      BOOST_TEST(Render(c.text, data, NotifyFunctions(), env) == c.want);
    }
  }
}

// As CheckAll, but of errors only the part behind "error calling" counts.
void CheckCalls(std::span<const Case> cases, const Value& data = {}, const ExecEnv& env = {}) {
  for (const Case& c : cases) {
    BOOST_TEST_CONTEXT(c.text) {
      std::string got = Render(c.text, data, NotifyFunctions(), env);
      size_t at = got.find("error calling ");
      BOOST_TEST((at == std::string::npos ? got : got.substr(at)) == c.want);
    }
  }
}

Timestamp At(const char* text) {
  return *ParseRfc3339(text);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(printing)

BOOST_AUTO_TEST_CASE(floats_take_the_exponent_form_from_a_million) {
  const std::pair<double, const char*> cases[] = {
      {123456, "123456"},
      {123456.789, "123456.789"},
      {1000000, "1e+06"},
      {1234567, "1.234567e+06"},
      {21000000.5, "2.10000005e+07"},
      {31536000, "3.1536e+07"},
      {0.0001, "0.0001"},
      {0.00001, "1e-05"},
      {1e20, "1e+20"},
      {0.1 + 0.2, "0.30000000000000004"},
      {1.0 / 3, "0.3333333333333333"},
      {-0.0, "-0"},
      {999999.5, "999999.5"},
      {1e100, "1e+100"},
      {5e-324, "5e-324"},
      {100, "100"},
  };
  for (const auto& [value, want] : cases) {
    BOOST_TEST(FormatFloat(value) == want);
  }
}

BOOST_AUTO_TEST_CASE(printf_has_gos_verbs_and_flags) {
  const Case cases[] = {
      {R"({{ printf "%5d|%-5d|%05d|%+d|% d|%x|%#x|%o|%#o|%O|%b|%c|%q|%U|%#U" 42 42 42 42 42 42 42 42 42 42 5 233 65 65 65 }})",
       "   42|42   |00042|+42| 42|2a|0x2a|52|052|0o52|101|é|'A'|U+0041|U+0041 'A'"},
      {R"({{ printf "%s|%5s|%-5s|%.2s|%q|%#q|%x|% x|%X" "héj" "é" "é" "héj" "a\n" "a" "hi" "hi" "hi" }})",
       "héj|    é|é    |hé|\"a\\n\"|`a`|6869|68 69|6869"},
      {R"({{ printf "%f|%.1f|%8.2f|%-8.2f|%08.2f|%+.1f|%e|%.0e|%g|%G|%.3g|%6.2f|%06.2f" 1.5 1.25 1.5 1.5 -1.5 1.5 1234.5 1234.5 1e-7 1e-7 1234567.0 1.0 1.0 }})",
       "1.500000|1.2|    1.50|1.50    |-0001.50|+1.5|1.234500e+03|1e+03|1e-07|1E-07|1.23e+06|  1.00|001.00"},
      {R"({{ printf "%t %v %s %d %T" true false true "x" 1.5 }})",
       "true false %!s(bool=true) %!d(string=x) float64"},
      {R"({{ printf "%d %s" 1 }})", "1 %!s(MISSING)"},
      {R"({{ printf "%[3]d %[1]d" 1 2 }})", "%!d(BADINDEX) 1"},
      {R"({{ printf "%[x]d" 1 }})", "%!d(BADINDEX)"},
      {R"({{ printf "%*d|%-*d|%.*f" 4 7 4 7 1 2.55 }})", "   7|7   |2.5"},
      {R"({{ printf "%*d" "x" 1 }})", "%!(BADWIDTH)1"},
      {R"({{ printf "%" }})", "%!(NOVERB)"},
      {R"({{ printf "%!" 1 }})", "%!!(int=1)"},
      {R"({{ printf "%z" nil }})", "%!z(<nil>)"},
      {R"({{ printf "%v %d %q" (list 1 "a") (list 1 2) (stringSlice "a" "b") }})",
       "[1 a] [1 2] [\"a\" \"b\"]"},
      {R"({{ printf "%v" (dict "b" 1 "a" nil) }})", "map[a:<nil> b:1]"},
      {R"({{ print 1 2 "a" 3 4 nil }})", "1 2a3 4 <nil>"},
      {R"({{ println }})", "\n"},
  };
  CheckAll(cases);
}

// Checked against Go: the e2e test beside amtool has more.
BOOST_AUTO_TEST_CASE(literals_and_printf_in_full) {
  const Case cases[] = {
      {"{{ 0x1p4 }} {{ 0x1.8p1 }} {{ 1_000 }} {{ 0b11 }} {{ 0o17 }} {{ 017 }}", "16 3 1000 3 15 15"},
      {"{{ 1i }} {{ 2+3i }} {{ 1.5-2i }} {{ 3+0i }}", "(0+1i) (2+3i) (1.5-2i) 3"},
      {"{{ 08 }}", "E: template: t:1: integer overflow: \"08\""},
      {"{{ 1+2 }}", "E: template: t:1: bad number syntax: \"1+2\""},
      {"{{ --1 }}", "E: template: t:1: bad number syntax: \"--1\""},
      {"{{ 18446744073709551615 }}",
       "E: template: t:1:3: executing \"t\" at <18446744073709551615>: 18446744073709551615 overflows int"},
      {"{{ 18446744073709551616 }}", "E: template: t:1: integer overflow: \"18446744073709551616\""},
      {"{{ '' }}", "E: template: t:1: invalid syntax"},
      {"{{ 'ab' }}", "E: template: t:1: malformed character constant: 'ab'"},
      {"{{ printf \"%+v %+d %#v %#v\" 1 1 (stringSlice \"a\" \"b\") 1.5 }}",
       "1 +1 []string{\"a\", \"b\"} 1.5"},
      {"{{ printf \"%.*f\" -1 2.5 }}", "%!(BADPREC)2.500000"},
      {"{{ printf \"%#g %#.0f %#.3e\" 1.0 2.0 3.0 }}", "1.00000 2. 3.000e+00"},
      {"{{ html nil }}{{ js nil 1 }}", "&lt;no value&gt;\\u003Cno value\\u003E1"},
      {"{{ title \"\u01c6ep\" }}", "\u01c5ep"},
  };
  CheckAll(cases);
}

BOOST_AUTO_TEST_CASE(strings_quote_and_unquote_as_go_does) {
  BOOST_TEST(QuoteGo("a\"\\\x01\xff é\u200b") == "\"a\\\"\\\\\\x01\\xff é\\u200b\"");
  BOOST_TEST(*UnquoteGo("\"\\x41\\101\\u00e9\\U0001F600\\n\"") == "AAé😀\n");
  for (const char* bad : {"\"\\z\"", "\"\\x4\"", "\"\\uD800\"", "\"\\400\"", "\"", "x", "\"a\"b\""}) {
    BOOST_TEST(!UnquoteGo(bad).has_value(), bad);
  }
}

BOOST_AUTO_TEST_CASE(numbers_read_as_go_reads_them) {
  const std::pair<const char*, double> good[] = {{"1e3", 1000},   {".5", 0.5},      {"5.", 5},    {"+1", 1},
                                                 {"1_000", 1000}, {"-2e-2", -0.02}, {"1e-999", 0}};
  for (const auto& [text, want] : good) {
    BOOST_TEST(*ParseGoFloat(text) == want);
  }
  for (const char* bad :
       {"", " 1", "1 ", "0x10", "1h", "_1", "1__0", "1_", "e3", ".", "+-1", "--1", "1e", "nanx"}) {
    BOOST_TEST(!ParseGoFloat(bad).has_value(), bad);
  }
  BOOST_TEST(ParseGoFloat("1e999").error().message ==
             "strconv.ParseFloat: parsing \"1e999\": value out of range");
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(builtins)

BOOST_AUTO_TEST_CASE(comparison_is_typed) {
  const Case cases[] = {
      {"{{ eq 1 1 }}{{ eq 1 2 3 1 }}{{ ne \"a\" \"b\" }}{{ lt 1 2 }}{{ le 2.0 2.0 }}{{ gt \"b\" \"a\" }}{{ "
       "ge 1 1 }}",
       "truetruetruetruetruetruetrue"},
      {"{{ eq nil nil }}{{ eq 1 nil }}", "truefalse"},
      {"{{ eq 1 1.0 }}", "error calling eq: incompatible types for comparison: int and float64"},
      {"{{ eq 1 }}", "error calling eq: missing argument for comparison"},
      {"{{ lt true false }}", "error calling lt: invalid type for comparison"},
      {"{{ lt nil 1 }}", "error calling lt: invalid type for comparison"},
      {"{{ eq (index \"a\" 0) 97 }}", "true"},
      {"{{ eq (list 1) (list 1) }}", "error calling eq: non-comparable type [1]: []interface {}"},
  };
  CheckCalls(cases);
}

BOOST_AUTO_TEST_CASE(index_and_slice_check_their_bounds) {
  const Case cases[] = {
      {"{{ index (list 1 2) 1 }}{{ index (list (list 7)) 0 0 }}{{ index (dict \"a\" 3) \"a\" }}", "273"},
      {"{{ index (dict \"a\" 3) \"b\" }}", "<no value>"},
      {"{{ index (dict \"a\" 3) (safeHtml \"a\") }}",
       "error calling index: value has type template.HTML; should be string"},
      {"{{ dict (safeUrl \"a\") 1 }}", "error calling dict: dict keys must be strings"},
      {"{{ index (list 1) 1 }}", "error calling index: reflect: slice index out of range"},
      {"{{ index (list 1) 2 }}", "error calling index: index out of range: 2"},
      {"{{ index (list 1) -1 }}", "error calling index: index out of range: -1"},
      {"{{ index 1 1 }}", "error calling index: can't index item of type int"},
      {"{{ index nil 1 }}", "error calling index: index of untyped nil"},
      {"{{ index (list 1) \"a\" }}", "error calling index: cannot index slice/array with type string"},
      {"{{ slice \"abc\" 1 }}{{ slice \"abc\" 1 2 }}{{ slice (list 1 2 3) 1 3 }}{{ slice \"abc\" }}",
       "bcb[2 3]abc"},
      {"{{ slice \"abc\" 2 1 }}", "error calling slice: invalid slice index: 2 > 1"},
      {"{{ slice \"abc\" 0 9 }}", "error calling slice: index out of range: 9"},
      {"{{ slice \"abc\" 0 1 2 }}", "error calling slice: cannot 3-index slice a string"},
      {"{{ len nil }}", "error calling len: len of nil pointer"},
      {"{{ call nil }}", "error calling call: call of nil"},
  };
  CheckCalls(cases);
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(notify_functions)

BOOST_AUTO_TEST_CASE(text_functions_are_alertmanagers) {
  const Case cases[] = {
      {"{{ title \"hello wORLD-foo bar's\" }}", "Hello World-Foo Bar's"},
      {"{{ \" \\t a b\\n\" | trimSpace }}|", "a b|"},
      {"{{ join \",\" (stringSlice \"a\" \"b\") }}", "a,b"},
      {"{{ \"a\" | stringSlice | join \"\" }}", "a"},
      {"{{ match \"^fo\" \"foo\" }}{{ match \"oo\" \"foo\" }}", "truetrue"},
      {"{{ match \"(\" \"x\" }}", "error calling match: error parsing regexp: missing closing ): `(`"},
      {"{{ reReplaceAll \"b*\" \"-\" \"abc\" }}", "-a-c-"},
      {"{{ reReplaceAll \"(a)(x)?\" \"[$1$2$]\" \"bab\" }}", "b[a$]b"},
      {"{{ reReplaceAll \"é*\" \".\" \"aéb\" }}", ".a.b."},
      {"{{ urlUnescape \"a%20b+c\" }}", "a b c"},
      {"{{ urlUnescape \"%zz\" }}", "error calling urlUnescape: invalid URL escape \"%zz\""},
      {"{{ base64encode \"a?>b\" }}{{ base64decode \"YT8-Yg==\" }}", "YT8-Yg==a?>b"},
      {"{{ base64decode \"a\" }}", "error calling base64decode: illegal base64 data at input byte 1"},
      {"{{ safeHtml \"<b>\" }}{{ safeUrl \"a b\" }}", "<b>a b"},
      {"{{ toUpper \"straße ǆ ÿ\" }}{{ toLower \"ÀΣЖ\" }}", "STRAßE Ǆ Ÿàσж"},
      {"{{ toJson (dict \"b\" (list 1 2.5 \"<&>\" nil true) \"a\" 1e21) }}",
       "{\"a\":1e+21,\"b\":[1,2.5,\"\\u003c\\u0026\\u003e\",null,true]}"},
      {"{{ append (list 1) 2 3 }}{{ append nil 1 }}", "[1 2 3][1]"},
      {"{{ dict 1 }}", "error calling dict: dict requires an even number of arguments"},
      {"{{ dict 1 2 }}", "error calling dict: dict keys must be strings"},
      {"{{ humanizeDuration 3661 }} {{ humanizeDuration \"0.0001\" }} {{ humanizeDuration -90061 }}",
       "1h 1m 1s 100us -1d 1h 1m 1s"},
      {"{{ routeLabels \"x\" }}|", "|"},
  };
  CheckCalls(cases);
}

BOOST_AUTO_TEST_CASE(dates_add_up) {
  const Value data = Value::AnyMap({{"T", Value::OfTime({At("2026-01-31T10:00:00Z")})}});
  const Case cases[] = {
      {"{{ .T.AddDate 0 1 0 }}", "2026-03-03 10:00:00 +0000 UTC"},
      {"{{ .T.AddDate -1 -1 -31 }}", "2024-11-30 10:00:00 +0000 UTC"},
      {"{{ (tz \"Europe/Paris\" .T).AddDate 0 6 0 }}", "2026-07-31 11:00:00 +0200 CEST"},
      {"{{ .T.Location }} {{ (tz \"Europe/Paris\" .T).Location.String }} {{ .T.Compare .T }}",
       "UTC Europe/Paris 0"},
      {"{{ (.T.AddDate 9223372036854775807 0 0).IsZero }}", "false"},
  };
  CheckAll(cases, data);
}

BOOST_AUTO_TEST_CASE(times_format_convert_and_subtract) {
  ExecEnv env;
  env.now = At("2024-03-10T12:00:00.5Z");
  const Value t = Value::OfTime({At("2024-01-02T03:04:05.678901234Z")});
  const Case cases[] = {
      {"{{ . }}", "2024-01-02 03:04:05.678901234 +0000 UTC"},
      {"{{ .Format \"Mon Jan _2 15:04:05 MST 2006\" }}", "Tue Jan  2 03:04:05 UTC 2024"},
      {"{{ .Format \"Monday, January 2 06 3:4:5PM .000 Z07:00 -0700 002\" }}",
       "Tuesday, January 2 24 3:4:5AM .678 Z +0000 002"},
      {"{{ .Format \"05.999999 15h04 January\" }}", "05.678901 03h04 January"},
      {"{{ date \"2006-01-02\" . }}", "2024-01-02"},
      {"{{ tz \"Europe/Berlin\" . }}", "2024-01-02 04:04:05.678901234 +0100 CET"},
      {"{{ (. | tz \"Asia/Kolkata\").Format \"15:04 -07:00 MST\" }}", "08:34 +05:30 IST"},
      {"{{ tz \"X/Y\" . }}", "error calling tz: unknown time zone X/Y"},
      {"{{ tz \"../../etc/passwd\" . }}", "error calling tz: unknown time zone ../../etc/passwd"},
      {"{{ since . }}", "1640h55m54.821098766s"},
      {"{{ now.Sub . }}{{ (now.Sub .).Hours | printf \"%.2f\" }}", "1640h55m54.821098766s1640.93"},
      {"{{ .Year }} {{ .Month }} {{ printf \"%d\" .Month }} {{ .Weekday }} {{ .YearDay }} {{ .Unix }} {{ "
       ".IsZero }}",
       "2024 January 1 Tuesday 2 1704164645 false"},
      {"{{ (.Add 1000000000).Second }} {{ .Before now }} {{ .After now }} {{ .Equal . }}",
       "6 true false true"},
      {"{{ toDate \"2006-01-02\" \"2024-05-06\" }}", "2024-05-06 00:00:00 +0000 UTC"},
      {"{{ toDate \"2006-01-02\" \"x\" }}", "0001-01-01 00:00:00 +0000 UTC"},
      {"{{ (toDate \"2006-01-02T15:04:05Z07:00\" \"2024-05-06T07:08:09.25+02:00\") }}",
       "2024-05-06 07:08:09.25 +0200 +0200"},
      {"{{ mustToDate \"2006\" \"x\" }}",
       "error calling mustToDate: parsing time \"x\" as \"2006\": cannot parse \"x\" as \"2006\""},
      {"{{ toJson . }}", "\"2024-01-02T03:04:05.678901234Z\""},
      {"{{ (.Truncate 1000000000).Nanosecond }} {{ (.Round 1000000000).Second }}", "0 6"},
  };
  CheckCalls(cases, t, env);
  BOOST_TEST(Render("{{ . }} {{ .IsZero }} {{ .Unix }}", Value::OfTime({})) ==
             "0001-01-01 00:00:00 +0000 UTC true -62135596800");
  BOOST_TEST(
      Render("{{ . }} {{ .Seconds }} {{ .Round 60000000000 }} {{ .Truncate 60000000000 }} {{ gt . 5 }}",
             Value::OfDuration(std::chrono::seconds(95))) == "1m35s 95 2m0s 1m0s true");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace mlalert::tmpl
