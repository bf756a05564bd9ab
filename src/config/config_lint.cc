// Warnings about a config that loads: what is legal and most likely not meant.
#include <algorithm>
#include <fmt/format.h>

#include "config/config_sections.h"
#include "config/schedules.h"
#include "model/incident_chain.h"
#include "model/incident_hours.h"

namespace mlalert {
namespace {

// Receivers the label set reaches, by Alertmanager's walk: the deepest match, siblings after it only with
// `continue`.
bool CollectReceivers(const Route& route, const LabelSet& labels, std::set<std::string>& out) {
  if (!MatchesAll(route.matchers, labels)) {
    return false;
  }
  bool any = false;
  for (const Route& child : route.routes) {
    bool matched = CollectReceivers(child, labels, out);
    any = any || matched;
    if (matched && !child.continue_matching) {
      break;
    }
  }
  if (!any) {
    out.insert(route.receiver);
  }
  return true;
}

// Receivers of chains, and who may be on call in the schedules that are used.
void CollectFromPolicies(const Config& config, std::set<std::string>& used) {
  for (const IncidentPolicy& policy : config.incident_policies) {
    if (policy.chain != nullptr) {
      for (const ChainStep& step : policy.chain->steps) {
        used.insert(step.receivers.begin(), step.receivers.end());
      }
      used.insert(policy.chain->fallback.begin(), policy.chain->fallback.end());
    }
  }
  if (config.schedules != nullptr) {
    for (const Schedule& schedule : config.schedules->all()) {
      if (used.contains(schedule.name())) {
        const std::vector<std::string> names = schedule.Receivers();
        used.insert(names.begin(), names.end());
      }
    }
  }
}

void CollectNames(const Route& route, std::set<std::string>& out) {
  out.insert(route.receiver);
  for (const Route& child : route.routes) {
    CollectNames(child, out);
  }
}

bool MentionsSeverity(const Matchers& matchers) {
  return std::any_of(matchers.begin(), matchers.end(),
                     [](const Matcher& m) { return m.name() == "severity"; });
}
bool MentionsSeverity(const Route& route) {
  return MentionsSeverity(route.matchers) ||
         std::any_of(route.routes.begin(), route.routes.end(),
                     [](const Route& child) { return MentionsSeverity(child); });
}

// The kinds that wake somebody.
bool IsPager(const Config& config, const std::string& name) {
  const Receiver* receiver = config.FindReceiver(name);
  if (const Schedule* schedule = config.schedules != nullptr ? config.schedules->Find(name) : nullptr) {
    const std::vector<std::string> people = schedule->Receivers();
    return std::all_of(people.begin(), people.end(),
                       [&](const std::string& one) { return IsPager(config, one); });
  }
  return receiver != nullptr &&
         (!receiver->pagerduty_configs.empty() || !receiver->opsgenie_configs.empty() ||
          !receiver->victorops_configs.empty() || !receiver->pushover_configs.empty() ||
          !receiver->incidentio_configs.empty() || !receiver->twilio_configs.empty());
}

// Labels that one matcher accepts: the value itself, or the first word of a regex like `a|b`. Empty: cannot
// tell.
std::string Accepted(const Matcher& matcher) {
  if (matcher.op() == MatchOp::kEqual) {
    return std::string(matcher.value());
  }
  if (matcher.op() != MatchOp::kRegex) {
    return {};
  }
  std::string word(matcher.value().substr(0, matcher.value().find('|')));
  return matcher.MatchesValue(word) ? word : std::string();
}

// Follows one route down: an alert that matches it, its parents and `severity` must reach a pager too, and at
// any hour.
void WarnAboutRoute(const Config& config, const Route& route, const YamlValue& at, LabelSet labels) {
  for (const Matcher& matcher : route.matchers) {
    std::string value = Accepted(matcher);
    if (matcher.name() != "severity" && !value.empty()) {
      labels = labels.With(matcher.name(), value);
    }
  }
  std::set<std::string> names;
  CollectReceivers(config.route, labels, names);
  bool paged =
      std::any_of(names.begin(), names.end(), [&](const std::string& name) { return IsPager(config, name); });
  if (MatchesAll(route.matchers, labels) && !paged && names.contains(route.receiver)) {
    at.Warn(fmt::format("alerts of severity {} that match this route, e.g. {}, reach no receiver that pages",
                        labels.Get("severity"), labels.ToString()),
            "give it a child route for severity=~\"P0|P1\", or `continue: true` where the pager's route "
            "comes after it");
  } else if (MatchesAll(route.matchers, labels) && IsPager(config, route.receiver) &&
             !(route.mute_time_intervals.empty() && route.active_time_intervals.empty())) {
    at.Warn(fmt::format("alerts of severity {} page nobody while this route is muted by its time intervals",
                        labels.Get("severity")));
  }
  const auto* children = at.node().Find("routes");
  for (size_t i = 0; children != nullptr && i < route.routes.size() && i < children->value->items.size();
       ++i) {
    const YamlNode& child = *children->value->items[i];
    WarnAboutRoute(config, route.routes[i],
                   at.Child(child, child.pos, fmt::format("{}.routes[{}]", at.path(), i)), labels);
  }
}

// An alert with this severity and no other routing label pages somebody.
bool Pages(const Config& config, const LabelSet& labels) {
  std::set<std::string> names;
  CollectReceivers(config.route, labels, names);
  return std::any_of(names.begin(), names.end(),
                     [&](const std::string& name) { return IsPager(config, name); });
}

// Some alert with this severity, whatever its other labels, may page somebody.
bool MayPage(const Config& config, const Route& route, std::string_view severity) {
  bool matches = std::all_of(route.matchers.begin(), route.matchers.end(), [&](const Matcher& m) {
    return m.name() != "severity" || m.MatchesValue(severity);
  });
  return matches && (IsPager(config, route.receiver) ||
                     std::any_of(route.routes.begin(), route.routes.end(),
                                 [&](const Route& child) { return MayPage(config, child, severity); }));
}

void WarnWhenNobodyIsPaged(const YamlMap& root, const Config& config) {
  // A config that uses mlalert's own sections is held to the strict question; a plain Alertmanager's, which
  // may route by labels we do not know, only to the lenient one.
  bool ours = !config.incident_policies.empty() || !config.rule_files.empty() || !config.datasources.empty();
  if (!ours && !MentionsSeverity(config.route)) {
    return;
  }
  auto quiet = [&](std::initializer_list<std::string_view> words) {
    // One word that pages shows that this severity was thought of; the others are then another dialect.
    return std::none_of(words.begin(), words.end(), [&](std::string_view word) {
      LabelSet bare = LabelSet::From({{"alertname", "x"}, {"severity", word}});
      return ours ? Pages(config, bare) || Pages(config, bare.With("model", "x"))
                  : MayPage(config, config.route, word);
    });
  };
  bool p0 = quiet({"P0", "critical", "page"});
  bool p1 = quiet({"P1", "high", "error"});
  if (!ours) {
    p1 = p0;  // other installations page for their top severity only
  }
  if (p0 || p1) {
    std::string_view what = p0 && p1 ? "P0 and P1" : p0 ? "P0" : "P1";
    root.At("route").Warn(fmt::format("alerts of severity {} reach no receiver that pages", what),
                          "route severity=~\"P0|P1\" to a receiver that pages");
    return;
  }
  if (ours) {
    LabelSet worst = LabelSet::From({{"alertname", "x"}, {"severity", "P0"}});
    if (!Pages(config, worst)) {
      worst = worst.With("severity", Pages(config, worst.With("severity", "critical")) ? "critical" : "page");
    }
    if (Pages(config, worst)) {
      WarnAboutRoute(config, config.route, root.At("route"), worst);
    }
  }
}

// A raise to what is told at any hour, though the policy knows hours.
void WarnAboutPagesByAge(const YamlValue& item, const IncidentPolicy& policy) {
  if (policy.hours == nullptr || policy.ladder.empty() || !policy.calendar.empty() || policy.wake ||
      policy.ladder.back().severity < policy.hours->always_from) {
    return;
  }
  YamlMap map(item, "incident policy");
  map.At("ladder").Warn(
      fmt::format(
          "policy {} has business hours, but age raises its incidents to {}, which is told at any hour",
          Quoted(policy.name), ToString(policy.ladder.back().severity)),
      fmt::format(
          "calendar: {} in the ladder lets such a raise wait until it opens; with wake: true it is told "
          "at night all the same",
          policy.hours->calendar));
}

// Some alert that the policy takes has this severity, or its ladder leads there.
bool MayHave(const IncidentPolicy& policy, Severity severity) {
  static constexpr std::string_view kWords[] = {"P0",   "p0",    "critical", "page", "P1",     "p1",
                                                "high", "error", "P2",       "p2",   "medium", "warning",
                                                "P3",   "p3",    "low",      "info"};
  const bool by_age = std::any_of(policy.ladder.begin(), policy.ladder.end(),
                                  [&](const LadderStep& step) { return step.severity == severity; });
  return by_age || std::any_of(std::begin(kWords), std::end(kWords), [&](std::string_view word) {
           return SeverityFromLabel(word) == severity &&
                  std::all_of(policy.matchers.begin(), policy.matchers.end(), [&](const Matcher& matcher) {
                    return matcher.name() != "severity" || matcher.MatchesValue(word);
                  });
         });
}

void WarnAboutIdleSteps(const YamlValue& item, const IncidentPolicy& policy) {
  if (policy.chain == nullptr) {
    return;
  }
  const YamlValue chain = YamlMap(item, "incident policy").At("chain");
  const bool is_map = chain.node().kind == YamlNode::Kind::kMap;
  const YamlValue list = is_map ? YamlMap(chain, "chain").At("steps") : chain;
  const std::vector<YamlValue> steps = list.Items("a list of chain steps");
  for (size_t i = 0; i < steps.size() && i < policy.chain->steps.size(); ++i) {
    const std::vector<Severity>& wanted = policy.chain->steps[i].severities;
    if (!wanted.empty() && std::none_of(wanted.begin(), wanted.end(),
                                        [&](Severity severity) { return MayHave(policy, severity); })) {
      steps[i].Warn(
          fmt::format("policy {} takes no alert of severity {}, and no step of its ladder leads there: "
                      "this step tells nobody, unless somebody changes the severity",
                      Quoted(policy.name), ToString(wanted.front())),
          "name in severities what the policy's matchers take");
    }
  }
}

void WarnAboutPolicies(const YamlMap& root, const Config& config) {
  if (config.incident_policies.empty()) {
    return;
  }
  const std::vector<YamlValue> items = root.At("incident_policies").Items("a list of incident policies");
  for (size_t i = 0; i < items.size() && i < config.incident_policies.size(); ++i) {
    WarnAboutPagesByAge(items[i], config.incident_policies[i]);
    WarnAboutIdleSteps(items[i], config.incident_policies[i]);
  }
}

void WarnAboutUnusedReceivers(const YamlMap& root, const Config& config) {
  std::set<std::string> used;
  CollectNames(config.route, used);
  CollectFromPolicies(config, used);
  YamlValue list = root.At("receivers");
  for (const YamlValue& item : list.Items("[]config.Receiver")) {
    const auto* name = item.node().Find("name");
    if (name != nullptr && !used.contains(name->value->text)) {
      item.Warn(fmt::format("receiver {} is not used by any route", Quoted(name->value->text)));
    }
  }
}

}  // namespace

void LintConfig(const YamlMap& root, const Config& config) {
  WarnWhenNobodyIsPaged(root, config);
  WarnAboutUnusedReceivers(root, config);
  WarnAboutPolicies(root, config);
}

}  // namespace mlalert
