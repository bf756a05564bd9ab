// "backtest: 42 %, about 12s left" on one line of a terminal, at most twice a second. Thread: one.
#pragma once

#include <chrono>
#include <ostream>
#include <string>

namespace mlalert {

class ProgressLine {
 public:
  ProgressLine(std::ostream& out, bool enabled, std::string what);
  ~ProgressLine() { Done(); }
  ProgressLine(const ProgressLine&) = delete;
  ProgressLine& operator=(const ProgressLine&) = delete;

  // `done` from 0 to 1.
  void Show(double done);
  // Wipes the line; the next Show() begins anew.
  void Done();

 private:
  std::ostream& out_;
  bool enabled_;
  bool shown_ = false;
  std::string what_;
  std::chrono::steady_clock::time_point started_;
  std::chrono::steady_clock::time_point last_;
};

}  // namespace mlalert
