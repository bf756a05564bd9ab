// Telegram: sendMessage of the Bot API, every value a string.
#include <algorithm>
#include <charconv>
#include <chrono>
#include <fmt/format.h>

#include "net/http_date.h"
#include "notify/acknowledged.h"
#include "notify/json_object.h"
#include "notify/payload.h"
#include "template/quote.h"
#include "template/utf8.h"

namespace mlalert {
namespace {

constexpr size_t kTextRunesMax = 4096;
// HTML cannot be cut: a tag left open makes Telegram refuse the message.
constexpr std::string_view kTooLong =
    "Alertmanager notification could not be sent: message length exceeds Telegram limits.\n"
    "\t\t\tPlease check the template used for producing the message content.";

std::string Backslashed(std::string_view text, std::string_view marks) {
  std::string out;
  for (char c : text) {
    if (marks.find(c) != std::string_view::npos) {
      out.push_back('\\');
    }
    out.push_back(c);
  }
  return out;
}

// https://core.telegram.org/bots/api#formatting-options
std::string EscapeMarkdownV1(std::string_view text) {
  return Backslashed(text, "_*`[");
}
std::string EscapeMarkdownV2(std::string_view text) {
  return Backslashed(text, "\\_*[]()~`>#+-=|{}.!");
}

EscapeText EscapeFor(const std::string& parse_mode) {
  if (parse_mode == "HTML") {
    return tmpl::EscapeHtml;
  }
  if (parse_mode == "Markdown") {
    return EscapeMarkdownV1;
  }
  return parse_mode == "MarkdownV2" ? EscapeMarkdownV2 : Unescaped;
}

std::string MessageText(const TelegramConfig& c, const Notification& n, Renderer& render) {
  if (IsAcknowledgement(n)) {
    return AcknowledgedMessage(n, render, EscapeFor(c.parse_mode));
  }
  if (c.parse_mode != "HTML") {
    return TruncateRunes(render(c.message), kTextRunesMax);
  }
  std::string text = render.Html(c.message);
  return tmpl::RuneCount(text) > kTextRunesMax ? std::string(kTooLong) : text;
}

Result<int64_t> ChatId(const TelegramConfig& c, const FileAccess& files) {
  if (c.chat_id_file.empty()) {
    return c.chat_id;
  }
  MLALERT_ASSIGN(std::string text, ReadSecret(Secret(), c.chat_id_file, "chat_id_file", files));
  int64_t id = 0;
  std::string_view digits = text;
  if (digits.starts_with('+')) {
    digits.remove_prefix(1);
  }
  auto parsed = std::from_chars(digits.data(), digits.data() + digits.size(), id);
  if (parsed.ec != std::errc() || parsed.ptr != digits.data() + digits.size()) {
    return Fail(ErrorCode::kIo, fmt::format("could not parse chat_id from {}", c.chat_id_file));
  }
  return id;
}

// Telegram says in its body how long to wait, too.
std::optional<Duration> RetryAfter(const Json& answer) {
  const Json* parameters = answer.Find("parameters");
  const Json* seconds = parameters != nullptr ? parameters->Find("retry_after") : nullptr;
  if (seconds == nullptr || seconds->AsInt() <= 0) {
    return std::nullopt;
  }
  Duration max = kRetryAfterMax;
  if (seconds->AsInt() >= std::chrono::duration_cast<std::chrono::seconds>(max).count()) {
    return max;
  }
  return Duration(std::chrono::seconds(seconds->AsInt()));
}

}  // namespace

Result<PreparedCall> BuildTelegram(const Notification& n, const ReceiverContext& context) {
  const TelegramConfig& c = n.receiver->telegram_configs[n.integration.index];
  TemplateData data = DataFor(n, context);
  Renderer render(context, data);
  std::string text = MessageText(c, n, render);
  MLALERT_TRY(render.status());
  MLALERT_ASSIGN(std::string token,
                 ReadSecret(c.bot_token, c.bot_token_file, "bot_token_file", context.files));
  MLALERT_ASSIGN(int64_t chat_id, ChatId(c, context.files));

  PreparedCall out = JsonPost(context);
  out.judge = JudgeTelegram;
  out.call.options = c.http_config;
  out.call.url = fmt::format("{}/bot{}/sendMessage", c.api_url, token);
  out.secrets.push_back(token);
  JsonObject object(out.call.body);
  object.Text("chat_id", std::to_string(chat_id));
  if (c.disable_notifications) {
    object.Text("disable_notification", "true");
  }
  object.Text("disable_web_page_preview", "true");
  if (c.message_thread_id != 0) {
    object.Text("message_thread_id", std::to_string(c.message_thread_id));
  }
  object.TextUnlessEmpty("parse_mode", c.parse_mode);
  object.Text("text", text);
  object.End();
  out.call.body.push_back('\n');
  return out;
}

NotificationOutcome JudgeTelegram(const HttpResult& result) {
  NotificationOutcome out = JudgeHttp(result);
  // An answer that broke off after its status has still been given.
  if (result.status == 0 || result.failure == Failure::kCancelled ||
      (out.verdict == DeliveryVerdict::kSent && !result.ok())) {
    return out;
  }
  auto answer = ParseJson(result.body);
  const Json* ok = answer ? answer->Find("ok") : nullptr;
  if (ok != nullptr && ok->AsBool() && result.status != 500) {
    out.verdict = DeliveryVerdict::kSent;
    out.error.clear();
    return out;
  }
  out.verdict = DeliveryVerdict::kRetry;
  out.retry_after = result.retry_after;
  if (ok != nullptr) {
    HttpResult quoted;
    quoted.body = answer->GetString("description");
    const Json* code = answer->Find("error_code");
    out.error = fmt::format("telegram: {} ({})", QuotedBody(quoted),
                            code != nullptr ? code->AsInt(result.status) : result.status);
    if (!out.retry_after) {
      out.retry_after = RetryAfter(*answer);
    }
  } else if (out.error.empty()) {
    out.error = "could not read the answer from Telegram: it is not valid JSON";
  }
  return out;
}

}  // namespace mlalert
