// Whether a call from outside comes from whom it says: the signatures of PagerDuty's webhooks v3, of Slack's
// requests and of Twilio's callbacks, over the bytes as they arrived. Used by: api/, before it reads anything
// of the body. Pure: the time is passed in; remembering what was seen (replays) is the engine's. Several
// secrets are tried, so that one can be rotated; an empty secret matches nothing. Thread: any.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "base/time.h"

namespace mlalert {

enum class SignatureVerdict : uint8_t {
  kValid,
  kMissing,    // no signature at all
  kMalformed,  // not of the shape that the sender uses
  kStale,      // made too long ago, or in the future
  kWrong,
};
// "is missing", "is malformed" ...: after "the signature".
std::string_view ToString(SignatureVerdict verdict);

// Slack's: how old, or how early, a request may be.
inline constexpr Duration kSlackSignatureWindow = std::chrono::seconds(300);

// X-PagerDuty-Signature: `v1=<hex>`, several separated by commas while a secret is rotated. There is no time
// in it: the caller must refuse what it has seen.
SignatureVerdict VerifyPagerduty(std::span<const std::string> secrets, std::string_view header,
                                 std::string_view body);

// X-Slack-Signature and X-Slack-Request-Timestamp, over the body before it is decoded.
SignatureVerdict VerifySlack(std::span<const std::string> secrets, std::string_view header,
                             std::string_view timestamp, std::string_view body, Timestamp now);

using FormFields = std::vector<std::pair<std::string, std::string>>;
// X-Twilio-Signature over the URL that Twilio was given, query included, and the decoded fields of the form.
// Twilio puts the port into the URL or leaves it out as it likes: both are tried.
SignatureVerdict VerifyTwilio(std::span<const std::string> tokens, std::string_view header,
                              std::string_view url, const FormFields& fields);

inline constexpr size_t kFormFieldsMax = 256;
// application/x-www-form-urlencoded, in the order sent. Errors: more fields than kFormFieldsMax, a broken
// escape.
Result<FormFields> ParseForm(std::string_view body);
// The first field of that name; empty when there is none.
std::string_view FormField(const FormFields& fields, std::string_view name);

}  // namespace mlalert
