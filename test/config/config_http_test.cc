#include <boost/test/unit_test.hpp>

#include "config_case.h"

using namespace mlalert;           // NOLINT(google-build-using-namespace)
using namespace mlalert::testing;  // NOLINT(google-build-using-namespace)

namespace {

std::string WithHttp(std::string_view http) {
  return Minimal("global: {http_config: " + std::string(http) + "}\n");
}

}  // namespace

BOOST_AUTO_TEST_SUITE(config_http)

BOOST_AUTO_TEST_CASE(reads_every_kind_of_authentication) {
  BOOST_TEST(MustLoad(WithHttp("{basic_auth: {username: u, password: p}}"))
                 ->global.http_config->basic_auth->password.Reveal() == "p");
  BOOST_TEST(
      MustLoad(WithHttp("{authorization: {credentials: c}}"))->global.http_config->authorization->type ==
      "Bearer");
  BOOST_TEST(MustLoad(WithHttp("{authorization: {type: ' Token ', credentials: c}}"))
                 ->global.http_config->authorization->type == "Token");
  BOOST_TEST(
      MustLoad(WithHttp("{bearer_token: t}"))->global.http_config->authorization->credentials.Reveal() ==
      "t");
  auto oauth = *MustLoad(WithHttp("{oauth2: {client_id: i, client_secret: s, token_url: 'http://t', scopes: "
                                  "[a], endpoint_params: {x: y}}}"))
                    ->global.http_config->oauth2;
  BOOST_TEST(oauth.client_id == "i");
  BOOST_TEST(oauth.scopes[0] == "a");
  BOOST_TEST(oauth.endpoint_params[0].second == "y");
}

BOOST_AUTO_TEST_CASE(files_are_taken_from_the_configs_directory) {
  auto http = MustLoad(WithHttp("{bearer_token_file: t, tls_config: {ca_file: ca.pem, cert_file: /c, "
                                "key_file: k}, http_headers: {X-A: {files: [h]}}}"))
                  ->global.http_config;
  BOOST_TEST(http->authorization->credentials_file == "/etc/mlalert/t");
  BOOST_TEST(http->tls.ca_file == "/etc/mlalert/ca.pem");
  BOOST_TEST(http->tls.cert_file == "/c");
  BOOST_TEST(http->http_headers[0].files[0] == "/etc/mlalert/h");
}

BOOST_AUTO_TEST_CASE(reads_tls_proxy_and_headers) {
  auto http = MustLoad(WithHttp("{tls_config: {server_name: n, insecure_skip_verify: true, min_version: "
                                "TLS12, max_version: TLS13}, proxy_url: 'http://p:1', no_proxy: x, "
                                "proxy_connect_header: {A: [b, c]}, http_headers: {X-A: {values: [v], "
                                "secrets: [s]}}, enable_http2: false}"))
                  ->global.http_config;
  BOOST_TEST((http->tls.min_version == TlsVersion::kTls12 && http->tls.max_version == TlsVersion::kTls13));
  BOOST_TEST(http->tls.insecure_skip_verify);
  BOOST_TEST(http->proxy.no_proxy == "x");
  BOOST_TEST(http->proxy.connect_header[0].second.size() == 2U);
  BOOST_TEST(http->http_headers[0].secrets[0].Reveal() == "s");
  BOOST_TEST(!http->enable_http2);
}

