#include "cli/simulate_command.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <fmt/format.h>
#include <memory>
#include <optional>
#include <set>

#include "cli/table_printer.h"
#include "cli/time_text.h"

#include "api/incident_json.h"
#include "config/config_loader.h"
#include "config/schedules.h"
#include "engine/engine.h"

namespace mlalert {
namespace {

constexpr int kUsageExit = 2;
constexpr size_t kStepsMax =
    200'000;  // timers of one simulation: a config with tiny intervals must end as well

struct Line {
  Timestamp at;
  std::string what;  // "notify" or the type of an event
  std::string receiver;
  std::string detail;
};

Result<ConfigPtr> LoadFor(const std::string& file, Console& console) {
  ConfigPtr config;
  Diagnostics problems = LoadConfigFile(file, config);
  if (config == nullptr) {
    console.err << PrintableLines(problems.ToText());
    return Fail(ErrorCode::kInvalid, fmt::format("{} does not load", file));
  }
  return config;
}

Result<LabelSet> ParseLabels(const std::vector<std::string>& words) {
  std::vector<std::pair<std::string, std::string>> labels;
  for (const std::string& word : words) {
    for (size_t at = 0; at <= word.size();) {
      const size_t end = std::min(word.find(',', at), word.size());
      const std::string one = word.substr(at, end - at);
      const size_t equal = one.find('=');
      if (equal == std::string::npos || equal == 0) {
        return Fail(Error{ErrorCode::kInvalid,
                          fmt::format("--labels: \"{}\" is no name=value", Printable(one)),
                          {},
                          "--labels alertname=Drift,severity=P3"});
      }
      std::string value = one.substr(equal + 1);
      if (value.size() >= 2 && value.front() == '"' && value.back() == '"') {
        value = value.substr(1, value.size() - 2);
      }
      const std::string name = one.substr(0, equal);
      if (std::any_of(labels.begin(), labels.end(), [&](const auto& label) { return label.first == name; })) {
        return Fail(ErrorCode::kInvalid, fmt::format("--labels: \"{}\" is given twice", Printable(name)));
      }
      labels.emplace_back(name, value);
      at = end + 1;
    }
  }
  if (labels.empty()) {
    return Fail(Error{ErrorCode::kInvalid, "--labels is empty", {}, "--labels alertname=Drift,severity=P3"});
  }
  return LabelSet::From(std::move(labels));
}

Result<Duration> OptionalDuration(std::string_view flag, const std::string& text) {
  if (text.empty()) {
    return Duration::max();
  }
  auto parsed = ParseDuration(text);
  if (!parsed) {
    return Fail(ErrorCode::kInvalid, fmt::format("{}: {}", flag, parsed.error().message));
  }
  return *parsed;
}

// The engine and a world in which every receiver answers at once.
class Story {
 public:
  Story(const ConfigPtr& config, Timestamp start) : engine_(config, [] { return 0.5; }), now_(start) {
    Effects fx;
    engine_.Restore({}, now_, fx);
    Drain(fx);
  }

  void RunUntil(Timestamp t) {
    while (engine_.NextDue() <= t && steps_ < kStepsMax) {
      ++steps_;
      now_ = std::max(now_, engine_.NextDue());
      Effects fx;
      engine_.RunDue(now_, fx);
      Drain(fx);
    }
    now_ = std::max(now_, t);
  }

  void Post(const LabelSet& labels, bool firing) {
    std::vector<Label> list;
    for (Label label : labels) {
      list.push_back(label);
    }
    DecodedAlert alert;
    alert.labels = list;
    alert.fingerprint = labels.fingerprint();
    alert.starts_at = now_;
    alert.ends_at = firing ? kNever : now_;
    Effects fx;
    engine_.Ingest({&alert, 1}, now_, fx);
    Drain(fx);
    RunUntil(now_);
  }

  void Acknowledge() {
    IncidentAction action;
    action.incident_id = 1;
    action.actor = {"somebody", "cli", ""};
    Effects fx;
    if (engine_.Act(action, now_, fx)) {
      Drain(fx);
      RunUntil(now_);
    }
  }

