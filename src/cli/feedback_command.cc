#include "cli/feedback_command.h"

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <memory>

#include "cli/command_flags.h"
#include "cli/console.h"
#include "cli/incident_text.h"
#include "cli/table_printer.h"
#include "cli/time_text.h"

namespace mlalert {
namespace {

struct FeedbackOptions {
  ServerFlags server;
  int64_t id = 0;
  std::string verdict;
  std::string actor;
  std::string comment;
  std::string resolution;
  std::string link;
  bool json = false;
};

void SetIfGiven(Json& body, const char* key, const std::string& value) {
  if (!value.empty()) {
    body.Set(key, value);
  }
}

int RunFeedback(const FeedbackOptions& options, Console& console) {
  const std::string actor = options.actor.empty() ? CurrentUser() : options.actor;
  if (actor.empty()) {
    return ReportError(
        console, Error{ErrorCode::kInvalid, "who speaks? the environment does not say", {}, "--as NAME"});
  }
  auto client = Connect(options.server);
  if (!client) {
    return ReportError(console, client.error());
  }
  Json body = Json::MakeObject();
  body.Set("actor", actor);
  body.Set("verdict", options.verdict);
  SetIfGiven(body, "comment", options.comment);
  SetIfGiven(body, "resolution", options.resolution);
  SetIfGiven(body, "link", options.link);
  auto answer = client->Post(fmt::format("/api/mlalert/v1/incidents/{}/feedback", options.id), body);
  if (!answer) {
    return ReportError(console, answer.error());
  }
  if (options.json) {
    PrintJson(console.out, *answer);
  } else {
    const Json* feedback = answer->Find("feedback");
    console.out << fmt::format("noted: incident {} was \"{}\", says {}\n", options.id,
                               feedback != nullptr ? Printable(feedback->GetString("verdict")) : "?",
                               Printable(actor));
  }
  return 0;
}

struct ChangeOptions {
  ServerFlags server;
  std::string kind, model, pipeline, entity, env, from, to, actor, url, comment, at, id, since;
  int64_t incident = 0;
  int64_t limit = 100;
  bool automatic = false;
  bool json = false;
};

std::string IncidentList(const Json& answer) {
  std::string out;
  if (const Json* incidents = answer.Find("incidents")) {
    for (const Json& id : incidents->AsArray()) {
      out += fmt::format("{}{}", out.empty() ? "" : ", ", id.AsInt());
    }
  }
  return out;
}

int RunAddChange(const ChangeOptions& options, Console& console) {
  auto client = Connect(options.server);
  if (!client) {
    return ReportError(console, client.error());
  }
  Json body = Json::MakeObject();
  body.Set("kind", options.kind);
  SetIfGiven(body, "id", options.id);
  SetIfGiven(body, "model", options.model);
  SetIfGiven(body, "pipeline", options.pipeline);
  SetIfGiven(body, "entity", options.entity);
  SetIfGiven(body, "env", options.env);
  SetIfGiven(body, "from", options.from);
  SetIfGiven(body, "to", options.to);
  SetIfGiven(body, "actor", options.actor.empty() ? CurrentUser() : options.actor);
  SetIfGiven(body, "url", options.url);
  SetIfGiven(body, "comment", options.comment);
  SetIfGiven(body, "at", options.at);
  if (options.automatic) {
    body.Set("automatic", true);
  }
  if (options.incident != 0) {
    body.Set("incident_id", options.incident);
  }
  auto answer = client->Post("/api/mlalert/v1/changes", body);
  if (!answer) {
    return ReportError(console, answer.error());
  }
  if (options.json) {
    PrintJson(console.out, *answer);
    return 0;
  }
  const Json* id = answer->Find("id");
  std::string incidents = IncidentList(*answer);
  console.out << fmt::format("noted: change {} ({}){}\n", id != nullptr ? id->AsInt() : 0,
                             Printable(answer->GetString("kind")),
                             incidents.empty() ? "" : ", beside the incidents " + incidents);
  return 0;
}

int RunListChanges(const ChangeOptions& options, Timestamp now, Console& console) {
  auto client = Connect(options.server);
  if (!client) {
    return ReportError(console, client.error());
  }
  ApiClient::Query query{{"limit", std::to_string(options.limit)}};
  for (const auto& [name, value] :
       {std::pair{"kind", &options.kind}, {"model", &options.model}, {"pipeline", &options.pipeline}}) {
    if (!value->empty()) {
      query.emplace_back(name, *value);
    }
  }
  if (!options.since.empty()) {
    auto at = ParseTimeFlag(options.since, now);
    if (!at) {
      return ReportError(console, at.error());
    }
    query.emplace_back("since", FormatRfc3339Millis(*at));
  }
  auto answer = client->Get("/api/mlalert/v1/changes", query);
  if (!answer) {
    return ReportError(console, answer.error());
  }
  if (options.json) {
    PrintJson(console.out, *answer);
    return 0;
  }
  const Json* changes = answer->Find("changes");
  if (changes == nullptr || changes->AsArray().empty()) {
    console.err << "no changes were reported\n";
    return 0;
  }
  TablePrinter table({{"ID", true},
                      {"AT"},
                      {"KIND"},
                      {"WHAT", false, 40},
                      {"FROM", false, 20},
                      {"TO", false, 20},
                      {"ACTOR", false, 20},
                      {"COMMENT", false, 60}});
  for (const Json& change : changes->AsArray()) {
    std::string what = change.GetString("model");
    for (const char* key : {"pipeline", "entity"}) {
      what += (what.empty() ? "" : " ") + change.GetString(key);
    }
    table.Add({std::to_string(change.Find("id")->AsInt()), TimeText(TimeField(change, "at")),
               change.GetString("kind"), what, change.GetString("from"), change.GetString("to"),
               change.GetString("actor"), change.GetString("comment")});
  }
  table.Print(console.out, console.color);
  return 0;
}

}  // namespace

void AddFeedbackCommand(CLI::App& app, int& exit_code) {
  CLI::App* command = app.add_subcommand("feedback", "Say what an alert was worth");
  auto options = std::make_shared<FeedbackOptions>();
  command->add_option("ID", options->id, "Number of the incident")
      ->required()
      ->check(CLI::Range(int64_t{1}, INT64_MAX));
  command->add_option("VERDICT", options->verdict, "acted, not_actionable, false_alarm or poor_details")
      ->required();
  command->add_option("--comment", options->comment, "What you found")->option_text("TEXT");
  command->add_option("--resolution", options->resolution, "fixed, rolled_back, mitigated or no_action")
      ->option_text("WORD");
  command->add_option("--link", options->link, "Ticket or postmortem")->option_text("URL");
  command->add_option("--as", options->actor, "Who speaks")->option_text("NAME [$USER]");
  command->add_flag("--json", options->json, "Print the answer as JSON");
  AddServerFlags(*command, options->server);
  command->footer(
      "Exit codes: 0 fine, 1 mlalert cannot be asked or refuses, 2 bad flags, 3 no such incident.");
  command->callback([options, &exit_code] {
    Console console = StandardConsole();
    exit_code = RunFeedback(*options, console);
  });
}

void AddChangesCommand(CLI::App& app, int& exit_code) {
  CLI::App* command = app.add_subcommand("changes", "Deploys, rollbacks, retrains: report and list them");
  command->require_subcommand(1);
  auto options = std::make_shared<ChangeOptions>();
  CLI::App* add = command->add_subcommand("add", "Report a change; for CI after a deploy");
  add->add_option("--kind", options->kind, "deploy, rollback, retrain, feature_change, config or backfill")
      ->required()
      ->option_text("KIND (required)");
  add->add_option("--model", options->model, "The model that was changed")->option_text("NAME");
  add->add_option("--pipeline", options->pipeline, "The pipeline that was changed")->option_text("NAME");
  add->add_option("--entity", options->entity, "Its name, when you do not know which of both it is")
      ->option_text("NAME");
  add->add_option("--env", options->env, "Only incidents with this env label")->option_text("NAME");
  add->add_option("--incident", options->incident, "It was made because of this incident")->option_text("ID");
  add->add_option("--from", options->from, "Version before")->option_text("TEXT");
  add->add_option("--to", options->to, "Version after")->option_text("TEXT");
  add->add_option("--link", options->url, "Where to read more")->option_text("URL");
  add->add_option("--comment", options->comment, "What and why")->option_text("TEXT");
  add->add_option("--at", options->at, "When it took effect, RFC 3339")->option_text("TIME [now]");
  add->add_option("--id", options->id, "Your id of it: said twice, it counts once")->option_text("TEXT");
  add->add_flag("--automatic", options->automatic, "On a schedule: no sign that somebody acted");
  add->add_option("--as", options->actor, "Who made it")->option_text("NAME [$USER]");
  add->add_flag("--json", options->json, "Print the answer as JSON");
  AddServerFlags(*add, options->server);
  add->callback([options, &exit_code] {
    Console console = StandardConsole();
    exit_code = RunAddChange(*options, console);
  });
  CLI::App* list = command->add_subcommand("list", "Changes, newest first");
  list->add_option("--kind", options->kind, "Only these")->option_text("KIND");
  list->add_option("--model", options->model, "Only of this model")->option_text("NAME");
  list->add_option("--pipeline", options->pipeline, "Only of this pipeline")->option_text("NAME");
  list->add_option("--since", options->since, "From this time on")->option_text("TIME");
  list->add_option("--limit", options->limit, "At most so many")
      ->check(CLI::Range(1, 1000))
      ->option_text("N [100]");
  list->add_flag("--json", options->json, "Print JSON instead");
  AddServerFlags(*list, options->server);
  list->callback([options, &exit_code] {
    Console console = StandardConsole();
    exit_code = RunListChanges(*options, SystemClock().Now(), console);
  });
}

}  // namespace mlalert
