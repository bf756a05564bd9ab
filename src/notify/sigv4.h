// AWS Signature Version 4 of a request, and the form bodies that AWS' query protocol wants.
// Used by: notify/sns. Pure: the time is an argument. Thread: plain values.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/time.h"
#include "net/transport.h"
#include "net/url.h"
#include "notify/expiring_cache.h"

namespace mlalert {

struct SigV4Scope {
  std::string region;
  std::string service;  // "sns", "sts"
};

// What AWS signs, exposed because its published vectors have every step.
struct SigV4Steps {
  std::string canonical_request;
  std::string string_to_sign;
  std::string signature;  // hex
  std::string authorization;
};

// `headers` are signed, and must hold Host and X-Amz-Date; names in any case. `url` as it goes on the wire.
SigV4Steps SignV4(std::string_view method, const Url& url, const HttpHeaders& headers, std::string_view body,
                  const AwsCredentials& credentials, const SigV4Scope& scope, Timestamp now);

// Adds Host, X-Amz-Date, X-Amz-Security-Token and Authorization to a call whose method, url, Content-Type and
// body are complete.
void SignCall(HttpCall& call, const Url& url, const AwsCredentials& credentials, const SigV4Scope& scope,
              Timestamp now);

// RFC 3986: everything but letters, digits and -._~ is escaped.
std::string AwsEscape(std::string_view text);
std::string AwsForm(const std::vector<std::pair<std::string, std::string>>& fields);

}  // namespace mlalert
