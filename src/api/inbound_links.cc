// /act/{token}: a link out of a notification. GET shows what it would do, or by whom and when it was done
// with this link, and changes nothing, because scanners of mail open every link; POST, the button on that
// page, does it.
#include <algorithm>
#include <fmt/format.h>

#include "api/caller.h"
#include "api/durable.h"
#include "api/inbound.h"
#include "api/strict_input.h"
#include "base/hash.h"
#include "base/json.h"
#include "intake/signatures.h"
#include "template/quote.h"

namespace mlalert {
namespace {

constexpr size_t kFormBytesMax = 16 * 1024;
constexpr size_t kIncidentsShown = 40;

constexpr std::string_view kStyle =
    "body{font:18px/1.5 system-ui,sans-serif;max-width:36em;margin:2em auto;padding:0 1em;color:#222}"
    "h1{font-size:1.3em}li{margin:.4em 0}button{font:inherit;padding:.6em 1.4em;border:0;border-radius:.4em;"
    "background:#0b5cad;color:#fff}input{font:inherit;padding:.4em;width:100%;box-sizing:border-box}"
    ".warn{background:#fff3cd;padding:.6em}";

// Everything variable is escaped by whoever builds `content`.
void SetPage(HttpResponse& response, int status, std::string_view title, std::string_view content) {
  response.status = status;
  response.content_type = "text/html; charset=utf-8";
  response.SetHeader("Cache-Control", "no-store");
  response.SetHeader("Referrer-Policy", "no-referrer");  // the address is the permission
  response.SetHeader("X-Robots-Tag", "noindex");
  response.SetHeader("X-Frame-Options", "DENY");
  response.SetHeader("X-Content-Type-Options", "nosniff");
  response.SetHeader(
      "Content-Security-Policy",
      "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'; "
      "base-uri 'none'");
  response.body = fmt::format(
      "<!DOCTYPE html><html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" "
      "content=\"width=device-width\"><title>{0}</title><style>{1}</style></head><body><h1>{0}</h1>{2}</"
      "body></html>\n",
      tmpl::EscapeHtml(title), kStyle, content);
}

std::string_view Question(TokenAction action) {
  switch (action) {
    case TokenAction::kSnooze:
      return "Snooze for 1 hour";
    case TokenAction::kResolve:
      return "Resolve";
    case TokenAction::kActed:
      return "Note as acted on";
    case TokenAction::kNotActionable:
      return "Note as not actionable";
    case TokenAction::kFalseAlarm:
      return "Note as a false alarm";
    case TokenAction::kPoorDetails:
      return "Note as poor in details";
    default:
      return "Acknowledge";
  }
}

struct Link {
  ConfigPtr config;
  ActionLinks links;
  ActionToken token;
};

// Answers by itself when the link is no good.
std::optional<Link> ReadLink(ApiContext& context, const HttpRequest& request, HttpResponse& response) {
  Link out;
  out.config = context.config ? context.config() : std::make_shared<const Config>();
  auto links = LinksOf(context, *out.config);
  if (!links) {
    SetPage(response, 503, "Not now",
            "<p>This link cannot be checked at the moment. Try again in a minute.</p>");
    return std::nullopt;
  }
  out.links = std::move(*links);
  auto token =
      VerifyToken(request.PathParam("token"), TokenPurpose::kLink, out.links.key, context.clock.Now());
  if (!token) {
    const bool late = token.error().code == ErrorCode::kDeadline;
    SetPage(response, late ? 410 : 403, late ? "This link has expired" : "This link is not valid",
            "<p>Nothing was changed. Use the newest message, or the incident's own page.</p>");
    return std::nullopt;
  }
  out.token = std::move(*token);
  return out;
}

std::string IncidentItem(const Incident& incident) {
  std::string out =
      fmt::format("<li><b>{}</b> {}", ToString(incident.severity), tmpl::EscapeHtml(TitleOf(incident)));
  if (std::string_view summary = incident.annotations.Get("summary"); !summary.empty()) {
    out += fmt::format("<br>{}", tmpl::EscapeHtml(summary.substr(0, 500)));
  }
  return out + fmt::format("<br>incident {}: {}</li>", incident.id, tmpl::EscapeHtml(StateText(incident)));
}

// The first of them, and how many more there are: of this link, and of the message it came with, for which it
// had no room.
std::string IncidentList(const std::vector<Incident>& incidents, const ActionToken& token) {
  std::string out;
  for (size_t i = 0; i < incidents.size() && i < kIncidentsShown; ++i) {
    out += IncidentItem(incidents[i]);
  }
  if (incidents.size() > kIncidentsShown) {
    out += fmt::format("<li>and {} more</li>", incidents.size() - kIncidentsShown);
  }
  if (token.more > 0) {
    out += fmt::format(
        "<li class=\"warn\">{} more of this message had no room in the link: it leaves them as "
        "they are</li>",
        token.more);
  }
  return out;
}

// The button. `action_url`: a fresh link where the old one speaks of an earlier opening; empty: this one.
std::string Form(TokenAction action, std::string_view action_url) {
  return fmt::format(
      "<form method=\"post\" action=\"{}\"><p><label>Your name<input name=\"by\" maxlength=\"100\" "
      "autocomplete=\"name\"></label></p><p><label>Comment<input name=\"comment\" maxlength=\"1000\">"
      "</label></p><p><button type=\"submit\">{}</button></p></form>",
      tmpl::EscapeHtml(action_url), Question(action));
}

// What was done with this link before: "Acknowledged by Ann at 2026-01-05T09:00:00.000Z"; empty: nothing. Of
// the link itself only a hash is kept: it is a permission.
constexpr const char* kUsedLinks = "link_used";

std::string UseOf(ApiContext& context, const HttpRequest& request, TokenAction action) {
  const std::string key = Sha256Hex(request.PathParam("token"));
  const auto use = context.gate.Read(
      [&](Engine& engine) { return engine.Remembered(kUsedLinks, key, context.clock.Now()); });
  auto json = use ? ParseJson(*use) : Result<Json>(Json());
  if (!json || !json->is_object()) {
    return "";
  }
  return fmt::format("{} by {} at {}.", DoneText(action), json->GetString("by"), json->GetString("at"));
}

void NoteUse(Engine& engine, const HttpRequest& request, const Link& link, const std::string& by,
             Timestamp now, Effects& fx) {
  Json use = Json::MakeObject();
  use.Set("by", by).Set("at", FormatRfc3339Millis(now));
  engine.Remember(kUsedLinks, Sha256Hex(request.PathParam("token")), use.Dump(),
                  std::max(link.token.expires_at - now, Duration::zero()), now, fx);
}

// Would the link change anything about it as it is?
bool IsToDo(TokenAction action, const Incident& incident) {
  if (incident.state == IncidentState::kResolved || IsFeedback(action)) {
    return false;
  }
  return action == TokenAction::kResolve  ? true
         : action == TokenAction::kSnooze ? !IsSnoozed(incident)
                                          : incident.state != IncidentState::kAcknowledged;
}

struct Found {
  std::vector<Incident> incidents;
  bool reopened = false;  // one of them has opened anew since the link was made
};

Found FindTargets(ApiContext& context, const ActionToken& token, const std::vector<Incident>& past) {
  Found out = context.gate.Read([&](Engine& engine) {
    Found live;
    for (const TokenTarget& target : token.targets) {
      if (const Incident* incident = engine.FindIncident(target.id)) {
        live.incidents.push_back(*incident);
        live.reopened = live.reopened || target.generation < incident->opened_generation;
      }
    }
    return live;
  });
  out.incidents.insert(out.incidents.end(), past.begin(), past.end());
  return out;
}

// What the link is about, with a button where there is something to do. `used`: what was done with it; then
// there is something to do only where it is not so any more.
void ShowIncidents(const Link& link, const Found& found, int status, std::string_view title,
                   std::string_view note, std::string_view used, HttpResponse& response) {
  std::string content = note.empty() ? std::string() : fmt::format("<p class=\"warn\">{}</p>", note);
  content += used.empty() ? std::string() : fmt::format("<p>{}</p>", tmpl::EscapeHtml(used));
  content += "<ul>";
  std::vector<TokenTarget> now;
  content += IncidentList(found.incidents, link.token);
  for (const Incident& incident : found.incidents) {
    if (!used.empty() && !IsToDo(link.token.action, incident)) {
      continue;
    }
    if (incident.state != IncidentState::kResolved || IsFeedback(link.token.action)) {
      now.push_back({incident.id, incident.generation});
    }
  }
  content += "</ul>";
  if (!now.empty()) {
    const std::string fresh =
        found.reopened ? link.links.Url(link.token.action, now, link.token.recipient, link.token.more)
                       : std::string();
    content += Form(link.token.action, fresh);
  }
  SetPage(response, status, title, content);
}

constexpr std::string_view kReopened =
    "The incident has opened anew since this message was sent. Look at it as it is now before you act.";

void ShowLink(ApiContext& context, HttpRequest& request, HttpResponse& response) {
  auto link = ReadLink(context, request, response);
  if (!link) {
    return;
  }
  const Found found =
      FindTargets(context, link->token, PastOf(context, link->token.action, link->token.targets));
  const std::string used = UseOf(context, request, link->token.action);
  if (found.incidents.empty()) {
    SetPage(response, 410, "It is over",
            fmt::format("<p>{}</p><p>The incident of this link was resolved a while ago.</p>",
                        tmpl::EscapeHtml(used)));
    return;
  }
  ShowIncidents(*link, found, 200,
                used.empty() ? fmt::format("{}?", Question(link->token.action)) : "This link was used",
                found.reopened ? kReopened : std::string_view(), used, response);
}

// One line of what somebody typed.
std::string Typed(const FormFields& form, std::string_view name, size_t bytes_max) {
  std::string out;
  for (char c : FormField(form, name).substr(0, bytes_max)) {
    out.push_back(static_cast<unsigned char>(c) < ' ' || c == '\x7F' ? ' ' : c);
  }
  out.erase(0, out.find_first_not_of(' '));
  out.erase(out.find_last_not_of(' ') + 1);
  return out;
}

void FollowLink(ApiContext& context, HttpRequest& request, HttpResponse& response) {
  auto link = ReadLink(context, request, response);
  if (!link) {
    return;
  }
  auto form = ParseForm(request.body);
  if (!form) {
    SetPage(response, 400, "Not understood", "<p>Nothing was changed.</p>");
    return;
  }
  const std::vector<Incident> past = PastOf(context, link->token.action, link->token.targets);
  const Found before = FindTargets(context, link->token, past);
  if (before.reopened && !IsFeedback(link->token.action)) {
    ShowIncidents(*link, before, 409, "Nothing was changed", kReopened, "", response);
    return;
  }
  Actor actor{Typed(*form, "by", kActorBytesMax), "link", CallerAddress(request)};
  if (actor.name.empty()) {
    actor.name = link->token.recipient.empty() ? "somebody (link)" : link->token.recipient + " (link)";
  }
  ActedOn acted;
  const uint64_t seq = context.gate.Enter([&](Engine& engine, Timestamp now, Effects& fx) {
    acted = ActOnTargets(engine, link->token.action, link->token.targets, past, actor,
                         Typed(*form, "comment", kCommentBytesMax), "", now, fx);
    if (acted.changed > 0) {
      NoteUse(engine, request, *link, actor.name, now, fx);
    }
  });
  if (acted.incidents.empty()) {
    std::string content = "<p>Nothing was changed.</p><ul>";
    for (const std::string& why : acted.refused) {
      content += fmt::format("<li>{}</li>", tmpl::EscapeHtml(why));
    }
    SetPage(response, 409, "Not possible any more", content + "</ul>");
    return;
  }
  if (Status durable = WaitDurable(context.gate, seq); !durable) {
    SetPage(response, 503, "Done, but not yet safe on disk", "<p>Look again in a minute.</p>");
    return;
  }
  std::string content = fmt::format("<p>by {}</p><ul>", tmpl::EscapeHtml(actor.name));
  content += IncidentList(acted.incidents, link->token);
  for (const std::string& why : acted.refused) {
    content += fmt::format("<li>{}</li>", tmpl::EscapeHtml(why));
  }
  SetPage(response, 200, acted.changed > 0 ? DoneText(link->token.action) : "It was so already",
          content + "</ul>");
}

}  // namespace

void AddActionLinks(HttpRouter& router, ApiContext& context) {
  router.Get("/act/{token}", [&context](HttpRequest& request, HttpResponse& response) {
    ShowLink(context, request, response);
  });
  router.Post(
      "/act/{token}",
      [&context](HttpRequest& request, HttpResponse& response) { FollowLink(context, request, response); },
      {.body_bytes_max = kFormBytesMax});
}

}  // namespace mlalert
