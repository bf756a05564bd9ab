// One-click links and the values of buttons: what of mlalert a notification carries so that whoever reads it
// can act. Used by: the payload builders through ReceiverContext, templates through their data, and api/,
// which must sign with the same key. Thread: immutable once made.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "config/inbound_config.h"
#include "model/action_token.h"
#include "notify/file_access.h"
#include "notify/notification.h"

namespace mlalert {

inline constexpr std::string_view kTwilioVoicePath = "/api/mlalert/v1/hooks/twilio/voice";
inline constexpr std::string_view kTwilioStatusPath = "/api/mlalert/v1/hooks/twilio/status";
inline constexpr std::string_view kLinkPath = "/act/";
// How long a call may ring and be listened to before its callbacks are refused.
inline constexpr Duration kCallTokenLife = std::chrono::hours(1);
// Of the link and the button "snooze".
inline constexpr Duration kSnoozeByClick = std::chrono::hours(1);

struct ActionLinks {
  std::string key;       // empty: nothing can be signed, and every text below is empty
  std::string base_url;  // as people reach us; no trailing slash
  Timestamp expires_at = kUnset;

  // `more`: targets that are not among these, for want of room in an earlier token.
  std::string Url(TokenAction action, std::vector<TokenTarget> targets, std::string_view recipient,
                  int64_t more = 0) const;
  std::string ButtonValue(TokenAction action, std::vector<TokenTarget> targets, std::string_view recipient,
                          int64_t more = 0) const;
  // Where Twilio reports about a call: `path` is kTwilioVoicePath or kTwilioStatusPath.
  std::string CallUrl(std::string_view path, int64_t call_id, Timestamp now) const;
};
using ActionLinksPtr = std::shared_ptr<const ActionLinks>;

// The key of the config; else `generated`. Errors: its file cannot be read, or holds too little.
Result<std::string> LinkKeyOf(const InboundConfig& config, const std::string& generated,
                              const FileAccess& files);
// Without trailing slash.
std::string PublicUrlOf(const InboundConfig& config, std::string_view external_url);
// The secrets in force, with those of the file. Errors: the file cannot be read.
Result<std::vector<std::string>> SecretsOf(const InboundSecrets& secrets, const FileAccess& files);

// The incidents of the alerts that fire, each once, by id.
std::vector<TokenTarget> TargetsOf(const Notification& n);
// Those that feedback is about: the same, or, when nothing fires any more, all that it speaks of.
std::vector<TokenTarget> JudgedOf(const Notification& n);

}  // namespace mlalert
