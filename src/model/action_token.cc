#include "model/action_token.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <fmt/format.h>
#include <optional>

#include "base/hash.h"

namespace mlalert {
namespace {

constexpr size_t kRecipientBytesMax = 120;
constexpr size_t kSignatureTextBytes = 43;  // 32 bytes in base64url
constexpr size_t kMoreBytesMax = 20;        // "+" and a number
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
  return HmacSha256(key, fmt::format("mlalert/{}/2\n{}", kPurposes[static_cast<size_t>(purpose)], payload));
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

// Targets as text: by id, each as the distance to the last one; ":3" its generation where that is another
// than the last one's; "*9" where the next nine ids follow one by one; "+5": so many more had no room. What
// belongs to one storm, even a thousand incidents, is mostly a few characters.
// "12:3*9,4:1+5": 12 to 21 as of generation 3, 25 as of generation 1, and five more.
std::string EncodeTargets(std::vector<TokenTarget> targets, int64_t more, size_t bytes_max) {
  std::sort(targets.begin(), targets.end(),
            [](const TokenTarget& a, const TokenTarget& b) { return a.id < b.id; });
  const size_t fitting = std::min(targets.size(), kTokenTargetsMax);
  std::string out;
  TokenTarget last;
  size_t i = 0;
  while (i < fitting) {
    const TokenTarget first = targets[i];
    size_t run = 1;
    while (i + run < fitting && targets[i + run].id == first.id + static_cast<int64_t>(run) &&
           targets[i + run].generation == first.generation) {
      ++run;
    }
    std::string one = fmt::format("{}{}", i == 0 ? "" : ",", first.id - last.id);
    if (first.generation != last.generation) {
      one += fmt::format(":{}", first.generation);
    }
    if (run > 1) {
      one += fmt::format("*{}", run - 1);
    }
    if (out.size() + one.size() > bytes_max) {
      break;
    }
    out += one;
    i += run;
    last = targets[i - 1];
  }
  more += static_cast<int64_t>(targets.size() - i);
  return more > 0 ? fmt::format("{}+{}", out, more) : out;
}

bool DecodeTargets(std::string_view text, ActionToken& out) {
  if (const size_t plus = text.find('+'); plus != std::string_view::npos) {
    if (!Number(text.substr(plus + 1), out.more)) {
      return false;
    }
    text = text.substr(0, plus);
  }
  TokenTarget target;
  while (!text.empty()) {
    const size_t comma = std::min(text.find(','), text.size());
    std::string_view one = text.substr(0, comma);
    text.remove_prefix(std::min(comma + 1, text.size()));
    int64_t run = 0;
    if (const size_t star = one.find('*'); star != std::string_view::npos) {
      if (!Number(one.substr(star + 1), run)) {
        return false;
      }
      one = one.substr(0, star);
    }
    if (const size_t colon = one.find(':'); colon != std::string_view::npos) {
      if (!Number(one.substr(colon + 1), target.generation)) {
        return false;
      }
      one = one.substr(0, colon);
    }
    int64_t distance = 0;
    if (!Number(one, distance) || distance > INT64_MAX - target.id ||
        run >= static_cast<int64_t>(kTokenTargetsMax - out.targets.size())) {
      return false;
    }
    target.id += distance;
    if (target.id > INT64_MAX - run) {
      return false;
    }
    out.targets.push_back(target);
    for (; run > 0; --run) {
      ++target.id;
      out.targets.push_back(target);
    }
  }
  return true;
}

std::optional<ActionToken> ParsePayload(std::string_view payload) {
  ActionToken out;
  auto action = Cut(payload, '|');
  auto expiry = Cut(payload, '|');
  auto targets = Cut(payload, '|');
  const size_t letter = action && action->size() == 1 ? kActionLetters.find(*action) : std::string_view::npos;
  int64_t seconds = 0;
  if (letter == std::string_view::npos || !expiry || !targets || !Number(*expiry, seconds) ||
      !DecodeTargets(*targets, out)) {
    return std::nullopt;
  }
  out.action = static_cast<TokenAction>(letter);
  out.expires_at = FromUnixMillis(seconds * 1000);
  out.recipient = payload;
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
  const std::string head = fmt::format("{}|{}|", kActionLetters[static_cast<size_t>(token.action)],
                                       ToUnixMillis(token.expires_at) / 1000);
  const std::string_view recipient = std::string_view(token.recipient).substr(0, kRecipientBytesMax);
  const size_t text_max = purpose == TokenPurpose::kLink ? kLinkTokenBytesMax : kTokenBytesMax;
  const size_t payload_max = (text_max - kSignatureTextBytes - 1) / 4 * 3;
  const std::string payload =
      fmt::format("{}{}|{}", head,
                  EncodeTargets(token.targets, token.more,
                                payload_max - head.size() - 1 - kMoreBytesMax - recipient.size()),
                  recipient);
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
