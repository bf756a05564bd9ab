#include "notify/acknowledged.h"

#include <algorithm>
#include <fmt/format.h>

namespace mlalert {
namespace {

// Of the words somebody left when he acknowledged.
constexpr size_t kCommentRunesMax = 1000;
constexpr std::string_view kZeroWidthSpace = "\xE2\x80\x8B";
constexpr std::string_view kMarkup = "\\`*_[]()<>#~|";

}  // namespace

bool IsAcknowledgement(const Notification& n) {
  return n.reason == NotifyReason::kAcknowledged;
}

bool AllAreTaken(const Notification& n) {
  return IsAcknowledgement(n) &&
         std::all_of(n.alerts.begin(), n.alerts.end(),
                     [](const NotifiedAlert& alert) { return alert.resolved || alert.acknowledged; });
}

std::string AcknowledgedTitle(std::string_view title) {
  if (title.starts_with("[FIRING")) {
    size_t end = title.find("] ");
    title.remove_prefix(end == std::string_view::npos ? 0 : end + 2);
  }
  return fmt::format("[ACKNOWLEDGED] {}", title);
}

std::string Unescaped(std::string_view text) {
  return std::string(text);
}

std::string EscapeMarkdown(std::string_view text) {
  std::string out;
  for (char c : text) {
    if (kMarkup.find(c) != std::string_view::npos) {
      out.push_back('\\');
    }
    out.push_back(c);
    if (c == '@') {
      out += kZeroWidthSpace;
    }
  }
  return out;
}

std::string AcknowledgedText(const Notification& n, EscapeText escape) {
  std::string text =
      fmt::format("Acknowledged by {}", n.acknowledged_by.empty() ? "somebody" : escape(n.acknowledged_by));
  if (!n.acknowledge_comment.empty()) {
    text += ": " + escape(TruncateRunes(n.acknowledge_comment, kCommentRunesMax));
  }
  return text;
}

std::string AcknowledgedMessage(const Notification& n, Renderer& render, EscapeText escape) {
  std::string title = AcknowledgedTitle(render(R"({{ template "__subject" . }})"));
  return escape(title) + "\n" + AcknowledgedText(n, escape);
}

}  // namespace mlalert
