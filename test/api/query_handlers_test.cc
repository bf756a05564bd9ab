// What a Prometheus data source of Grafana asks besides the rules.
#include "api/api_fixture.h"

namespace mlalert {
namespace {

using testing::ApiFixture;
using testing::BodyOf;

std::string ValueOf(const HttpResponse& response) {
  const Json body = BodyOf(response);
  const Json* data = body.Find("data");
  return data == nullptr || data->GetString("resultType") != "scalar"
             ? response.body
             : std::string(data->Find("result")->AsArray()[1].AsString());
}

BOOST_AUTO_TEST_SUITE(query_v1)

BOOST_FIXTURE_TEST_CASE(constants_are_computed, ApiFixture) {
  BOOST_TEST(ValueOf(Get("/api/v1/query?query=1%2B1&time=1767225600")) == "2");
  BOOST_TEST(ValueOf(Post("/api/v1/query", "query=1%2B1",
                          {{"Content-Type", "application/x-www-form-urlencoded"}})) == "2");
  BOOST_TEST(ValueOf(Get("/api/v1/query?query=-(2^3)/0")) == "-Inf");
  BOOST_TEST(ValueOf(Get("/api/v1/query?query=2+%3E+bool+1")) == "1");
}

BOOST_FIXTURE_TEST_CASE(what_reads_series_is_refused, ApiFixture) {
  for (const char* query : {"up", "vector(1)", "time()", "1+%2B+scalar(up)"}) {
    const HttpResponse response = Get(std::string("/api/v1/query?query=") + query);
    BOOST_TEST(response.status == 422);
    BOOST_TEST(BodyOf(response).GetString("errorType") == "execution");
  }
  BOOST_TEST(Get("/api/v1/query_range?query=1").status == 422);
  const HttpResponse broken = Get("/api/v1/query?query=1%2B");
  BOOST_TEST(broken.status == 400);
  BOOST_TEST(BodyOf(broken).GetString("errorType") == "bad_data");
  BOOST_TEST(BodyOf(Get("/api/v1/query")).GetString("errorType") == "bad_data");
}

BOOST_FIXTURE_TEST_CASE(there_are_no_labels, ApiFixture) {
  for (const char* path : {"/api/v1/labels", "/api/v1/label/job/values", "/api/v1/series?match[]=up"}) {
    BOOST_TEST(Get(path).body == R"({"status":"success","data":[]})");
  }
  BOOST_TEST(Get("/api/v1/metadata").body == R"({"status":"success","data":{}})");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace mlalert