BOOST_AUTO_TEST_CASE(refuses_in_alertmanagers_words) {
  for (const BadCase& c : {
           BadCase{"{bearer_token: a, bearer_token_file: b}",
                   "at most one of bearer_token & bearer_token_file must be configured"},
           {"{bearer_token: a, basic_auth: {}}",
            "at most one of basic_auth, oauth2, bearer_token & bearer_token_file must be configured"},
           {"{basic_auth: {username: a, username_file: b}}",
            "at most one of basic_auth username, username_file & username_ref must be configured"},
           {"{basic_auth: {password: a, password_file: b}}",
            "at most one of basic_auth password, password_file & password_ref must be configured"},
           {"{authorization: {credentials: a}, bearer_token: b}",
            "authorization is not compatible with bearer_token & bearer_token_file"},
           {"{authorization: {credentials: a, credentials_file: b}}",
            "at most one of authorization credentials & credentials_file must be configured"},
           {"{authorization: {type: Basic}}",
            R"(authorization type cannot be set to "basic", use "basic_auth" instead)"},
           {"{authorization: {credentials: a}, basic_auth: {username: u}}",
            "at most one of basic_auth, oauth2 & authorization must be configured"},
           {"{oauth2: {token_url: 'http://a'}}", "oauth2 client_id must be configured"},
           {"{oauth2: {client_id: a}}", "oauth2 token_url must be configured"},
           {"{oauth2: {client_id: a, token_url: 'http://a', client_secret: s, client_secret_file: f}}",
            "at most one of oauth2 client_secret, client_secret_file & client_secret_ref must be configured "
            "using "
            "grant-type=client_credentials"},
           {"{proxy_connect_header: {a: [b]}}",
            "if proxy_connect_header is configured, proxy_url or proxy_from_environment must also be "
            "configured"},
           {"{proxy_from_environment: true, proxy_url: 'http://a'}",
            "if proxy_from_environment is configured, proxy_url must not be configured"},
           {"{proxy_from_environment: true, no_proxy: a}",
            "if proxy_from_environment is configured, no_proxy must not be configured"},
           {"{no_proxy: a}", "if no_proxy is configured, proxy_url must also be configured"},
           {"{http_headers: {authorization: {values: [a]}}}",
            R"(setting header "Authorization" is not allowed)"},
           {"{http_headers: {x-prometheus-x: {values: [a]}}}",
            R"(setting header "X-Prometheus-X" is not allowed)"},
           {"{tls_config: {ca: a, ca_file: b}}", "at most one of ca, ca_file & ca_ref must be configured"},
           {"{tls_config: {cert: a, cert_file: b, key: k}}",
            "at most one of cert, cert_file & cert_ref must be configured"},
           {"{tls_config: {cert: a, key: k, key_file: f}}",
            "at most one of key and key_file must be configured"},
           {"{tls_config: {cert: a}}",
            "exactly one of key or key_file must be configured when a client certificate is configured"},
           {"{tls_config: {key: a}}",
            "exactly one of cert or cert_file must be configured when a client key is configured"},
           {"{tls_config: {min_version: TLS9}}", "unknown TLS version: TLS9"},
           {"{follow_redirects: 1}", "cannot unmarshal !!int `1` into bool"},
           {"{folow_redirects: true}", "field folow_redirects not found in type config.plain"},
           {"{oauth2: {client_id: a, token_url: 'http://a', grant_type: "
            "'urn:ietf:params:oauth:grant-type:jwt-bearer', signature_algorithm: HS256}}",
            "valid signature algorithms are RS256, RS384 and RS512"},
           {"{proxy_url: '127.0.0.1:3128'}",
            "parse proxy_url: first path segment in URL cannot contain colon"},
           {"{tls_config: {min_version: ''}}", "unknown TLS version: "},
           {"{basic_auth: {username: a, username_ref: b}}",
            "at most one of basic_auth username, username_file & username_ref must be configured"},
           {"{proxy_connect_header: []}", "cannot unmarshal !!seq into config.ProxyHeader"},
           {"{http_headers: []}", "cannot unmarshal !!seq into config.Headers"},
       }) {
    ExpectError(WithHttp(c.text), c.message);
  }
}

BOOST_AUTO_TEST_CASE(what_upstream_accepts_and_will_not_work_is_a_warning) {
  ExpectWarning(Minimal("global: {http_config: {basic_auth: {password_ref: a}}}\n"),
                "password_ref asks a secret manager, and there is none: `serve` refuses this file");
  ExpectWarning(Minimal("global: {http_config: {tls_config: {min_version: TLS13, max_version: TLS12}}}\n"),
                "tls_config.max_version must be greater than or equal to tls_config.min_version if both are "
                "specified: no call will succeed");
  ExpectWarning(Minimal("global: {http_config: {oauth2: {client_id: a, token_url: 'http://a', grant_type: "
                        "'urn:ietf:params:oauth:grant-type:jwt-bearer', claims: {a: [1]}}}}\n"),
                "grant_type jwt-bearer without a client_certificate_key: no token will be fetched");
}

BOOST_AUTO_TEST_SUITE_END()
