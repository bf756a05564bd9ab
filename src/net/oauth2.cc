#include "net/oauth2.h"

#include <algorithm>
#include <charconv>
#include <fmt/format.h>
#include <utility>
#include <vector>

#include "base/hash.h"
#include "base/json.h"
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

}  // namespace

OAuthTokenRequest MakeTokenRequest(const OAuth2& oauth2, std::string_view client_secret,
                                   bool credentials_in_body) {
  OAuthTokenRequest out;
  std::vector<std::pair<std::string, std::string>> form = {{"grant_type", "client_credentials"}};
  if (!oauth2.scopes.empty()) {
    form.emplace_back("scope", fmt::format("{}", fmt::join(oauth2.scopes, " ")));
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

std::string OAuthTokens::Key(const OAuth2& oauth2, std::string_view client_secret) {
  const OAuthTokenRequest request = MakeTokenRequest(oauth2, client_secret, true);
  return Sha256Hex(oauth2.token_url + "\n" + request.body);
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
