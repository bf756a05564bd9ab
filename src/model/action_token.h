// What stands in a one-click link, in the value of a Slack button and in the callback of a phone call: which
// incidents, as of which generation, what to do with them, until when, and a signature over all of it.
// Made by: notify/, when it renders; checked by: api/. A token is worth something only to who has it: it
// names no secret, and one made for a button opens no link. Thread: pure functions.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "model/incident.h"

namespace mlalert {

enum class TokenAction : uint8_t {
  kAcknowledge,
  kSnooze,
  kResolve,
  kNotActionable,
  kCall,
  kActed,
  kFalseAlarm,
  kPoorDetails
};
// "acknowledge", "snooze", "resolve", "call", and the verdicts of feedback: "acted", "not_actionable",
// "false_alarm", "poor_details".
std::string_view ToString(TokenAction action);
// Says what an incident was worth, and changes nothing else: possible also when it is over.
bool IsFeedback(TokenAction action);

enum class TokenPurpose : uint8_t { kLink, kSlack, kCall };

// Of one token.
inline constexpr size_t kTokenTargetsMax = 1000;
// Slack takes values of at most 2000 characters; a link must leave room in an SMS of 1600.
inline constexpr size_t kTokenBytesMax = 2000;
inline constexpr size_t kLinkTokenBytesMax = 700;

// An incident as it was when the token was made. `id` is that of a call for kCall.
struct TokenTarget {
  int64_t id = 0;
  int64_t generation = 0;
  friend bool operator==(const TokenTarget&, const TokenTarget&) = default;
};

struct ActionToken {
  TokenAction action = TokenAction::kAcknowledge;
  std::vector<TokenTarget> targets;  // by id
  Timestamp expires_at = kUnset;     // whole seconds
  std::string recipient;             // who was told, e.g. the receiver's name; cut when it is long
  int64_t more = 0;                  // targets that had no room in it
  friend bool operator==(const ActionToken&, const ActionToken&) = default;
};

// URL-safe text: `<payload>.<HMAC-SHA256>`, both base64url. Of more targets than there is room for those
// with the lowest ids are in it, the rest only as a number. Empty when `key` is: nobody could tell it from a
// forged one.
std::string SignToken(const ActionToken& token, TokenPurpose purpose, std::string_view key);
// kInvalid: not one of ours, or changed. kDeadline: it is ours, and its time is over.
Result<ActionToken> VerifyToken(std::string_view text, TokenPurpose purpose, std::string_view key,
                                Timestamp now);

}  // namespace mlalert
