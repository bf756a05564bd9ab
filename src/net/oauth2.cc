#include "net/oauth2.h"

#include <algorithm>
#include <charconv>
#include <fmt/format.h>
#include <utility>
#include <vector>

#include "base/hash.h"
#include "base/json.h"
#include "base/rsa_sign.h"
#include "net/credentials.h"
#include "net/url.h"

namespace mlalert {

namespace {

// Lower-case words joined by '_' are error codes; anything else might be an echo of what we sent.
bool IsErrorCode(std::string_view text) {
  return !text.empty() && text.size() <= 64 &&
         std::all_of(text.begin(), text.end(), [](char c) { return (c >= 'a' && c <= 'z') || c == '_'; });
}

// A number, or a number in a string as some servers write it. 0: no expiry.
int64_t ExpiresInSeconds(const Json* value) {
  if (value == nullptr) {
    return 0;
  }
  if (value->is_string()) {
    const std::string& text = value->AsString();
    int64_t seconds = 0;
    std::from_chars(text.data(), text.data() + text.size(), seconds);
    return seconds;
  }
  if (!value->is_number()) {
    return 0;
  }
  constexpr double kSecondsMax = 10.0 * 365 * 24 * 3600;
  return static_cast<int64_t>(std::clamp(
      value->is_int() ? static_cast<double>(value->AsInt()) : value->AsDouble(), 0.0, kSecondsMax));
}

constexpr std::string_view kJwtBearer = "urn:ietf:params:oauth:grant-type:jwt-bearer";
// As upstream.
constexpr std::chrono::minutes kAssertionLife{10};

std::string Base64Url(std::string_view bytes) {
  std::string out = Base64(bytes);
  std::replace(out.begin(), out.end(), '+', '-');
  std::replace(out.begin(), out.end(), '/', '_');
  out.erase(std::min(out.find('='), out.size()));
  return out;
}

std::string ScopesOf(const OAuth2& oauth2) {
  return fmt::format("{}", fmt::join(oauth2.scopes, " "));
}

const std::string& Or(const std::string& text, const std::string& fallback) {
  return text.empty() ? fallback : text;
}

}  // namespace

bool UsesAssertion(const OAuth2& oauth2) {
  return oauth2.grant_type == kJwtBearer;
}

Result<OAuthTokenRequest> MakeAssertionRequest(const OAuth2& oauth2, std::string_view private_key_pem,
                                               Timestamp now, std::string_view jti) {
  const std::string algorithm = Or(oauth2.signature_algorithm, "RS256");
  const RsaHash hash = algorithm == "RS384"   ? RsaHash::kSha384
                       : algorithm == "RS512" ? RsaHash::kSha512
                                              : RsaHash::kSha256;
  Json header = Json::MakeObject();
  header.Set("alg", algorithm).Set("typ", "JWT");
  if (!oauth2.client_certificate_key_id.empty()) {
    header.Set("kid", oauth2.client_certificate_key_id);
  }
  const int64_t seconds = ToUnixMillis(now) / 1000;
  Json claims = Json::MakeObject();
  claims.Set("iss", Or(oauth2.iss, oauth2.client_id))
      .Set("sub", oauth2.client_id)
      .Set("jti", jti)
      .Set("aud", Or(oauth2.audience, oauth2.token_url))
      .Set("iat", seconds)
      .Set("exp", seconds + std::chrono::seconds(kAssertionLife).count());
  if (!oauth2.scopes.empty()) {
    claims.Set("scope", ScopesOf(oauth2));
  }
  for (const auto& [name, json] : oauth2.claims) {
    MLALERT_ASSIGN(Json value, ParseJson(json));
    claims.Set(name, std::move(value));
  }
  std::string assertion = Base64Url(header.Dump()) + "." + Base64Url(claims.Dump());
  Result<std::string> signature = RsaSign(private_key_pem, hash, assertion);
  if (!signature) {
    return Fail(std::move(signature.error()).Context("client_certificate_key"));
  }
  assertion += "." + Base64Url(*signature);
  std::vector<std::pair<std::string, std::string>> form = {{"grant_type", std::string(kJwtBearer)},
                                                           {"assertion", std::move(assertion)}};
  form.insert(form.end(), oauth2.endpoint_params.begin(), oauth2.endpoint_params.end());
  return OAuthTokenRequest{"", EncodeForm(form)};
}

OAuthTokenRequest MakeTokenRequest(const OAuth2& oauth2, std::string_view client_secret,
                                   bool credentials_in_body) {
  OAuthTokenRequest out;
  std::vector<std::pair<std::string, std::string>> form = {{"grant_type", "client_credentials"}};
  if (!oauth2.scopes.empty()) {
    form.emplace_back("scope", ScopesOf(oauth2));
  }
  if (credentials_in_body) {
    form.emplace_back("client_id", oauth2.client_id);
    form.emplace_back("client_secret", client_secret);
  } else {
    // RFC 6749 2.3.1 has both parts form-encoded first.
    out.authorization = BasicAuthorization(QueryEscape(oauth2.client_id), QueryEscape(client_secret));
  }
  form.insert(form.end(), oauth2.endpoint_params.begin(), oauth2.endpoint_params.end());
  out.body = EncodeForm(form);
  return out;
}

Result<OAuthToken> ParseTokenAnswer(int status, std::string_view body, MonoTime now) {
  const Result<Json> parsed = ParseJson(body, {.depth_max = 8, .bytes_max = kTokenAnswerBytesMax});
  if (status / 100 != 2) {
    std::string message = fmt::format("unexpected status code {}", status);
    if (parsed && IsErrorCode(parsed->GetString("error"))) {
      message += ": " + parsed->GetString("error");
    }
    return Fail(ErrorCode::kUnavailable, std::move(message));
  }
  if (!parsed) {
    return Fail(ErrorCode::kUnavailable, "answer is not JSON");
  }
  const std::string& token = parsed->GetString("access_token");
  if (token.empty() || !IsHeaderValue(token)) {
    return Fail(ErrorCode::kUnavailable, "server response missing access_token");
  }
  std::string type = parsed->GetString("token_type");
  if (type.empty() || SameHeaderName(type, "bearer") || !IsHeaderName(type)) {
    type = "Bearer";
  }
  OAuthToken out{type + " " + token, MonoTime::max()};
  const int64_t seconds =
      std::clamp<int64_t>(ExpiresInSeconds(parsed->Find("expires_in")), 0, int64_t{1} << 30);
  if (seconds > 0) {
    out.expires = now + std::chrono::seconds(seconds);
  }
  return out;
}

std::string OAuthTokens::Key(const OAuth2& oauth2, std::string_view secret) {
  const OAuthTokenRequest request = MakeTokenRequest(oauth2, secret, true);
  std::string all = oauth2.token_url + "\n" + request.body;
  if (UsesAssertion(oauth2)) {
    all += fmt::format("\n{}\n{}\n{}\n{}\n", oauth2.client_certificate_key_id, oauth2.signature_algorithm,
                       oauth2.iss, oauth2.audience);
    for (const auto& [name, json] : oauth2.claims) {
      all += fmt::format("{}={}\n", name, json);
    }
  }
  return Sha256Hex(all);
}

const std::string* OAuthTokens::Find(const std::string& key, MonoTime now) const {
  const auto it = entries_.find(key);
  if (it == entries_.end() || it->second.token.authorization.empty()) {
    return nullptr;
  }
  const OAuthToken& token = it->second.token;
  return token.expires == MonoTime::max() || now + kTokenRenewBefore < token.expires ? &token.authorization
                                                                                     : nullptr;
}

void OAuthTokens::Put(const std::string& key, OAuthToken token, bool credentials_in_body) {
  // Keys change only when configs or secrets do: dropping all of them is rare and costs one request each.
  if (entries_.size() >= kTokensMax && !entries_.contains(key)) {
    entries_.clear();
  }
  entries_[key] = Entry{std::move(token), credentials_in_body};
}

void OAuthTokens::Drop(const std::string& key) {
  if (const auto it = entries_.find(key); it != entries_.end()) {
    it->second.token = {};
  }
}

bool OAuthTokens::CredentialsInBody(const std::string& key) const {
  const auto it = entries_.find(key);
  return it != entries_.end() && it->second.credentials_in_body;
}

}  // namespace mlalert
