#include "config/file_kind.h"

#include <boost/test/unit_test.hpp>

using namespace mlalert;  // NOLINT(google-build-using-namespace)

BOOST_AUTO_TEST_SUITE(detect_file_kind)

BOOST_AUTO_TEST_CASE(root_keys_decide) {
  struct Case {
    std::string_view text;
    FileKind kind;
  };
  for (const Case& c : {Case{"groups: []", FileKind::kRules},
                        {"route: {}", FileKind::kConfig},
                        {"datasources: []", FileKind::kConfig},
                        {"foo: 1", FileKind::kUnknown},
                        {"", FileKind::kConfig},
                        {"# nothing yet", FileKind::kConfig},
                        {"[]", FileKind::kUnknown},
                        {"groups: []\nroute: {}", FileKind::kUnknown},
                        {"groups: [", FileKind::kUnknown}}) {
    BOOST_TEST_CONTEXT("text " << c.text) {
      Diagnostics d;
      BOOST_TEST((DetectFileKind(c.text, "a.yml", d) == c.kind));
      BOOST_TEST(d.ok() == (c.kind != FileKind::kUnknown));
    }
  }
}

BOOST_AUTO_TEST_CASE(says_what_it_looked_for) {
  Diagnostics d;
  DetectFileKind("foo: 1", "a.yml", d);
  BOOST_TEST(d.items()[0].message ==
             "this is neither a config file (route, receivers, global, ...) nor a rule file (groups)");
}

BOOST_AUTO_TEST_SUITE_END()
