// A press on one of our buttons in Slack: the `block_actions` payload, as far as we need it.
// Made by: DecodeSlackClick from the form field `payload` of a request whose signature is good. Thread: plain
// value.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"

namespace mlalert {

struct SlackClick {
  std::string type;       // only "block_actions" is about buttons
  std::string action_id;  // of the first action that is ours; empty: none is
  std::string value;
  std::string user_id, user_name;
  std::string channel_id, message_ts;
  std::string response_url;  // empty unless http(s)
  Json message;              // as it stands in Slack
};

Result<SlackClick> DecodeSlackClick(std::string_view payload);

// The message with the row of buttons (the attachment that holds a block of ours) replaced by `row`, as the
// fields `text` and `attachments` of a new message. An empty `row` leaves the buttons out.
Json WithButtonRow(const Json& message, std::string_view block_prefix, const Json& row);

}  // namespace mlalert
