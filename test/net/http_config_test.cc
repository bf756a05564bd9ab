// The parts of http_config that show only on the wire.
#include <boost/test/unit_test.hpp>
#include <cstdlib>

#include "net/caller.h"
#include "net/credentials.h"
#include "net/local_server.h"

namespace mlalert {

using testing::Answer;
using testing::Caller;
using testing::LocalServer;
using testing::Options;
using testing::Request;
using testing::TempDir;

namespace {

LocalServer::Script Telling(const char* who) {
  return LocalServer::Answering([who](const Request&) { return Answer(200, who); });
}

class Variables {
 public:
  void Set(const char* name, const std::string& value) {
    ::setenv(name, value.c_str(), 1);
    names_.push_back(name);
  }
  ~Variables() {
    for (const char* name : names_) {
      ::unsetenv(name);
    }
  }

 private:
  std::vector<const char*> names_;
};

}  // namespace

BOOST_AUTO_TEST_SUITE(http_config)

BOOST_AUTO_TEST_CASE(connect_headers_go_to_the_proxy_of_a_tunnel_only) {
  LocalServer proxy(Telling("proxy"));
  Caller caller;
  HttpClientConfig config;
  config.proxy.url = proxy.Url("");
  config.proxy.connect_header = {{"X-Connect", {Secret("a"), Secret("b")}}};
  BOOST_TEST(caller.Get("http://nowhere.test/x", Options(config)).body == "proxy");
  BOOST_TEST(proxy.requests().at(0).Header("x-connect") == "");
  caller.Get("https://nowhere.test/x", Options(config));
  const Request tunnel = proxy.requests().at(1);
  BOOST_TEST(tunnel.method == "CONNECT");
  BOOST_TEST(tunnel.target == "nowhere.test:443");
  int seen = 0;
  for (const auto& [name, value] : tunnel.headers) {
    seen += name == "x-connect" && (value == "a" || value == "b") ? 1 : 0;
  }
  BOOST_TEST(seen == 2);
}

BOOST_AUTO_TEST_CASE(the_environment_names_proxies_as_go_reads_it) {
  LocalServer plain(Telling("plain")), upper(Telling("upper")), direct(Telling("direct"));
  Variables variables;
  variables.Set("http_proxy", plain.Url(""));
  Caller caller;
  HttpClientConfig config;
  config.proxy.from_environment = true;
  BOOST_TEST(caller.Get("http://nowhere.test/x", Options(config)).body == "plain");
  variables.Set("HTTP_PROXY", "127.0.0.1:" + std::to_string(upper.port()));
  BOOST_TEST(caller.Get("http://nowhere.test/x", Options(config)).body == "upper");
  // This machine never.
  BOOST_TEST(caller.Get(direct.Url("/"), Options(config)).body == "direct");
  variables.Set("NO_PROXY", "nowhere.test");
  BOOST_TEST(!caller.Get("http://nowhere.test/x", Options(config)).ok());
  // Only where it was asked for.
  variables.Set("NO_PROXY", "");
  config.proxy.from_environment = false;
  BOOST_TEST(!caller.Get("http://nowhere.test/x", Options(config)).ok());
}

BOOST_AUTO_TEST_CASE(authorization_types_and_header_files_are_sent_as_configured) {
  LocalServer server(Telling("ok"));
  Caller caller;
  TempDir dir;
  HttpClientConfig config;
  config.authorization.emplace();
  config.authorization->type = "Token";
  config.authorization->credentials_file = dir.Write("c", " abc\n");
  config.http_headers = {{"X-A", {"1", "2"}, {Secret("s")}, {dir.Write("h", "from file\n")}}};
  BOOST_TEST(caller.Get(server.Url("/"), Options(config)).body == "ok");
  const Request request = server.requests().at(0);
  BOOST_TEST(request.Header("authorization") == "Token abc");
  std::string values;
  for (const auto& [name, value] : request.headers) {
    values += name == "x-a" ? value + "|" : "";
  }
  BOOST_TEST(values == "1|2|s|from file|");
}

BOOST_AUTO_TEST_CASE(a_token_server_has_its_own_trust_and_parameters) {
  TempDir dir;
  const std::string crt = dir.Path("crt.pem"), key = dir.Path("key.pem");
  const std::string command =
      "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=token.internal "
      "-addext subjectAltName=DNS:token.internal -keyout " +
      key + " -out " + crt + " 2>/dev/null";
  BOOST_REQUIRE(std::system(command.c_str()) == 0);
  LocalServer tokens(
      LocalServer::Answering([](const Request&) { return Answer(200, R"({"access_token":"T"})"); }),
      {crt, key, ""});
  LocalServer server(Telling("ok"));
  Caller caller;
  HttpClientConfig config;
  config.oauth2.emplace();
  config.oauth2->client_id = "id";
  config.oauth2->client_secret_file = dir.Write("secret", "s3cret\n");
  config.oauth2->token_url = tokens.Url("/token", "127.0.0.1", "https");
  config.oauth2->scopes = {"a", "b"};
  config.oauth2->endpoint_params = {{"audience", "x"}};
  const HttpResult refused = caller.Get(server.Url("/"), Options(config));
  BOOST_TEST(FailureName(refused.failure) == "tls");
  BOOST_TEST(server.requests().empty());
  config.oauth2->tls.ca_file = crt;
  config.oauth2->tls.server_name = "token.internal";
  BOOST_TEST(caller.Get(server.Url("/"), Options(config)).body == "ok");
  BOOST_TEST(server.requests().at(0).Header("authorization") == "Bearer T");
  BOOST_TEST(tokens.requests().at(0).body == "grant_type=client_credentials&scope=a+b&audience=x");
  BOOST_TEST(tokens.requests().at(0).Header("authorization") == BasicAuthorization("id", "s3cret"));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace mlalert
