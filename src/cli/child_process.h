// A program we started: its output goes to a file, its end is ours to bring about, by pid and not by name.
// Used by the demo. Thread: one owner.
#pragma once

#include <string>
#include <sys/types.h>
#include <vector>

#include "base/result.h"
#include "base/time.h"

namespace mlalert {

class ChildProcess {
 public:
  // argv[0] is looked up in PATH. Standard output and error are appended to `log_path`. The child dies with
  // us even when we are killed (Linux PR_SET_PDEATHSIG).
  static Result<ChildProcess> Start(const std::vector<std::string>& argv, const std::string& log_path);
  ChildProcess() = default;
  ~ChildProcess();
  ChildProcess(ChildProcess&& other) noexcept;
  ChildProcess& operator=(ChildProcess&& other) noexcept;

  bool Running();
  // SIGTERM, then SIGKILL after `patience`.
  void Stop(Duration patience = std::chrono::seconds(10));
  pid_t pid() const { return pid_; }

 private:
  explicit ChildProcess(pid_t pid) : pid_(pid) {}
  pid_t pid_ = 0;
};

// A port of 127.0.0.1 that was free a moment ago.
Result<int> FreePort();

}  // namespace mlalert
