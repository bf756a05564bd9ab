// `mlalert feedback ID VERDICT` and `mlalert changes`: what an alert was worth, and what was changed on the
// platform. Both ask the running daemon. Thread: one.
#pragma once

namespace CLI {
class App;
}

namespace mlalert {

void AddFeedbackCommand(CLI::App& app, int& exit_code);
void AddChangesCommand(CLI::App& app, int& exit_code);

}  // namespace mlalert
