// Turns an HttpClientConfig into the header lines and key material of one call, reading the `*_file`s as it
// goes. Used by: net/http_transfer, once per call, on the transport thread. Files must be regular and small,
// so that a pipe or a device named by mistake cannot stop that thread; a network file system that hangs still
// could. Error texts name the setting and the path, never the content.
#pragma once

#include <string>
#include <string_view>

#include "base/http_client_config.h"
#include "base/result.h"
#include "net/transport.h"
#include "net/url.h"

namespace mlalert {

inline constexpr size_t kCredentialFileBytesMax = size_t{1} << 20;

// The whole content. kIo when it cannot be read or is no regular file, kLimit when it is too large.
Result<std::string> ReadCredentialFile(const std::string& path);

std::string Base64(std::string_view bytes);
// "Basic dXNlcjpwYXNz"
std::string BasicAuthorization(std::string_view username, std::string_view password);

// RFC 9110 tokens; values without control characters, which would start a header of their own.
bool IsHeaderName(std::string_view name);
bool IsHeaderValue(std::string_view value);
bool SameHeaderName(std::string_view a, std::string_view b);
bool HasHeader(const HttpHeaders& headers, std::string_view name);

// Value of the Authorization header from basic_auth, authorization, or else the URL's userinfo. Empty: none.
Result<std::string> AuthorizationValue(const HttpClientConfig& config, const Url& url);
// The lines of http_headers.
Result<HttpHeaders> ConfiguredHeaders(const HttpClientConfig& config);
// client_secret, or with grant type jwt-bearer client_certificate_key; or the content of its file.
Result<std::string> OAuth2Secret(const OAuth2& oauth2);

// PEM texts; empty where nothing is configured.
struct TlsMaterial {
  std::string ca;
  std::string cert;
  std::string key;
};
Result<TlsMaterial> LoadTlsMaterial(const TlsConfig& config);

}  // namespace mlalert
