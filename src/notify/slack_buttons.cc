#include "notify/slack_buttons.h"

#include <array>
#include <fmt/format.h>

#include "notify/json_object.h"

namespace mlalert {
namespace {

// Slack's limits.
constexpr size_t kUrlBytesMax = 3000;

struct Button {
  TokenAction action;
  std::string_view text;
  std::string_view style;
};
constexpr std::array<Button, 4> kButtons{{{TokenAction::kAcknowledge, "Acknowledge", "primary"},
                                          {TokenAction::kSnooze, "Snooze 1h", ""},
                                          {TokenAction::kResolve, "Resolve", ""},
                                          {TokenAction::kNotActionable, "Not actionable", ""}}};

void AppendButtonText(JsonObject& button, std::string_view text) {
  JsonObject object(button.Key("text"));
  object.Text("type", "plain_text");
  object.Text("text", text);
  object.End();
}

void AppendResolveConfirmation(JsonObject& button) {
  auto text = [](JsonObject& parent, std::string_view key, std::string_view value) {
    JsonObject object(parent.Key(key));
    object.Text("type", "plain_text");
    object.Text("text", value);
    object.End();
  };
  JsonObject confirm(button.Key("confirm"));
  text(confirm, "title", "Resolve?");
  text(confirm, "text", "Nobody hears of it again until the alert has cleared and fires anew.");
  text(confirm, "confirm", "Resolve");
  text(confirm, "deny", "Cancel");
  confirm.End();
}

}  // namespace

std::string SlackButtonsAttachment(const ActionLinks& links, const SlackButtonRow& row) {
  std::string blocks;
  if (!row.text.empty()) {
    JsonObject section(blocks);
    section.Text("type", "section");
    section.Text("block_id", fmt::format("{}_text", kSlackBlockId));
    JsonObject text(section.Key("text"));
    text.Text("type", "mrkdwn");
    text.Text("text", row.text);
    text.End();
    section.End();
  }
  std::string elements;
  for (const Button& button : kButtons) {
    if (!row.buttons || (row.acknowledged && button.action == TokenAction::kAcknowledge)) {
      continue;
    }
    const std::string value = links.ButtonValue(button.action, row.targets, row.recipient);
    if (value.empty()) {
      continue;
    }
    elements += elements.empty() ? "" : ",";
    JsonObject object(elements);
    object.Text("type", "button");
    object.Text("action_id", fmt::format("mlalert_{}", ToString(button.action)));
    AppendButtonText(object, button.text);
    object.TextUnlessEmpty("style", button.style);
    object.Text("value", value);
    if (button.action == TokenAction::kResolve) {
      AppendResolveConfirmation(object);
    }
    object.End();
  }
  if (row.buttons && !row.incident_url.empty() && row.incident_url.size() <= kUrlBytesMax) {
    elements += elements.empty() ? "" : ",";
    JsonObject object(elements);
    object.Text("type", "button");
    object.Text("action_id", "mlalert_open");
    AppendButtonText(object, "Open");
    object.Text("url", row.incident_url);
    object.End();
  }
  if (!elements.empty()) {
    blocks += blocks.empty() ? "" : ",";
    JsonObject actions(blocks);
    actions.Text("type", "actions");
    actions.Text("block_id", kSlackBlockId);
    actions.Raw("elements", "[" + elements + "]");
    actions.End();
  }
  if (blocks.empty()) {
    return {};
  }
  std::string out;
  JsonObject attachment(out);
  attachment.Text("fallback", row.text.empty() ? "Actions" : row.text);
  attachment.Raw("blocks", "[" + blocks + "]");
  attachment.End();
  return out;
}

}  // namespace mlalert
