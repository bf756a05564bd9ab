#include "model/action_token.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <fmt/format.h>
#include <optional>

#include "base/hash.h"

namespace mlalert {
namespace {

constexpr size_t kRecipientBytesMax = 120;
constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
constexpr std::array<std::string_view, 8> kActionNames{
    "acknowledge", "snooze", "resolve", "not_actionable", "call", "acted", "false_alarm", "poor_details"};
constexpr std::string_view kActionLetters = "asrncdfp";
constexpr std::array<std::string_view, 3> kPurposes{"link", "slack", "call"};

std::string Base64Url(std::string_view bytes) {
  std::string out;
  uint32_t bits = 0;
  int count = 0;
  for (char c : bytes) {
    bits = (bits << 8) | static_cast<unsigned char>(c);
    for (count += 8; count >= 6; count -= 6) {
      out.push_back(kAlphabet[bits >> (count - 6) & 63]);
    }
  }
  if (count > 0) {
    out.push_back(kAlphabet[bits << (6 - count) & 63]);
  }
  return out;
}

std::optional<std::string> DecodeBase64Url(std::string_view text) {
  std::string out;
  uint32_t bits = 0;
  int count = 0;
  for (char c : text) {
    const size_t value = kAlphabet.find(c);
    if (value == std::string_view::npos) {
      return std::nullopt;
    }
    bits = (bits << 6) | static_cast<uint32_t>(value);
    count += 6;
    if (count >= 8) {
      count -= 8;
      out.push_back(static_cast<char>(bits >> count & 0xFF));
    }
  }
  return out;
}

std::string Signature(std::string_view payload, TokenPurpose purpose, std::string_view key) {
  return HmacSha256(key, fmt::format("mlalert/{}/1\n{}", kPurposes[static_cast<size_t>(purpose)], payload));
}

// The text up to `separator`, taken off the front of `rest`.
std::optional<std::string_view> Cut(std::string_view& rest, char separator) {
  const size_t at = rest.find(separator);
  if (at == std::string_view::npos) {
    return std::nullopt;
  }
  std::string_view out = rest.substr(0, at);
  rest.remove_prefix(at + 1);
  return out;
}

bool Number(std::string_view text, int64_t& out) {
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  return error == std::errc() && end == text.data() + text.size() && out >= 0;
}

std::optional<ActionToken> ParsePayload(std::string_view payload) {
  ActionToken out;
  auto action = Cut(payload, '|');
  auto expiry = Cut(payload, '|');
  auto targets = Cut(payload, '|');
  const size_t letter = action && action->size() == 1 ? kActionLetters.find(*action) : std::string_view::npos;
  int64_t seconds = 0;
  if (letter == std::string_view::npos || !expiry || !targets || !Number(*expiry, seconds)) {
    return std::nullopt;
  }
  out.action = static_cast<TokenAction>(letter);
  out.expires_at = FromUnixMillis(seconds * 1000);
  out.recipient = payload;
  for (std::string_view rest = *targets; !rest.empty();) {
    const size_t comma = std::min(rest.find(','), rest.size());
    std::string_view one = rest.substr(0, comma);
    rest.remove_prefix(std::min(comma + 1, rest.size()));
    TokenTarget target;
    auto id = Cut(one, ':');
    if (!id || !Number(*id, target.id) || !Number(one, target.generation) ||
        out.targets.size() == kTokenTargetsMax) {
      return std::nullopt;
    }
    out.targets.push_back(target);
  }
  return out;
}

}  // namespace

std::string_view ToString(TokenAction action) {
  return kActionNames[static_cast<size_t>(action)];
}

bool IsFeedback(TokenAction action) {
  return action == TokenAction::kActed || action == TokenAction::kNotActionable ||
         action == TokenAction::kFalseAlarm || action == TokenAction::kPoorDetails;
}

std::string SignToken(const ActionToken& token, TokenPurpose purpose, std::string_view key) {
  if (key.empty()) {
    return {};
  }
  std::string payload = fmt::format("{}|{}|", kActionLetters[static_cast<size_t>(token.action)],
                                    ToUnixMillis(token.expires_at) / 1000);
  const char* separator = "";
  for (size_t i = 0; i < token.targets.size() && i < kTokenTargetsMax; ++i) {
    payload += fmt::format("{}{}:{}", separator, token.targets[i].id, token.targets[i].generation);
    separator = ",";
  }
  payload += '|';
  payload += std::string_view(token.recipient).substr(0, kRecipientBytesMax);
  return Base64Url(payload) + "." + Base64Url(Signature(payload, purpose, key));
}

Result<ActionToken> VerifyToken(std::string_view text, TokenPurpose purpose, std::string_view key,
                                Timestamp now) {
  const size_t dot = text.find('.');
  if (key.empty() || text.size() > kTokenBytesMax || dot == std::string_view::npos) {
    return Fail(ErrorCode::kInvalid, "this is not a link of this mlalert");
  }
  auto payload = DecodeBase64Url(text.substr(0, dot));
  // The text is compared, not the bytes: of all spellings of a signature only ours counts.
  if (!payload || !ConstantTimeEquals(Base64Url(Signature(*payload, purpose, key)), text.substr(dot + 1))) {
    return Fail(ErrorCode::kInvalid, "the signature of this link does not match");
  }
  auto token = ParsePayload(*payload);
  if (!token) {
    return Fail(ErrorCode::kInvalid, "this link is of another version of mlalert");
  }
  if (token->expires_at <= now) {
    return Fail(ErrorCode::kDeadline, "this link has expired");
  }
  return std::move(*token);
}

}  // namespace mlalert
