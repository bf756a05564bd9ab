#include "intake/slack_click.h"

#include <algorithm>

#include "intake/cleaned_text.h"

namespace mlalert {
namespace {

constexpr size_t kIdBytesMax = 200;
constexpr size_t kUrlBytesMax = 3000;
constexpr std::string_view kActionPrefix = "mlalert_";

std::string Id(const Json* object, std::string_view key) {
  return object != nullptr ? CleanedText(object->GetString(key), kIdBytesMax) : std::string();
}

bool HoldsBlock(const Json& attachment, std::string_view prefix) {
  const Json* blocks = attachment.Find("blocks");
  return blocks != nullptr &&
         std::any_of(blocks->AsArray().begin(), blocks->AsArray().end(),
                     [&](const Json& block) { return block.GetString("block_id").starts_with(prefix); });
}

}  // namespace

Result<SlackClick> DecodeSlackClick(std::string_view payload) {
  MLALERT_ASSIGN(Json json, ParseJson(payload));
  if (!json.is_object()) {
    return Fail(ErrorCode::kInvalid, "the payload is no JSON object");
  }
  SlackClick out;
  out.type = Id(&json, "type");
  const Json* user = json.Find("user");
  out.user_id = Id(user, "id");
  out.user_name = Id(user, "name");
  if (out.user_name.empty()) {
    out.user_name = Id(user, "username");
  }
  out.channel_id = Id(json.Find("channel"), "id");
  const Json* container = json.Find("container");
  if (out.channel_id.empty()) {
    out.channel_id = Id(container, "channel_id");
  }
  if (const Json* message = json.Find("message"); message != nullptr && message->is_object()) {
    out.message_ts = Id(message, "ts");
    out.message = *message;
  }
  if (out.message_ts.empty()) {
    out.message_ts = Id(container, "message_ts");
  }
  const std::string& url = json.GetString("response_url");
  if (url.size() <= kUrlBytesMax && (url.starts_with("https://") || url.starts_with("http://"))) {
    out.response_url = url;
  }
  if (const Json* actions = json.Find("actions")) {
    for (const Json& action : actions->AsArray()) {
      if (action.GetString("action_id").starts_with(kActionPrefix)) {
        out.action_id = action.GetString("action_id").substr(0, kIdBytesMax);
        out.value = action.GetString("value");
        break;
      }
    }
  }
  return out;
}

Json WithButtonRow(const Json& message, std::string_view block_prefix, const Json& row) {
  Json attachments = Json::MakeArray();
  bool replaced = false;
  if (const Json* list = message.Find("attachments")) {
    for (const Json& attachment : list->AsArray()) {
      if (!HoldsBlock(attachment, block_prefix)) {
        attachments.Push(attachment);
      } else if (!replaced && !row.is_null()) {
        attachments.Push(row);
        replaced = true;
      }
    }
  }
  if (!replaced && !row.is_null()) {
    attachments.Push(row);
  }
  Json out = Json::MakeObject();
  out.Set("text", message.GetString("text"));
  out.Set("attachments", std::move(attachments));
  return out;
}

}  // namespace mlalert
