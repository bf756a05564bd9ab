// OAuth 2.0, client credentials and signed assertions (RFC 7523): the token request, its answer, and the
// tokens we hold. Used by: net/http_transfer. Owns: OAuthTokens, one per transport. Thread: the transport's
// only. Time is an argument, on the monotonic clock.
#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/http_client_config.h"
#include "base/result.h"
#include "base/time.h"

namespace mlalert {

using MonoTime = std::chrono::steady_clock::time_point;

// A token is renewed this long before it expires, for the time the call is on its way.
inline constexpr std::chrono::seconds kTokenRenewBefore{10};
inline constexpr size_t kTokensMax = 256;
inline constexpr size_t kTokenAnswerBytesMax = 64 * 1024;

struct OAuthToken {
  // "Bearer abc"
  std::string authorization;
  MonoTime expires = MonoTime::max();
};

struct OAuthTokenRequest {
  // Empty when the credentials are in the body.
  std::string authorization;
  std::string body;
};

// Servers differ in where they want the credentials: RFC 6749 prefers basic auth, some only read the form.
OAuthTokenRequest MakeTokenRequest(const OAuth2& oauth2, std::string_view client_secret,
                                   bool credentials_in_body);

// Grant type jwt-bearer: instead of a secret a key that signs who we are.
bool UsesAssertion(const OAuth2& oauth2);
// `jti`: unique for ever. kInvalid: the key cannot sign.
Result<OAuthTokenRequest> MakeAssertionRequest(const OAuth2& oauth2, std::string_view private_key_pem,
                                               Timestamp now, std::string_view jti);

// An error holds the status and the server's error code ("invalid_client"), nothing else of the answer.
Result<OAuthToken> ParseTokenAnswer(int status, std::string_view body, MonoTime now);

class OAuthTokens {
 public:
  // What a token depends on, as a digest: the secret itself is not kept.
  static std::string Key(const OAuth2& oauth2, std::string_view secret);

  // Authorization header value of a token that is still good; null otherwise.
  const std::string* Find(const std::string& key, MonoTime now) const;
  void Put(const std::string& key, OAuthToken token, bool credentials_in_body);
  // After a 401: the token was revoked.
  void Drop(const std::string& key);
  bool CredentialsInBody(const std::string& key) const;

 private:
  struct Entry {
    OAuthToken token;
    bool credentials_in_body = false;
  };
  std::unordered_map<std::string, Entry> entries_;
};

}  // namespace mlalert