  Timestamp now() const { return now_; }
  // What is ahead of its incident, at the end of the story.
  std::vector<PlanStep> Ahead() {
    const Incident* incident = engine_.FindIncident(1);
    return incident != nullptr ? engine_.Plan(*incident, now_) : std::vector<PlanStep>{};
  }
  bool cut() const { return steps_ >= kStepsMax; }
  const std::vector<Line>& lines() const { return lines_; }

 private:
  void Drain(const Effects& fx) {
    for (const Record& record : fx.records) {
      if (const auto* event = std::get_if<EventRecord>(&record)) {
        std::string detail = !event->from_value.empty() && !event->to_value.empty()
                                 ? fmt::format("{} -> {}", event->from_value, event->to_value)
                                 : event->from_value + event->to_value;
        if (!event->reason.empty()) {
          detail += detail.empty() ? event->reason : ": " + event->reason;
        }
        lines_.push_back({event->at, event->type, "", detail});
      }
    }
    for (const NotificationAttempt& attempt : fx.attempts) {
      const Notification& n = *attempt.notification;
      const std::string severity(ToString(n.MaxSeverity()));
      lines_.push_back({now_, "notify", n.receiver->name,
                        fmt::format("{}, {}{}{}", ToString(n.integration.kind), ToString(n.reason),
                                    severity.empty() ? "" : ", ", severity)});
      NotificationOutcome outcome;
      outcome.notification_id = n.id;
      outcome.attempt = attempt.number;
      outcome.verdict = DeliveryVerdict::kSent;
      Effects more;
      engine_.OnOutcome(outcome, now_, more);
      Drain(more);
    }
  }

