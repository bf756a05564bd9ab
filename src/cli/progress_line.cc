#include "cli/progress_line.h"

#include <algorithm>
#include <fmt/format.h>
#include <utility>

#include "cli/time_text.h"

namespace mlalert {

constexpr auto kEvery = std::chrono::milliseconds(500);

ProgressLine::ProgressLine(std::ostream& out, bool enabled, std::string what)
    : out_(out), enabled_(enabled), what_(std::move(what)), started_(std::chrono::steady_clock::now()) {}

void ProgressLine::Show(double done) {
  const auto now = std::chrono::steady_clock::now();
  if (!enabled_ || (shown_ && now - last_ < kEvery)) {
    return;
  }
  last_ = now;
  shown_ = true;
  done = std::clamp(done, 0.0, 1.0);
  std::string left;
  if (done > 0.01) {
    const std::chrono::duration<double> rest = (now - started_) * ((1 - done) / done);
    left = fmt::format(", about {} left", SpanText(std::chrono::duration_cast<Duration>(rest)));
  }
  out_ << fmt::format("\r{}: {:.0f} %{}\x1b[K", what_, 100 * done, left) << std::flush;
}

void ProgressLine::Done() {
  if (shown_) {
    out_ << "\r\x1b[K" << std::flush;
  }
  shown_ = false;
  started_ = std::chrono::steady_clock::now();
}

}  // namespace mlalert
