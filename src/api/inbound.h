// The doors by which people act from outside, and other systems report: signed links, Slack's buttons,
// PagerDuty's webhooks, Twilio's callbacks. Every request is believed for its signature alone, so these paths
// need no password. Thread: handlers run on the server's workers.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "api/api.h"
#include "model/action_token.h"
#include "model/actor.h"
#include "notify/action_links.h"

namespace mlalert {

inline constexpr size_t kInboundBodyBytesMax = 256 * 1024;

void AddActionLinks(HttpRouter& router, ApiContext& context);    // /act/{token}
void AddSlackHook(HttpRouter& router, ApiContext& context);      // /api/mlalert/v1/hooks/slack
void AddPagerdutyHook(HttpRouter& router, ApiContext& context);  // /api/mlalert/v1/hooks/pagerduty
void AddTwilioHooks(HttpRouter& router, ApiContext& context);    // /api/mlalert/v1/hooks/twilio/*

// What links and buttons of now are made of and checked with. Errors: there is no key.
Result<ActionLinks> LinksOf(const ApiContext& context, const Config& config);

// What became of an action on several incidents.
struct ActedOn {
  std::vector<Incident> incidents;  // as they are now, in the order of the targets
  size_t changed = 0;
  std::vector<std::string> refused;  // why, one for each incident that could not be acted on
};
// `origin`: the integration that knows already, "" when everybody is to be told. `past`: incidents that only
// the history knows any more; they can still be judged.
ActedOn ActOnTargets(Engine& engine, TokenAction action, const std::vector<TokenTarget>& targets,
                     const std::vector<Incident>& past, const Actor& actor, const std::string& comment,
                     const std::string& origin, Timestamp now, Effects& fx);
// The targets that the engine has forgotten, from the history, where the action is possible on them.
std::vector<Incident> PastOf(ApiContext& context, TokenAction action,
                             const std::vector<TokenTarget>& targets);

// "Acknowledged", "Snoozed until ...": the past tense of what was asked for.
std::string_view DoneText(TokenAction action);
// "ModelDown (fraud-detector-v2)": what people know an incident by.
std::string TitleOf(const Incident& incident);
// "open", "acknowledged by Ann" ...
std::string StateText(const Incident& incident);

}  // namespace mlalert
