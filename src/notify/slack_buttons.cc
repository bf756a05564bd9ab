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
constexpr std::array<Button, 3> kActs{{{TokenAction::kAcknowledge, "Acknowledge", "primary"},
                                       {TokenAction::kSnooze, "Snooze 1h", ""},
                                       {TokenAction::kResolve, "Resolve", ""}}};
constexpr std::array<Button, 4> kVerdicts{{{TokenAction::kActed, "Acted on it", ""},
                                           {TokenAction::kNotActionable, "Not actionable", ""},
                                           {TokenAction::kFalseAlarm, "False alarm", ""},
                                           {TokenAction::kPoorDetails, "Poor details", ""}}};

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

// Nothing for an empty value: there is nothing to act on, or no key.
void AppendButton(std::string& elements, const Button& button, const std::string& value) {
  if (value.empty()) {
    return;
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

void AppendActions(std::string& blocks, std::string_view block_id, const std::string& elements) {
  if (elements.empty()) {
    return;
  }
  blocks += blocks.empty() ? "" : ",";
  JsonObject actions(blocks);
  actions.Text("type", "actions");
  actions.Text("block_id", block_id);
  actions.Raw("elements", "[" + elements + "]");
  actions.End();
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
  for (const Button& button : kActs) {
    if (!row.acknowledged || button.action != TokenAction::kAcknowledge) {
      AppendButton(elements, button, links.ButtonValue(button.action, row.targets, row.recipient, row.more));
    }
  }
  if (!row.incident_url.empty() && row.incident_url.size() <= kUrlBytesMax) {
    elements += elements.empty() ? "" : ",";
    JsonObject object(elements);
    object.Text("type", "button");
    object.Text("action_id", "mlalert_open");
    AppendButtonText(object, "Open");
    object.Text("url", row.incident_url);
    object.End();
  }
  AppendActions(blocks, kSlackBlockId, elements);
  std::string verdicts;
  for (const Button& button : kVerdicts) {
    AppendButton(verdicts, button, links.ButtonValue(button.action, row.judged, row.recipient, row.more));
  }
  AppendActions(blocks, fmt::format("{}_feedback", kSlackBlockId), verdicts);
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
