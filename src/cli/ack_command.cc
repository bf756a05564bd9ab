#include "cli/ack_command.h"

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

Result<Json> RequestBody(const AckOptions& options) {
  std::string actor = options.actor.empty() ? CurrentUser() : options.actor;
  if (IsBlank(actor)) {
    return Fail(Error{ErrorCode::kInvalid, "who acts? the environment does not say", {}, "--as NAME"});
  }
  if (options.acknowledge && IsBlank(options.comment)) {
    return Fail(Error{ErrorCode::kInvalid, "--comment is empty", {}, "say what you are doing about it"});
  }
  Json body = Json::MakeObject();
  body.Set("actor", actor).Set("via", "cli");
  if (!options.comment.empty()) {
    body.Set("comment", options.comment);
  }
  if (!options.expires.empty()) {
    MLALERT_TRY(PositiveDuration("--expires", options.expires));
    body.Set("expires_in", options.expires);
  }
  return body;
}

std::string Done(const Json& incident, IncidentId id, bool acknowledge, const std::string& actor) {
  std::string what = fmt::format("incident {} ({}, {})", id, IncidentTitle(incident),
                                 Printable(incident.GetString("severity")));
  if (!acknowledge) {
    return fmt::format("gave back {}: it is {} again", what, Printable(incident.GetString("state")));
  }
  std::string out = fmt::format("acknowledged {} as {}", what, Printable(actor));
  const Json* ack = incident.Find("acknowledgement");
  Timestamp expires = ack != nullptr ? TimeField(*ack, "expires_at") : kUnset;
  return IsSet(expires) ? fmt::format("{} until {}", out, TimeText(expires)) : out;
}

}  // namespace

int RunAck(const AckOptions& options, Console& console) {
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
    auto answer = client->Post(
        fmt::format("/api/mlalert/v1/incidents/{}/{}", id, options.acknowledge ? "ack" : "unack"), *body);
    if (!answer) {
      int failed = ReportError(console, answer.error());
      exit_code = exit_code == 0 ? failed : exit_code;
      continue;
    }
    if (!options.json) {
      console.out << Done(*answer, id, options.acknowledge, body->GetString("actor")) << '\n';
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

namespace {

std::shared_ptr<AckOptions> AddCommonFlags(CLI::App& command, int& exit_code) {
  auto options = std::make_shared<AckOptions>();
  AddIncidentIds(command, options->ids, true);
  command.add_option("--as", options->actor, "Who acts")->option_text("NAME [$USER]");
  command.add_flag("--json", options->json, "Print the incidents as JSON");
  AddServerFlags(command, options->server);
  command.footer(
      "Exit codes: 0 fine, 1 mlalert cannot be asked or refuses, 2 bad flags, 3 no such open incident.");
  command.callback([options, &exit_code] {
    Console console = StandardConsole();
    exit_code = RunAck(*options, console);
  });
  return options;
}

}  // namespace

void AddAckCommand(CLI::App& app, int& exit_code) {
  CLI::App* command = app.add_subcommand(
      "ack", "Acknowledge incidents: their severity stops climbing and nobody is told again");
  auto options = AddCommonFlags(*command, exit_code);
  command->add_option("--comment", options->comment, "What is being done about it")
      ->required()
      ->option_text("TEXT (required)");
  command->add_option("--expires", options->expires, "The acknowledgement ends after so long")
      ->option_text("DURATION [by policy]");
}

void AddUnackCommand(CLI::App& app, int& exit_code) {
  CLI::App* command = app.add_subcommand("unack", "Take acknowledgements back: the clock runs on");
  auto options = AddCommonFlags(*command, exit_code);
  options->acknowledge = false;
  command->add_option("--comment", options->comment, "Why")->option_text("TEXT");
}

}  // namespace mlalert
