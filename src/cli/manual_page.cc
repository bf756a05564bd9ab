// mlalert(1): what --help prints of each subcommand, and what holds for all of them.
#include <fmt/format.h>

#include "cli/command_tree.h"

namespace mlalert {
namespace {

// A line of text that troff prints as it is.
std::string Text(std::string_view text) {
  std::string out;
  bool line_start = true;
  for (char c : text) {
    if (line_start && (c == '.' || c == '\'')) {
      out += "\\&";
    }
    line_start = c == '\n';
    out += c == '\\' ? "\\e" : c == '-' ? "\\-" : std::string(1, c);
  }
  return out;
}

void AddCommand(const CommandNode& node, std::string& out) {
  std::string usage = node.path;
  for (const auto& argument : node.arguments) {
    usage += " " + argument.value;
  }
  out += fmt::format(".SS {}\n{}.\n", Text(usage), Text(node.help));
  for (const auto& flag : node.flags) {
    std::string names;
    for (const std::string& name : flag.names) {
      names += (names.empty() ? "\\fB" : ", \\fB") + Text(name) + "\\fR";
    }
    out += fmt::format(".TP\n{}{}\n{}\n", names, flag.value.empty() ? "" : " " + Text(flag.value),
                       Text(flag.help));
  }
  if (!node.footer.empty()) {
    out += fmt::format(".PP\n{}\n", Text(node.footer));
  }
  for (const CommandNode& child : node.children) {
    AddCommand(child, out);
  }
}

constexpr std::string_view kTail = R"(.SH SIGNALS
.TP
.B SIGTERM, SIGINT
Takes no more requests, waits for notifications under way and for the disk (up to 10 s), exits 0.
.TP
.B SIGHUP
Reads the configuration again; a bad one changes nothing.
.SH FILES
.TP
.I /etc/mlalert/mlalert.yml
Configuration of the Debian package, a superset of alertmanager.yml.
.TP
.I /etc/default/mlalert
Further flags of the service.
.TP
.I /usr/share/mlalert/rules
Alerting rules for ML platforms.
.TP
.I /var/lib/mlalert/mlalert.db
The SQLite database: a public interface, to be read by any client.
.SH ENVIRONMENT
.TP
.B MLALERT_URL
Where the commands that ask a running mlalert find it (default http://127.0.0.1:9093).
.TP
.B MLALERT_STORAGE_PATH
Where \fBmlalert history\fR finds the database.
.TP
.B NO_COLOR
No colours.
.SH EXIT STATUS
0: fine. 1: it failed. 2: bad input, or a file with errors. 3: there is no such incident.
.SH SEE ALSO
.BR prometheus (1),
.BR prometheus\-alertmanager (1),
.BR amtool (1),
.BR sqlite3 (1)
)";

}  // namespace

std::string ManualPage(const CommandNode& root) {
  std::string out = fmt::format(
      ".TH MLALERT 1 \"\" \"mlalert {}\" \"User Commands\"\n"
      ".SH NAME\nmlalert \\- alerting for ML platforms: rule evaluator, Alertmanager, incident memory\n"
      ".SH SYNOPSIS\n.B mlalert\n.I SUBCOMMAND\n.RI [ FLAG ...]\n"
      ".SH DESCRIPTION\n"
      "Turns Prometheus metrics into few, well\\-routed, escalating notifications. It evaluates Prometheus "
      "alerting rules,\n"
      "behaves as an Alertmanager, and remembers incidents, whose severity rises while nobody acts.\n"
      ".SH COMMANDS\n",
      MLALERT_VERSION);
  for (const CommandNode& child : root.children) {
    AddCommand(child, out);
  }
  return out + std::string(kTail);
}

}  // namespace mlalert
