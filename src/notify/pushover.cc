// Pushover: a form in the query of one fixed URL, keys included.
#include <chrono>

#include "net/url.h"
#include "notify/acknowledged.h"
#include "notify/payload.h"
#include "template/quote.h"

namespace mlalert {
namespace {

constexpr std::string_view kUrl = "https://api.pushover.net/1/messages.json";
// https://pushover.net/api#limits
constexpr size_t kTitleRunesMax = 250;
constexpr size_t kMessageRunesMax = 1024;
constexpr size_t kUrlRunesMax = 512;

std::string TrimSpace(const std::string& text) {
  constexpr std::string_view kSpace = " \t\n\v\f\r";
  size_t begin = text.find_first_not_of(kSpace);
  return begin == std::string::npos ? "" : text.substr(begin, text.find_last_not_of(kSpace) - begin + 1);
}

std::string Seconds(Duration duration) {
  return std::to_string(std::chrono::duration_cast<std::chrono::seconds>(duration).count());
}

}  // namespace

Result<PreparedCall> BuildPushover(const Notification& n, const ReceiverContext& context) {
  const PushoverConfig& c = n.receiver->pushover_configs[n.integration.index];
  MLALERT_ASSIGN(std::string token_text, ReadSecret(c.token, c.token_file, "token_file", context.files));
  MLALERT_ASSIGN(std::string user_text,
                 ReadSecret(c.user_key, c.user_key_file, "user_key_file", context.files));
  TemplateData data = DataFor(n, context);
  Renderer render(context, data);
  std::string token = render.Secretly("token", token_text);
  std::string user = render.Secretly("user_key", user_text);

  std::string title = render(c.title);
  std::string message;
  // An emergency rings until somebody acknowledges: here somebody has.
  std::string priority = "0";
  if (IsAcknowledgement(n)) {
    title = AcknowledgedTitle(title);
    message = AcknowledgedText(n, c.html ? tmpl::EscapeHtml : Unescaped);
  } else {
    message = c.html ? render.Html(c.message) : render(c.message);
    priority = render(c.priority);
  }
  message = TrimSpace(TruncateRunes(std::move(message), kMessageRunesMax));
  if (message.empty()) {
    message = "(no details)";  // Pushover refuses empty messages
  }

  std::vector<std::pair<std::string, std::string>> form;  // keys in order, as Go encodes them
  form.emplace_back("device", render(c.device));
  form.emplace_back("expire", Seconds(c.expire));
  if (c.html) {
    form.emplace_back("html", "1");
  }
  form.emplace_back("message", message);
  if (c.monospace) {
    form.emplace_back("monospace", "1");
  }
  form.emplace_back("priority", priority);
  form.emplace_back("retry", Seconds(c.retry));
  form.emplace_back("sound", render(c.sound));
  form.emplace_back("title", TruncateRunes(std::move(title), kTitleRunesMax));
  form.emplace_back("token", token);
  if (c.ttl >= std::chrono::seconds(1)) {
    form.emplace_back("ttl", Seconds(c.ttl));
  }
  form.emplace_back("url", TruncateRunes(render(c.url), kUrlRunesMax));
  form.emplace_back("url_title", render(c.url_title));
  form.emplace_back("user", user);
  MLALERT_TRY(render.status());

  PreparedCall out;
  out.judge = JudgeHttp;
  out.call.method = "POST";
  out.call.url = std::string(kUrl) + "?" + EncodeForm(form);
  out.call.headers.emplace_back("Content-Type", "text/plain");
  out.call.headers.emplace_back("User-Agent", context.user_agent);
  out.call.options = c.http_config;
  out.secrets = {token, user};
  return out;
}

}  // namespace mlalert
