#include "net/credentials.h"

#include <boost/test/unit_test.hpp>
#include <sstream>
#include <sys/stat.h>

#include "net/caller.h"
#include "net/oauth2.h"

namespace mlalert {

using testing::TempDir;

BOOST_AUTO_TEST_SUITE(secret)

BOOST_AUTO_TEST_CASE(prints_as_a_mask_only) {
  const Secret secret("hunter2");
  std::ostringstream out;
  out << secret;
  BOOST_TEST(out.str() == "<secret>");
  BOOST_TEST(fmt::format("{}|{:>10}", secret, secret) == "<secret>|  <secret>");
  BOOST_TEST(fmt::format("[{}]", Secret()) == "[]");
  BOOST_TEST(secret.Reveal() == "hunter2");
  BOOST_TEST((secret == Secret("hunter2")));
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(credential_files)

BOOST_AUTO_TEST_CASE(are_read_whole) {
  const TempDir dir;
  BOOST_TEST(*ReadCredentialFile(dir.Write("a", " x\n")) == " x\n");
}

BOOST_AUTO_TEST_CASE(must_exist_be_regular_and_small) {
  const TempDir dir;
  const auto missing = ReadCredentialFile(dir.Path("none"));
  BOOST_REQUIRE(!missing.has_value());
  BOOST_TEST(missing.error().message.find("No such file") != std::string::npos);
  BOOST_TEST(!ReadCredentialFile(dir.Path("")).has_value());
  BOOST_TEST(!ReadCredentialFile("/dev/zero").has_value());
  BOOST_REQUIRE(::mkfifo(dir.Path("pipe").c_str(), 0600) == 0);
  BOOST_TEST(!ReadCredentialFile(dir.Path("pipe")).has_value());
  const auto large = ReadCredentialFile(dir.Write("large", std::string(kCredentialFileBytesMax + 1, 'x')));
  BOOST_REQUIRE(!large.has_value());
  BOOST_TEST((large.error().code == ErrorCode::kLimit));
}

BOOST_AUTO_TEST_CASE(an_emptied_ca_file_is_not_the_system_s_trust) {
  const TempDir dir;
  TlsConfig tls;
  tls.ca_file = dir.Write("ca", "\n");
  BOOST_TEST(!LoadTlsMaterial(tls).has_value());
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(authorization_value)

BOOST_AUTO_TEST_CASE(encodes_base64) {
  BOOST_TEST(Base64("") == "");
  BOOST_TEST(Base64("f") == "Zg==");
  BOOST_TEST(Base64("fo") == "Zm8=");
  BOOST_TEST(Base64("foo") == "Zm9v");
  BOOST_TEST(Base64("foobar\xff\xfe") == "Zm9vYmFy//4=");
}

BOOST_AUTO_TEST_CASE(prefers_the_config_over_the_url) {
  const Url url = *ParseUrl("http://u:p@h/");
  HttpClientConfig config;
  BOOST_TEST(*AuthorizationValue(config, url) == "Basic dTpw");
  BOOST_TEST(AuthorizationValue(config, *ParseUrl("http://h/"))->empty());
  config.authorization = Authorization{"Token", Secret("t"), ""};
  BOOST_TEST(*AuthorizationValue(config, url) == "Token t");
}

BOOST_AUTO_TEST_CASE(names_the_setting_and_not_the_content_when_a_file_is_missing) {
  HttpClientConfig config;
  config.basic_auth = BasicAuth{"user", "", Secret(), "/nonexistent/password"};
  const auto value = AuthorizationValue(config, *ParseUrl("http://h/"));
  BOOST_REQUIRE(!value.has_value());
  BOOST_TEST(value.error().message ==
             "unable to read basic auth password: unable to read file /nonexistent/password: "
             "No such file or directory");
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(header_syntax)

BOOST_AUTO_TEST_CASE(lets_nothing_start_another_header) {
  BOOST_TEST(IsHeaderName("X-Scope-OrgID"));
  BOOST_TEST(!IsHeaderName(""));
  BOOST_TEST(!IsHeaderName("X Y"));
  BOOST_TEST(!IsHeaderName("X:"));
  BOOST_TEST(!IsHeaderName("X\r\nY"));
  BOOST_TEST(IsHeaderValue("a\tb \xc3\xa9"));
  BOOST_TEST(IsHeaderValue(""));
  BOOST_TEST(!IsHeaderValue("a\r\nY: z"));
  BOOST_TEST(!IsHeaderValue("a\nb"));
  BOOST_TEST(!IsHeaderValue(std::string_view("a\0b", 3)));
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(oauth2)

const MonoTime kNow{std::chrono::hours(100)};

OAuth2 Config() {
  OAuth2 oauth2;
  oauth2.client_id = "id:1";
  oauth2.token_url = "http://h/token";
  oauth2.scopes = {"a", "b"};
  oauth2.endpoint_params = {{"audience", "x y"}};
  return oauth2;
}

BOOST_AUTO_TEST_CASE(puts_the_credentials_in_the_header_or_in_the_form) {
  const auto header = MakeTokenRequest(Config(), "s&1", false);
  BOOST_TEST(header.body == "grant_type=client_credentials&scope=a+b&audience=x+y");
  BOOST_TEST(header.authorization == BasicAuthorization("id%3A1", "s%261"));
  const auto form = MakeTokenRequest(Config(), "s&1", true);
  BOOST_TEST(form.authorization == "");
  BOOST_TEST(form.body ==
             "grant_type=client_credentials&scope=a+b&client_id=id%3A1&client_secret=s%261&audience=x+y");
}

BOOST_AUTO_TEST_CASE(reads_the_answer) {
  const struct {
    std::string_view body;
    std::string_view authorization;
    int64_t seconds;  // -1: never expires
  } cases[] = {
      {R"({"access_token":"t"})", "Bearer t", -1},
      {R"({"access_token":"t","token_type":"bearer","expires_in":60})", "Bearer t", 60},
      {R"({"access_token":"t","token_type":"MAC","expires_in":"60"})", "MAC t", 60},
      {R"({"access_token":"t","expires_in":60.5})", "Bearer t", 60},
      {R"({"access_token":"t","expires_in":-5})", "Bearer t", -1},
      {R"({"access_token":"t","expires_in":1e300})", "Bearer t", 315360000},
      {R"({"access_token":"t","expires_in":null,"token_type":"a b"})", "Bearer t", -1},
  };
  for (const auto& c : cases) {
    BOOST_TEST_CONTEXT(c.body) {
      const auto token = ParseTokenAnswer(200, c.body, kNow);
      BOOST_REQUIRE(token.has_value());
      BOOST_TEST(token->authorization == c.authorization);
      BOOST_TEST(
          (token->expires == (c.seconds < 0 ? MonoTime::max() : kNow + std::chrono::seconds(c.seconds))));
    }
  }
}

BOOST_AUTO_TEST_CASE(reports_refusals_without_echoing_the_answer) {
  const struct {
    int status;
    std::string_view body;
    std::string_view error;
  } cases[] = {
      {401, R"({"error":"invalid_client","error_description":"s3cret"})",
       "unexpected status code 401: invalid_client"},
      {400, R"({"error":"You sent S3cret!"})", "unexpected status code 400"},
      {502, "<html>", "unexpected status code 502"},
      {200, "<html>", "answer is not JSON"},
      {200, "{}", "server response missing access_token"},
      {200, R"({"access_token":"a\r\nX: y"})", "server response missing access_token"},
      {200, R"([1])", "server response missing access_token"},
  };
  for (const auto& c : cases) {
    BOOST_TEST_CONTEXT(c.body) {
      const auto token = ParseTokenAnswer(c.status, c.body, kNow);
      BOOST_REQUIRE(!token.has_value());
      BOOST_TEST(token.error().message == c.error);
    }
  }
}

BOOST_AUTO_TEST_CASE(holds_tokens_until_shortly_before_they_expire) {
  OAuthTokens tokens;
  const std::string key = OAuthTokens::Key(Config(), "s");
  BOOST_TEST(key != OAuthTokens::Key(Config(), "rotated"));
  BOOST_TEST((tokens.Find(key, kNow) == nullptr));
  tokens.Put(key, {"Bearer t", kNow + std::chrono::seconds(60)}, true);
  BOOST_TEST((tokens.Find(key, kNow + std::chrono::seconds(49)) != nullptr));
  BOOST_TEST((tokens.Find(key, kNow + std::chrono::seconds(50)) == nullptr));
  tokens.Drop(key);
  BOOST_TEST((tokens.Find(key, kNow) == nullptr));
  BOOST_TEST(tokens.CredentialsInBody(key));
}

BOOST_AUTO_TEST_CASE(bounds_the_number_of_tokens) {
  OAuthTokens tokens;
  for (size_t i = 0; i < 3 * kTokensMax; ++i) {
    tokens.Put(std::to_string(i), {"Bearer t", MonoTime::max()}, false);
  }
  BOOST_TEST((tokens.Find("0", kNow) == nullptr));
  BOOST_TEST((tokens.Find(std::to_string(3 * kTokensMax - 1), kNow) != nullptr));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace mlalert
