#include "cli/version_command.h"

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <memory>

#include "cli/console.h"

#include "storage/migrator.h"

namespace mlalert {
namespace {

#if defined(__x86_64__)
constexpr const char* kMachine = "amd64";
#elif defined(__aarch64__)
constexpr const char* kMachine = "arm64";
#else
constexpr const char* kMachine = "unknown";
#endif

std::string Compiler() {
#if defined(__clang__)
  return fmt::format("clang {}.{}.{}", __clang_major__, __clang_minor__, __clang_patchlevel__);
#else
  return fmt::format("g++ {}.{}.{}", __GNUC__, __GNUC_MINOR__, __GNUC_PATCHLEVEL__);
#endif
}

}  // namespace

Json VersionJson() {
  Json out = Json::MakeObject();
  out.Set("name", "mlalert")
      .Set("version", MLALERT_VERSION)
      .Set("platform", fmt::format("linux/{}", kMachine))
      .Set("compiler", Compiler())
      .Set("database_schema", EmbeddedMigrations().empty() ? 0 : EmbeddedMigrations().back().number);
  return out;
}

std::string VersionText() {
  Json facts = VersionJson();
  return fmt::format(
      "mlalert, version {}\n  platform:        {}\n  compiler:        {}\n  database schema: {}",
      facts.GetString("version"), facts.GetString("platform"), facts.GetString("compiler"),
      facts.Find("database_schema")->AsInt());
}

void AddVersionCommand(CLI::App& app, int& exit_code) {
  auto json = std::make_shared<bool>(false);
  CLI::App* command = app.add_subcommand("version", "Print the version");
  command->add_flag("--json", *json, "Print JSON");
  command->callback([json, &exit_code] {
    Console console = StandardConsole();
    if (*json) {
      PrintJson(console.out, VersionJson());
    } else {
      console.out << VersionText() << '\n';
    }
    exit_code = 0;
  });
}

}  // namespace mlalert
