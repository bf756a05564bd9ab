// Records for the storage tests: random ones, their text form for comparing, and a naive model of what a
// restart must bring back.
#pragma once

#include <algorithm>
#include <fmt/format.h>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "model/record.h"
#include "storage/restored_state.h"
#include "support/journalled_alert.h"

namespace mlalert::testing {

inline Timestamp At(int64_t millis) {
  return FromUnixMillis(millis);
}

inline std::string Describe(Timestamp t) {
  return IsSet(t) ? fmt::format("{}", t.time_since_epoch().count()) : "-";
}
inline std::string Describe(const std::vector<uint64_t>& values) {
  return fmt::format("{}", fmt::join(values, ","));
}
inline std::string Describe(const Incident& i) {
  return fmt::format(
      "incident {} key={} labels={} ann={} {} policy={} sev={}{}{}{} t={} {} {} why={} clock={} {} {} "
      "step={} ack={} "
      "told={} {} gen={} {} {} lowered={} held={} care={}/{}/{} snooze={} hold={} woken={} chain={} {} {} {} "
      "response={} {} {} parent={} flap={} edges={} from={}",
      i.id, i.key.ToString(), i.labels.ToString(), i.annotations.ToString(), ToString(i.state),
      i.policy ? PolicyToJson(*i.policy) : "none", ToString(i.base), ToString(i.ladder), ToString(i.raised),
      ToString(i.severity), Describe(i.opened_at), Describe(i.last_fired_at), Describe(i.resolved_at),
      ToString(i.resolve_reason), i.clock_elapsed.count(), Describe(i.clock_since),
      Describe(i.next_severity_at), i.ladder_step,
      i.care->ack ? fmt::format("{} {} {} {}", Describe(i.care->ack->at), i.care->ack->by,
                                i.care->ack->comment, Describe(i.care->ack->expires_at))
                  : "none",
      Describe(i.last_told_at), ToString(i.told_severity), i.generation, i.reopen_count, i.episode_count,
      ToString(i.overruled), Describe(i.care->raise_held_since), i.care->assignee, i.care->snoozed_by,
      i.care->resolved_by, Describe(i.care->snoozed_until), Describe(i.care->held_until),
      Describe(i.care->woken_at) + Describe(i.care->muted_since), Describe(i.chain_started_at),
      Describe(i.chain_next_at), i.chain_step, i.chain_round, Describe(i.response_due_at),
      Describe(i.care->response_at), Describe(ResponseBreachedAt(i)), i.care->parent,
      Describe(i.care->flapping_since), i.care->edges ? i.care->edges->size() : 0, i.opened_generation);
}
inline std::string Describe(const EpisodeRecord& r) {
  return fmt::format("episode {} {} {} {} {} {} {} {} {} {} {}", r.id, r.incident_id, r.fingerprint,
                     r.labels.ToString(), r.annotations.ToString(), ToString(r.source), ToString(r.severity),
                     Describe(r.started_at), Describe(r.received_at), Describe(r.ended_at),
                     ToString(r.end_reason));
}
inline std::string Describe(const EventRecord& r) {
  return fmt::format("event {} {} {} {} {} {} {} {} {} {} {} {} {}", Describe(r.at), r.incident_id,
                     r.fingerprint, r.type, r.actor_kind, r.actor, r.reason, r.from_value, r.to_value, r.data,
                     r.via, r.address, r.generation);
}
inline std::string DescribeMentioned(const std::vector<MentionedIncident>& incidents) {
  std::string out;
  for (const MentionedIncident& incident : incidents) {
    out += fmt::format("{}{}", out.empty() ? "" : ",", incident.id);
  }
  return out;
}
inline std::string Describe(const NotificationRecord& r) {
  return fmt::format("notification {} {} {} {} {} {} {} {} {} {} {} {} {} {} {} {}", r.id, Describe(r.at),
                     r.group_key, r.receiver, r.integration, r.index, r.reason, r.attempt, r.outcome,
                     r.http_status, r.latency_ms, r.error, ToString(r.severity), r.firing, r.resolved,
                     DescribeMentioned(r.incidents));
}
inline std::string Describe(const NflogEntry& r) {
  return fmt::format("nflog {} {} {} {} {} {} {} {} {} {} {}", r.group_key, r.receiver, r.integration,
                     r.index, Describe(r.timestamp), Describe(r.firing), Describe(r.resolved),
                     Describe(r.acknowledged), r.data, Describe(r.expires_at), r.foreign);
}
inline std::string Describe(const AlertRecord& r) {
  const Alert& a = r.alert;
  return fmt::format("alert {} {} {} {} {} {} {} {} {} {} {} {} {} {} {}", a.labels.ToString(),
                     a.annotations.ToString(), a.generator_url.view(), Describe(a.starts_at),
                     Describe(a.ends_at), Describe(a.updated_at), a.starts_offset_minutes,
                     a.ends_offset_minutes, a.timeout, ToString(a.source), Describe(r.received_at),
                     r.incident_id, r.episode_id, r.ended, ToString(r.end_reason));
}
inline std::string Describe(const GroupRecord& r) {
  return fmt::format("group {} {} {} {}", r.route_id, r.group_key, Describe(r.created_at),
                     r.labels.ToString());
}
inline std::string Describe(const RuleStateRecord& r) {
  return fmt::format("rule {} {} {} {} {} {} {} {} {} {} {} {} {} {} {}", r.file, r.group, r.rule, r.ordinal,
                     r.labels.ToString(), r.sample_labels.ToString(), r.annotations.ToString(), r.state,
                     r.value, Describe(r.active_at), Describe(r.fired_at), Describe(r.resolved_at),
                     Describe(r.keep_firing_since), Describe(r.last_sent_at), r.data);
}
inline std::string Describe(const AcknowledgementRecord& r) {
  return fmt::format("ack {} {} {} {} {} {} {} {}", r.incident_id, Describe(r.at), r.actor, r.via, r.comment,
                     Describe(r.expires_at), Describe(r.ended_at), r.end_reason);
}
inline std::string Describe(const Silence& s) {
  return fmt::format("silence {} {} {} {} {} {} {} {}", s.id, ToString(s.matchers), Describe(s.starts_at),
                     Describe(s.ends_at), Describe(s.updated_at), s.created_by, s.comment,
                     s.annotations.ToString());
}

inline std::string Describe(const InboundRecord& r) {
  return fmt::format("inbound {} {} {} {} {}", r.source, r.key, r.value, Describe(r.at),
                     Describe(r.expires_at));
}

template <class T>
std::string DescribeAll(const std::vector<T>& values) {
  std::string out;
  for (const T& value : values) {
    out += Describe(value) + "\n";
  }
  return out;
}
inline std::string Describe(const RestoredState& s) {
  return DescribeAll(s.incidents) + DescribeAll(s.alerts) + DescribeAll(s.nflog) + DescribeAll(s.groups) +
         DescribeAll(s.silences) + DescribeAll(s.rule_states) + DescribeAll(s.inbound) +
         fmt::format("next {} {} {}", s.next_incident_id, s.next_episode_id, s.next_notification_id);
}

// Random records over a small space of keys, so that they meet: updates, deletes, re-inserts.
class RandomRecords {
 public:
  explicit RandomRecords(uint64_t seed) : random_(seed) {}

