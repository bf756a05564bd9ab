// The configuration of a random story.
#include <fmt/format.h>

#include "support/story.h"

namespace mlalert::testing {
namespace {

constexpr int kDay = 24 * 60;

int MinuteOf(Timestamp t) {
  return static_cast<int>(ToUnixMillis(t) / 60'000 % kDay);
}

Timestamp StartOfDay(Timestamp t) {
  return t - (t.time_since_epoch() % std::chrono::hours(24));
}

std::string Times(const std::vector<DayHours>& spans) {
  std::string out;
  for (const DayHours& span : spans) {
    out += fmt::format("{}{{start_time: \"{:02}:{:02}\", end_time: \"{:02}:{:02}\"}}",
                       out.empty() ? "" : ", ", span.from / 60, span.from % 60, span.to / 60, span.to % 60);
  }
  return out;
}

constexpr std::string_view kBase = R"(
receivers:
- {name: board, webhook_configs: [{url: "http://127.0.0.1:9/board"}]}
- {name: chat, webhook_configs: [{url: "http://127.0.0.1:9/chat"}]}
- {name: page, webhook_configs: [{url: "http://127.0.0.1:9/page"}]}
- {name: l1, webhook_configs: [{url: "http://127.0.0.1:9/l1"}]}
- {name: l2, webhook_configs: [{url: "http://127.0.0.1:9/l2"}]}
- {name: last, webhook_configs: [{url: "http://127.0.0.1:9/last"}]}
incidents: {identity: [alertname, model], reopen_window: 30m, resolve_hold: 3h}
schedules:
- name: rota
  rotations: [{type: custom, shift: 150m, start: "2026-01-01", receivers: [l1, l2]}]
)";

}  // namespace

const std::vector<std::pair<int StoryFeatures::*, int>>& StoryFeatures::All() {
  static const std::vector<std::pair<int StoryFeatures::*, int>> kAll{
      {&StoryFeatures::ladder, 0},    {&StoryFeatures::chain, 0},      {&StoryFeatures::hours, 0},
      {&StoryFeatures::grouping, 0},  {&StoryFeatures::cooldown, 0},   {&StoryFeatures::ack_expires, 0},
      {&StoryFeatures::repeat, kDay}, {&StoryFeatures::group_wait, 0}, {&StoryFeatures::group_interval, 1},
      {&StoryFeatures::flapping, 0},  {&StoryFeatures::storm, 0},      {&StoryFeatures::inhibition, 0},
      {&StoryFeatures::naps, 0},      {&StoryFeatures::limit, 0},      {&StoryFeatures::on_call, 0}};
  return kAll;
}

std::string StoryFeatures::ToYaml() const {
  static constexpr std::string_view kGroupBy[] = {"[model]", "[alertname, model]", "[severity, model]",
                                                  "['...']"};
  std::string out = fmt::format(
      "route:\n  receiver: board\n  group_by: {}\n  group_wait: {}s\n  group_interval: {}m\n  "
      "repeat_interval: "
      "{}m\n  routes:\n  - {{matchers: ['severity=~\"P0|P1\"'], receiver: {}}}\n  - {{matchers: "
      "[severity=P2], "
      "receiver: chat}}",
      kGroupBy[grouping], group_wait, group_interval, repeat, on_call != 0 ? "rota" : "page");
  out += kBase;
  out +=
      fmt::format("calendars:\n- {{name: office, time_intervals: [{{times: [{}]}}]}}\n", Times(kOfficeHours));
  out +=
      fmt::format("time_intervals:\n- {{name: nap, time_intervals: [{{times: [{}]}}]}}\n", Times(kNapHours));
  if (inhibition != 0) {
    out +=
        "inhibit_rules:\n- {source_matchers: [alertname=Up], target_matchers: ['alertname=~\"A|B\"'], "
        "equal: [model]}\n";
  }
  if (naps != 0) {
    out += "recurring_silences:\n- {name: nap, matchers: [model=n], time_intervals: [nap]}\n";
  }
  if (storm != 0) {
    out += "storm: {incidents: 3, within: 10m, quiet: 15m}\n";
  }
  if (limit != 0) {
    out += fmt::format("rate_limits:\n- {{receiver: {}, count: {}, per: 20m}}\n", kLimitedReceiver, limit);
  }
  out +=
      "incident_policies:\n- name: own\n  matchers: ['alertname=~\"Up|AlertStorm|Mlalert.*\"']\n  cooldown: "
      "0s\n";
  out += fmt::format("- name: all\n  cooldown: {}m\n", cooldown);
  if (ack_expires != 0) {
    out += fmt::format("  acknowledge: {{expires: {}m}}\n", ack_expires);
  }
  if (ladder != kNoLadder) {
    out += fmt::format(
        "  ladder: {{steps: [{{after: 15m, severity: P3}}, {{after: 30m, severity: P2}}, {{after: 60m, "
        "severity: "
        "P1}}]{}}}\n",
        ladder == kQuiet      ? ", quiet_before_first_step: true"
        : ladder == kBusiness ? ", clock: business, calendar: office"
        : ladder == kGuarded  ? ", calendar: office"
                              : "");
  }
  if (chain == kSteps) {
    out += "  chain: {steps: [{after: 5m, receivers: [l1]}, {after: 20m, receivers: [l2, chat]}]}\n";
  } else if (chain == kRota) {
    out +=
        "  chain:\n    steps: [{after: 0m, receivers: [rota]}, {after: 20m, receivers: [l2], severities: "
        "[P0, "
        "P1, P2]}]\n    repeat: {times: 1, every: 30m}\n    fallback: [last]\n";
  }
  if (hours != kAllHours) {
    out += fmt::format("  business_hours: {{calendar: office, outside: {}}}\n", hours == kDefer    ? "defer"
                                                                                : hours == kDigest ? "digest"
                                                                                                   : "drop");
  }
  if (flapping != 0) {
    out += "  flapping: {transitions: 6, window: 30m}\n";
  }
  return out;
}

bool IsWithin(const std::vector<DayHours>& spans, Timestamp t) {
  const int minute = MinuteOf(t);
  for (const DayHours& span : spans) {
    if (span.from <= minute && minute < span.to) {
      return true;
    }
  }
  return false;
}

Timestamp LastEdge(const std::vector<DayHours>& spans, Timestamp t) {
  const Timestamp day = StartOfDay(t);
  Timestamp last = day - std::chrono::minutes(kDay - spans.back().to);
  for (const DayHours& span : spans) {
    for (const int edge : {span.from, span.to}) {
      if (day + std::chrono::minutes(edge) <= t) {
        last = day + std::chrono::minutes(edge);
      }
    }
  }
  return last;
}

Timestamp NextWithin(const std::vector<DayHours>& spans, Timestamp t) {
  if (IsWithin(spans, t)) {
    return t;
  }
  const Timestamp day = StartOfDay(t);
  for (const DayHours& span : spans) {
    if (day + std::chrono::minutes(span.from) > t) {
      return day + std::chrono::minutes(span.from);
    }
  }
  return day + std::chrono::minutes(kDay + spans.front().from);
}

}  // namespace mlalert::testing
