#include "intake/signatures.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <fmt/format.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "base/hash.h"

namespace mlalert {
namespace {

constexpr size_t kSha256HexBytes = 64;
constexpr size_t kSha1Base64Bytes = 28;
// Of one header: more are never sent, and each costs a comparison.
constexpr size_t kSignaturesMax = 16;

std::string_view Trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) {
    text.remove_prefix(1);
  }
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) {
    text.remove_suffix(1);
  }
  return text;
}

// Looks at every pair, so that the time says nothing about which one was near.
bool AnyEquals(std::span<const std::string> ours, std::span<const std::string_view> theirs) {
  bool equal = false;
  for (const std::string& mine : ours) {
    for (std::string_view given : theirs) {
      equal = ConstantTimeEquals(mine, given) || equal;
    }
  }
  return equal;
}

std::string HmacSha1Base64(std::string_view key, std::string_view bytes) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  HMAC(EVP_sha1(), key.data(), static_cast<int>(key.size()),
       reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(), digest.data(), &size);
  std::array<unsigned char, kSha1Base64Bytes + 1> text{};
  const int length = EVP_EncodeBlock(text.data(), digest.data(), static_cast<int>(size));
  return {reinterpret_cast<const char*>(text.data()), static_cast<size_t>(length)};
}

// The URL as given, without its port, and with the port that its scheme implies.
std::vector<std::string> UrlSpellings(std::string_view url) {
  std::vector<std::string> out{std::string(url)};
  const size_t scheme = url.find("://");
  if (scheme == std::string_view::npos) {
    return out;
  }
  const size_t begin = scheme + 3;
  const size_t end = std::min(url.find_first_of("/?#", begin), url.size());
  std::string_view authority = url.substr(begin, end - begin);
  const size_t colon = authority.rfind(':');
  const size_t after_host = authority.find_last_of("]@");
  const bool has_port =
      colon != std::string_view::npos && (after_host == std::string_view::npos || colon > after_host);
  std::string_view before = url.substr(0, begin);
  std::string_view rest = url.substr(end);
  if (has_port) {
    out.push_back(fmt::format("{}{}{}", before, authority.substr(0, colon), rest));
  } else {
    out.push_back(fmt::format("{}{}:{}{}", before, authority, url.starts_with("https") ? 443 : 80, rest));
  }
  return out;
}

int HexDigit(char c) {
  if (c >= '0' && c <= '9') {
    return c - '0';
  }
  const char lower = static_cast<char>(c | 0x20);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

Result<std::string> Decoded(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out.push_back(text[i] == '+' ? ' ' : text[i]);
      continue;
    }
    const int high = i + 2 < text.size() ? HexDigit(text[i + 1]) : -1;
    const int low = i + 2 < text.size() ? HexDigit(text[i + 2]) : -1;
    if (high < 0 || low < 0) {
      return Fail(ErrorCode::kInvalid, "the form holds a broken %-escape");
    }
    out.push_back(static_cast<char>(high * 16 + low));
    i += 2;
  }
  return out;
}

}  // namespace

std::string_view ToString(SignatureVerdict verdict) {
  switch (verdict) {
    case SignatureVerdict::kValid:
      return "is valid";
    case SignatureVerdict::kMissing:
      return "is missing";
    case SignatureVerdict::kMalformed:
      return "is malformed";
    case SignatureVerdict::kStale:
      return "is too old, or from the future";
    case SignatureVerdict::kWrong:
      return "does not match";
  }
  return "";
}

SignatureVerdict VerifyPagerduty(std::span<const std::string> secrets, std::string_view header,
                                 std::string_view body) {
  if (Trimmed(header).empty()) {
    return SignatureVerdict::kMissing;
  }
  std::vector<std::string_view> given;
  while (!header.empty() && given.size() < kSignaturesMax) {
    const size_t comma = std::min(header.find(','), header.size());
    std::string_view one = Trimmed(header.substr(0, comma));
    header.remove_prefix(std::min(comma + 1, header.size()));
    if (one.starts_with("v1=") && one.size() == kSha256HexBytes + 3) {
      given.push_back(one.substr(3));  // later versions may stand beside it
    }
  }
  if (given.empty()) {
    return SignatureVerdict::kMalformed;
  }
  std::vector<std::string> ours;
  for (const std::string& secret : secrets) {
    if (!secret.empty()) {
      ours.push_back(HmacSha256Hex(secret, body));
    }
  }
  return AnyEquals(ours, given) ? SignatureVerdict::kValid : SignatureVerdict::kWrong;
}

