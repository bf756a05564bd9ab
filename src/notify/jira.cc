// Jira, cloud and data center: one issue per alert group, found by its label, created or brought up to date,
// and moved by a transition when the group resolves or fires again.
#include <algorithm>
#include <fmt/format.h>
#include <map>

#include "net/url.h"
#include "notify/json_object.h"
#include "notify/payload.h"

namespace mlalert {
namespace {

constexpr size_t kSummaryRunesMax = 255;
constexpr size_t kDescriptionRunesMax = 32767;
// Two show that the choice was not clear; more are not needed.
constexpr int kSearchResultsMax = 2;
constexpr std::string_view kCloudDomain = "atlassian.net";

// Everything that the calls after the search need.
struct Plan {
  HttpCall base;  // headers and options
  Url api;
  std::string create_body, update_body;
  bool firing = false;
  std::string reopen_transition, resolve_transition;
};
using PlanPtr = std::shared_ptr<const Plan>;

bool IsCloud(const JiraConfig& c, const Url& api) {
  return c.api_type == "cloud" || (c.api_type != "datacenter" && api.host.ends_with(kCloudDomain));
}

Url SearchUrl(const JiraConfig& c, const Url& api) {
  if (!IsCloud(c, api)) {
    return JoinPath(api, "search");
  }
  Url url = JoinPath(api, "search/jql");
  constexpr std::string_view kOld = "/rest/api/2/";
  if (size_t at = url.path.find(kOld); at != std::string::npos) {
    url.path.replace(at, kOld.size(), "/rest/api/3/");
  }
  return url;
}

std::string SearchBody(const JiraConfig& c, const std::string& project, const std::string& label,
                       bool firing) {
  std::string jql;
  if (!c.wont_fix_resolution.empty()) {
    jql += fmt::format("(resolution is EMPTY or resolution != {}) and ", GoQuote(c.wont_fix_resolution));
  }
  const auto minutes = std::chrono::floor<std::chrono::minutes>(c.reopen_duration).count();
  if (firing && !c.reopen_transition.empty() && minutes > 0) {
    jql += fmt::format("(resolutiondate is EMPTY OR resolutiondate >= -{}m) and ", minutes);
  } else {
    jql += "statusCategory != Done and ";
  }
  jql += fmt::format("project={} and labels={} order by status ASC,resolutiondate DESC", GoQuote(project),
                     GoQuote(label));
  std::string out;
  JsonObject object(out);
  object.Raw("fields", R"(["status"])");
  object.Text("jql", jql);
  object.Raw("maxResults", std::to_string(kSearchResultsMax));
  object.End();
  out.push_back('\n');
  return out;
}

std::string TextJson(std::string_view text) {
  std::string out;
  AppendJsonString(out, text);
  return out;
}

std::string NameJson(std::string_view key, std::string_view value) {
  std::string out;
  JsonObject object(out);
  object.Text(key, value);
  object.End();
  return out;
}

std::string LabelsJson(const JiraConfig& c, const std::string& group_label, Renderer& render) {
  std::vector<std::string> labels;
  labels.reserve(c.labels.size() + 1);
  for (const std::string& text : c.labels) {
    labels.push_back(render(text));
  }
  labels.push_back(group_label);
  std::sort(labels.begin(), labels.end());
  std::string out;
  for (const std::string& label : labels) {
    out += (out.empty() ? "[" : ",") + TextJson(label);
  }
  return out + "]";
}

// Version 3 of the API wants a document (ADF), which the template must then write; version 2 a text. Empty:
// none.
Result<std::string> DescriptionJson(const JiraConfig& c, const Url& api, Renderer& render) {
  std::string text = TruncateRunes(render(c.description.text), kDescriptionRunesMax);
  std::string_view path = api.path;
  while (path.ends_with('/')) {
    path.remove_suffix(1);
  }
  if (!path.ends_with("/3")) {
    return TextJson(text);
  }
  if (text.empty()) {
    return std::string();
  }
  auto document = ParseJson(text);
  if (!document && render.ok()) {
    return Fail(ErrorCode::kInvalid, "description template: invalid JSON for API v3");
  }
  return document ? document->Dump() : std::string();
}

std::string IssueBody(const std::map<std::string, std::string>& fields) {
  std::string out;
  JsonObject object(out);
  JsonObject inner(object.Key("fields"));
  for (const auto& [key, json] : fields) {
    inner.Raw(key, json);
  }
  inner.End();
  object.End();
  out.push_back('\n');
  return out;
}

Status RenderBodies(const JiraConfig& c, const std::string& project, const std::string& label,
                    Renderer& render, Plan& plan) {
  std::map<std::string, std::string> fields;
  fields["project"] = NameJson("key", project);
  fields["issuetype"] = NameJson("name", render(c.issue_type));
  fields["labels"] = LabelsJson(c, label, render);
  if (std::string priority = render(c.priority); !priority.empty()) {
    fields["priority"] = NameJson("name", priority);
  }
  fields["summary"] = TextJson(TruncateRunes(render(c.summary.text), kSummaryRunesMax));
  MLALERT_ASSIGN(std::string description, DescriptionJson(c, plan.api, render));
  if (!description.empty()) {
    fields["description"] = std::move(description);
  }
  std::map<std::string, std::string> custom;
  for (const auto& [key, value] : c.fields) {
    custom[key] = RenderTree(value, render);
  }
  auto with_custom = [&custom](std::map<std::string, std::string> all) {
    for (const auto& [key, json] : custom) {
      all[key] = json;
    }
    return IssueBody(all);
  };
  plan.create_body = with_custom(fields);
  if (!c.summary.enable_update) {
    fields.erase("summary");
  }
  if (!c.description.enable_update) {
    fields.erase("description");
  }
  plan.update_body = with_custom(std::move(fields));
  return render.status();
}

// Nothing but an answer is tried again: a call that broke off may have created the issue.
NotificationOutcome JudgeCall(const HttpResult& result, std::string_view what) {
  NotificationOutcome out = JudgeStatus(result, QuotedBody(result), kTooManyRequests);
  if (result.status == 0) {
    out.verdict = DeliveryVerdict::kFailed;
  }
  if (out.verdict != DeliveryVerdict::kSent) {
    out.error = fmt::format("{}: {}", what, out.error);
  }
  return out;
}

NotificationOutcome Failed(NotificationOutcome out, std::string error) {
  out.verdict = DeliveryVerdict::kFailed;
  out.error = std::move(error);
  return out;
}

PreparedCall MakeCall(const PlanPtr& plan, const char* method, const std::string& path, std::string body,
                      std::function<NextStep(const HttpResult&)> judge) {
  PreparedCall out;
  out.call = plan->base;
  out.call.method = method;
  out.call.url = JoinPath(plan->api, path).ToString();
  out.call.body = std::move(body);
  out.judge = std::move(judge);
  return out;
}

struct Issue {
  std::string key, status_category;
};

NextStep DoTransition(const HttpResult& result, const PlanPtr& plan, const Issue& issue,
                      const std::string& name) {
  NotificationOutcome out =
      JudgeCall(result, fmt::format("failed to get the transitions of issue {}", GoQuote(issue.key)));
  if (out.verdict != DeliveryVerdict::kSent) {
    return out;
  }
  auto answer = ParseJson(result.body);
  const Json* transitions = answer ? answer->Find("transitions") : nullptr;
  if (transitions != nullptr) {
    for (const Json& one : transitions->AsArray()) {
      if (one.GetString("name") != name) {
        continue;
      }
      std::string body;
      JsonObject object(body);
      object.Raw("transition", NameJson("id", one.GetString("id")));
      object.End();
      body.push_back('\n');
      return MakeCall(plan, "POST", fmt::format("issue/{}/transitions", PathEscape(issue.key)),
                      std::move(body), [key = issue.key](const HttpResult& r) -> NextStep {
                        return JudgeCall(r, fmt::format("failed to transition issue {}", GoQuote(key)));
                      });
    }
  }
  return Failed(std::move(out), fmt::format("can't find transition {} for issue {}", name, issue.key));
}

// After the issue has been brought up to date.
NextStep MoveIssue(const HttpResult& result, const PlanPtr& plan, const Issue& issue) {
  NotificationOutcome out =
      JudgeCall(result, fmt::format("failed to PUT request to {}", GoQuote("issue/" + issue.key)));
  if (out.verdict != DeliveryVerdict::kSent || issue.status_category.empty()) {
    return out;
  }
  const bool done = issue.status_category == "done";
  const std::string& name = plan->firing ? plan->reopen_transition : plan->resolve_transition;
  if (plan->firing != done || name.empty()) {
    return out;  // it is where it belongs, or nobody wants it moved
  }
  return MakeCall(plan, "GET", fmt::format("issue/{}/transitions", PathEscape(issue.key)), {},
                  [plan, issue, name](const HttpResult& r) { return DoTransition(r, plan, issue, name); });
}

NextStep AfterSearch(const HttpResult& result, const PlanPtr& plan) {
  NotificationOutcome out = JudgeCall(result, "failed to look up existing issues: HTTP request to JIRA API");
  if (out.verdict != DeliveryVerdict::kSent) {
    return out;
  }
  auto answer = ParseJson(result.body);
  if (!answer || !answer->is_object()) {
    return Failed(std::move(out), "failed to look up existing issues: the answer is not valid JSON");
  }
  const Json* issues = answer->Find("issues");
  if (issues == nullptr || issues->AsArray().empty()) {
    if (!plan->firing) {
      return out;
    }
    return MakeCall(plan, "POST", "issue", plan->create_body, [](const HttpResult& r) -> NextStep {
      return JudgeCall(r, R"(failed to POST request to "issue")");
    });
  }
  const Json& first = issues->AsArray().front();
  Issue issue;
  issue.key = first.GetString("key");
  if (issue.key.empty()) {
    return Failed(std::move(out), "failed to look up existing issues: an issue without a key was found");
  }
  const Json* fields = first.Find("fields");
  const Json* status = fields == nullptr ? nullptr : fields->Find("status");
  const Json* category = status == nullptr ? nullptr : status->Find("statusCategory");
  issue.status_category = category == nullptr ? "" : category->GetString("key");
  return MakeCall(plan, "PUT", "issue/" + PathEscape(issue.key), plan->update_body,
                  [plan, issue](const HttpResult& r) { return MoveIssue(r, plan, issue); });
}

}  // namespace

Result<PreparedCall> BuildJira(const Notification& n, const ReceiverContext& context) {
  const JiraConfig& c = n.receiver->jira_configs[n.integration.index];
  TemplateData data = DataFor(n, context);
  Renderer render(context, data);
  auto plan = std::make_shared<Plan>();
  MLALERT_ASSIGN(plan->api, ParseUrl(c.api_url));
  plan->base = JsonPost(context).call;
  plan->base.headers.emplace_back("Accept-Language", "en");
  plan->base.options = c.http_config;
  plan->firing = !data.resolved();
  plan->reopen_transition = c.reopen_transition;
  plan->resolve_transition = c.resolve_transition;
  const std::string project = render(c.project);
  const std::string label = fmt::format("ALERT{{{}}}", GroupKeyHash(n));
  MLALERT_TRY(RenderBodies(c, project, label, render, *plan));

  PreparedCall out;
  out.call = plan->base;
  out.call.url = SearchUrl(c, plan->api).ToString();
  out.call.body = SearchBody(c, project, label, plan->firing);
  out.judge = [plan = PlanPtr(plan)](const HttpResult& result) { return AfterSearch(result, plan); };
  return out;
}

}  // namespace mlalert
