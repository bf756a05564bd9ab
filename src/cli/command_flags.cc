#include "cli/command_flags.h"

#include <CLI/CLI.hpp>
#include <charconv>
#include <cstdlib>
#include <fmt/format.h>
#include <pwd.h>
#include <unistd.h>

namespace mlalert {

std::string EnvironmentOr(const char* name, const std::string& fallback) {
  const char* value = std::getenv(name);
  return value != nullptr && *value != '\0' ? value : fallback;
}

void AddIncidentIds(CLI::App& command, std::vector<IncidentId>& ids, bool several) {
  auto check = [](const std::string& text) -> std::string {
    IncidentId id = 0;
    auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), id);
    bool good = error == std::errc() && end == text.data() + text.size() && id > 0;
    return good ? "" : fmt::format("\"{}\" is not the number of an incident", text);
  };
  command.add_option("ID", ids, several ? "Numbers of the incidents" : "Number of the incident")
      ->required()
      ->expected(1, several ? CLI::detail::expected_max_vector_size : 1)
      ->check(CLI::Validator(check, ""))
      ->option_text(several ? "..." : " ");
}

void AddServerFlags(CLI::App& command, ServerFlags& flags) {
  flags.url = EnvironmentOr("MLALERT_URL", kDefaultApiUrl);
  command
      .add_option("--url", flags.url,
                  "Where mlalert serves, route prefix included; USER:PASSWORD@ may be part of it")
      ->option_text(fmt::format("URL [{}] (env MLALERT_URL)", kDefaultApiUrl));
  command.add_option("--timeout", flags.timeout, "How long to wait for the answer")
      ->option_text("DURATION [15s]");
}

Result<ApiClient> Connect(const ServerFlags& flags) {
  MLALERT_ASSIGN(Duration timeout, PositiveDuration("--timeout", flags.timeout));
  return ApiClient::Open({.url = flags.url, .timeout = timeout});
}

void AddSelectionFlags(CLI::App& command, SelectionFlags& flags) {
  command.add_option("--model", flags.model, "Only this value of the label model")->option_text("NAME");
  command.add_option("--alertname", flags.alertname, "Only this alert")->option_text("NAME");
  command.add_option("--severity", flags.severities, "Only these effective severities, e.g. P0,P1")
      ->delimiter(',')
      ->allow_extra_args(false)
      ->option_text("P0|P1|P2|P3,...");
  command.add_option("--limit", flags.limit, "At most so many rows, the newest ones")
      ->check(CLI::Range(int64_t{1}, kLimitMax))
      ->option_text("N [100]");
  command.add_flag("--json", flags.json, "Print JSON instead of a table");
}

Result<std::vector<Severity>> ParseSeverities(const std::vector<std::string>& words) {
  std::vector<Severity> out;
  for (const std::string& word : words) {
    auto severity = ParseSeverity(word);
    if (!severity) {
      return Fail(Error{ErrorCode::kInvalid,
                        fmt::format("--severity: unknown severity \"{}\"", word),
                        {},
                        "P0, P1, P2 or P3; several with commas between them"});
    }
    out.push_back(*severity);
  }
  return out;
}

Result<Duration> PositiveDuration(std::string_view name, const std::string& text) {
  auto parsed = ParseDuration(text);
  if (!parsed) {
    return Fail(Error{ErrorCode::kInvalid,
                      fmt::format("{}: {}", name, parsed.error().message),
                      {},
                      "write it as 30s, 15m or 2h"});
  }
  if (*parsed <= Duration::zero()) {
    return Fail(ErrorCode::kInvalid, fmt::format("{}: must be more than 0", name));
  }
  return *parsed;
}

std::string CurrentUser() {
  const char* user = std::getenv("USER");
  if (user != nullptr && *user != '\0') {
    return user;
  }
  const passwd* entry = getpwuid(getuid());
  return entry != nullptr && entry->pw_name != nullptr ? entry->pw_name : "";
}

}  // namespace mlalert