  Engine engine_;
  Timestamp now_;
  size_t steps_ = 0;
  std::vector<Line> lines_;
};

// "page@15m" (after the beginning) or "page@2026-01-05T09:00:00Z"; a time without seconds is met within its
// minute.
struct Expectation {
  std::string text;
  std::string receiver;
  Timestamp from, until;
};

Result<Expectation> ParseExpectation(const std::string& text, Timestamp start) {
  const size_t at = text.rfind('@');
  auto bad = [&] {
    return Fail(Error{ErrorCode::kInvalid,
                      fmt::format("--expect: \"{}\" is no receiver@time", Printable(text)),
                      {},
                      "--expect page@15m, or page@2026-01-05T09:00:00Z"});
  };
  if (at == std::string::npos || at == 0 || at + 1 == text.size()) {
    return bad();
  }
  Expectation out;
  out.text = text;
  out.receiver = text.substr(0, at);
  std::string when = text.substr(at + 1);
  if (when.front() == '+') {
    when.erase(0, 1);
  }
  if (auto span = ParseDuration(when)) {
    out.from = start + *span;
    out.until = out.from + std::chrono::seconds(1);
  } else if (auto instant = ParseRfc3339(when)) {
    out.from = *instant;
    out.until = out.from + std::chrono::seconds(1);
  } else if (auto minute = ParseRfc3339(when + ":00Z")) {
    out.from = *minute;
    out.until = out.from + std::chrono::minutes(1);
  } else {
    return bad();
  }
  return out;
}

std::string_view WhatComes(PlanStep::Kind kind) {
  switch (kind) {
    case PlanStep::Kind::kRaise:
      return "raised";
    case PlanStep::Kind::kEscalate:
      return "escalated";
    case PlanStep::Kind::kFallback:
      return "chain_exhausted";
    case PlanStep::Kind::kNotify:
      return "notify";
  }
  return "";
}

void PrintAhead(const std::vector<PlanStep>& plan, Timestamp start, Console& console) {
  if (plan.empty()) {
    return;
  }
  console.out << "\nahead, if nobody acts:\n";
  TablePrinter table({{"TIME"}, {"AFTER", true}, {"WHAT"}, {"RECEIVER"}, {"DETAIL", false, 100}});
  for (const PlanStep& step : plan) {
    const bool timed = IsSet(step.at);
    std::string detail(ToString(step.severity));
    if (!step.why.empty()) {
      detail += (detail.empty() ? "" : ": ") + step.why;
    }
    table.Add({timed ? TimeText(step.at) : "", timed ? FormatDuration(step.at - start) : "",
               std::string(WhatComes(step.kind)), fmt::format("{}", fmt::join(step.receivers, ", ")),
               detail});
  }
  table.Print(console.out, console.color);
}

void PrintLines(Story& story, Timestamp start, const SimulateOptions& options, Console& console) {
  if (options.json) {
    Json list = Json::MakeArray();
    for (const Line& line : story.lines()) {
      Json one = Json::MakeObject();
      one.Set("at", FormatRfc3339Millis(line.at)).Set("after_seconds", ToSeconds(line.at - start));
      one.Set("what", line.what).Set("receiver", line.receiver).Set("detail", line.detail);
      list.Push(std::move(one));
    }
    Json out = Json::MakeObject();
    out.Set("timeline", std::move(list)).Set("plan", PlanToJson(story.Ahead()));
    PrintJson(console.out, out);
    return;
  }
  TablePrinter table({{"TIME"}, {"AFTER", true}, {"WHAT"}, {"RECEIVER"}, {"DETAIL", false, 100}});
  for (const Line& line : story.lines()) {
    table.Add({TimeText(line.at), FormatDuration(line.at - start), line.what, line.receiver, line.detail});
  }
  table.Print(console.out, console.color);
  PrintAhead(story.Ahead(), start, console);
}

Json NamesJson(const std::vector<std::string>& names) {
  Json list = Json::MakeArray();
  for (const std::string& name : names) {
    list.Push(Json(name));
  }
  return list;
}

// What asks for a moment that is not simulated is a mistake, and no expectation that fails.
Status CheckMoments(const std::vector<Expectation>& expected, Timestamp start, Duration length,
                    Duration ack_after, Duration resolve_after) {
  const std::string hint = fmt::format("--for {} is where it ends", FormatDuration(length));
  for (const auto& [flag, after] :
       {std::pair{"--ack-after", ack_after}, std::pair{"--resolve-after", resolve_after}}) {
    if (after != Duration::max() && after > length) {
      return Fail(Error{ErrorCode::kInvalid,
                        fmt::format("{} {}: that is not simulated", flag, FormatDuration(after)),
                        {},
                        hint});
    }
  }
  if (ack_after != Duration::max() && ack_after > resolve_after) {
    return Fail(ErrorCode::kInvalid,
                fmt::format("--ack-after {}: it is resolved before", FormatDuration(ack_after)));
  }
  for (const Expectation& one : expected) {
    if (one.from > start + length || one.until <= start) {
      return Fail(
          Error{ErrorCode::kInvalid,
                fmt::format("--expect {}: {} is not simulated", Printable(one.text), TimeText(one.from)),
                {},
                one.until <= start ? fmt::format("it begins at {}", TimeText(start)) : hint});
    }
  }
  return {};
}

// When the receiver does hear something: "page hears at +5m, +1h".
std::string HeardInstead(const Story& story, const std::string& receiver, Timestamp start) {
  constexpr size_t kMomentsMax = 8;
  std::vector<std::string> moments;
  Timestamp last = kUnset;
  for (const Line& line : story.lines()) {
    if (line.what != "notify" || line.receiver != receiver || line.at == last) {
      continue;
    }
    last = line.at;
    if (moments.size() == kMomentsMax) {
      moments.emplace_back("...");
      break;
    }
    moments.push_back("+" + FormatDuration(line.at - start));
  }
  return moments.empty() ? fmt::format("{} hears nothing at all", Printable(receiver))
                         : fmt::format("{} hears at {}", Printable(receiver), fmt::join(moments, ", "));
}

int Usage(Console& console, const Error& error) {
  ReportError(console, error);
  return kUsageExit;
}

}  // namespace

int RunSimulate(const SimulateOptions& options, Timestamp now, Console& console) {
  auto labels = ParseLabels(options.labels);
  if (!labels) {
    return Usage(console, labels.error());
  }
  Timestamp start = now;
  if (!options.from.empty()) {
    auto from = ParseTimeFlag(options.from, now);
    if (!from) {
      return Usage(console, from.error());
    }
    start = *from;
  }
  auto length = OptionalDuration("--for", options.length);
  auto resolve_after = OptionalDuration("--resolve-after", options.resolve_after);
  auto ack_after = OptionalDuration("--ack-after", options.ack_after);
  for (const auto* one : {&length, &resolve_after, &ack_after}) {
    if (!*one) {
      return Usage(console, one->error());
    }
  }
  std::vector<Expectation> expected;
  for (const std::string& text : options.expect) {
    auto one = ParseExpectation(text, start);
    if (!one) {
      return Usage(console, one.error());
    }
    expected.push_back(std::move(*one));
  }
  auto config = LoadFor(options.config_file, console);
  if (!config) {
    return Usage(console, config.error());
  }
  for (const Expectation& one : expected) {
    if ((*config)->FindReceiver(one.receiver) == nullptr) {
      const auto& schedules = (*config)->schedules;
      const bool schedule = schedules != nullptr && schedules->Find(one.receiver) != nullptr;
      Error unknown{ErrorCode::kInvalid,
                    fmt::format("--expect: the config has no receiver \"{}\"", Printable(one.receiver))};
      unknown.hint = schedule ? "it is a schedule: name the receiver that is on call then" : "";
      return Usage(console, unknown);
    }
  }
  if (Status moments = CheckMoments(expected, start, *length, *ack_after, *resolve_after); !moments) {
    return Usage(console, moments.error());
  }
  Story story(*config, start);
  story.RunUntil(start);
  story.Post(*labels, true);
  if (*ack_after != Duration::max()) {
    story.RunUntil(start + *ack_after);
    story.Acknowledge();
  }
  if (*resolve_after != Duration::max()) {
    story.RunUntil(start + *resolve_after);
    story.Post(*labels, false);
  }
  story.RunUntil(start + *length);
  PrintLines(story, start, options, console);
  if (story.cut()) {
    console.err << "note: too much happens; the simulation was cut short\n";
  }
  int exit_code = 0;
  for (const Expectation& one : expected) {
    const bool met = std::any_of(story.lines().begin(), story.lines().end(), [&](const Line& line) {
      return line.what == "notify" && line.receiver == one.receiver && line.at >= one.from &&
             line.at < one.until;
    });
    if (!met) {
      console.out.flush();
      console.err << fmt::format("not as expected: {} hears nothing at {} (+{}); {}\n",
                                 Printable(one.receiver), TimeText(one.from),
                                 FormatDuration(one.from - start), HeardInstead(story, one.receiver, start));
      exit_code = 1;
    }
  }
  return exit_code;
}

int RunSimulateOnCall(const OnCallOptions& options, Timestamp now, Console& console) {
  Timestamp at = now;
  if (!options.at.empty()) {
    auto parsed = ParseTimeFlag(options.at, now);
    if (!parsed) {
      return Usage(console, parsed.error());
    }
    at = *parsed;
  }
  auto config = LoadFor(options.config_file, console);
  if (!config) {
    return Usage(console, config.error());
  }
  static const Schedules kNone;
  const Schedules& schedules = (*config)->schedules != nullptr ? *(*config)->schedules : kNone;
  if (!options.schedule.empty() && schedules.Find(options.schedule) == nullptr) {
    return Usage(console, Error{ErrorCode::kNotFound,
                                fmt::format("there is no schedule {}", Printable(options.schedule)),
                                {},
                                ""});
  }
  Json list = Json::MakeArray();
  TablePrinter table({{"SCHEDULE"}, {"ON CALL"}, {"UNTIL"}, {"THEN"}});
  bool hole = false;
  for (const Schedule& schedule : schedules.all()) {
    if (!options.schedule.empty() && schedule.name() != options.schedule) {
      continue;
    }
    const std::vector<std::string> on_call = schedule.OnCall(at);
    hole = hole || on_call.empty();
    // Changes that change nobody are passed over.
    Timestamp until = schedule.NextChange(at);
    for (int i = 0; i < 1000 && until != kNever && schedule.OnCall(until) == on_call; ++i) {
      until = schedule.NextChange(until);
    }
    const std::vector<std::string> then = until != kNever ? schedule.OnCall(until) : on_call;
    const std::string who = on_call.empty() ? "nobody" : fmt::format("{}", fmt::join(on_call, ", "));
    table.Add({schedule.name(), Cell(who, on_call.empty() ? CellColor::kRed : CellColor::kNone),
               until == kNever ? "" : TimeText(until),
               until == kNever ? ""
               : then.empty()  ? std::string("nobody")
                               : fmt::format("{}", fmt::join(then, ", "))});
    Json one = Json::MakeObject();
    one.Set("schedule", schedule.name()).Set("on_call", NamesJson(on_call));
    one.Set("until", until == kNever ? Json() : Json(FormatRfc3339Millis(until)));
    one.Set("then", until == kNever ? Json() : NamesJson(then));
    list.Push(std::move(one));
  }
  if (options.json) {
    Json out = Json::MakeObject();
    out.Set("at", FormatRfc3339Millis(at)).Set("schedules", std::move(list));
    PrintJson(console.out, out);
  } else if (table.rows() == 0) {
    console.err << "the config has no schedules\n";
  } else {
    table.Print(console.out, console.color);
  }
  return hole ? 1 : 0;
}

void AddSimulateCommand(CLI::App& app, int& exit_code) {
  auto options = std::make_shared<SimulateOptions>();
  options->config_file = "mlalert.yml";
  CLI::App* command = app.add_subcommand("simulate", "Show what would happen to an alert under a config");
  command->add_option("--config.file", options->config_file, "The config")->option_text("FILE [mlalert.yml]");
  command->add_option("--labels", options->labels, "Labels of the alert; repeatable")
      ->option_text("K=V,... (required)");
  command->add_option("--from", options->from, "When it begins to fire")->option_text("TIME [now]");
  command->add_option("--for", options->length, "How long to look")->option_text("DURATION [2h]");
  command->add_option("--resolve-after", options->resolve_after, "It resolves then")
      ->option_text("DURATION [never]");
  command->add_option("--ack-after", options->ack_after, "Somebody acknowledges it then")
      ->option_text("DURATION [never]");
  command
      ->add_option("--expect", options->expect, "Fail unless this receiver hears something then; repeatable")
      ->option_text("RECEIVER@TIME");
  command->add_flag("--json", options->json, "Print JSON");
  command->footer("Exit codes: 0 as expected, 1 an expectation does not hold, 2 bad flags or config.");
  command->require_subcommand(0, 1);

  auto on_call = std::make_shared<OnCallOptions>();
  on_call->config_file = "mlalert.yml";
  CLI::App* who = command->add_subcommand("oncall", "Show who is on call");
  who->add_option("--config.file", on_call->config_file, "The config")->option_text("FILE [mlalert.yml]");
  who->add_option("--at", on_call->at, "At this time")->option_text("TIME [now]");
  who->add_option("--schedule", on_call->schedule, "Only this schedule")->option_text("NAME");
  who->add_flag("--json", on_call->json, "Print JSON");
  who->footer("Exit codes: 0 fine, 1 nobody is on call in one of them, 2 bad flags or config.");
  who->callback([on_call, &exit_code] {
    Console console = StandardConsole();
    exit_code = RunSimulateOnCall(*on_call, SystemClock().Now(), console);
  });
  command->callback([command, options, &exit_code] {
    if (!command->get_subcommands().empty()) {
      return;
    }
    Console console = StandardConsole();
    exit_code = RunSimulate(*options, SystemClock().Now(), console);
  });
}

}  // namespace mlalert
