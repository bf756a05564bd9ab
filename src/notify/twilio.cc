// Twilio: a phone call that reads the alert aloud and takes a key press, or an SMS to every number. Ours.
#include <algorithm>
#include <fmt/format.h>

#include "base/hash.h"
#include "notify/acknowledged.h"
#include "notify/payload.h"
#include "template/quote.h"
#include "template/utf8.h"

namespace mlalert {
namespace {

// Twilio's limits.
constexpr size_t kTwimlBytesMax = 4000;
constexpr size_t kSmsRunesMax = 1600;
// Read aloud this takes about a minute, and nobody listens longer at night.
constexpr size_t kSpokenRunesMax = 700;
constexpr int kReadings = 3;
// How long the answer of a number that was told stays known, so that a retry does not tell it twice.
constexpr Duration kToldLife = std::chrono::hours(1);

// XML has no control characters.
std::string Escaped(std::string_view text) {
  std::string printable(text);
  std::replace_if(
      printable.begin(), printable.end(), [](char c) { return static_cast<unsigned char>(c) < ' '; }, ' ');
  return tmpl::EscapeHtml(printable);
}

std::string Form(std::initializer_list<std::pair<std::string_view, std::string_view>> fields) {
  std::string out;
  for (const auto& [name, value] : fields) {
    if (value.empty()) {
      continue;
    }
    out += fmt::format("{}{}=", out.empty() ? "" : "&", name);
    for (char c : value) {
      const bool plain = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                         c == '-' || c == '.' || c == '_' || c == '~';
      out += plain ? std::string(1, c) : fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
  }
  return out;
}

std::string Twiml(const TwilioConfig& c, const std::string& text, const std::string& action) {
  const std::string say =
      fmt::format("<Say language=\"{}\"{}>", Escaped(c.language),
                  c.voice.empty() ? std::string() : fmt::format(" voice=\"{}\"", Escaped(c.voice)));
  // The whole message is inside, so that a key may be pressed at once.
  const std::string gather = fmt::format(
      "<Gather input=\"dtmf\" numDigits=\"1\" timeout=\"6\" method=\"POST\" action=\"{}\">{}{} Press 1 "
      "to acknowledge.</Say></Gather>",
      Escaped(action), say, Escaped(text));
  std::string out = "<Response>";
  for (int i = 0; i < kReadings; ++i) {
    out += gather;
  }
  return out + "</Response>";
}

// The longest beginning of the text that fits.
std::string FittingTwiml(const TwilioConfig& c, std::string text, const std::string& action) {
  for (size_t runes = kSpokenRunesMax;; runes /= 2) {
    text = TruncateRunes(std::move(text), runes);
    std::string out = Twiml(c, text, action);
    if (out.size() <= kTwimlBytesMax || runes < 8) {
      return out;
    }
  }
}

// "Acknowledge: " of " ... Acknowledge: https://...": what the last words before a link say of it.
std::string_view LabelBefore(std::string_view text) {
  constexpr size_t kLabelBytesMax = 40;
  const size_t space = text.size() < 2 ? std::string_view::npos : text.rfind(' ', text.size() - 2);
  const std::string_view label = space == std::string_view::npos ? text : text.substr(space);
  return label.size() <= kLabelBytesMax ? label : std::string_view();
}

// At most so many characters. The texts are cut, and no link that acts: half of one is none.
std::string FittingSms(std::string text, std::string_view link_prefix) {
  if (text.size() <= kSmsRunesMax || tmpl::RuneCount(text) <= kSmsRunesMax) {
    return text;
  }
  struct Piece {
    std::string_view words, label, link;  // in this order
  };
  std::vector<Piece> pieces;
  size_t taken = 0;  // by links and their labels
  std::string_view rest = text;
  while (!link_prefix.empty() && taken < kSmsRunesMax) {
    const size_t at = rest.find(link_prefix);
    if (at == std::string_view::npos) {
      break;
    }
    Piece piece;
    piece.label = LabelBefore(rest.substr(0, at));
    piece.words = rest.substr(0, at - piece.label.size());
    rest.remove_prefix(at);
    piece.link = rest.substr(0, rest.find_first_of(" \t\r\n"));
    rest.remove_prefix(piece.link.size());
    const size_t runes = tmpl::RuneCount(piece.label) + tmpl::RuneCount(piece.link);
    if (taken + runes > kSmsRunesMax) {
      break;
    }
    taken += runes;
    pieces.push_back(piece);
  }
  pieces.push_back({rest, {}, {}});
  std::string out;
  size_t left = kSmsRunesMax - taken;
  for (const Piece& piece : pieces) {
    const std::string words = TruncateRunes(std::string(piece.words), left);
    left -= std::min(left, tmpl::RuneCount(words));
    out += words;
    out += piece.label;
    out += piece.link;
  }
  return out;
}

// What an error may show of a number.
std::string Shortened(std::string_view number) {
  return number.size() <= 4 ? std::string("...") : fmt::format("...{}", number.substr(number.size() - 4));
}

// "21211: The 'To' number is not valid" of Twilio's errors.
std::string ErrorDetails(const HttpResult& result) {
  auto answer = ParseJson(result.body);
  if (!answer || !answer->is_object()) {
    return QuotedBody(result);
  }
  const Json* code = answer->Find("code");
  HttpResult quoted;
  quoted.body = fmt::format("{}: {}", code != nullptr ? code->Dump() : "?", answer->GetString("message"));
  return QuotedBody(quoted);
}

// Everything of an SMS attempt, as plain values: numbers are told one after the other, each once.
struct Round {
  PreparedCall first;  // its body is that of no number yet
  std::vector<std::string> numbers;
  std::string from_field, from, text;
  std::string key_prefix;  // of what is remembered between attempts
  ReceiverCachesPtr caches;
  Timestamp now = kUnset;
};
using RoundPtr = std::shared_ptr<const Round>;

struct Tally {
  size_t told = 0;
  std::string problems;
  std::optional<NotificationOutcome> passing;  // a number that is worth another attempt
};

NextStep TellNext(const RoundPtr& round, size_t index, Tally tally, NotificationOutcome last);

NextStep Continue(const RoundPtr& round, size_t index, Tally tally, const HttpResult& result) {
  NotificationOutcome out = JudgeStatus(result, ErrorDetails(result), kTooManyRequests);
  const std::string& number = round->numbers[index];
  if (out.verdict == DeliveryVerdict::kSent) {
    ++tally.told;
    if (round->caches != nullptr) {
      round->caches->told_numbers.Put(round->key_prefix + number, true, round->now + kToldLife);
    }
  } else {
    tally.problems +=
        fmt::format("{}{}: {}", tally.problems.empty() ? "" : "; ", Shortened(number), out.error);
    if (out.verdict == DeliveryVerdict::kRetry && !tally.passing) {
      tally.passing = out;
    }
  }
  return TellNext(round, index + 1, std::move(tally), std::move(out));
}

NextStep TellNext(const RoundPtr& round, size_t index, Tally tally, NotificationOutcome last) {
  for (; index < round->numbers.size(); ++index) {
    const std::string& number = round->numbers[index];
    if (round->caches != nullptr &&
        round->caches->told_numbers.Find(round->key_prefix + number, round->now)) {
      ++tally.told;
      continue;
    }
    PreparedCall next = round->first;
    next.call.body = Form({{"To", number}, {round->from_field, round->from}, {"Body", round->text}});
    next.judge = [round, index, tally](const HttpResult& result) {
      return Continue(round, index, tally, result);
    };
    return next;
  }
  NotificationOutcome out = tally.passing ? *tally.passing : std::move(last);
  if (!tally.passing && tally.told > 0) {
    out.verdict = DeliveryVerdict::kSent;  // a number that can never be told must not hold the others up
  }
  out.error = tally.problems;
  return out;
}

}  // namespace

Result<PreparedCall> BuildTwilio(const Notification& n, const ReceiverContext& context) {
  const TwilioConfig& c = n.receiver->twilio_configs[n.integration.index];
  TemplateData data = DataFor(n, context);
  Renderer render(context, data);
  const bool call = c.method == TwilioMethod::kCall;
  std::string text = IsAcknowledgement(n) ? AcknowledgedMessage(n, render, Unescaped) : render(c.message);
  MLALERT_TRY(render.status());

  PreparedCall out;
  out.call.method = "POST";
  out.call.url =
      fmt::format("{}/2010-04-01/Accounts/{}/{}.json", c.api_url, c.account_sid, call ? "Calls" : "Messages");
  out.call.options = c.http_config;
  out.call.headers.emplace_back("Content-Type", "application/x-www-form-urlencoded");
  out.call.headers.emplace_back("User-Agent", context.user_agent);
  if (!call) {
    auto round = std::make_shared<Round>();
    round->first = std::move(out);
    round->numbers = c.to;
    round->from_field = c.messaging_service ? "MessagingServiceSid" : "From";
    round->from = c.from;
    round->text = FittingSms(std::move(text), context.links != nullptr && !context.links->key.empty()
                                                  ? fmt::format("{}{}", context.links->base_url, kLinkPath)
                                                  : std::string());
    round->key_prefix = fmt::format("{}/{}/", n.id, n.integration.index);
    round->caches = context.caches;
    round->now = context.now;
    NotificationOutcome all_told;
    all_told.verdict = DeliveryVerdict::kSent;
    NextStep first = TellNext(round, 0, {}, all_told);
    if (!first.call) {
      return Fail(ErrorCode::kInternal, "every number has been told already");
    }
    return std::move(*first.call);
  }
  if (context.links == nullptr || context.links->key.empty()) {
    return Fail(ErrorCode::kIo, "there is no key to sign the callbacks of a call with");
  }
  const std::string& number = c.to[std::min<size_t>(n.call_target, c.to.size() - 1)];
  const std::string action = context.links->CallUrl(kTwilioVoicePath, n.call_id, context.now);
  out.error_prefix = fmt::format("call to {}: ", Shortened(number));
  out.judge = [](const HttpResult& result) -> NextStep {
    return JudgeStatus(result, ErrorDetails(result), kTooManyRequests);
  };
  out.call.body = Form({{"To", number},
                        {"From", c.from},
                        {"Twiml", FittingTwiml(c, std::move(text), action)},
                        {"Timeout", std::to_string(c.ring_timeout / std::chrono::seconds(1))},
                        {"StatusCallback", context.links->CallUrl(kTwilioStatusPath, n.call_id, context.now)},
                        {"StatusCallbackMethod", "POST"},
                        {"StatusCallbackEvent", "completed"},
                        {"MachineDetection", c.machine_detection ? "Enable" : ""}});
  return out;
}

}  // namespace mlalert
