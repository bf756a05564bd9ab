#include "cli/incident_text.h"

#include <algorithm>
#include <fmt/format.h>
#include <vector>

#include "cli/table_printer.h"
#include "cli/time_text.h"

namespace mlalert {
namespace {

// Free text beside other columns; --json has all of it.
constexpr size_t kNoteWidth = 72;
constexpr size_t kNameWidth = 44;

std::string NumberField(const Json& object, std::string_view key) {
  const Json* value = object.Find(key);
  return value != nullptr && value->is_int() ? std::to_string(value->AsInt()) : "";
}

const Json& ObjectField(const Json& object, std::string_view key) {
  static const Json kNothing;
  const Json* value = object.Find(key);
  return value != nullptr ? *value : kNothing;
}

const std::string& Subject(const Json& object) {
  const std::string& model = object.GetString("model");
  return model.empty() ? object.GetString("pipeline") : model;
}

Cell SeverityCell(const Json& object) {
  const std::string& text = object.GetString("severity");
  return {text, ColorOf(SeverityFromLabel(text))};
}

Cell StateCell(const std::string& state) {
  return {state, state == "resolved" ? CellColor::kGreen : CellColor::kNone};
}

// "in 12m", or "3m ago".
std::string Distance(Timestamp t, Timestamp now) {
  return t >= now ? "in " + SpanText(t - now) : SpanText(now - t) + " ago";
}

std::string AckText(const Json& ack) {
  std::string out = "by " + ack.GetString("actor");
  if (Timestamp expires = TimeField(ack, "expires_at"); IsSet(expires)) {
    out += " until " + TimeText(expires);
  }
  return out;
}

// What a person wants to know next about it.
std::string Note(const Json& incident, Timestamp now) {
  const std::string& state = incident.GetString("state");
  if (state == "resolved") {
    const std::string& reason = incident.GetString("resolve_reason");
    return reason == "timeout"  ? "its sender went silent"
           : reason == "manual" ? "by hand: " + incident.GetString("resolved_by")
                                : "";
  }
  if (Timestamp until = TimeField(incident, "snoozed_until"); IsSet(until)) {
    return fmt::format("snoozed by {} until {}", incident.GetString("snoozed_by"), TimeText(until));
  }
  if (const Json& ack = ObjectField(incident, "acknowledgement"); ack.is_object()) {
    return AckText(ack);
  }
  if (Timestamp next = TimeField(incident, "next_severity_at"); IsSet(next)) {
    return "next rung " + Distance(next, now);
  }
  return "";
}

Timestamp EndOf(const Json& incident, Timestamp now) {
  Timestamp resolved = TimeField(incident, "resolved_at");
  return IsSet(resolved) ? resolved : now;
}

std::string LastedText(const Json& incident, Timestamp now) {
  Timestamp opened = TimeField(incident, "opened_at");
  return IsSet(opened) ? SpanText(EndOf(incident, now) - opened) : "";
}

// "P3 -> P2: nobody acted", as far as there is any of it.
std::string EventDetail(const Json& event) {
  const std::string& from = event.GetString("from");
  const std::string& to = event.GetString("to");
  const bool taken_back = to.empty() && !from.empty() && event.GetString("type") == "assigned";
  std::string out = taken_back                     ? from + " -> nobody"
                    : !from.empty() && !to.empty() ? from + " -> " + to
                                                   : from + to;
  std::string reason = event.GetString("reason");
  if (const Json& data = ObjectField(event, "data"); reason.empty() && !data.GetString("policy").empty()) {
    reason = fmt::format("policy {}", data.GetString("policy"));
    const char* separator = ", to ";
    for (const Json& receiver : ObjectField(data, "receivers").AsArray()) {
      reason += separator + receiver.AsString();
      separator = ", ";
    }
  }
  return out.empty() || reason.empty() ? out + reason : out + ": " + reason;
}

std::string EventActor(const Json& event) {
  const std::string& actor = event.GetString("actor");
  return actor.empty() ? event.GetString("actor_kind") : actor;
}

std::string ReceiverText(const Json& notification) {
  const std::string& receiver = notification.GetString("receiver");
  const std::string& integration = notification.GetString("integration");
  return integration.empty() ? receiver : fmt::format("{}/{}", receiver, integration);
}

std::string ResultText(const Json& notification) {
  std::string out = notification.GetString("outcome");
  if (std::string status = NumberField(notification, "http_status"); !status.empty()) {
    out += " " + status;
  }
  if (std::string attempt = NumberField(notification, "attempt"); !attempt.empty() && attempt != "1") {
    out += ", attempt " + attempt;
  }
  const std::string& error = notification.GetString("error");
  return error.empty() ? out : out + ": " + error;
}

CellColor OutcomeColor(const Json& notification) {
  const std::string& outcome = notification.GetString("outcome");
  return outcome == "failed"     ? CellColor::kRed
         : outcome == "retrying" ? CellColor::kYellow
                                 : CellColor::kNone;
}

// Name and value lines of the head of one incident.
class Head {
 public:
  explicit Head(Console& console) : console_(console) {}
  void Line(std::string_view name, std::string_view value) {
    if (!value.empty()) {
      console_.out << fmt::format("  {:<13} {}\n", name, value);
    }
  }

