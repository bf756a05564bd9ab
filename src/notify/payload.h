// One notification as the HTTP call its receiver understands, and what the answer means. Alertmanager's
// bodies, byte for byte. Fed by: Deliverer. One .cc per receiver kind; shared parts in payload.cc. Pure but
// for ReceiverContext::files. Thread: any; nothing is kept. Errors and outcomes never hold a URL, key, token
// or the content of a key file.
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "net/transport.h"
#include "notify/action_links.h"
#include "notify/expiring_cache.h"
#include "notify/file_access.h"
#include "notify/notification.h"
#include "notify/template_data.h"
#include "notify/template_set.h"

namespace mlalert {

// Of an answer's body quoted in an error.
inline constexpr size_t kErrorBodyBytesMax = 512;

struct ReceiverContext {
  const NotifyTemplates& templates;
  const FileAccess& files;
  std::string_view external_url;  // no trailing slash
  std::string_view incident_url_prefix;
  std::string_view user_agent;
  Timestamp now = kUnset;
  // Tokens and sessions that outlive an attempt. Null: every attempt gets its own.
  ReceiverCachesPtr caches = {};
  // Of this machine, for Message-Ids.
  std::string_view hostname = "localhost";
  // A variable of the process' environment; empty when unset. Null: none is set.
  std::function<std::string(const char*)> environment = {};
  // Null: texts hold no links.
  ActionLinksPtr links = {};
};

struct NextStep;
class Renderer;

// A call with its timeout left to the caller, and what its answer means. Everything is rendered when the
// first call of an attempt is built: `judge` holds plain values and may run on any thread, after the
// ReceiverContext is gone.
struct PreparedCall {
  HttpCall call;
  std::function<NextStep(const HttpResult&)> judge;
  // Goes before error texts: `channel "#ops": `.
  std::string error_prefix;
  // Texts that must not appear in an error, whatever the receiver answers.
  std::vector<std::string> secrets;
};

// What follows an answer: another call of the same attempt, or its outcome.
struct NextStep {
  NextStep(NotificationOutcome o) : outcome(std::move(o)) {}  // NOLINT(google-explicit-constructor)
  NextStep(PreparedCall c) : call(std::move(c)) {}            // NOLINT(google-explicit-constructor)
  NotificationOutcome outcome;                                // when there is no call
  std::optional<PreparedCall> call;
};

// Errors: kIo and kNotFound when a key file cannot be read (worth another attempt), anything else is final.
Result<PreparedCall> BuildPayload(const Notification& n, const ReceiverContext& context);
Result<PreparedCall> BuildDiscord(const Notification& n, const ReceiverContext& context);
Result<PreparedCall> BuildEmail(const Notification& n, const ReceiverContext& context);
Result<PreparedCall> BuildIncidentio(const Notification& n, const ReceiverContext& context);
Result<PreparedCall> BuildJira(const Notification& n, const ReceiverContext& context);
Result<PreparedCall> BuildMattermost(const Notification& n, const ReceiverContext& context);
Result<PreparedCall> BuildMsteams(const Notification& n, const ReceiverContext& context);
Result<PreparedCall> BuildMsteamsV2(const Notification& n, const ReceiverContext& context);
Result<PreparedCall> BuildOpsgenie(const Notification& n, const ReceiverContext& context);
Result<PreparedCall> BuildPagerduty(const Notification& n, const ReceiverContext& context);
Result<PreparedCall> BuildPushover(const Notification& n, const ReceiverContext& context);
Result<PreparedCall> BuildRocketchat(const Notification& n, const ReceiverContext& context);
Result<PreparedCall> BuildSlack(const Notification& n, const ReceiverContext& context);
Result<PreparedCall> BuildSns(const Notification& n, const ReceiverContext& context);
Result<PreparedCall> BuildTelegram(const Notification& n, const ReceiverContext& context);
Result<PreparedCall> BuildTwilio(const Notification& n, const ReceiverContext& context);
Result<PreparedCall> BuildVictorops(const Notification& n, const ReceiverContext& context);
Result<PreparedCall> BuildWebex(const Notification& n, const ReceiverContext& context);
Result<PreparedCall> BuildWebhook(const Notification& n, const ReceiverContext& context);
Result<PreparedCall> BuildWechat(const Notification& n, const ReceiverContext& context);

// Fills verdict, http_status, latency, error, retry_after and receiver_data.
// Their `verdict` for statuses is that of net/retry.h, plus 429 with a Retry-After, which is always obeyed.
// JudgeHttp: for kinds whose status alone decides; the error quotes the answer.
NotificationOutcome JudgeHttp(const HttpResult& result);
NotificationOutcome JudgeIncidentio(const HttpResult& result);
NotificationOutcome JudgeRocketchat(const HttpResult& result);
// Telegram has no final refusal: a bot that was thrown out of a chat may be let in again.
NotificationOutcome JudgeTelegram(const HttpResult& result);
NotificationOutcome JudgeSlack(const HttpResult& result, bool update_message);
// `v1`: the call went to the Events API v1, which also answers 403 when it is too busy.
NotificationOutcome JudgePagerduty(const HttpResult& result, bool v1);
// What `prepared.judge` says, with the prefix and without the secrets of `prepared`. The next call is ready
// to be sent.
NextStep JudgeAnswer(const Notification& n, const PreparedCall& prepared, const HttpResult& result);

// --- shared by the builders ---

// A POST of JSON as every kind sends it; the body ends with a newline, as Go's encoder writes it.
PreparedCall JsonPost(const ReceiverContext& context);

// SHA-256 of the group key: PagerDuty's dedup key.
std::string GroupKeyHash(const Notification& n);
// The key under which PagerDuty was told last, by what was stored then (Notification::receiver_data).
std::string PagerdutyKey(std::string_view group_key, std::string_view receiver_data);
// At most `runes_max` characters, the last one an ellipsis when something was cut (runes_max <= 3: a plain
// cut).
std::string TruncateRunes(std::string text, size_t runes_max);
// At most `bytes_max` bytes of whole characters, the ellipsis included (bytes_max >= 3).
std::string TruncateBytes(std::string text, size_t bytes_max);
// & < > as Slack wants them in texts that are not markup.
std::string EscapeSlack(std::string_view text);
// `text` without any of `secrets`.
std::string Scrub(std::string_view text, const std::vector<std::string>& secrets);
// Everything of a URL that gives access: the whole, path and query, long path segments, password.
void AddUrlSecrets(std::string_view url, std::vector<std::string>& secrets);
// What a rendered text means as YAML, as JSON text: numbers, booleans, null, lists and maps become what they
// are, everything else a string. Alertmanager does so with every value of `details`.
std::string RetypeAsJson(std::string_view rendered);
// A tree of the config (webhook `payload`, PagerDuty `details`, Jira `fields`) as JSON text: every string key
// and value is rendered, every rendered value is retyped, maps have sorted keys. Texts inside what a value
// became are left as they are: rendering them again would run templates that come with alerts.
std::string RenderTree(const Json& tree, Renderer& render);
// The body of the webhook and of incident.io: the template data as JSON, with `version`, group key and the
// number of alerts left out.
std::string AlertsBody(const TemplateData& data, const Notification& n, std::string_view version,
                       size_t truncated);

// For the few that ask for patience with it; to all others 429 without a Retry-After is a refusal, until the
// next tick.
inline constexpr int kTooManyRequests[] = {429};
// Verdict, status, latency, Retry-After and error of an answer whose status alone decides. `details` follow
// the status in the error; `retry_statuses` are tried again besides 5xx.
NotificationOutcome JudgeStatus(const HttpResult& result, std::string_view details,
                                std::span<const int> retry_statuses = {});
// The answer's body as an error may quote it: cut, valid UTF-8, on one line.
std::string QuotedBody(const HttpResult& result);
// What templates of this notification see.
TemplateDataOptions OptionsFor(const Notification& n, const ReceiverContext& context,
                               size_t alerts_max = SIZE_MAX);
TemplateData DataFor(const Notification& n, const ReceiverContext& context, size_t alerts_max = SIZE_MAX);

// Renders the texts of one integration; after the first failure every text is "" and error() is set.
class Renderer {
 public:
  Renderer(const ReceiverContext& context, const TemplateData& data);
  Renderer(const Renderer&) = delete;
  Renderer& operator=(const Renderer&) = delete;

  std::string operator()(std::string_view text);
  // For texts that become HTML: mail bodies, Telegram's and Pushover's HTML messages. Values are escaped.
  std::string Html(std::string_view text);
  // For texts that are secrets: the error does not quote them.
  std::string Secretly(std::string_view what, std::string_view text);
  bool ok() const { return status_.has_value(); }
  const Status& status() const { return status_; }

 private:
  std::string Take(Result<std::string> rendered);

  const ReceiverContext& context_;
  const TemplateData& data_;
  tmpl::RouteLabelFn route_label_;
  tmpl::ExecEnv env_;
  Status status_;
};

// A secret given inline or by file; the file's text is trimmed. Empty when neither is set.
Result<std::string> ReadSecret(const Secret& inline_text, const std::string& file, std::string_view key,
                               const FileAccess& files);
// ReadSecret() where nothing is an error; `key` as in "webhook_url".
Result<std::string> ReadUrl(const Secret& inline_url, const std::string& file, std::string_view key,
                            const FileAccess& files);

}  // namespace mlalert
