// `mlalert completion bash|zsh` and `mlalert manual`: what a package installs beside the binary, made of the
// flags that the binary has.
#pragma once

namespace CLI {
class App;
}

namespace mlalert {

void AddCompletionCommands(CLI::App& app, int& exit_code);

}  // namespace mlalert
