// TLS of HttpTransport, with authorities made for the run.
#include <boost/test/unit_test.hpp>
#include <cstdlib>
#include <fstream>
#include <sstream>

#include "net/caller.h"
#include "net/fake_names.h"
#include "net/local_server.h"

namespace mlalert {

using testing::Answer;
using testing::Caller;
using testing::LocalServer;
using testing::Options;
using testing::Request;
using testing::TempDir;

namespace {

std::string Content(const std::string& path) {
  std::ostringstream out;
  out << std::ifstream(path).rdbuf();
  return out.str();
}

// Two authorities, a server certificate for metrics.internal and a client certificate of the first.
struct Authorities {
  Authorities() {
    MakeCa("ca");
    MakeCa("other");
    Issue("server", "subjectAltName=DNS:metrics.internal");
    Issue("client", "subjectAltName=DNS:client");
  }

  void MakeCa(const std::string& name) {
    Run("openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj '/CN=" + name +
        "' -keyout " + dir.Path(name + ".key") + " -out " + dir.Path(name + ".crt"));
  }
  void Issue(const std::string& name, const std::string& extension) {
    Run("openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj '/CN=" + name +
        "' -addext basicConstraints=critical,CA:FALSE -addext " + extension + " -CA " + dir.Path("ca.crt") +
        " -CAkey " + dir.Path("ca.key") + " -keyout " + dir.Path(name + ".key") + " -out " +
        dir.Path(name + ".crt"));
  }
  static void Run(const std::string& command) {
    if (std::system((command + " 2>/dev/null").c_str()) != 0) {
      std::abort();
    }
  }

  TempDir dir;
};

Authorities& Made() {
  static Authorities authorities;
  return authorities;
}

std::string File(const std::string& name) {
  return Made().dir.Path(name);
}

struct TlsFixture {
  TlsFixture() { config.tls.ca_file = File("ca.crt"); }

  HttpResult Get(const LocalServer& from, const std::string& host = "127.0.0.1") {
    return caller.Get(from.Url("/", host, "https"), Options(config));
  }
  static std::string Seen(const Request& request) { return Answer(200, request.Header("host")); }

  LocalServer server{LocalServer::Answering(Seen), {File("server.crt"), File("server.key"), ""}};
  Caller caller;
  HttpClientConfig config;
};

void CheckTlsFailure(const HttpResult& result) {
  BOOST_TEST(FailureName(result.failure) == "tls", result.error);
  BOOST_TEST(result.error.starts_with("Get \"<redacted>\": tls: "), result.error);
  BOOST_TEST(result.status == 0);
}

}  // namespace

BOOST_FIXTURE_TEST_SUITE(tls, TlsFixture)

BOOST_AUTO_TEST_CASE(accepts_the_configured_authority_and_server_name) {
  config.tls.server_name = "metrics.internal";
  const HttpResult result = Get(server);
  BOOST_TEST(result.error == "");
  // The certificate was asked for one name, the server for the other.
  BOOST_TEST(result.body == "127.0.0.1:" + std::to_string(server.port()));
  BOOST_TEST(Get(server, "a.local.test").status == 200);
}

BOOST_AUTO_TEST_CASE(refuses_a_certificate_for_another_name) {
  CheckTlsFailure(Get(server));
  config.tls.server_name = "other.internal";
  CheckTlsFailure(Get(server));
  BOOST_TEST(server.requests().empty());
}

BOOST_AUTO_TEST_CASE(refuses_an_unknown_authority) {
  config.tls.server_name = "metrics.internal";
  config.tls.ca_file = File("other.crt");
  CheckTlsFailure(Get(server));
  // The system's authorities.
  config.tls.ca_file.clear();
  CheckTlsFailure(Get(server));
}

BOOST_AUTO_TEST_CASE(does_not_reuse_a_connection_made_under_another_trust) {
  config.tls.server_name = "metrics.internal";
  BOOST_TEST(Get(server).status == 200);
  config.tls.ca_file = File("other.crt");
  CheckTlsFailure(Get(server));
}

BOOST_AUTO_TEST_CASE(takes_inline_certificates) {
  config.tls.server_name = "metrics.internal";
  config.tls.ca_file.clear();
  config.tls.ca = Content(File("ca.crt"));
  BOOST_TEST(Get(server).status == 200);
  config.tls.ca = "no certificate";
  CheckTlsFailure(Get(server));
}

BOOST_AUTO_TEST_CASE(verifies_nothing_when_told_so) {
  config.tls.ca_file.clear();
  config.tls.insecure_skip_verify = true;
  BOOST_TEST(Get(server).status == 200);
}

BOOST_AUTO_TEST_CASE(shows_a_client_certificate_from_file_or_inline) {
  LocalServer mutual(LocalServer::Answering(Seen), {File("server.crt"), File("server.key"), File("ca.crt")});
  config.tls.server_name = "metrics.internal";
  BOOST_TEST(!Get(mutual).ok());
  config.tls.cert_file = File("client.crt");
  config.tls.key_file = File("client.key");
  BOOST_TEST(Get(mutual).error == "");
  config.tls.cert = Content(File("client.crt"));
  config.tls.key = Secret(Content(File("client.key")));
  config.tls.cert_file.clear();
  config.tls.key_file.clear();
  BOOST_TEST(Get(mutual).error == "");
  config.tls.key = Secret(Content(File("other.key")));
  // A new authority text forces a new connection, which the wrong key then fails.
  config.tls.ca = Content(File("ca.crt")) + "\n";
  BOOST_TEST(!Get(mutual).ok());
}

BOOST_AUTO_TEST_CASE(keeps_to_the_version_bounds) {
  config.tls.server_name = "metrics.internal";
  config.tls.max_version = TlsVersion::kTls12;
  BOOST_TEST(Get(server).error == "");
  config.tls.min_version = TlsVersion::kTls13;
  config.tls.max_version = TlsVersion::kDefault;
  BOOST_TEST(Get(server).error == "");
  config.tls.max_version = TlsVersion::kTls12;
  BOOST_TEST(!Get(server).ok());
}

BOOST_AUTO_TEST_CASE(drops_credentials_when_redirected_to_plain_http) {
  LocalServer plain(LocalServer::Answering(
      [](const Request& r) { return Answer(200, "[" + r.Header("authorization") + "]"); }));
  LocalServer secure(LocalServer::Answering([&](const Request&) {
                       return Answer(302, "", "Location: " + plain.Url("/") + "\r\n");
                     }),
                     {File("server.crt"), File("server.key"), ""});
  config.tls.server_name = "metrics.internal";
  config.authorization = Authorization{"Bearer", Secret("t"), ""};
  BOOST_TEST(Get(secure).body == "[]");
  BOOST_TEST(secure.requests().at(0).Header("authorization") == "Bearer t");
}

BOOST_AUTO_TEST_CASE(resolves_relative_redirects_against_the_real_host) {
  LocalServer redirecting(LocalServer::Answering([](const Request& r) {
                            return r.target == "/" ? Answer(302, "", "Location: /next\r\n") : Seen(r);
                          }),
                          {File("server.crt"), File("server.key"), ""});
  config.tls.server_name = "metrics.internal";
  BOOST_TEST(Get(redirecting).body == "127.0.0.1:" + std::to_string(redirecting.port()));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace mlalert
