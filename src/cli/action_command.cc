#include "cli/action_command.h"

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <memory>

#include "cli/incident_text.h"
#include "cli/time_text.h"

namespace mlalert {
namespace {

bool IsBlank(const std::string& text) {
  return text.find_first_not_of(" \t\r\n") == std::string::npos;
}

Result<Json> RequestBody(const ActionOptions& options) {
  std::string actor = options.actor.empty() ? CurrentUser() : options.actor;
  if (IsBlank(actor)) {
    return Fail(Error{ErrorCode::kInvalid, "who acts? the environment does not say", {}, "--as NAME"});
  }
  if (options.action == "ack" && IsBlank(options.comment)) {
    return Fail(Error{ErrorCode::kInvalid, "--comment is empty", {}, "say what you are doing about it"});
  }
  Json body = Json::MakeObject();
  body.Set("actor", actor).Set("via", "cli");
  if (!options.comment.empty()) {
    body.Set("comment", options.comment);
  }
  const bool reasoned = options.action == "comment" || options.action == "raise" || options.action == "lower";
  if (reasoned && IsBlank(options.comment)) {
    return Fail(ErrorCode::kInvalid,
                options.action == "comment" ? "the comment is empty" : "--reason is empty");
  }
  if (options.action == "ack" && !options.length.empty()) {
    MLALERT_TRY(PositiveDuration("--expires", options.length));
    body.Set("expires_in", options.length);
  } else if (options.action == "snooze") {
    MLALERT_TRY(PositiveDuration("--for", options.length));
    body.Set("for", options.length);
  } else if (options.action == "resolve" && !options.length.empty()) {
    MLALERT_TRY(PositiveDuration("--hold", options.length));
    body.Set("hold_for", options.length);
  } else if (options.action == "assign") {
    body.Set("assignee", options.assignee);
  } else if (options.action == "raise" || options.action == "lower") {
    auto severity = ParseSeverity(options.severity);
    if (!severity) {
      return Fail(Error{ErrorCode::kInvalid,
                        fmt::format("--to {} is not a severity", options.severity),
                        {},
                        "P0, P1, P2 or P3"});
    }
    body.Set("severity", ToString(*severity));
  }
  return body;
}

std::string Acknowledged(const Json& incident, const std::string& what, const std::string& actor) {
  const std::string out = fmt::format("acknowledged {} as {}", what, Printable(actor));
  const Json* ack = incident.Find("acknowledgement");
  const Timestamp expires = ack != nullptr ? TimeField(*ack, "expires_at") : kUnset;
  return IsSet(expires) ? fmt::format("{} until {}", out, TimeText(expires)) : out;
}

std::string Done(const Json& incident, IncidentId id, const ActionOptions& options,
                 const std::string& actor) {
  std::string what = fmt::format("incident {} ({})", id, IncidentTitle(incident));
  const std::string severity = Printable(incident.GetString("severity"));
  if (options.action == "ack" || options.action == "unack") {
    what = fmt::format("incident {} ({}, {})", id, IncidentTitle(incident), severity);
    return options.action == "ack"
               ? Acknowledged(incident, what, actor)
               : fmt::format("gave back {}: it is {} again", what, Printable(incident.GetString("state")));
  }
  const Json* changed = incident.Find("changed");
  std::string already = changed != nullptr && !changed->AsBool() ? " (it was so already)" : "";
  if (options.action == "snooze") {
    return fmt::format("snoozed {} until {}{}", what, TimeText(TimeField(incident, "snoozed_until")),
                       already);
  }
  if (options.action == "comment") {
    return "commented on " + what;
  }
  if (options.action == "assign") {
    return options.assignee.empty()
               ? fmt::format("{} is assigned to nobody{}", what, already)
               : fmt::format("assigned {} to {}{}", what, Printable(options.assignee), already);
  }
  if (options.action == "resolve") {
    Timestamp until = TimeField(incident, "held_until");
    return fmt::format("resolved {}{}{}", what,
                       IsSet(until) ? ": while it fires on it stays so until " + TimeText(until) : "",
                       already);
  }
  return fmt::format("{} is {} now{}", what, severity, already);
}

std::shared_ptr<ActionOptions> AddAction(CLI::App& app, const char* name, const char* help, int& exit_code) {
  CLI::App* command = app.add_subcommand(name, help);
  auto options = std::make_shared<ActionOptions>();
  options->action = name;
  AddIncidentIds(*command, options->ids, true);
  command->add_option("--as", options->actor, "Who acts")->option_text("NAME [$USER]");
  command->add_flag("--json", options->json, "Print the incidents as JSON");
  AddServerFlags(*command, options->server);
  command->footer(
      "Exit codes: 0 fine, 1 mlalert cannot be asked or refuses, 2 bad flags, 3 no such open incident.");
  command->callback([options, &exit_code] {
    Console console = StandardConsole();
    exit_code = RunAction(*options, console);
  });
  return options;
}

}  // namespace

int RunAction(const ActionOptions& options, Console& console) {
  auto body = RequestBody(options);
  if (!body) {
    return ReportError(console, body.error());
  }
  auto client = Connect(options.server);
  if (!client) {
    return ReportError(console, client.error());
  }
  int exit_code = 0;
  Json incidents = Json::MakeArray();
  for (IncidentId id : options.ids) {
    auto answer = client->Post(fmt::format("/api/mlalert/v1/incidents/{}/{}", id, options.action), *body);
    if (!answer) {
      int failed = ReportError(console, answer.error());
      exit_code = exit_code == 0 ? failed : exit_code;
      continue;
    }
    if (!options.json) {
      console.out << Done(*answer, id, options, body->GetString("actor")) << '\n';
    }
    incidents.Push(std::move(*answer));
  }
  if (options.json) {
    Json out = Json::MakeObject();
    out.Set("incidents", std::move(incidents));
    PrintJson(console.out, out);
  }
  return exit_code;
}

void AddActionCommands(CLI::App& app, int& exit_code) {
  auto ack = AddAction(
      app, "ack", "Acknowledge incidents: their severity stops climbing and nobody is told again", exit_code);
  app.get_subcommand("ack")
      ->add_option("--comment", ack->comment, "What is being done about it")
      ->required()
      ->option_text("TEXT (required)");
  app.get_subcommand("ack")
      ->add_option("--expires", ack->length, "The acknowledgement ends after so long")
      ->option_text("DURATION [by policy]");
  auto unack = AddAction(app, "unack", "Take acknowledgements back: the clock runs on", exit_code);
  app.get_subcommand("unack")->add_option("--comment", unack->comment, "Why")->option_text("TEXT");

  auto snooze = AddAction(app, "snooze", "Tell nobody and climb no further for some time", exit_code);
  CLI::App* command = app.get_subcommand("snooze");
  command->add_option("--for", snooze->length, "How long, at most a week")
      ->required()
      ->option_text("DURATION (required)");
  command->add_option("--comment", snooze->comment, "Why")->option_text("TEXT");

  auto comment = AddAction(app, "comment", "Write something into the timeline of incidents", exit_code);
  app.get_subcommand("comment")
      ->add_option("--comment,-m", comment->comment, "What to write")
      ->required()
      ->option_text("TEXT (required)");

  auto assign = AddAction(app, "assign", "Say who works on incidents", exit_code);
  command = app.get_subcommand("assign");
  command->add_option("--to", assign->assignee, "To whom; \"\": to nobody")
      ->required()
      ->option_text("NAME (required)");
  command->add_option("--comment", assign->comment, "Why")->option_text("TEXT");

  for (const char* name : {"raise", "lower"}) {
    auto change =
        AddAction(app, name,
                  std::string_view(name) == "raise" ? "Make incidents more severe: they move to the "
                                                      "receivers of that severity at once"
                                                    : "Make incidents less severe",
                  exit_code);
    command = app.get_subcommand(name);
    command->add_option("--to", change->severity, "The new severity")
        ->required()
        ->option_text("P0|P1|P2|P3 (required)");
    command->add_option("--reason,--comment", change->comment, "Why")
        ->required()
        ->option_text("TEXT (required)");
  }

  auto resolve =
      AddAction(app, "resolve", "Say that incidents are over, though they may still fire", exit_code);
  command = app.get_subcommand("resolve");
  command->add_option("--hold", resolve->length, "While it fires on it stays resolved for so long")
      ->option_text("DURATION [by incidents.resolve_hold]");
  command->add_option("--comment", resolve->comment, "What was done")->option_text("TEXT");
}

}  // namespace mlalert