SignatureVerdict VerifySlack(std::span<const std::string> secrets, std::string_view header,
                             std::string_view timestamp, std::string_view body, Timestamp now) {
  header = Trimmed(header);
  timestamp = Trimmed(timestamp);
  if (header.empty() || timestamp.empty()) {
    return SignatureVerdict::kMissing;
  }
  int64_t seconds = 0;
  auto [end, error] = std::from_chars(timestamp.data(), timestamp.data() + timestamp.size(), seconds);
  constexpr int64_t kSecondsMax = 100'000'000'000;
  if (error != std::errc() || end != timestamp.data() + timestamp.size() || seconds < 0 ||
      seconds > kSecondsMax || !header.starts_with("v0=") || header.size() != kSha256HexBytes + 3) {
    return SignatureVerdict::kMalformed;
  }
  std::vector<std::string> ours;
  for (const std::string& secret : secrets) {
    if (!secret.empty()) {
      ours.push_back(HmacSha256Hex(secret, fmt::format("v0:{}:{}", timestamp, body)));
    }
  }
  const std::string_view given[] = {header.substr(3)};
  if (!AnyEquals(ours, given)) {
    return SignatureVerdict::kWrong;
  }
  const int64_t age = ToUnixMillis(now) - seconds * 1000;
  const int64_t window = kSlackSignatureWindow / std::chrono::milliseconds(1);
  // Whole seconds: what came 300.4 s ago was signed "300 s ago".
  return age / 1000 > window / 1000 || -age > window ? SignatureVerdict::kStale : SignatureVerdict::kValid;
}

SignatureVerdict VerifyTwilio(std::span<const std::string> tokens, std::string_view header,
                              std::string_view url, const FormFields& fields) {
  header = Trimmed(header);
  if (header.empty()) {
    return SignatureVerdict::kMissing;
  }
  if (header.size() != kSha1Base64Bytes) {
    return SignatureVerdict::kMalformed;
  }
  FormFields sorted = fields;
  std::sort(sorted.begin(), sorted.end());
  sorted.erase(std::unique(sorted.begin(), sorted.end()), sorted.end());
  std::string suffix;
  for (const auto& [name, value] : sorted) {
    suffix += name;
    suffix += value;
  }
  std::vector<std::string> ours;
  for (const std::string& spelling : UrlSpellings(url)) {
    for (const std::string& token : tokens) {
      if (!token.empty()) {
        ours.push_back(HmacSha1Base64(token, spelling + suffix));
      }
    }
  }
  const std::string_view given[] = {header};
  return AnyEquals(ours, given) ? SignatureVerdict::kValid : SignatureVerdict::kWrong;
}

Result<FormFields> ParseForm(std::string_view body) {
  FormFields out;
  while (!body.empty()) {
    const size_t end = std::min(body.find('&'), body.size());
    std::string_view pair = body.substr(0, end);
    body.remove_prefix(std::min(end + 1, body.size()));
    if (pair.empty()) {
      continue;
    }
    if (out.size() == kFormFieldsMax) {
      return Fail(ErrorCode::kLimit, fmt::format("the form has more than {} fields", kFormFieldsMax));
    }
    const size_t equals = std::min(pair.find('='), pair.size());
    MLALERT_ASSIGN(std::string name, Decoded(pair.substr(0, equals)));
    MLALERT_ASSIGN(std::string value, Decoded(pair.substr(std::min(equals + 1, pair.size()))));
    out.emplace_back(std::move(name), std::move(value));
  }
  return out;
}

std::string_view FormField(const FormFields& fields, std::string_view name) {
  auto found =
      std::find_if(fields.begin(), fields.end(), [&](const auto& field) { return field.first == name; });
  return found != fields.end() ? std::string_view(found->second) : std::string_view();
}

}  // namespace mlalert
