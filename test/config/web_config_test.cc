// The file of --web.config.file: what is taken, and the words for what is not.
#include "config/web_config.h"

#include <boost/test/unit_test.hpp>
#include <string>

namespace mlalert::testing {
namespace {

constexpr std::string_view kHash = "$2y$10$QOauhQNbBCuQDKes6eFzPeMqBSjb7Mr5DUmpZ/VcEd00UAV/LDeSi";

std::string Problem(const std::string& text) {
  WebConfig config;
  Diagnostics diagnostics = LoadWebConfigText(text, "dir/web.yml", config);
  return diagnostics.ok() ? "" : diagnostics.items()[0].message;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(web_config)

BOOST_AUTO_TEST_CASE(every_key_is_read) {
  WebConfig config;
  Diagnostics diagnostics = LoadWebConfigText(R"(
tls_server_config:
  cert_file: a.crt
  key_file: /abs/a.key
  client_ca_file: ca.crt
  client_auth_type: RequireAndVerifyClientCert
  client_allowed_sans: [x.example]
  min_version: TLS13
  max_version: TLS13
  cipher_suites: [TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256]
  curve_preferences: [X25519, CurveP256]
  prefer_server_cipher_suites: false
http_server_config:
  http2: false
  headers: {X-Content-Type-Options: nosniff, Content-Security-Policy: "default-src 'self'"}
basic_auth_users: {amy: )" + std::string(kHash) + R"(}
rate_limit: {burst: 5, interval: 1s}
)",
                                              "dir/web.yml", config);
  BOOST_TEST(diagnostics.ToText() == "");
  BOOST_REQUIRE(config.tls.has_value());
  BOOST_TEST(config.tls->cert_file == "dir/a.crt");
  BOOST_TEST(config.tls->key_file == "/abs/a.key");
  BOOST_TEST((config.tls->client_auth == ClientAuth::kRequireAndVerify));
  BOOST_TEST((config.tls->min_version == TlsVersion::kTls13));
  BOOST_TEST(config.tls->curves.size() == 2U);
  BOOST_TEST(!config.http2);
  BOOST_TEST(config.headers.at("X-Content-Type-Options") == "nosniff");
  BOOST_TEST(config.users.at("amy").Reveal() == kHash);
  BOOST_TEST(config.rate_burst == 5);
  BOOST_TEST((config.rate_interval == std::chrono::seconds(1)));
}

BOOST_AUTO_TEST_CASE(an_empty_file_asks_for_nothing) {
  for (const char* text : {"", "{}", "tls_server_config: {}", "tls_server_config:", "basic_auth_users: {}"}) {
    WebConfig config;
    BOOST_TEST(LoadWebConfigText(text, "web.yml", config).ok());
    BOOST_TEST(!config.tls.has_value());
    BOOST_TEST(config.users.empty());
  }
}

BOOST_AUTO_TEST_CASE(mistakes_are_told_in_the_words_of_upstream) {
  BOOST_TEST(Problem("foo: 1") == "field foo not found in type web.Config");
  BOOST_TEST(Problem("tls_server_config: {certfile: x}") == "field certfile not found in type web.TLSConfig");
  BOOST_TEST(Problem("tls_server_config: {client_auth_type: NoClientCert}") ==
             "missing one of cert or cert_file");
  BOOST_TEST(Problem("tls_server_config: {cert: x}") == "missing one of key or key_file");
  BOOST_TEST(Problem("tls_server_config: {cert: x, key: y, client_ca: z}") ==
             "Client CA's have been configured without a Client Auth Policy");
  BOOST_TEST(Problem("tls_server_config: {cert: x, key: y, client_auth_type: x}") == "Invalid ClientAuth: x");
  BOOST_TEST(Problem("http_server_config: {headers: {Server: x}}") ==
             "HTTP header \"Server\" can not be configured");
  BOOST_TEST(Problem("http_server_config: {headers: {X-Frame-Options: x}}") ==
             "invalid value for X-Frame-Options. Expected one of: [\"deny\" \"sameorigin\"], but got: \"x\"");
  BOOST_TEST(Problem("basic_auth_users: {a: b}") ==
             "crypto/bcrypt: hashedSecret too short to be a bcrypted password");
  BOOST_TEST(Problem("basic_auth_users: {a: '" + std::string(kHash).replace(4, 2, "99") + "'}") ==
             "crypto/bcrypt: cost 99 is outside allowed inclusive range 4..31");
}

BOOST_AUTO_TEST_CASE(no_hash_and_no_password_is_repeated) {
  WebConfig config;
  std::string text =
      LoadWebConfigText("basic_auth_users:\n  amy: my-password\nfoo: 1\n", "w", config).ToText();
  BOOST_TEST(text.find("my-password") == std::string::npos);
  text = LoadWebConfigText("basic_auth_users: {amy: my-password}\n", "w", config).ToText();
  BOOST_TEST(text.find("my-password") == std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace mlalert::testing
