#include "net/client_check.h"

#include <fmt/format.h>
#include <string_view>

#include "net/credentials.h"

namespace mlalert {
namespace {

// Upstream's words.
Status CheckRef(std::string_view what, const std::string& ref) {
  if (ref.empty()) {
    return {};
  }
  return Fail(Error{ErrorCode::kInvalid,
                    fmt::format("unable to use {}: cannot use secret ref without manager", what),
                    {},
                    "mlalert asks no secret manager: use the value or its _file"});
}

Status CheckTls(const TlsConfig& tls) {
  MLALERT_TRY(CheckRef("CA cert", tls.ca_ref));
  MLALERT_TRY(CheckRef("client cert", tls.cert_ref));
  MLALERT_TRY(CheckRef("client key", tls.key_ref));
  if (tls.min_version != TlsVersion::kDefault && tls.max_version != TlsVersion::kDefault &&
      tls.max_version < tls.min_version) {
    return Fail(ErrorCode::kInvalid,
                "tls_config.max_version must be greater than or equal to tls_config.min_version if both are "
                "specified");
  }
  if (Result<TlsMaterial> material = LoadTlsMaterial(tls); !material) {
    return Fail(std::move(material.error()));
  }
  return {};
}

}  // namespace

Status CheckHttpClient(const HttpClientConfig& config) {
  if (config.basic_auth) {
    MLALERT_TRY(CheckRef("basic auth username", config.basic_auth->username_ref));
    MLALERT_TRY(CheckRef("basic auth password", config.basic_auth->password_ref));
  }
  if (config.authorization) {
    MLALERT_TRY(CheckRef("authorization credentials", config.authorization->credentials_ref));
  }
  if (config.oauth2) {
    MLALERT_TRY(CheckRef("client secret", config.oauth2->client_secret_ref));
    MLALERT_TRY(CheckRef("client certificate key", config.oauth2->client_certificate_key_ref));
    MLALERT_TRY(CheckTls(config.oauth2->tls));
  }
  return CheckTls(config.tls);
}

}  // namespace mlalert
