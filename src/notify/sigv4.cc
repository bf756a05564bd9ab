#include "notify/sigv4.h"

#include <algorithm>
#include <ctime>
#include <fmt/format.h>

#include "base/hash.h"

namespace mlalert {
namespace {

std::string Hex(std::string_view bytes) {
  std::string out;
  for (char c : bytes) {
    out += fmt::format("{:02x}", static_cast<unsigned char>(c));
  }
  return out;
}

// "20150830T123600Z"
std::string AmzDate(Timestamp t) {
  const auto seconds =
      static_cast<std::time_t>(std::chrono::floor<std::chrono::seconds>(t).time_since_epoch().count());
  std::tm tm{};
  gmtime_r(&seconds, &tm);
  return fmt::format("{:04}{:02}{:02}T{:02}{:02}{:02}Z", tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday,
                     tm.tm_hour, tm.tm_min, tm.tm_sec);
}

// Trimmed, runs of blanks made one.
std::string CanonicalValue(std::string_view value) {
  std::string out;
  for (char c : value) {
    const bool blank = c == ' ' || c == '\t';
    if (!blank) {
      out.push_back(c);
    } else if (!out.empty() && out.back() != ' ') {
      out.push_back(' ');
    }
  }
  if (out.ends_with(' ')) {
    out.pop_back();
  }
  return out;
}

std::string CanonicalQuery(std::string_view query) {
  std::vector<std::string> parts;
  while (!query.empty()) {
    const size_t amp = query.find('&');
    std::string part(query.substr(0, amp));
    if (part.find('=') == std::string::npos) {
      part += '=';
    }
    parts.push_back(std::move(part));
    query.remove_prefix(amp == std::string_view::npos ? query.size() : amp + 1);
  }
  std::sort(parts.begin(), parts.end());
  return fmt::format("{}", fmt::join(parts, "&"));
}

}  // namespace

std::string AwsEscape(std::string_view text) {
  std::string out;
  for (char c : text) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '-' || c == '.' || c == '_' || c == '~';
    out += plain ? std::string(1, c) : fmt::format("%{:02X}", static_cast<unsigned char>(c));
  }
  return out;
}

std::string AwsForm(const std::vector<std::pair<std::string, std::string>>& fields) {
  std::string out;
  for (const auto& [key, value] : fields) {
    out += fmt::format("{}{}={}", out.empty() ? "" : "&", AwsEscape(key), AwsEscape(value));
  }
  return out;
}

SigV4Steps SignV4(std::string_view method, const Url& url, const HttpHeaders& headers, std::string_view body,
                  const AwsCredentials& credentials, const SigV4Scope& scope, Timestamp now) {
  std::multimap<std::string, std::string> sorted;
  for (const auto& [name, value] : headers) {
    std::string lower = name;
    std::transform(lower.begin(), lower.end(), lower.begin(),
                   [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
    sorted.emplace(std::move(lower), CanonicalValue(value));
  }
  std::string header_lines, signed_names;
  for (const auto& [name, value] : sorted) {
    header_lines += fmt::format("{}:{}\n", name, value);
    signed_names += (signed_names.empty() ? "" : ";") + name;
  }
  SigV4Steps out;
  out.canonical_request = fmt::format("{}\n{}\n{}\n{}\n{}\n{}", method, url.path.empty() ? "/" : url.path,
                                      CanonicalQuery(url.query), header_lines, signed_names, Sha256Hex(body));
  const std::string date = AmzDate(now);
  const std::string day = date.substr(0, 8);
  const std::string where = fmt::format("{}/{}/{}/aws4_request", day, scope.region, scope.service);
  out.string_to_sign =
      fmt::format("AWS4-HMAC-SHA256\n{}\n{}\n{}", date, where, Sha256Hex(out.canonical_request));
  std::string key = HmacSha256("AWS4" + credentials.secret_key, day);
  for (std::string_view part :
       {std::string_view(scope.region), std::string_view(scope.service), std::string_view("aws4_request")}) {
    key = HmacSha256(key, part);
  }
  out.signature = Hex(HmacSha256(key, out.string_to_sign));
  out.authorization = fmt::format("AWS4-HMAC-SHA256 Credential={}/{}, SignedHeaders={}, Signature={}",
                                  credentials.access_key, where, signed_names, out.signature);
  return out;
}

void SignCall(HttpCall& call, const Url& url, const AwsCredentials& credentials, const SigV4Scope& scope,
              Timestamp now) {
  HttpHeaders to_sign;
  for (const auto& header : call.headers) {
    if (header.first == "Content-Type") {
      to_sign.push_back(header);
    }
  }
  HttpHeaders added{{"Host", url.HostPort()}, {"X-Amz-Date", AmzDate(now)}};
  if (!credentials.session_token.empty()) {
    added.emplace_back("X-Amz-Security-Token", credentials.session_token);
  }
  to_sign.insert(to_sign.end(), added.begin(), added.end());
  const SigV4Steps steps = SignV4(call.method, url, to_sign, call.body, credentials, scope, now);
  call.headers.insert(call.headers.end(), added.begin(), added.end());
  call.headers.emplace_back("Authorization", steps.authorization);
}

}  // namespace mlalert
