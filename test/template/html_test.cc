// Contextual escaping: the same template text and data must come out as Go's html/template writes them.
#include <boost/test/unit_test.hpp>

#include "template/fixture.h"
#include "template/html_entities.h"
#include "template/html_text.h"

namespace mlalert::tmpl {
namespace {

using testing::Case;

Value Data() {
  return Value::AnyMap(
      {{"T", Value::Bool(true)},
       {"F", Value::Bool(false)},
       {"C", Value::String("<Cincinatti>")},
       {"G", Value::String("<Goodbye>")},
       {"H", Value::String("<Hello>")},
       {"Q", Value::String("A<b>\"'&+`=")},
       {"L", Value::StringList({"<a>", "<b>"})},
       {"N", Value::Integer(42)},
       {"X", Value::Float(1.5)},
       {"D", Value::OfDuration(std::chrono::minutes(90))},
       {"W",
        Value::String("&iexcl;<b class=\"foo\">Hello</b>, <textarea>O'World</textarea>!", StringType::kHtml)},
       {"U", Value::String("javascript:alert(%22)", StringType::kUrl)},
       {"Z", Value()}});
}

std::string RenderHtml(std::string_view text) {
  auto parsed = Template::Parse("", text, NotifyFunctions());
  if (!parsed) {
    return "E: " + parsed.error().message;
  }
  auto safe = parsed->Html();
  if (!safe) {
    return "E: " + safe.error().message;
  }
  auto out = safe->Execute(Data());
  return out ? *out : "E: " + out.error().message;
}

void CheckAll(std::span<const Case> cases) {
  for (const Case& c : cases) {
    BOOST_TEST_CONTEXT(c.text) {
      BOOST_TEST(RenderHtml(c.text) == c.want);
    }
  }
}

}  // namespace

BOOST_AUTO_TEST_SUITE(html)

BOOST_AUTO_TEST_CASE(text_and_attributes) {
  const Case cases[] = {
      {"{{ .Q }}", "A&lt;b&gt;&#34;&#39;&amp;&#43;`="},
      {"<p title=\"{{ .Q }}\">", "<p title=\"A&lt;b&gt;&#34;&#39;&amp;&#43;`=\">"},
      {"<p title='{{ .Q }}'>", "<p title='A&lt;b&gt;&#34;&#39;&amp;&#43;`='>"},
      {"<p title={{ .Q }}>", "<p title=A&lt;b&gt;&#34;&#39;&amp;&#43;&#96;&#61;>"},
      {"<p title={{ \"\" }} class=x>", "<p title=ZgotmplZ class=x>"},
      {"<p title = {{ .H }}>", "<p title = &lt;Hello&gt;>"},
      {"{{ if .T }}Hello{{ end }}, {{ .C }}!", "Hello, &lt;Cincinatti&gt;!"},
      {"{{ .N }}{{ .X }}{{ .L }}{{ .Z }}|{{ .D }}", "421.5[&lt;a&gt; &lt;b&gt;]|1h30m0s"},
      {"<textarea>{{ .H }}</textarea><title>{{ .W }}</title>",
       "<textarea>&lt;Hello&gt;</textarea><title>&iexcl;&lt;b "
       "class=&#34;foo&#34;&gt;Hello&lt;/b&gt;, &lt;textarea&gt;O&#39;World&lt;/textarea&gt;!</title>"},
      {"{{ .W }}", "&iexcl;<b class=\"foo\">Hello</b>, <textarea>O'World</textarea>!"},
      {"<p title=\"{{ .W }}\">", "<p title=\"&iexcl;Hello, O&#39;World!\">"},
      {"<p title={{ .W }}>", "<p title=&iexcl;Hello,&#32;O&#39;World!>"},
      {"<{{ \"b\" }}>", "&lt;b>"},
      {"<p {{ \"id\" }}=\"x\" {{ \"onclick\" }}=\"y\">", "<p id=\"x\" ZgotmplZ=\"y\">"},
      {"a < b & c", "a &lt; b & c"},
      {"<!DOCTYPE html><p>1 < 2", "<!DOCTYPE html><p>1 &lt; 2"},
      {"{{ \"<i>\" | safeHtml }}", "<i>"},
      {"{{ .H | html }}", "&lt;Hello&gt;"},
      {"{{ html .H .N }}", "&lt;Hello&gt;42"},
      {"{{ \"\\x00\" }}", "\xEF\xBF\xBD"},
  };
  CheckAll(cases);
}

BOOST_AUTO_TEST_CASE(urls) {
  const Case cases[] = {
      {"<a href=\"{{ \"http://x/d e\\\"<?q=1&r=2\" }}\">", "<a href=\"http://x/d%20e%22%3c?q=1&amp;r=2\">"},
      {"<a href=\"{{ \"javascript:alert(1)\" }}\">", "<a href=\"#ZgotmplZ\">"},
      {"<a href=\"{{ \"MAILTO:a@b\" }}\">", "<a href=\"MAILTO:a@b\">"},
      {"<a href=\"{{ \"/a:b\" }}\">", "<a href=\"/a:b\">"},
      {"<a href=\"{{ .U }}\">", "<a href=\"javascript:alert%28%22%29\">"},
      {"<a href=\"{{ \"javascript:x\" | safeUrl }}\">", "<a href=\"javascript:x\">"},
      {"<a href=\"/search?q={{ \"a b&c/d\" }}\">", "<a href=\"/search?q=a%20b%26c%2fd\">"},
      {"<a href=\"/search?q={{ \"a b&c/d\" | urlquery }}\">", "<a href=\"/search?q=a&#43;b%26c%2Fd\">"},
      {"<a href='{{ \"/foo?\" }}x={{ \"<\" }}'>", "<a href='/foo?x=%3c'>"},
      {"<a href={{ \"/a b\" }}>", "<a href=/a%20b>"},
      {"<img data-src=\"{{ \"data:x\" }}\">", "<img data-src=\"#ZgotmplZ\">"},
      {"<img srcset=\"{{ \"/a.png 2x, javascript:1 1x\" }}\">", "<img srcset=\"/a.png 2x,#ZgotmplZ\">"},
      {"<a href=\"{{ if .T }}/x?{{ end }}{{ .H }}\">",
       "E: html/template::1:35: {{.H}} appears in an ambiguous context within a URL"},
      {"<meta http-equiv=refresh content=\"0;url={{ \"javascript:x\" }}\">",
       "<meta http-equiv=refresh content=\"0;url=#ZgotmplZ\">"},
  };
  CheckAll(cases);
}

BOOST_AUTO_TEST_CASE(scripts) {
  const Case cases[] = {
      {"<script>alert({{ .Q }})</script>", "<script>alert(\"A\\u003cb\\u003e\\\"'\\u0026+`=\")</script>"},
      {"<script>alert({{ .N }}, {{ .X }}, {{ .T }}, {{ .Z }}, {{ .L }}, {{ .D }})</script>",
       "<script>alert( 42 ,  1.5 ,  true ,  null , [\"\\u003ca\\u003e\",\"\\u003cb\\u003e\"], "
       "\"1h30m0s\")</script>"},
      {"<script>var s = \"{{ .Q }}\";</script>",
       "<script>var s = \"A\\u003cb\\u003e\\u0022\\u0027\\u0026\\u002b\\u0060=\";</script>"},
      {"<script>var s = `{{ .Q }} ${ {{ .H }} }`;</script>",
       "<script>var s = `A\\u003cb\\u003e\\u0022\\u0027\\u0026\\u002b\\u0060= ${ \"\\u003cHello\\u003e\" "
       "}`;</script>"},
      {"<script>x = /a{{ \"b.c\" }}{{ \"\" }}/</script>", "<script>x = /ab\\.c(?:)/</script>"},
      {"<script>/* a {{ .H }} */ x // {{ .H }}\ny</script>", "<script>   x \ny</script>"},
      {"<script>s = \"</script>\"; t = \"<!--\"</script>",
       "<script>s = \"\\x3C/script>\"; t = \"\\x3C!--\"</script>"},
      {"<button onclick='alert({{ .H }})'>", "<button onclick='alert(&#34;\\u003cHello\\u003e&#34;)'>"},
      {"<button onclick=\"alert(&quot;{{ .H }}&quot;)\">",
       "<button onclick=\"alert(&quot;\\u003cHello\\u003e&quot;)\">"},
      {"<script type=\"text/template\">{{ .H }}</script>",
       "<script type=\"text/template\">&lt;Hello&gt;</script>"},
      {"<script type=\"module\">{{ .H }}</script>",
       "<script type=\"module\">\"\\u003cHello\\u003e\"</script>"},
      {"<script type=\"application/ld+json\">{\"a\": {{ .L }} }</script>",
       "<script type=\"application/ld+json\">{\"a\": [\"\\u003ca\\u003e\",\"\\u003cb\\u003e\"] }</script>"},
      {"<script>{{ if .T }}var x = 1{{ end }}/-{{ .N }}</script>",
       "E: html/template: '/' could start a division or regexp: \"/-\""},
  };
  CheckAll(cases);
}

BOOST_AUTO_TEST_CASE(styles) {
  const Case cases[] = {
      {"<style>p { color: {{ \"red\" }}; width: {{ \"5px\" }} }</style>",
       "<style>p { color: red; width: 5px }</style>"},
      {"<style>p { color: {{ \"expression(alert(1))\" }} }</style>", "<style>p { color: ZgotmplZ }</style>"},
      {"<p style=\"width: {{ .N }}px\">", "<p style=\"width: 42px\">"},
      {"<p style=\"font-family: '{{ \"a:b' c\" }}'\">", "<p style=\"font-family: '#ZgotmplZ'\">"},
      {"<p style=\"background: url({{ \"/x y\" }})\">", "<p style=\"background: url(/x%20y)\">"},
      {"<p style=\"background: url('{{ \"javascript:x\" }}')\">",
       "<p style=\"background: url('#ZgotmplZ')\">"},
      {"<style>/* {{ .H }} */a{}// {{ .H }}\nb{}</style>", "<style>  a{}\nb{}</style>"},
  };
  CheckAll(cases);
}

BOOST_AUTO_TEST_CASE(comments_go) {
  const Case cases[] = {
      {"a<!-- {{ .H }} -->b<!-- c -->d", "abd"},
      {"<!-- a",
       "E: html/template: ends in a non-text context: {stateHTMLCmt delimNone urlPartNone jsCtxRegexp "
       "attrNone elementNone <nil>}"},
  };
  CheckAll(cases);
}

BOOST_AUTO_TEST_CASE(called_templates_are_escaped_for_each_place) {
  const Case cases[] = {
      {"{{ define \"x\" }}{{ .Q }}{{ end }}{{ template \"x\" . }}<a href=\"?{{ template \"x\" . }}\">",
       "A&lt;b&gt;&#34;&#39;&amp;&#43;`=<a href=\"?A%3cb%3e%22%27%26%2b%60%3d\">"},
      {"{{ define \"x\" }}<a href=\"{{ end }}{{ template \"x\" }}{{ .H }}\">", "<a href=\"%3cHello%3e\">"},
      {"{{ define \"n\" }}{{ if .T }}{{ .H }}{{ else }}{{ template \"n\" . }}{{ end }}{{ end }}{{ template "
       "\"n\" . }}",
       "&lt;Hello&gt;"},
      {"{{ template \"nope\" . }}", "E: html/template::1:12: no such template \"nope\""},
      {"{{ if .F }}{{ template \"nope\" . }}{{ end }}", "E: html/template::1:23: no such template \"nope\""},
      {"{{ block \"b\" . }}{{ .H }}{{ end }}", "&lt;Hello&gt;"},
      {"{{ define \"y\" }}{{ .Nope.X }}{{ end }}<a href='?{{ template \"y\" .N }}'>",
       "E: template: :1:24: executing "
       "\"y$htmltemplate_stateURL_delimSingleQuote_urlPartQueryOrFrag_attrURL\" at "
       "<.Nope.X>: can't evaluate field Nope in type int"},
      {"{{ define \"q\" }}\"{{ template \"q\" . }}{{ end }}<script>{{ template \"q\" . }}</script>",
       "E: html/template: ends in a non-text context: {stateJSDqStr delimNone urlPartNone jsCtxRegexp "
       "attrNone elementScript <nil>}"},
  };
  CheckAll(cases);
}

BOOST_AUTO_TEST_CASE(branches_must_agree) {
  const Case cases[] = {
      {"{{ if .T }}<a href=\"{{ end }}x",
       "E: html/template::1:6: {{if}} branches end in different contexts: "
       "{stateURL delimDoubleQuote urlPartNone jsCtxRegexp attrURL elementNone "
       "<nil>}, {stateText delimNone urlPartNone jsCtxRegexp attrNone elementNone "
       "<nil>}"},
      {"<p title={{ if .T }}{{ .H }}{{ end }}>", "<p title=&lt;Hello&gt;>"},
      {"{{ range .L }}<a{{ end }}>",
       "E: html/template::1: on range loop re-entry: \"<\" in attribute name: \"<a\""},
      {"{{ range .L }}{{ if .T }}<a href=\"{{ break }}{{ end }}{{ end }}",
       "E: html/template::1:37: at range loop break: {{range}} branches end in different contexts: "
       "{stateText delimNone urlPartNone jsCtxRegexp attrNone elementNone <nil>}, {stateURL delimDoubleQuote "
       "urlPartNone jsCtxRegexp attrURL elementNone <nil>}"},
      {"{{ range .L }}{{ . }},{{ continue }}<b{{ end }}", "&lt;a&gt;,&lt;b&gt;,"},
      {"<a =x>", "E: html/template: expected space, attr name, or end of tag, but got \"=x>\""},
      {"<a b=1\"2>", "E: html/template: \"\\\"\" in unquoted attr: \"1\\\"2\""},
      {"<a b\"c>", "E: html/template: \"\\\"\" in attribute name: \" b\\\"c>\""},
      {"{{ .H | html | print }}",
       "E: html/template::1:3: predefined escaper \"html\" disallowed in template"},
      {"<p title={{ .H | html }}>",
       "E: html/template::1:12: predefined escaper \"html\" disallowed in template"},
      {"{{ range .L }}{{ . | html | print }}{{ continue }}{{ end }}",
       "E: html/template::1:17: at range loop continue: predefined escaper \"html\" disallowed in template"},
      {"{{ template \"none\" }}{{ .H | html | print }}",
       "E: html/template::1:24: predefined escaper \"html\" disallowed in template"},
      {"{{ range .L }}{{ continue }}{{ end }}{{ template \"none\" }}",
       "E: html/template::1:49: at range loop continue: no such template \"none\""},
      {"<script>foo = \"\\{{ .H }}\"</script>",
       "E: html/template: unfinished escape sequence in JS string: \"\\\\\""},
      {"<script>x = /[{{ .H }}]/</script>", "E: html/template: unfinished JS regexp charset: \"[\""},
  };
  for (const Case& c : cases) {
    BOOST_TEST_CONTEXT(c.text) {
      BOOST_TEST(RenderHtml(c.text) == c.want);
    }
  }
}

BOOST_AUTO_TEST_CASE(the_set_it_came_from_stays_as_it_was) {
  auto text =
      Template::Parse("", "{{ define \"x\" }}{{ .Q }}{{ end }}{{ template \"x\" . }}", NotifyFunctions());
  BOOST_REQUIRE(text.has_value());
  auto html = text->Html();
  BOOST_REQUIRE(html.has_value());
  BOOST_TEST(*text->Execute(Data()) == "A<b>\"'&+`=");
  BOOST_TEST(*html->Execute(Data()) == "A&lt;b&gt;&#34;&#39;&amp;&#43;`=");
}

BOOST_AUTO_TEST_CASE(nested_loops_meet_a_limit) {
  std::string text = "x";
  for (int i = 0; i < 60; ++i) {
    text = "{{ range .L }}" + text + "{{ end }}";
  }
  BOOST_TEST(RenderHtml(text) == "E: html/template: template is too complex to escape");
}

BOOST_AUTO_TEST_CASE(entities) {
  BOOST_TEST(UnescapeEntities("a&quot;&#39;&#x3C;&lt;&amp;amp;&nosuch;&lt1&#;&") ==
             "a\"'<<&amp;&nosuch;<1&#;&");
}

BOOST_AUTO_TEST_CASE(tags_are_stripped) {
  BOOST_TEST(StripTags("<a href=\"x>y\">Hi</a> <script>alert('<b>')</script>I <3 you<!-- c -->!") ==
             "Hi I <3 you!");
  BOOST_TEST(StripTags("no tags & <") == "no tags & <");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace mlalert::tmpl