  Record Next() {
    switch (Below(17)) {
      case 15:
        return InboundRecord{Key(), Key(), Data(), At(I64(4'000'000'000'000)), At(I64(4'000'000'000'000))};
      case 0:
      case 1:
        return IncidentRecord{RandomIncident()};
      case 2:
        return RandomEpisode();
      case 3:
        return EventRecord{Time(), Id(), Below(3), Text(), "system", Text(), Text(), Text(), Text(), Data()};
      case 4:
        return NotificationRecord{Id(),   Time(), Text(),       Text(), "slack", U32(3), Text(), U32(9),
                                  "sent", 200,    I64(100'000), Text(), Sev(),   U32(9), U32(9), {}};
      case 5:
        return NflogEntry{Key(),    Key(),    "slack", U32(2), Time(),       Hashes(),
                          Hashes(), Hashes(), Data(),  Time(), Below(2) == 1};
      case 6:
        return NflogDelete{Key(), Key(), "slack", U32(2)};
      case 7:
        return RandomEpisode();
      case 8:
        return AlertDelete{1, Id()};
      case 9:
        return GroupRecord{Key(), Key(), Time(), Labels()};
      case 10:
        return GroupDelete{Key(), Key()};
      case 11:
        return RandomRule();
      case 12:
        return SilenceRecord{RandomSilence()};
      case 13:
        return SilenceDelete{Key()};
      case 14: {
        // Ids and times of notifications rise.
        NotificationRecord told{.id = ++told_id_, .at = At(4'000'000'000'000 + told_id_), .outcome = "sent"};
        for (uint64_t i = Below(4); i > 0; --i) {
          told.incidents.push_back({static_cast<IncidentId>(i), Below(3) != 0, Sev()});
        }
        return told;
      }
      default:
        return RuleStateDelete{Key(), Key(), Key(), U32(2), LabelSet::From({{"i", Key()}})};
    }
  }

  uint64_t Below(uint64_t n) { return random_() % n; }
  int64_t I64(uint64_t n) { return static_cast<int64_t>(Below(n)); }

 private:
  uint32_t U32(uint64_t n) { return static_cast<uint32_t>(Below(n)); }
  int64_t Id() { return 1 + I64(20); }
  std::string Key() { return fmt::format("k{}", Below(3)); }
  Severity Sev() { return static_cast<Severity>(Below(5)); }
  std::string Data() { return Below(2) == 0 ? "" : R"({"x":[1,"y"]})"; }
  Timestamp Time() {
    switch (Below(6)) {
      case 0:
        return kUnset;
      case 1:
        return Below(4) == 0 ? kNever : At(0);
      case 2:
        return At(-I64(1'000'000'000));
      default:
        return At(I64(4'000'000'000'000));
    }
  }
  std::string Text() {
    static const std::vector<std::string> kTexts = {"",
                                                    "plain",
                                                    "it's \"quoted\"",
                                                    "<a>&b",
                                                    "naïve 日本 🔥",
                                                    "line\nbreak\ttab\\",
                                                    std::string("nul\0inside", 10),
                                                    "'); DROP--"};
    return kTexts[Below(kTexts.size())];
  }
  LabelSet Labels() {
    static const std::vector<std::string> kNames = {"alertname", "severity", "model",
                                                    "pipeline",  "team",     "é<x>"};
    std::vector<std::pair<std::string, std::string>> labels;
    for (const std::string& name : kNames) {
      if (Below(2) == 0) {
        labels.emplace_back(name, Text());
      }
    }
    return LabelSet::From(std::move(labels));
  }
  std::vector<uint64_t> Hashes() {
    std::vector<uint64_t> out(Below(4));
    std::generate(out.begin(), out.end(), [&] { return Below(2) == 0 ? Below(10) : random_(); });
    std::sort(out.begin(), out.end());
    return out;
  }
  Incident RandomIncident() {
    Incident i;
    i.id = Id();
    // A key per id: two open incidents of one key would be refused.
    i.key = LabelSet::From({{"id", fmt::format("{}", i.id)}, {"text", Text()}});
    i.labels = Labels();
    i.annotations = Labels();
    i.state = static_cast<IncidentState>(Below(3));
    if (Below(3) != 0) {
      IncidentPolicy policy;
      policy.name = Text();
      policy.cooldown = std::chrono::minutes(Below(60));
      policy.ladder = {{std::chrono::minutes(15), Severity::kP3}, {std::chrono::minutes(30), Severity::kP2}};
      policy.quiet_before_first_step = Below(2) == 0;
      i.policy = std::make_shared<const IncidentPolicy>(std::move(policy));
    }
    i.base = Sev();
    i.ladder = Sev();
    i.raised = Sev();
    i.severity = Sev();
    i.opened_at = Time();
    i.last_fired_at = Time();
    i.resolved_at = Time();
    i.resolve_reason = static_cast<ResolveReason>(Below(4));
    i.clock_elapsed = std::chrono::milliseconds(Below(1'000'000));
    i.clock_since = Time();
    i.next_severity_at = Time();
    i.ladder_step = static_cast<uint16_t>(Below(4));
    if (Below(2) == 0) {
      i.care.Set(&IncidentCare::ack,
                 std::make_shared<const Acknowledgement>(Acknowledgement{Time(), Text(), Text(), Time()}));
    }
    i.last_told_at = Time();
    i.told_severity = Sev();
    i.overruled = Sev();
    i.care.Set(&IncidentCare::raise_held_since, Time());
    if (Below(2) == 0) {
      i.care.Set(&IncidentCare::assignee, Key());
      i.care.Set(&IncidentCare::snoozed_by, Text());
      i.care.Set(&IncidentCare::resolved_by, Text());
    }
    i.care.Set(&IncidentCare::snoozed_until, Time());
    i.care.Set(&IncidentCare::held_until, Time());
    i.care.Set(&IncidentCare::woken_at, Time());
    i.care.Set(&IncidentCare::muted_since, Time());
    i.chain_started_at = Time();
    i.chain_next_at = Time();
    i.chain_step = static_cast<uint16_t>(Below(9));
    i.chain_round = static_cast<uint16_t>(Below(9));
    i.response_due_at = Time();
    i.care.Set(&IncidentCare::response_at, Time());
    i.response_breached = IsSet(i.response_due_at);
    i.care.Set(&IncidentCare::parent, I64(5));
    i.care.Set(&IncidentCare::flapping_since, Time());
    if (Below(2) == 0) {
      i.care.Set(&IncidentCare::edges, std::make_shared<const std::vector<Timestamp>>(
                                           std::vector<Timestamp>{At(1), At(I64(4'000'000'000'000))}));
    }
    i.generation = I64(1000);
    i.opened_generation = I64(1000);
    i.reopen_count = static_cast<int32_t>(Below(9));
    i.episode_count = static_cast<int32_t>(Below(9));
    return i;
  }
  EpisodeRecord RandomEpisode() {
    return {Id(),
            I64(3),
            Below(2) == 0 ? random_() : 7,
            Labels(),
            Labels(),
            static_cast<AlertSource>(Below(3)),
            Sev(),
            Time(),
            Time(),
            Time(),
            static_cast<ResolveReason>(Below(4)),
            false,
            Below(2) == 0,
            Text(),
            Time(),
            Time(),
            static_cast<int16_t>(I64(1440) - 720),
            static_cast<int16_t>(I64(1440) - 720),
            Below(2) == 0};
  }
  Silence RandomSilence() {
    Silence s;
    s.id = Key();
    for (uint64_t i = 0; i <= Below(3); ++i) {
      s.matchers.push_back(
          *Matcher::Make(Key(), static_cast<MatchOp>(Below(4)), Below(2) == 0 ? "x.*" : "<a>&b"));
    }
    s.starts_at = At(I64(4'000'000'000'000));
    s.ends_at = Below(4) == 0 ? kNever : At(I64(4'000'000'000'000));
    s.updated_at = At(I64(4'000'000'000'000));
    s.created_by = Text();
    s.comment = Text();
    s.annotations = Labels();
    return s;
  }
  RuleStateRecord RandomRule() {
    static const std::vector<double> kValues = {0, -1.5, 1e300, std::numeric_limits<double>::infinity(),
                                                std::numeric_limits<double>::quiet_NaN()};
    return {Key(),
            Key(),
            Key(),
            U32(2),
            LabelSet::From({{"i", Key()}}),
            Labels(),
            Labels(),
            "firing",
            kValues[Below(kValues.size())],
            Time(),
            Time(),
            Time(),
            Time(),
            Time(),
            Data()};
  }

  std::mt19937_64 random_;
  int64_t told_id_ = 100;
};

// What LoadState must give, computed without a database.
class NaiveState {
 public:
  void Apply(const Record& record) { std::visit(*this, record); }

  RestoredState State(Timestamp resolved_after) const {
    RestoredState out;
    std::set<int64_t> spoken_of;  // incidents with an alert that the engine still needs
    for (const auto& [id, episode] : episodes_) {
      if (episode.held) {
        spoken_of.insert(episode.incident_id);
      }
    }
    for (const auto& [id, incident] : incidents_) {
      out.next_incident_id = id + 1;
      if (incident.state != IncidentState::kResolved || !IsSet(resolved_after) ||
          (IsSet(incident.resolved_at) &&
           (incident.resolved_at > resolved_after || spoken_of.contains(id)))) {
        out.incidents.push_back(incident);
        auto told = told_.find(id);
        if (told != told_.end() && told->second.first > incident.last_told_at) {
          std::tie(out.incidents.back().last_told_at, out.incidents.back().told_severity) = told->second;
        }
      }
    }
    for (const auto& [id, episode] : episodes_) {
      out.next_episode_id = id + 1;
      if (episode.held) {
        out.alerts.push_back(AlertOf(episode));
      }
    }
    for (const auto& [key, value] : nflog_) {
      out.nflog.push_back(value);
    }
    for (const auto& [key, value] : groups_) {
      out.groups.push_back(value);
    }
    for (const auto& [key, value] : silences_) {
      out.silences.push_back(value);
    }
    for (const auto& [key, value] : rules_) {
      out.rule_states.push_back(value);
    }
    for (const auto& [key, value] : inbound_) {
      out.inbound.push_back(value);
    }
    out.next_notification_id = last_notification_ + 1;
    return out;
  }

  void operator()(const IncidentRecord& r) { incidents_[r.incident.id] = r.incident; }
  void operator()(const EpisodeRecord& r) { episodes_[r.id] = r; }
  void operator()(const EventRecord&) {}
  void operator()(const NotificationRecord& r) {
    last_notification_ = std::max(last_notification_, r.id);
    for (const MentionedIncident& mentioned : r.incidents) {
      if (mentioned.told) {
        told_[mentioned.id] = {r.at, mentioned.told_severity};
      }
    }
  }
  void operator()(const NflogEntry& r) { nflog_[{r.group_key, r.receiver, r.integration, r.index}] = r; }
  void operator()(const NflogDelete& r) { nflog_.erase({r.group_key, r.receiver, r.integration, r.index}); }
  void operator()(const AlertDelete& r) {
    if (auto it = episodes_.find(r.episode_id); it != episodes_.end()) {
      it->second.held = false;
    }
  }
  void operator()(const GroupRecord& r) { groups_[{r.route_id, r.group_key}] = r; }
  void operator()(const GroupDelete& r) { groups_.erase({r.route_id, r.group_key}); }
  void operator()(const RuleStateRecord& r) {
    rules_[{r.file, r.group, r.rule, r.ordinal, r.labels.fingerprint()}] = r;
  }
  void operator()(const RuleStateDelete& r) {
    rules_.erase({r.file, r.group, r.rule, r.ordinal, r.labels.fingerprint()});
  }
  void operator()(const AcknowledgementRecord&) {}
  void operator()(const SilenceRecord& r) { silences_[r.silence.id] = r.silence; }
  void operator()(const SilenceDelete& r) { silences_.erase(r.id); }
  void operator()(const InboundRecord& r) { inbound_[{r.source, r.key}] = r; }
  void operator()(const FeedbackRecord&) {}
  void operator()(const ChangeRecord&) {}
  void operator()(const MuteRecord&) {}
  void operator()(const RuleSetRecord&) {}
  void operator()(const ReviewRecord&) {}
  void operator()(const ReviewDeliveryRecord&) {}

 private:
  std::map<int64_t, Incident> incidents_;
  std::map<int64_t, EpisodeRecord> episodes_;
  std::map<IncidentId, std::pair<Timestamp, Severity>> told_;
  std::map<std::tuple<std::string, std::string, std::string, uint32_t>, NflogEntry> nflog_;
  std::map<std::tuple<std::string, std::string>, GroupRecord> groups_;
  std::map<std::tuple<std::string, std::string, std::string, uint32_t, uint64_t>, RuleStateRecord> rules_;
  std::map<std::string, Silence> silences_;
  std::map<std::pair<std::string, std::string>, InboundRecord> inbound_;
  int64_t last_notification_ = 0;
};

}  // namespace mlalert::testing
