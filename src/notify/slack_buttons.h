// The buttons under a Slack message, ours: a row to act and a row to say what it was worth, in a second
// attachment, so that the first stays Alertmanager's byte for byte. Used by: the Slack builder, and api/,
// which draws the row anew after somebody has pressed. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "notify/action_links.h"

namespace mlalert {

// By which an attachment of ours is known in the message that Slack sends back.
inline constexpr std::string_view kSlackBlockId = "mlalert_actions";

struct SlackButtonRow {
  std::vector<TokenTarget> targets;  // what fires: to acknowledge, snooze, resolve
  std::vector<TokenTarget> judged;   // what feedback is about, over or not
  int64_t more = 0;                  // of the message, but not among these: they had no room in its buttons
  std::string recipient;             // "receiver/index": where the message was sent
  std::string text;                  // above the buttons, mrkdwn; may be empty
  std::string incident_url;          // a button that opens it; may be empty
  bool acknowledged = false;
};

// The attachment as JSON text; empty when there is nothing to show.
std::string SlackButtonsAttachment(const ActionLinks& links, const SlackButtonRow& row);

}  // namespace mlalert
