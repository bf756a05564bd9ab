// VictorOps, now Splunk On-Call: the REST endpoint, whose URL holds the API key.
#include <fmt/format.h>
#include <map>

#include "net/url.h"
#include "notify/acknowledged.h"
#include "notify/json_object.h"
#include "notify/payload.h"

namespace mlalert {
namespace {

// https://help.victorops.com/knowledge-base/incident-fields-glossary/
constexpr size_t kStateMessageRunesMax = 20480;

// A text put at the end of a URL's path, as Go's net/url escapes it: slashes and what else may stand in a
// path stay.
std::string EscapeInPath(std::string_view text) {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  constexpr std::string_view kStay = "-_.~$&+,/:;=@";
  std::string out;
  for (char c : text) {
    if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
        kStay.find(c) != std::string_view::npos) {
      out.push_back(c);
    } else {
      auto byte = static_cast<unsigned char>(c);
      out.push_back('%');
      out.push_back(kHex[byte >> 4]);
      out.push_back(kHex[byte & 15]);
    }
  }
  return out;
}

std::string MessageType(const Notification& n, bool resolved, std::string wanted) {
  if (resolved) {
    return "RECOVERY";
  }
  if (AllAreTaken(n)) {
    return "ACKNOWLEDGEMENT";
  }
  return wanted == "INFO" || wanted == "WARNING" || wanted == "CRITICAL" ? wanted : "CRITICAL";
}

}  // namespace

Result<PreparedCall> BuildVictorops(const Notification& n, const ReceiverContext& context) {
  const VictoropsConfig& c = n.receiver->victorops_configs[n.integration.index];
  MLALERT_ASSIGN(std::string key, ReadSecret(c.api_key, c.api_key_file, "api_key_file", context.files));
  TemplateData data = DataFor(n, context);
  Renderer render(context, data);

  MLALERT_ASSIGN(Url url, ParseUrl(c.api_url));
  url.path += EscapeInPath(key + "/" + render(c.routing_key));

  std::map<std::string, std::string> fields;
  fields["message_type"] = MessageType(n, data.resolved(), render(c.message_type));
  fields["entity_id"] = GroupKeyHash(n);
  fields["entity_display_name"] = render(c.entity_display_name);
  fields["state_message"] = IsAcknowledgement(n)
                                ? AcknowledgedText(n, Unescaped)
                                : TruncateRunes(render(c.state_message), kStateMessageRunesMax);
  fields["monitoring_tool"] = render(c.monitoring_tool);
  for (const auto& [name, text] : c.custom_fields) {
    fields[name] = render(text);
  }
  if (!render.ok()) {
    return Fail(Error(render.status().error()).Context("templating error"));
  }

  PreparedCall out = JsonPost(context);
  out.judge = JudgeHttp;
  out.call.options = c.http_config;
  out.call.url = url.ToString();
  out.secrets = {key, EscapeInPath(key)};
  JsonObject object(out.call.body);
  for (const auto& [name, text] : fields) {
    object.Text(name, text);
  }
  object.End();
  out.call.body.push_back('\n');
  return out;
}

}  // namespace mlalert