 private:
  Console& console_;
};

std::string SeverityText(const Console& console, const Json& incident) {
  Cell cell = SeverityCell(incident);
  if (cell.text.empty()) {
    return "none";
  }
  std::string out = Colored(Printable(cell.text), cell.color, console.color);
  std::string parts;
  for (auto [key, name] : {std::pair{"base_severity", "base"}, std::pair{"ladder_severity", "by age"}}) {
    if (const std::string& part = incident.GetString(key); !part.empty()) {
      parts += fmt::format("{}{} {}", parts.empty() ? "" : ", ", name, Printable(part));
    }
  }
  return parts.empty() ? out : fmt::format("{} ({})", out, parts);
}

std::string Moment(const Json& object, std::string_view key, Timestamp now) {
  Timestamp t = TimeField(object, key);
  return IsSet(t) ? fmt::format("{} ({})", TimeText(t), Distance(t, now)) : "";
}

// "P1 2026-11-23T12:30:00Z (in 30m) to page"; what waits says for what.
void PrintPlan(Head& head, const Json& incident, Timestamp now) {
  std::string_view title = "next";
  for (const Json& step : ObjectField(incident, "plan").AsArray()) {
    std::string receivers;
    for (const Json& receiver : ObjectField(step, "receivers").AsArray()) {
      receivers += fmt::format("{}{}", receivers.empty() ? "" : ", ", receiver.AsString());
    }
    const std::string& kind = step.GetString("kind");
    const std::string what = kind == "raise"    ? "raised to " + step.GetString("severity")
                             : kind == "notify" ? std::string("told for the first time")
                             : kind == "fallback"
                                 ? std::string("fallback of the chain")
                                 : fmt::format("step {} of the chain", NumberField(step, "step"));
    const std::string when = Moment(step, "at", now);
    const std::string& why = step.GetString("why");
    head.Line(title, fmt::format("{}{}{}{}{}", when.empty() ? "" : when + " ", Printable(what),
                                 receivers.empty() ? "" : ": ", Printable(receivers),
                                 why.empty() ? "" : fmt::format(" ({})", Printable(why))));
    title = "";
  }
}

void PrintHead(Console& console, const Json& incident, Timestamp now) {
  console.out << fmt::format("Incident {}: {}\n", NumberField(incident, "id"), IncidentTitle(incident));
  Head head(console);
  head.Line("state", Printable(incident.GetString("state")));
  head.Line("severity", SeverityText(console, incident));
  head.Line("opened", Moment(incident, "opened_at", now));
  head.Line("last fired", Moment(incident, "last_fired_at", now));
  head.Line("resolved", Moment(incident, "resolved_at", now));
  head.Line("lasted", LastedText(incident, now));
  PrintPlan(head, incident, now);
  if (const Json& response = ObjectField(incident, "response"); response.is_object()) {
    const std::string& state = response.GetString("state");
    head.Line("response", state == "met"
                              ? fmt::format("in time: {}, due {}", Moment(response, "responded_at", now),
                                            TimeText(TimeField(response, "due_at")))
                              : fmt::format("{}, due {}", Printable(state), Moment(response, "due_at", now)));
  }
  if (const Json& ack = ObjectField(incident, "acknowledgement"); ack.is_object()) {
    const std::string& comment = ack.GetString("comment");
    head.Line("acknowledged",
              fmt::format("{} {}{}{}", TimeText(TimeField(ack, "at")), Printable(AckText(ack)),
                          comment.empty() ? "" : ": ", Printable(comment)));
  }
  head.Line("assigned to", Printable(incident.GetString("assignee")));
  if (!incident.GetString("snoozed_until").empty()) {
    head.Line("snoozed", fmt::format("by {} until {}", Printable(incident.GetString("snoozed_by")),
                                     Moment(incident, "snoozed_until", now)));
  }
  if (const std::string& by = incident.GetString("resolved_by"); !by.empty()) {
    head.Line("by hand", fmt::format("{}; while it fires on it stays so until {}", Printable(by),
                                     Moment(incident, "held_until", now)));
  }
  head.Line("notified", Moment(incident, "last_notified_at", now));
  head.Line("policy", Printable(ObjectField(incident, "policy").GetString("name")));
  if (std::string reopened = NumberField(incident, "reopen_count"); !reopened.empty() && reopened != "0") {
    head.Line("reopened", reopened == "1" ? "once" : reopened + " times");
  }
  for (const char* section : {"labels", "annotations"}) {
    std::string_view title = section;
    for (const auto& [name, value] : ObjectField(incident, section).AsObject()) {
      console.out << fmt::format("  {:<13} {}: {}\n", title, Printable(name), Printable(value.AsString()));
      title = "";
    }
  }
}

struct Moments {
  Timestamp at;
  std::vector<Cell> cells;
};

void PrintTimeline(Console& console, const Json& detail) {
  std::vector<Moments> rows;
  for (const Json& event : ObjectField(detail, "events").AsArray()) {
    Timestamp at = TimeField(event, "at");
    rows.push_back({at, {TimeText(at), event.GetString("type"), EventActor(event), EventDetail(event)}});
  }
  for (const Json& notification : ObjectField(detail, "notifications").AsArray()) {
    Timestamp at = TimeField(notification, "at");
    const std::string& what = notification.GetString("reason");
    rows.push_back(
        {at,
         {TimeText(at),
          "notification",
          ReceiverText(notification),
          {ResultText(notification) + (what.empty() ? "" : " (" + what + ")"), OutcomeColor(notification)}}});
  }
  for (const Json& mute : ObjectField(detail, "mutes").AsArray()) {
    const Timestamp at = TimeField(mute, "started_at");
    const Timestamp ended_at = TimeField(mute, "ended_at");
    rows.push_back({at,
                    {TimeText(at), mute.GetString("kind"), mute.GetString("receiver"),
                     fmt::format("by {}{}", Printable(mute.GetString("by")),
                                 IsSet(ended_at) ? fmt::format(" until {} ({})", TimeText(ended_at),
                                                               mute.GetString("end_reason"))
                                                 : std::string())}});
  }
  if (rows.empty()) {
    return;
  }
  // Stable: of one instant the transition stands before the notification it caused.
  std::stable_sort(rows.begin(), rows.end(), [](const Moments& a, const Moments& b) { return a.at < b.at; });
  TablePrinter table({{"TIME"}, {"WHAT"}, {"WHO", false, kNameWidth}, {"DETAIL"}});
  for (Moments& row : rows) {
    table.Add(std::move(row.cells));
  }
  console.out << '\n';
  table.Print(console.out, console.color);
}

}  // namespace

Timestamp TimeField(const Json& object, std::string_view key) {
  auto parsed = ParseRfc3339(object.GetString(key));
  return parsed ? *parsed : kUnset;
}

std::string IncidentTitle(const Json& incident) {
  const std::string& name = incident.GetString("alertname");
  const std::string& subject = Subject(incident);
  return Printable(name.empty() ? "(no alertname)" : name) +
         (subject.empty() ? "" : " " + Printable(subject));
}

void PrintIncidents(Console& console, const Json& incidents, Timestamp now) {
  TablePrinter table({{"ID", true},
                      {"SEVERITY"},
                      {"STATE"},
                      {"ALERT", false, kNameWidth},
                      {"MODEL/PIPELINE", false, kNameWidth},
                      {"OPENED"},
                      {"LASTED"},
                      {"NOTE", false, kNoteWidth}});
  for (const Json& incident : incidents.AsArray()) {
    table.Add({NumberField(incident, "id"), SeverityCell(incident), StateCell(incident.GetString("state")),
               incident.GetString("alertname"), Subject(incident), TimeText(TimeField(incident, "opened_at")),
               LastedText(incident, now), Note(incident, now)});
  }
  table.Print(console.out, console.color);
}

void PrintIncident(Console& console, const Json& detail, Timestamp now) {
  PrintHead(console, detail, now);
  PrintTimeline(console, detail);
  if (const std::string& error = detail.GetString("history_error"); !error.empty()) {
    console.err << "note: its history cannot be read now: " << Printable(error) << '\n';
  }
}

void PrintWhy(Console& console, const Json& why) {
  Json timeline = Json::MakeObject();
  for (const char* key : {"events", "notifications", "mutes"}) {
    timeline.Set(key, ObjectField(why, key));
  }
  if (const std::string& note = why.GetString("note"); !note.empty()) {
    console.out << Printable(note) << '\n';
  }
  const Json& steps = ObjectField(why, "now");
  if (steps.is_array() && !steps.AsArray().empty()) {
    TablePrinter table({{"WHAT"}, {"RECEIVER", false, kNameWidth}, {"HOLDS BACK"}, {"NOW"}, {"CONFIG"}});
    for (const Json& step : steps.AsArray()) {
      const Json* holds = step.Find("holds_back");
      table.Add({step.GetString("what"), step.GetString("receiver"),
                 holds != nullptr && holds->AsBool() ? Cell("yes", CellColor::kYellow) : Cell(""),
                 step.GetString("text"), step.GetString("config")});
    }
    table.Print(console.out, console.color);
  }
  PrintTimeline(console, timeline);
}

void PrintEvents(Console& console, const Json& events) {
  TablePrinter table({{"TIME"},
                      {"INCIDENT", true},
                      {"ALERT", false, kNameWidth},
                      {"MODEL/PIPELINE", false, kNameWidth},
                      {"EVENT"},
                      {"WHO", false, kNameWidth},
                      {"DETAIL", false, kNoteWidth}});
  for (const Json& event : events.AsArray()) {
    table.Add({TimeText(TimeField(event, "at")), NumberField(event, "incident_id"),
               event.GetString("alertname"), Subject(event), event.GetString("type"), EventActor(event),
               EventDetail(event)});
  }
  table.Print(console.out, console.color);
}

void PrintNotifications(Console& console, const Json& notifications) {
  TablePrinter table({{"TIME"},
                      {"RECEIVER", false, kNameWidth},
                      {"SEVERITY"},
                      {"FIRING", true},
                      {"RESOLVED", true},
                      {"WHY"},
                      {"INCIDENTS", false, 24},
                      {"TOOK", true},
                      {"RESULT", false, kNoteWidth}});
  for (const Json& one : notifications.AsArray()) {
    std::string incidents;
    for (const Json& id : ObjectField(one, "incidents").AsArray()) {
      incidents += fmt::format("{}{}", incidents.empty() ? "" : ",", id.AsInt());
    }
    std::string took = NumberField(one, "latency_ms");
    table.Add({TimeText(TimeField(one, "at")),
               ReceiverText(one),
               SeverityCell(one),
               NumberField(one, "firing"),
               NumberField(one, "resolved"),
               one.GetString("reason"),
               incidents,
               took.empty() ? took : took + "ms",
               {ResultText(one), OutcomeColor(one)}});
  }
  table.Print(console.out, console.color);
}

}  // namespace mlalert
