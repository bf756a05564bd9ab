#include "cli/command_tree.h"

#include <CLI/CLI.hpp>

namespace mlalert {
namespace {

CommandNode Read(const CLI::App& app, const std::string& parent) {
  CommandNode out;
  out.name = app.get_name();
  out.path = parent.empty() ? out.name : parent + " " + out.name;
  out.help = app.get_description();
  out.footer = app.get_footer();
  for (const CLI::Option* option : app.get_options()) {
    CommandNode::Flag flag;
    flag.help = option->get_description();
    if (option->get_positional()) {
      flag.value = option->get_name(true) + option->get_option_text();
      out.arguments.push_back(std::move(flag));
      continue;
    }
    for (const std::string& name : option->get_lnames()) {
      flag.names.push_back("--" + name);
    }
    for (const std::string& name : option->get_snames()) {
      flag.names.push_back("-" + name);
    }
    if (option->get_items_expected_max() > 0) {
      flag.value = option->get_option_text().empty() ? "VALUE" : option->get_option_text();
    }
    if (!flag.names.empty()) {
      out.flags.push_back(std::move(flag));
    }
  }
  for (const CLI::App* child : app.get_subcommands({})) {
    out.children.push_back(Read(*child, out.path));
  }
  return out;
}

}  // namespace

CommandNode ReadCommandTree(const CLI::App& app) {
  return Read(app, "");
}

}  // namespace mlalert
