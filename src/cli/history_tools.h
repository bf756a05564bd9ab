// `mlalert history backup | check | export | prune`: what is done with the file by hand. Thread: one.
#pragma once

namespace CLI {
class App;
}

namespace mlalert {

// Under the command `history`.
void AddHistoryTools(CLI::App& history, int& exit_code);

}  // namespace mlalert
