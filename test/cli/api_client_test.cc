#include "cli/api_client.h"

#include <boost/test/unit_test.hpp>

#include "cli/cli_case.h"

#include "net/local_server.h"

namespace mlalert {
namespace {

using testing::Answer;
using testing::Has;
using testing::LocalServer;
using testing::Request;
using namespace std::chrono_literals;

ApiClient Client(const std::string& url, Duration timeout = 20s) {
  auto client = ApiClient::Open({.url = url, .timeout = timeout});
  BOOST_REQUIRE(client.has_value());
  return std::move(*client);
}

Error ErrorOf(int status, const std::string& body, const std::string& headers = "") {
  LocalServer server(LocalServer::Answering([&](const Request&) { return Answer(status, body, headers); }));
  auto answer = Client(server.Url("")).Get("/api/x");
  BOOST_REQUIRE(!answer.has_value());
  return answer.error();
}

BOOST_AUTO_TEST_SUITE(api_client)

BOOST_AUTO_TEST_CASE(asks_below_the_prefix_with_an_escaped_query) {
  LocalServer server(LocalServer::Answering([](const Request&) { return Answer(200, R"({"a":[1]})"); }));
  auto client = Client(server.Url("/prefix/"));
  auto answer = client.Get("/api/x", {{"model", "a&b c"}, {"limit", "3"}});
  BOOST_REQUIRE(answer.has_value());
  BOOST_TEST(answer->Dump() == R"({"a":[1]})");
  BOOST_TEST(server.requests().at(0).method == "GET");
  BOOST_TEST(server.requests().at(0).target == "/prefix/api/x?model=a%26b+c&limit=3");
}

BOOST_AUTO_TEST_CASE(posts_json) {
  LocalServer server(LocalServer::Answering([](const Request&) { return Answer(200, "{}"); }));
  Json body = Json::MakeObject();
  body.Set("actor", "alice");
  BOOST_TEST(Client(server.Url("")).Post("/api/x", body).has_value());
  Request request = server.requests().at(0);
  BOOST_TEST(request.method == "POST");
  BOOST_TEST(request.body == R"({"actor":"alice"})");
  BOOST_TEST(request.Header("content-type") == "application/json");
}

BOOST_AUTO_TEST_CASE(userinfo_of_the_url_becomes_basic_auth) {
  LocalServer server(LocalServer::Answering([](const Request&) { return Answer(200, "{}"); }));
  BOOST_TEST(Client("http://u:p@127.0.0.1:" + std::to_string(server.port())).Get("/").has_value());
  BOOST_TEST(server.requests().at(0).Header("authorization") == "Basic dTpw");
}

BOOST_AUTO_TEST_CASE(refuses_what_is_no_url_of_a_server) {
  for (const char* url : {"", "localhost:9093", "ftp://x", "http://", "http://h/?a=b", "http://h/#f"}) {
    BOOST_TEST_CONTEXT(url) {
      auto client = ApiClient::Open({.url = url});
      BOOST_REQUIRE(!client.has_value());
      BOOST_TEST((client.error().code == ErrorCode::kInvalid));
      BOOST_TEST(Has(client.error().message, "--url"));
    }
  }
}

BOOST_AUTO_TEST_CASE(shows_what_the_server_says_in_any_of_its_shapes) {
  BOOST_TEST(ErrorOf(404, R"({"error":"there is no incident 7","hint":"look"})").message ==
             "there is no incident 7");
  BOOST_TEST(ErrorOf(404, R"({"error":"there is no incident 7","hint":"look"})").hint == "look");
  BOOST_TEST(ErrorOf(404, R"({"code":404,"message":"path /x was not found"})").message ==
             "path /x was not found");
  BOOST_TEST(ErrorOf(400, R"("bad matcher format")").message == "bad matcher format");
}

BOOST_AUTO_TEST_CASE(the_status_decides_the_exit_code) {
  struct {
    int status;
    int exit_code;
  } cases[] = {{400, 2}, {404, 3}, {409, 1}, {413, 2}, {422, 2}, {429, 1},
               {500, 1}, {503, 1}, {504, 1}, {401, 1}, {403, 1}};
  for (const auto& c : cases) {
    BOOST_TEST_CONTEXT(c.status) {
      BOOST_TEST(ExitCode(ErrorOf(c.status, R"({"error":"no"})").code) == c.exit_code);
    }
  }
}

BOOST_AUTO_TEST_CASE(a_404_that_is_not_ours_is_not_taken_for_a_missing_incident) {
  for (const char* body : {"404 page not found", "", "<html>nginx</html>", "{}", "[]", "{\"error\":7}"}) {
    BOOST_TEST_CONTEXT(body) {
      Error error = ErrorOf(404, body);
      BOOST_TEST(ExitCode(error.code) == 1);
      BOOST_TEST(Has(error.message, "answered 404"));
      BOOST_TEST(Has(error.hint, "route-prefix"));
    }
  }
}

BOOST_AUTO_TEST_CASE(says_how_to_authenticate_when_refused) {
  Error error = ErrorOf(401, "Unauthorized\n");
  BOOST_TEST(Has(error.message, "refuses access (401)"));
  BOOST_TEST(Has(error.hint, "USER:PASSWORD"));
}

BOOST_AUTO_TEST_CASE(an_answer_that_is_no_json_object_or_list_is_an_error) {
  for (const char* body : {"", "OK", "<html></html>", "{\"a\":", "null", "7", "\"text\"", "{} {}"}) {
    BOOST_TEST_CONTEXT(body) {
      Error error = ErrorOf(200, body);
      BOOST_TEST((error.code == ErrorCode::kUnavailable));
      BOOST_TEST(Has(error.message, "is not that of an mlalert"));
    }
  }
}

BOOST_AUTO_TEST_CASE(nesting_without_end_is_an_error_and_no_crash) {
  BOOST_TEST((ErrorOf(200, std::string(100'000, '[')).code == ErrorCode::kUnavailable));
}

BOOST_AUTO_TEST_CASE(long_error_texts_are_cut) {
  BOOST_TEST(ErrorOf(400, "{\"error\":\"" + std::string(100'000, 'x') + "\"}").message.size() < 1000u);
}

BOOST_AUTO_TEST_CASE(nobody_there_names_the_url_without_its_password) {
  // A port that was open and is not any more.
  int port = LocalServer([](testing::Connection&) {}).port();
  auto answer = Client("http://u:geheim@127.0.0.1:" + std::to_string(port)).Get("/");
  BOOST_REQUIRE(!answer.has_value());
  BOOST_TEST(Has(answer.error().message, "http://u:xxxxx@127.0.0.1:" + std::to_string(port)));
  BOOST_TEST(Has(answer.error().message, "refused"));
  BOOST_TEST(!Has(answer.error().ToString(), "geheim"));
  BOOST_TEST(!Has(answer.error().ToString(), "redacted"));
  BOOST_TEST(Has(answer.error().hint, "mlalert serve"));
  BOOST_TEST(Has(answer.error().hint, "--url"));
  BOOST_TEST(ExitCode(answer.error().code) == 1);
}

BOOST_AUTO_TEST_CASE(a_server_that_hangs_is_left_after_the_timeout) {
  LocalServer server([](testing::Connection& connection) {
    Request request;
    while (connection.ReadRequest(&request)) {  // and never answers; ends when the client leaves
    }
  });
  auto answer = Client(server.Url(""), 100ms).Get("/");
  BOOST_REQUIRE(!answer.has_value());
  BOOST_TEST((answer.error().code == ErrorCode::kDeadline));
  BOOST_TEST(Has(answer.error().message, "within 100ms"));
  BOOST_TEST(Has(answer.error().hint, "--timeout"));
}

BOOST_AUTO_TEST_CASE(a_connection_that_breaks_is_an_error) {
  LocalServer server([](testing::Connection& connection) {
    Request request;
    connection.ReadRequest(&request);
    connection.Write("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"a\":");
  });
  auto answer = Client(server.Url("")).Get("/");
  BOOST_REQUIRE(!answer.has_value());
  BOOST_TEST((answer.error().code == ErrorCode::kUnavailable));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace mlalert
