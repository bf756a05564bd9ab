// PagerDuty: Events API v2, or v1 where a service key is configured.
#include <algorithm>
#include <fmt/format.h>

#include "base/hash.h"
#include "base/json.h"
#include "notify/acknowledged.h"
#include "notify/json_object.h"
#include "notify/payload.h"

namespace mlalert {
namespace {

constexpr size_t kSummaryRunesMax = 1024;
constexpr size_t kEventBytesMax = 512000;
constexpr std::string_view kUrlV1 = "https://events.pagerduty.com/generic/2010-04-15/create_event.json";
constexpr std::string_view kDetailsRemoved =
    R"({"error":"Custom details have been removed because the original event exceeds the maximum size of 512KB"})";
// What the config loader sets where the user says nothing.
constexpr std::string_view kDefaultSeverity = "error";

std::string_view EventAction(const Notification& n, bool resolved) {
  if (resolved) {
    return "resolve";
  }
  // An event is about the whole group: PagerDuty would stop paging for alerts that nobody has taken.
  return AllAreTaken(n) ? "acknowledge" : "trigger";
}

// PagerDuty's word for the highest of our severities, where alerts carry one of P0 to P3 and the config
// leaves the default; else empty.
std::string_view MappedSeverity(const Notification& n) {
  Severity all = Severity::kNone;
  bool ours = false;
  for (const NotifiedAlert& alert : n.alerts) {
    all = std::max(all, alert.severity);
    ours = ours || ParseSeverity(alert.alert.labels.Get("severity")).has_value();
  }
  if (!ours) {
    return {};
  }
  Severity firing = n.MaxSeverity();
  switch (firing == Severity::kNone ? all : firing) {
    case Severity::kP0:
      return "critical";
    case Severity::kP1:
      return "error";
    case Severity::kP2:
      return "warning";
    case Severity::kP3:
      return "info";
    case Severity::kNone:
      break;
  }
  return {};
}

// `taken`: the notification, when it says that somebody took it.
std::string DetailsJson(const PagerdutyConfig& c, const Notification* taken, Renderer& render) {
  std::string out;
  JsonObject object(out);
  if (taken != nullptr && !c.details.contains("acknowledged_by")) {
    object.Text("acknowledged_by", taken->acknowledged_by);
  }
  if (taken != nullptr && !taken->acknowledge_comment.empty() && !c.details.contains("acknowledge_comment")) {
    object.Text("acknowledge_comment", taken->acknowledge_comment);
  }
  for (const auto& [key, value] : c.details) {
    object.Raw(key, RenderTree(value, render));
  }
  object.End();
  return out;
}

std::string ImagesJson(const PagerdutyConfig& c, Renderer& render) {
  std::string out;
  for (const PagerdutyImage& image : c.images) {
    std::string src = render(image.src);
    if (src.empty()) {
      continue;
    }
    out += out.empty() ? "[" : ",";
    JsonObject object(out);
    object.Text("src", src);
    object.Text("alt", render(image.alt));
    object.Text("href", render(image.href));
    object.End();
  }
  return out.empty() ? out : out + "]";
}

std::string LinksJson(const PagerdutyConfig& c, Renderer& render) {
  std::string out;
  for (const PagerdutyLink& link : c.links) {
    std::string href = render(link.href);
    if (href.empty()) {
      continue;
    }
    out += out.empty() ? "[" : ",";
    JsonObject object(out);
    object.Text("href", href);
    object.Text("text", render(link.text));
    object.End();
  }
  return out.empty() ? out : out + "]";
}

// The rendered texts of an event; `details`, `images` and `links` are JSON.
struct Event {
  std::string key, dedup_key, action, description, client, client_url, details;
  std::string source, severity, class_name, component, group, images, links;
};

std::string BodyV1(const Event& e) {
  std::string out;
  JsonObject object(out);
  object.Text("service_key", e.key);
  object.Text("incident_key", e.dedup_key);
  object.Text("event_type", e.action);
  object.TextUnlessEmpty("description", e.description);
  object.Text("event_action", "");
  object.Raw("payload", "null");
  if (e.action == "trigger") {
    object.TextUnlessEmpty("client", e.client);
    object.TextUnlessEmpty("client_url", e.client_url);
  }
  if (e.details != "{}") {
    object.Raw("details", e.details);
  }
  object.End();
  return out;
}

std::string BodyV2(const Event& e) {
  std::string out;
  JsonObject object(out);
  object.Text("routing_key", e.key);
  object.Text("dedup_key", e.dedup_key);
  object.Text("event_action", e.action);
  JsonObject payload(object.Key("payload"));
  payload.Text("summary", e.description);
  payload.Text("source", e.source);
  payload.Text("severity", e.severity);
  payload.TextUnlessEmpty("class", e.class_name);
  payload.TextUnlessEmpty("component", e.component);
  payload.TextUnlessEmpty("group", e.group);
  if (e.details != "{}") {
    payload.Raw("custom_details", e.details);
  }
  payload.End();
  object.TextUnlessEmpty("client", e.client);
  object.TextUnlessEmpty("client_url", e.client_url);
  if (!e.images.empty()) {
    object.Raw("images", e.images);
  }
  if (!e.links.empty()) {
    object.Raw("links", e.links);
  }
  object.End();
  return out;
}

// Which of the incidents of one group it is, from 1: stored with what was told last.
int64_t GenerationOf(std::string_view receiver_data) {
  if (receiver_data.empty()) {
    return 1;
  }
  auto data = ParseJson(receiver_data);
  const Json* generation = data && data->is_object() ? data->Find("generation") : nullptr;
  return generation != nullptr && generation->is_int() ? std::max<int64_t>(generation->AsInt(), 1) : 1;
}

std::string KeyOf(std::string_view group_key_hash, int64_t generation) {
  return generation > 1 ? fmt::format("{}#{}", group_key_hash, generation) : std::string(group_key_hash);
}

// "<message>: <errors joined by ,>" of a 400.
std::string ErrorDetails(const HttpResult& result) {
  if (result.status != 400) {
    return {};
  }
  auto answer = ParseJson(result.body);
  if (!answer || !answer->is_object()) {
    return QuotedBody(result);
  }
  std::string out = answer->GetString("message") + ": ";
  const Json* errors = answer->Find("errors");
  if (errors != nullptr) {
    const char* separator = "";
    for (const Json& error : errors->AsArray()) {
      out += separator + error.AsString();
      separator = ",";
    }
  }
  HttpResult quoted;
  quoted.body = std::move(out);
  return QuotedBody(quoted);
}

}  // namespace

std::string PagerdutyKey(std::string_view group_key, std::string_view receiver_data) {
  return KeyOf(Sha256Hex(group_key), GenerationOf(receiver_data));
}

Result<PreparedCall> BuildPagerduty(const Notification& n, const ReceiverContext& context) {
  const PagerdutyConfig& c = n.receiver->pagerduty_configs[n.integration.index];
  bool v1 = !c.service_key.empty() || !c.service_key_file.empty();
  MLALERT_ASSIGN(std::string key_text,
                 v1 ? ReadSecret(c.service_key, c.service_key_file, "service_key_file", context.files)
                    : ReadSecret(c.routing_key, c.routing_key_file, "routing_key_file", context.files));
  TemplateData data = DataFor(n, context);
  Renderer render(context, data);

  Event e;
  e.key = render.Secretly(v1 ? "service_key" : "routing_key", key_text);
  const int64_t told_generation = GenerationOf(n.receiver_data);
  e.action = EventAction(n, data.resolved());
  // The Events API knows no unacknowledge, and a trigger for an incident that somebody has acknowledged pages
  // nobody. So what must page again ends that one and opens the next; that one of several that somebody has
  // taken is over pages nobody.
  const bool anew = !v1 && e.action == "trigger" && n.taken_before &&
                    std::any_of(n.alerts.begin(), n.alerts.end(), [](const NotifiedAlert& alert) {
                      return !alert.resolved && !alert.quiet_repeat;
                    });
  const int64_t generation = anew ? told_generation + 1 : told_generation;
  e.dedup_key = KeyOf(GroupKeyHash(n), generation);
  // Who took it stands in the event, so that PagerDuty's log says it too.
  const bool taken = e.action == "acknowledge";
  e.description =
      TruncateRunes(taken ? AcknowledgedText(n, Unescaped) : render(c.description), kSummaryRunesMax);
  e.client = render(c.client);
  e.client_url = render(c.client_url);
  e.details = DetailsJson(c, taken ? &n : nullptr, render);
  if (!v1) {
    e.source = render(c.source);
    std::string_view mapped = c.severity == kDefaultSeverity ? MappedSeverity(n) : std::string_view();
    e.severity = mapped.empty() ? render(c.severity) : std::string(mapped);
    e.class_name = render(c.class_name);
    e.component = render(c.component);
    e.group = render(c.group);
    e.images = ImagesJson(c, render);
    e.links = LinksJson(c, render);
  }
  MLALERT_TRY(render.status());
  if (e.key.empty()) {
    return Fail(ErrorCode::kInvalid, v1 ? "service key cannot be empty" : "routing key cannot be empty");
  }

  PreparedCall out = JsonPost(context);
  out.judge = [v1](const HttpResult& result) { return JudgePagerduty(result, v1); };
  out.call.url = v1 ? std::string(kUrlV1) : c.url;
  out.call.options = c.http_config;
  out.secrets = {e.key};
  auto body = v1 ? BodyV1 : BodyV2;
  out.call.body = body(e);
  out.call.body.push_back('\n');
  if (out.call.body.size() > kEventBytesMax) {
    e.details = kDetailsRemoved;
    out.call.body = body(e) + "\n";
  }
  if (!anew) {
    return out;
  }
  out.judge = [generation](const HttpResult& result) -> NextStep {
    NotificationOutcome outcome = JudgePagerduty(result, false);
    if (outcome.verdict == DeliveryVerdict::kSent) {
      outcome.receiver_data = Json::MakeObject().Set("generation", generation).Dump();
    }
    return outcome;
  };
  PreparedCall first = JsonPost(context);
  first.call.url = out.call.url;
  first.call.options = c.http_config;
  first.secrets = out.secrets;
  first.call.body = fmt::format(R"({{"routing_key":{},"dedup_key":{},"event_action":"resolve"}})",
                                Json(e.key).Dump(), Json(KeyOf(GroupKeyHash(n), told_generation)).Dump()) +
                    "\n";
  first.judge = [next = std::move(out)](const HttpResult& result) -> NextStep {
    NotificationOutcome outcome = JudgePagerduty(result, false);
    return outcome.verdict == DeliveryVerdict::kSent ? NextStep(next) : NextStep(std::move(outcome));
  };
  return first;
}

NotificationOutcome JudgePagerduty(const HttpResult& result, bool v1) {
  static constexpr int kBusyV1[] = {403};
  return JudgeStatus(result, ErrorDetails(result),
                     v1 ? std::span<const int>(kBusyV1) : std::span<const int>(kTooManyRequests));
}

}  // namespace mlalert
