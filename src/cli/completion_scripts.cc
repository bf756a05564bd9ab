// Completions: which subcommand has been typed decides which words may follow; the values of flags are files.
#include <fmt/format.h>
#include <functional>

#include "cli/command_tree.h"

namespace mlalert {
namespace {

void ForEach(const CommandNode& node, const std::function<void(const CommandNode&)>& act) {
  act(node);
  for (const CommandNode& child : node.children) {
    ForEach(child, act);
  }
}

// `case` arms that follow the words already typed from subcommand to subcommand.
std::string Steps(const CommandNode& root, std::string_view variable) {
  std::string out;
  ForEach(root, [&](const CommandNode& node) {
    for (const CommandNode& child : node.children) {
      out += fmt::format("      '{}') {}='{}' ;;\n", child.path, variable, child.path);
    }
  });
  return out;
}

// In single quotes of a shell.
std::string Quoted(std::string_view text) {
  std::string out = "'";
  for (char c : text) {
    out += c == '\'' ? std::string("'\\''") : std::string(1, c);
  }
  return out + "'";
}

}  // namespace

std::string BashCompletion(const CommandNode& root) {
  std::string words;
  ForEach(root, [&](const CommandNode& node) {
    std::string list;
    for (const CommandNode& child : node.children) {
      list += child.name + " ";
    }
    for (const auto& flag : node.flags) {
      list += flag.names.front() + " ";
    }
    if (!list.empty()) {
      list.pop_back();
    }
    words += fmt::format("    '{}') words='{}' ;;\n", node.path, list);
  });
  return fmt::format(
      "# bash completion of mlalert; made by `mlalert completion bash`\n"
      "_mlalert() {{\n"
      "  local at=mlalert word words=\n"
      "  for word in \"${{COMP_WORDS[@]:1:COMP_CWORD-1}}\"; do\n"
      "    case \"$at $word\" in\n"
      "{}"
      "    esac\n"
      "  done\n"
      "  case \"$at\" in\n"
      "{}"
      "  esac\n"
      "  mapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"${{COMP_WORDS[COMP_CWORD]}}\")\n"
      "}}\n"
      "complete -o default -F _mlalert mlalert\n",
      Steps(root, "at"), words);
}

std::string ZshCompletion(const CommandNode& root) {
  std::string arms;
  ForEach(root, [&](const CommandNode& node) {
    std::string commands;
    for (const CommandNode& child : node.children) {
      commands += " " + Quoted(child.name + ":" + child.help);
    }
    std::string flags;
    for (const auto& flag : node.flags) {
      flags += " " + Quoted(flag.names.front() + ":" + flag.help);
    }
    arms += fmt::format("    '{}')\n      commands=({})\n      flags=({}) ;;\n", node.path, commands, flags);
  });
  return fmt::format(
      "#compdef mlalert\n"
      "# zsh completion of mlalert; made by `mlalert completion zsh`\n"
      "_mlalert() {{\n"
      "  local at=mlalert word\n"
      "  local -a commands flags\n"
      "  for word in ${{words[2,CURRENT-1]}}; do\n"
      "    case \"$at $word\" in\n"
      "{}"
      "    esac\n"
      "  done\n"
      "  case \"$at\" in\n"
      "{}"
      "  esac\n"
      "  if [[ ${{words[CURRENT]}} == -* ]]; then\n"
      "    _describe -o flag flags\n"
      "  elif (( $#commands )); then\n"
      "    _describe command commands\n"
      "  else\n"
      "    _files\n"
      "  fi\n"
      "}}\n"
      "_mlalert \"$@\"\n",
      Steps(root, "at"), arms);
}

}  // namespace mlalert
