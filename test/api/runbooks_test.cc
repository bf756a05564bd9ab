// Runbooks: which file answers, what is put around it, and what must never be read.
#include "api/runbooks.h"

#include <boost/test/unit_test.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "api_fixture.h"

namespace mlalert {
namespace {

namespace fs = std::filesystem;

// Two folders, "own" before "shipped", below a directory that holds a secret.
struct Shelf {
  Shelf() {
    std::string pattern = (fs::temp_directory_path() / "mlalert_runbooks_XXXXXX").string();
    BOOST_REQUIRE(::mkdtemp(pattern.data()) != nullptr);
    root = pattern;
    fs::create_directories(root / "own" / "sub.md");
    fs::create_directories(root / "shipped");
    Write("secret.md", "hunter2");
    Write("own/serving-down.fraud.v2.md", "Fail over {{model}} / {{ model }}: see https://wiki/x?a=1&b=2.");
    Write("own/mine.md", "# mine");
    Write("shipped/serving-down.md", "# Serving of {{model}} <b>");
    Write("shipped/.hidden.md", "hidden");
    Write("shipped/notes.txt", "no runbook");
  }
  ~Shelf() {
    std::error_code ignored;
    fs::remove_all(root, ignored);
  }
  void Write(const char* name, const std::string& text) const { std::ofstream(root / name) << text; }

  fs::path root;
};

struct Fixture : Shelf {
  Fixture() {
    testing::ApiFixture& site = *api;
    site.config = testing::LoadApiConfig(std::string(testing::kApiConfig) + R"(
models: [{name: fraud.v2, team: risk, dashboard_url: 'https://grafana/d/1', contacts: {l1: '@oncall', l3: '@vp'}}]
)");
    AddRunbooks(site.router, runbooks, [&site] { return site.config; });
  }

  Runbooks runbooks{{(root / "own").string(), (root / "shipped").string(), (root / "absent").string()}};
  std::unique_ptr<testing::ApiFixture> api = std::make_unique<testing::ApiFixture>();
};

bool Has(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

BOOST_FIXTURE_TEST_SUITE(runbooks, Fixture)

BOOST_AUTO_TEST_CASE(the_list_has_those_for_everybody) {
  BOOST_TEST(runbooks.Names() == (std::vector<std::string>{"mine", "serving-down"}),
             boost::test_tools::per_element());
  BOOST_TEST(Runbooks({}).Names().empty());
  BOOST_TEST(api->Get("/runbooks").body == "mine\nserving-down\n");
  const HttpResponse page = api->Get("/runbooks", {{"Accept", "text/html,*/*"}});
  BOOST_TEST(page.content_type == "text/html; charset=utf-8");
  BOOST_TEST(Has(page.body, "<a href=\"runbooks/mine\">mine</a>"));
}

BOOST_AUTO_TEST_CASE(that_of_the_model_comes_before_that_for_everybody) {
  const HttpResponse all = api->Get("/runbooks/serving-down");
  BOOST_TEST(all.status == 200);
  BOOST_TEST(all.content_type == "text/plain; charset=utf-8");
  BOOST_TEST(all.body == "# Serving of {{model}} <b>");
  const HttpResponse one = api->Get("/runbooks/serving-down?model=fraud.v2");
  BOOST_TEST(one.body ==
             "fraud.v2:\n\n- team: risk\n- L1: @oncall\n- L3: @vp\n- dashboard: https://grafana/d/1\n\n"
             "Fail over fraud.v2 / fraud.v2: see https://wiki/x?a=1&b=2.");
  BOOST_TEST(api->Get("/runbooks/serving-down?model=churn").body == "# Serving of churn <b>");
}

BOOST_AUTO_TEST_CASE(a_page_is_escaped_and_its_addresses_are_links) {
  const testing::ApiFixture::Headers browser{{"Accept", "text/html"}};
  const HttpResponse page =
      api->Get("/runbooks/serving-down?model=%3Cscript%3E%0Aalert(1)%3C/script%3E", browser);
  BOOST_TEST(Has(page.body, "# Serving of &lt;script&gt;?alert(1)&lt;/script&gt; &lt;b&gt;"));
  BOOST_TEST(!Has(page.body, "<script>"));
  BOOST_TEST(Has(std::string(page.Header("Content-Security-Policy")), "default-src 'none'"));
  BOOST_TEST(Has(
      api->Get("/runbooks/serving-down?model=fraud.v2", browser).body,
      "<a href=\"https://wiki/x?a=1&amp;b=2\" rel=\"noopener noreferrer\">https://wiki/x?a=1&amp;b=2</a>."));
}

BOOST_AUTO_TEST_CASE(nothing_else_is_read) {
  for (const char* path :
       {"/runbooks/absent", "/runbooks/..%2Fsecret", "/runbooks/%2e%2e%2fsecret", "/runbooks/.hidden",
        "/runbooks/notes.txt", "/runbooks/sub", "/runbooks/serving-down.fraud"}) {
    BOOST_TEST(api->Get(path).status == 404, path);
  }
  // A model cannot lead out either: then it has no runbook of its own.
  Write("own/mine.md", "# mine");
  BOOST_TEST(api->Get("/runbooks/mine?model=..%2F..%2Fsecret").body == "# mine");
  BOOST_TEST(api->Get("/runbooks/mine?model=/etc/passwd").body == "# mine");
}

BOOST_AUTO_TEST_CASE(a_file_counts_up_to_its_limit) {
  Write("own/long.md", std::string(kRunbookBytesMax + 1000, 'x'));
  BOOST_TEST(runbooks.Text("long", "")->size() == kRunbookBytesMax);
  Write("own/empty.md", "");
  BOOST_TEST(*runbooks.Text("empty", "") == "");
}

BOOST_AUTO_TEST_CASE(the_name_is_the_last_part_of_an_address) {
  const std::pair<const char*, const char*> cases[] = {
      {"https://wiki.internal/runbooks/serving-down", "serving-down"},
      {"http://x/y.md", "y"},
      {"https://wiki.internal/ops#serving-down", ""},
      {"https://wiki.internal/page?id=1", ""},
      {"https://serving-down", ""},
      {"serving-down", ""},
      {"ftp://x/serving-down", ""},
      {"https://wiki.internal/runbooks/", ""},
  };
  for (const auto& [url, name] : cases) {
    BOOST_TEST(RunbookNameOf(url) == name, url);
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace mlalert
