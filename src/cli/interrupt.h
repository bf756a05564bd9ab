// Ctrl-C as a question that long work asks between two steps, so that nothing is left half done. The second
// Ctrl-C ends the process at once. Thread: any.
#pragma once

namespace mlalert {

// 128 + SIGINT, as shells have it.
inline constexpr int kInterruptedExit = 130;

void CatchInterrupts();
bool Interrupted();

}  // namespace mlalert
