// POST /api/mlalert/v1/hooks/slack: a press on one of our buttons. Slack waits 3 seconds for the answer, so
// the message is drawn anew afterwards, by chat.update where the receiver has an app token, else by the
// address that came with the press.
#include <algorithm>
#include <fmt/format.h>

#include "api/durable.h"
#include "api/inbound.h"
#include "api/own_error.h"
#include "base/hash.h"
#include "base/log.h"
#include "intake/signatures.h"
#include "intake/slack_click.h"
#include "notify/payload.h"
#include "notify/slack_buttons.h"

namespace mlalert {
namespace {

constexpr Duration kCallTimeout = std::chrono::seconds(10);
constexpr size_t kNameBytesMax = 200;
constexpr Duration kRepeatsLife = 4 * kSlackSignatureWindow;
constexpr std::string_view kPostMessage = "/chat.postMessage";

// `sender`: whose `timeout` counts where it is shorter; may be null.
HttpCall JsonCall(std::string url, const Json& body, const SlackConfig* sender) {
  HttpCall call;
  call.method = "POST";
  call.url = std::move(url);
  call.headers = {{"Content-Type", "application/json; charset=utf-8"}};
  call.body = body.Dump();
  const bool own = sender != nullptr && sender->timeout > Duration::zero();
  call.timeout = own ? std::min(sender->timeout, kCallTimeout) : kCallTimeout;
  return call;
}

void LogOutcome(std::string_view what, const HttpResult& result) {
  const bool fine =
      result.ok() && result.status / 100 == 2 && result.body.find("\"ok\":false") == std::string::npos;
  if (!fine) {
    LogWarn("a message in Slack could not be changed after a button was pressed",
            {{"call", what}, {"status", result.status}, {"err", result.error}});
  }
}

// Shown to who pressed, and to nobody else.
void Whisper(ApiContext& context, const SlackClick& click, const std::string& text) {
  if (!context.call || click.response_url.empty()) {
    return;
  }
  Json body = Json::MakeObject();
  body.Set("response_type", "ephemeral").Set("replace_original", false).Set("text", text);
  context.call(JsonCall(click.response_url, body, nullptr),
               [](const HttpResult& result) { LogOutcome("ephemeral message", result); });
}

// "0/chat": which integration sent the message.
const SlackConfig* SenderOf(const Config& config, const std::string& recipient, std::string& name) {
  const size_t slash = recipient.find('/');
  if (slash == std::string::npos || slash > 6) {
    return nullptr;
  }
  const Receiver* receiver = config.FindReceiver(recipient.substr(slash + 1));
  size_t index = 0;
  for (char c : recipient.substr(0, slash)) {
    if (c < '0' || c > '9') {
      return nullptr;
    }
    index = index * 10 + static_cast<size_t>(c - '0');
  }
  if (receiver == nullptr || index >= receiver->slack_configs.size()) {
    return nullptr;
  }
  name = IntegrationName(receiver->name, ToString(IntegrationKind::kSlack), static_cast<uint32_t>(index));
  return &receiver->slack_configs[index];
}

struct Press {
  ConfigPtr config;
  ActionLinks links;
  ActionToken token;
  SlackClick click;
  Actor actor;
  const SlackConfig* sender = nullptr;  // inside *config; null: its receiver is gone
  std::string origin;
};

// The original message, for everybody who sees it.
void Redraw(ApiContext& context, const Press& press, const ActedOn& acted, std::string_view what) {
  if (!context.call || press.click.message.is_null()) {
    return;
  }
  SlackButtonRow row;
  row.recipient = press.token.recipient;
  row.acknowledged = !acted.incidents.empty();
  for (const Incident& incident : acted.incidents) {
    row.acknowledged = row.acknowledged && incident.state == IncidentState::kAcknowledged;
    row.judged.push_back({incident.id, incident.generation});
    if (incident.state != IncidentState::kResolved) {
      row.targets.push_back(row.judged.back());
    }
  }
  row.text =
      fmt::format("{} by {}", what,
                  press.click.user_id.empty() ? EscapeSlack(press.actor.name)
                                              : fmt::format("<@{}>", EscapeSlack(press.click.user_id)));
  if (row.more = press.token.more; row.more > 0) {
    row.text += fmt::format(". {} more of this message had no room behind its buttons and {} as before",
                            row.more, row.more == 1 ? "is" : "are");
  }
  auto parsed = ParseJson(SlackButtonsAttachment(press.links, row));
  Json body = WithButtonRow(press.click.message, kSlackBlockId, parsed ? *parsed : Json());
  const bool token =
      press.sender != nullptr && (!press.sender->app_token.empty() || !press.sender->app_token_file.empty());
  Json replacement = body;
  replacement.Set("replace_original", true);
  // Made here: the config may be gone when chat.update has failed.
  HttpCall replace = JsonCall(press.click.response_url, replacement, press.sender);
  auto by_response_url = [&context, replace] {
    if (!replace.url.empty()) {
      context.call(replace, [](const HttpResult& result) { LogOutcome("response_url", result); });
    }
  };
  std::string url = token ? press.sender->api_url.Reveal() : std::string();
  if (!url.ends_with(kPostMessage) || press.click.channel_id.empty() || press.click.message_ts.empty()) {
    by_response_url();
    return;
  }
  url.replace(url.size() - kPostMessage.size(), kPostMessage.size(), "/chat.update");
  body.Set("channel", press.click.channel_id).Set("ts", press.click.message_ts);
  HttpCall call = JsonCall(std::move(url), body, press.sender);
  call.options = press.sender->http_config;
  context.call(std::move(call), [by_response_url](const HttpResult& result) {
    auto answer = ParseJson(result.body);
    const Json* ok = result.ok() && answer ? answer->Find("ok") : nullptr;
    if (ok == nullptr || !ok->AsBool()) {
      LogOutcome("chat.update", result);
      by_response_url();
    }
  });
}

// Who pressed, by the name that incidents show; nothing when he may not act.
std::optional<Actor> ActorOf(const InboundConfig::Slack& config, const SlackClick& click) {
  auto known = config.users.find(click.user_id);
  if (known != config.users.end()) {
    return Actor{known->second, "slack", click.user_id};
  }
  if (!config.AllowsUnlinked()) {
    return std::nullopt;
  }
  std::string name = click.user_name.empty() ? click.user_id : click.user_name;
  return Actor{name.empty() ? "somebody (Slack)" : name.substr(0, kNameBytesMax), "slack", click.user_id};
}

// A request that has been here before: the same to the byte, or signed anew, as Slack says in a header.
bool IsRepeated(Engine& engine, const HttpRequest& request, Timestamp now, Effects& fx) {
  const bool signed_before =
      !engine.FirstSight("slack", std::string(request.Header("X-Slack-Signature")), kRepeatsLife, now, fx);
  const bool sent_before =
      !engine.FirstSight("slack", "body/" + Sha256Hex(request.body), kRepeatsLife, now, fx);
  return signed_before || (sent_before && !request.Header("X-Slack-Retry-Num").empty());
}

void OnPress(ApiContext& context, Press press, const HttpRequest& request, HttpResponse& response) {
  auto token = VerifyToken(press.click.value, TokenPurpose::kSlack, press.links.key, context.clock.Now());
  if (!token) {
    Whisper(context, press.click,
            token.error().code == ErrorCode::kDeadline
                ? "This message is too old to act on: use the newest one."
                : "This button is not one of this mlalert: nothing was changed.");
    return;
  }
  press.token = std::move(*token);
  press.sender = SenderOf(*press.config, press.token.recipient, press.origin);
  const std::vector<Incident> past = PastOf(context, press.token.action, press.token.targets);
  ActedOn acted;
  bool repeated = false;
  const uint64_t seq = context.gate.Enter([&](Engine& engine, Timestamp now, Effects& fx) {
    repeated = IsRepeated(engine, request, now, fx);
    if (!repeated) {
      acted = ActOnTargets(engine, press.token.action, press.token.targets, past, press.actor, "",
                           press.origin, now, fx);
    }
  });
  if (repeated) {
    return;
  }
  if (Status durable = WaitDurable(context.gate, seq); !durable) {
    SetOwnError(response, 503, "done, but not yet safe on disk: " + durable.error().message);
    return;
  }
  if (acted.incidents.empty()) {
    std::string why = acted.refused.empty() ? std::string("nothing to act on") : acted.refused.front();
    Whisper(context, press.click, fmt::format("Nothing was changed: {}.", EscapeSlack(why)));
    return;
  }
  if (acted.changed == 0) {
    Whisper(context, press.click,
            fmt::format("It was so already: {}.", EscapeSlack(StateText(acted.incidents.front()))));
  }
  Redraw(context, press, acted, acted.changed > 0 ? DoneText(press.token.action) : "Looked at");
}

// What Slack asks once when the address is also entered as that of events.
bool AnswersChallenge(const HttpRequest& request, HttpResponse& response) {
  auto json = request.body.starts_with("{") ? ParseJson(request.body) : Result<Json>(Json());
  if (!json || !json->is_object() || json->GetString("type") != "url_verification") {
    return false;
  }
  SetJson(response, Json::MakeObject().Set("challenge", json->GetString("challenge")));
  return true;
}

void PostClick(ApiContext& context, HttpRequest& request, HttpResponse& response) {
  Press press;
  press.config = context.config ? context.config() : nullptr;
  if (press.config == nullptr || press.config->inbound.slack.signing.empty()) {
    SetOwnError(response, 403, "buttons of Slack are not set up",
                "set inbound.slack.signing_secret in the configuration");
    return;
  }
  const InboundConfig::Slack& config = press.config->inbound.slack;
  auto secrets = SecretsOf(config.signing, context.files);
  auto links = LinksOf(context, *press.config);
  if (!secrets || !links) {
    SetOwnError(response, 503,
                "a secret cannot be read: " + (!secrets ? secrets.error() : links.error()).message);
    return;
  }
  press.links = std::move(*links);
  const std::string_view signature = request.Header("X-Slack-Signature");
  const SignatureVerdict verdict = VerifySlack(
      *secrets, signature, request.Header("X-Slack-Request-Timestamp"), request.body, context.clock.Now());
  if (verdict != SignatureVerdict::kValid) {
    SetOwnError(response, verdict == SignatureVerdict::kMissing ? 401 : 403,
                fmt::format("the signature {}", ToString(verdict)));
    return;
  }
  if (AnswersChallenge(request, response)) {
    return;
  }
  auto form = ParseForm(request.body);
  auto click = form ? DecodeSlackClick(FormField(*form, "payload")) : Result<SlackClick>(Fail(form.error()));
  if (!click) {
    SetOwnError(response, click.error());
    return;
  }
  response.status = 200;  // an empty answer: Slack leaves the message as it is until we draw it anew
  press.click = std::move(*click);
  if (press.click.type != "block_actions" || press.click.value.empty()) {
    return;  // the button that opens a page, or something of another app
  }
  auto actor = ActorOf(config, press.click);
  if (!actor) {
    Whisper(context, press.click,
            "mlalert does not know your Slack user, so nothing was changed. Ask its owner to add your id to "
            "inbound.slack.users: " +
                EscapeSlack(press.click.user_id));
    return;
  }
  press.actor = std::move(*actor);
  OnPress(context, std::move(press), request, response);
}

}  // namespace

void AddSlackHook(HttpRouter& router, ApiContext& context) {
  router.Post(
      "/api/mlalert/v1/hooks/slack",
      [&context](HttpRequest& request, HttpResponse& response) { PostClick(context, request, response); },
      {.body_bytes_max = kInboundBodyBytesMax});
}

}  // namespace mlalert
