// Opsgenie: an alert is created, and optionally brought up to date, under the group's alias, and closed by
// it.
#include <algorithm>
#include <fmt/format.h>
#include <map>

#include "net/url.h"
#include "notify/acknowledged.h"
#include "notify/json_object.h"
#include "notify/payload.h"

namespace mlalert {
namespace {

constexpr size_t kMessageRunesMax = 130;

struct Responder {
  std::string id, name, username, type;

  bool empty() const { return id.empty() && name.empty() && username.empty() && type.empty(); }
};

std::string_view TrimSpace(std::string_view text) {
  constexpr std::string_view kSpace = " \t\n\v\f\r";
  size_t begin = text.find_first_not_of(kSpace);
  return begin == std::string_view::npos ? std::string_view()
                                         : text.substr(begin, text.find_last_not_of(kSpace) - begin + 1);
}

// "a,,b, c" is "a", "b", " c".
std::vector<std::string> SplitList(std::string_view text) {
  std::vector<std::string> out;
  text = TrimSpace(text);
  while (!text.empty()) {
    size_t comma = text.find(',');
    if (comma != 0) {
      out.emplace_back(text.substr(0, comma));
    }
    text.remove_prefix(comma == std::string_view::npos ? text.size() : comma + 1);
  }
  return out;
}

void AppendList(JsonObject& object, std::string_view key, const std::vector<std::string>& list) {
  if (list.empty()) {
    return;
  }
  std::string& out = object.Key(key);
  const char* separator = "[";
  for (const std::string& item : list) {
    out += separator;
    AppendJsonString(out, item);
    separator = ",";
  }
  out.push_back(']');
}

std::vector<Responder> Responders(const OpsgenieConfig& c, Renderer& render) {
  std::vector<Responder> out;
  for (const OpsgenieResponder& text : c.responders) {
    Responder one{render(text.id), render(text.name), render(text.username), render(text.type)};
    if (one.empty()) {
      continue;  // how responders are chosen by a label: all but one render to nothing
    }
    if (one.type != "teams") {
      out.push_back(std::move(one));
      continue;
    }
    for (std::string& team : SplitList(one.name)) {
      out.push_back({"", std::move(team), "", "team"});
    }
  }
  return out;
}

void AppendResponders(JsonObject& object, const std::vector<Responder>& responders) {
  if (responders.empty()) {
    return;
  }
  std::string& out = object.Key("responders");
  const char* separator = "[";
  for (const Responder& responder : responders) {
    out += separator;
    JsonObject one(out);
    one.TextUnlessEmpty("id", responder.id);
    one.TextUnlessEmpty("name", responder.name);
    one.TextUnlessEmpty("username", responder.username);
    one.Text("type", responder.type);
    one.End();
    separator = ",";
  }
  out.push_back(']');
}

std::map<std::string, std::string> Details(const LabelSet& common, const OpsgenieConfig& c,
                                           Renderer& render) {
  std::map<std::string, std::string> out;
  for (Label label : common) {
    out[std::string(label.name)] = std::string(label.value);
  }
  for (const auto& [key, text] : c.details) {
    out[key] = render(text);
  }
  return out;
}

std::string CreateBody(const std::string& alias, const LabelSet& common, const OpsgenieConfig& c,
                       const std::string& message, const std::string& description, Renderer& render) {
  std::string out;
  JsonObject object(out);
  object.Text("alias", alias);
  object.Text("message", message);
  object.TextUnlessEmpty("description", description);
  JsonObject details(object.Key("details"));
  for (const auto& [key, value] : Details(common, c, render)) {
    details.Text(key, value);
  }
  details.End();
  object.Text("source", render(c.source));
  AppendResponders(object, Responders(c, render));
  AppendList(object, "tags", SplitList(render(c.tags)));
  object.TextUnlessEmpty("note", render(c.note));
  object.TextUnlessEmpty("priority", render(c.priority));
  object.TextUnlessEmpty("entity", render(c.entity));
  AppendList(object, "actions", SplitList(render(c.actions)));
  object.End();
  out.push_back('\n');
  return out;
}

std::string OneText(std::string_view key, std::string_view value, bool omit_empty) {
  std::string out;
  JsonObject object(out);
  if (!value.empty() || !omit_empty) {
    object.Text(key, value);
  }
  object.End();
  out.push_back('\n');
  return out;
}

std::string AcknowledgeBody(const Notification& n, const std::string& source) {
  std::string out;
  JsonObject object(out);
  object.TextUnlessEmpty("user", n.acknowledged_by);
  object.TextUnlessEmpty("note", n.acknowledge_comment);
  object.Text("source", source);
  object.End();
  out.push_back('\n');
  return out;
}

// Sends `calls` one after the other; the first that is not accepted decides, else the last one.
NextStep Continue(const HttpResult& result, const std::vector<HttpCall>& calls, size_t sent) {
  NotificationOutcome outcome = JudgeStatus(result, QuotedBody(result), kTooManyRequests);
  if (outcome.verdict != DeliveryVerdict::kSent || sent == calls.size()) {
    return outcome;
  }
  PreparedCall next;
  next.call = calls[sent];
  next.judge = [calls, sent](const HttpResult& answer) { return Continue(answer, calls, sent + 1); };
  return next;
}

}  // namespace

Result<PreparedCall> BuildOpsgenie(const Notification& n, const ReceiverContext& context) {
  const OpsgenieConfig& c = n.receiver->opsgenie_configs[n.integration.index];
  MLALERT_ASSIGN(std::string key_text, ReadSecret(c.api_key, c.api_key_file, "api_key_file", context.files));
  TemplateData data = DataFor(n, context);
  Renderer render(context, data);
  std::string key(TrimSpace(render.Secretly("api_key", key_text)));

  PreparedCall out = JsonPost(context);
  out.secrets = {key};
  out.call.options = c.http_config;
  out.call.headers.emplace_back("Authorization", "GenieKey " + key);
  MLALERT_ASSIGN(Url base, ParseUrl(c.api_url));
  auto target = [&](const std::string& path) {
    Url url = JoinPath(base, path);
    if (path != "v2/alerts") {
      url.query = "identifierType=alias";
    }
    return url.ToString();
  };
  const std::string alias = GroupKeyHash(n);
  const std::string alert = "v2/alerts/" + alias;
  std::vector<HttpCall> calls;
  auto add = [&](const char* method, const std::string& path, std::string body) {
    HttpCall call = out.call;
    call.method = method;
    call.url = target(path);
    call.body = std::move(body);
    calls.push_back(std::move(call));
  };
  if (AllAreTaken(n)) {
    add("POST", alert + "/acknowledge", AcknowledgeBody(n, render(c.source)));
  } else if (data.resolved()) {
    add("POST", alert + "/close", OneText("source", render(c.source), false));
  } else {
    std::string message = TruncateRunes(render(c.message), kMessageRunesMax);
    std::string description = render(c.description);
    add("POST", "v2/alerts", CreateBody(alias, data.common_labels(), c, message, description, render));
    if (c.update_alerts) {
      add("PUT", alert + "/message", OneText("message", message, true));
      add("PUT", alert + "/description", OneText("description", description, true));
    }
  }
  MLALERT_TRY(render.status());
  out.call = calls.front();
  out.judge = [calls = std::move(calls)](const HttpResult& result) { return Continue(result, calls, 1); };
  return out;
}

}  // namespace mlalert
