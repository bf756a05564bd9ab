#include "cli/incidents_command.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <fmt/format.h>
#include <memory>

#include "cli/action_command.h"
#include "cli/incident_text.h"

namespace mlalert {
namespace {

constexpr std::string_view kIncidentsPath = "/api/mlalert/v1/incidents";
constexpr int64_t kPageRows = 1000;  // the API's own limit

struct Listing {
  Json incidents = Json::MakeArray();
  bool more = false;
};

Result<Listing> Fetch(const IncidentsOptions& options) {
  MLALERT_ASSIGN(auto severities, ParseSeverities(options.selection.severities));
  MLALERT_ASSIGN(ApiClient client, Connect(options.server));
  ApiClient::Query fixed;
  auto add = [&](const char* name, const std::string& value) {
    if (!value.empty()) {
      fixed.emplace_back(name, value);
    }
  };
  add("state", options.state == "active" ? "" : options.state);
  add("response", options.response);
  add("model", options.selection.model);
  add("alertname", options.selection.alertname);
  for (Severity severity : severities) {
    add("severity", std::string(ToString(severity)));
  }
  Listing out;
  int64_t before_id = 0;
  int64_t left = options.selection.limit;
  while (left > 0) {
    ApiClient::Query query = fixed;
    query.emplace_back("limit", std::to_string(std::min(left, kPageRows)));
    if (before_id != 0) {
      query.emplace_back("before_id", std::to_string(before_id));
    }
    MLALERT_ASSIGN(Json page, client.Get(kIncidentsPath, query));
    const Json* list = page.Find("incidents");
    if (list == nullptr || !list->is_array()) {
      return Fail(ErrorCode::kUnavailable,
                  "the server's answer holds no list of incidents: is it an mlalert of this version?");
    }
    for (const Json& incident : list->AsArray()) {
      out.incidents.Push(incident);
    }
    left -= static_cast<int64_t>(list->AsArray().size());
    const Json* next = page.Find("next_before_id");
    out.more = next != nullptr && next->is_int();
    if (!out.more || list->AsArray().empty() || next->AsInt() == before_id) {
      break;
    }
    before_id = next->AsInt();
  }
  return out;
}

}  // namespace

int RunIncidentsList(const IncidentsOptions& options, Timestamp now, Console& console) {
  auto listing = Fetch(options);
  if (!listing) {
    return ReportError(console, listing.error());
  }
  if (options.selection.json) {
    Json out = Json::MakeObject();
    out.Set("incidents", std::move(listing->incidents));
    PrintJson(console.out, out);
    return 0;
  }
  if (listing->incidents.AsArray().empty()) {
    std::string_view which = options.state == "all"      ? "no incidents"
                             : options.state == "active" ? "no open or acknowledged incidents"
                                                         : "";
    console.err << (which.empty() ? fmt::format("no {} incidents", options.state) : std::string(which))
                << '\n';
    return 0;
  }
  PrintIncidents(console, listing->incidents, now);
  if (listing->more) {
    console.out.flush();
    console.err << fmt::format("note: the newest {} are shown, there may be more (--limit)\n",
                               options.selection.limit);
  }
  return 0;
}

int RunIncidentsShow(const IncidentsOptions& options, IncidentId id, Timestamp now, Console& console) {
  auto client = Connect(options.server);
  if (!client) {
    return ReportError(console, client.error());
  }
  auto detail = client->Get(fmt::format("{}/{}", kIncidentsPath, id));
  if (!detail) {
    return ReportError(console, detail.error());
  }
  if (options.selection.json) {
    PrintJson(console.out, *detail);
  } else {
    PrintIncident(console, *detail, now);
  }
  return 0;
}

int RunIncidentsWhy(const WhyOptions& options, IncidentId id, Console& console) {
  auto client = Connect(options.server);
  if (!client) {
    return ReportError(console, client.error());
  }
  ApiClient::Query query;
  if (!options.receiver.empty()) {
    query.emplace_back("receiver", options.receiver);
  }
  if (!options.at.empty()) {
    query.emplace_back("at", options.at);
  }
  auto answer = client->Get(fmt::format("{}/{}/why", kIncidentsPath, id), query);
  if (!answer) {
    return ReportError(console, answer.error());
  }
  if (options.json) {
    PrintJson(console.out, *answer);
  } else {
    PrintWhy(console, *answer);
  }
  return 0;
}

void AddIncidentsCommand(CLI::App& app, int& exit_code) {
  auto options = std::make_shared<IncidentsOptions>();
  auto ids = std::make_shared<std::vector<IncidentId>>();
  CLI::App* command = app.add_subcommand("incidents", "Show the incidents of a running mlalert");
  command->footer("Exit codes: 0 fine, 1 mlalert cannot be asked, 2 bad flags, 3 no such incident.");
  auto add_list_flags = [&](CLI::App& target) {
    target.add_option("--state", options->state, "Only these; active: open and acknowledged")
        ->check(CLI::IsMember({"active", "open", "acknowledged", "resolved", "all"}))
        ->option_text("active|open|acknowledged|resolved|all [active]");
    target
        .add_option("--response", options->response, "Only those whose response target is due, met, breached")
        ->check(CLI::IsMember({"due", "met", "breached"}))
        ->option_text("due|met|breached");
    AddSelectionFlags(target, options->selection);
    AddServerFlags(target, options->server);
  };
  auto list = [options, &exit_code] {
    Console console = StandardConsole();
    exit_code = RunIncidentsList(*options, SystemClock().Now(), console);
  };
  add_list_flags(*command);
  CLI::App* list_command = command->add_subcommand("list", "List them, newest first (the default)");
  add_list_flags(*list_command);
  list_command->callback(list);

  CLI::App* show = command->add_subcommand("show", "Show one incident with its timeline");
  AddIncidentIds(*show, *ids, false);
  show->add_flag("--json", options->selection.json, "Print JSON instead");
  AddServerFlags(*show, options->server);
  show->callback([options, ids, &exit_code] {
    Console console = StandardConsole();
    exit_code = RunIncidentsShow(*options, ids->front(), SystemClock().Now(), console);
  });
  auto why_options = std::make_shared<WhyOptions>();
  auto why_ids = std::make_shared<std::vector<IncidentId>>();
  CLI::App* why = command->add_subcommand("why", "Say why somebody heard of an incident, or did not");
  AddIncidentIds(*why, *why_ids, false);
  why->add_option("--receiver", why_options->receiver, "Only this receiver")->option_text("NAME");
  why->add_option("--at", why_options->at, "What was known and decided by then")->option_text("TIME [now]");
  why->add_flag("--json", why_options->json, "Print JSON instead");
  AddServerFlags(*why, why_options->server);
  why->callback([why_options, why_ids, &exit_code] {
    Console console = StandardConsole();
    exit_code = RunIncidentsWhy(*why_options, why_ids->front(), console);
  });
  AddActionCommands(*command, exit_code);
  // The flags of `incidents` itself are those of `incidents list`.
  command->callback([command, list] {
    if (command->get_subcommands().empty()) {
      list();
    }
  });
}

}  // namespace mlalert
