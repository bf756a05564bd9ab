#include "backtest/proposals.h"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>
#include <map>
#include <optional>
#include <set>

#include "backtest/rule_patch.h"
#include "review/render.h"

namespace mlalert {
namespace {

using std::chrono::hours;
using std::chrono::minutes;

constexpr std::array<int, 12> kForMinutes = {1, 2, 3, 5, 8, 10, 12, 15, 20, 30, 45, 60};
constexpr std::array<int, 6> kKeepMinutes = {2, 5, 10, 15, 30, 60};
// Below this a change is not worth a pull request.
constexpr int64_t kRemovedMin = 2;
constexpr double kRemovedShareMin = 0.1;
// A candidate may tell later by this share of the response target.
constexpr double kDelayShare = 0.25;

double TargetSeconds(Severity severity) {
  switch (severity) {
    case Severity::kP0:
      return 15 * 60;
    case Severity::kP1:
      return 3600;
    case Severity::kP2:
      return 4 * 3600;
    default:
      return 24 * 3600;
  }
}

std::string OneLess(const std::string& severity) {
  static const std::map<std::string, std::string, std::less<>> kLess = {
      {"P0", "P1"},       {"P1", "P2"},         {"P2", "P3"},      {"critical", "high"}, {"page", "high"},
      {"high", "medium"}, {"error", "warning"}, {"medium", "low"}, {"warning", "info"}};
  auto it = kLess.find(severity);
  return it != kLess.end() ? it->second : "";
}

// What a rule did to people in a span.
struct Load {
  int64_t interruptions = 0;
  int64_t notifications = 0;  // that told of something that fires
};
Load LoadOf(const Replay& replay, const Span& span) {
  Load out;
  for (const PageFacts& page : PagesOf(replay)) {
    out.interruptions += page.interruption && span.Contains(page.at) ? 1 : 0;
  }
  for (const NotificationRecord& n : replay.notifications) {
    out.notifications += n.firing > 0 && n.reason != "acknowledged" && n.reason != "some alerts resolved" &&
                                 span.Contains(n.at)
                             ? 1
                             : 0;
  }
  return out;
}

// When the replay first told of what the stored incident was about; kUnset: never.
Timestamp ToldOf(const std::vector<IncidentFacts>& replayed, const IncidentFacts& stored, Timestamp until) {
  const Timestamp end = stored.resolved ? stored.resolved_at : until;
  Timestamp told = kUnset;
  for (const IncidentFacts& r : replayed) {
    const bool meets = r.opened_at <= end && (!r.resolved || r.resolved_at >= stored.opened_at);
    if (meets && r.model == stored.model && r.pipeline == stored.pipeline && IsSet(r.first_told_at) &&
        (!IsSet(told) || r.first_told_at < told)) {
      told = r.first_told_at;
    }
  }
  return told;
}

struct Outcome {
  Candidate candidate;
  Load chosen_before, chosen_after, last_before, last_after;
  int64_t acted = 0, lost = 0;
  double delay_seconds = 0;

  int64_t Before(bool pages) const {
    return pages ? chosen_before.interruptions + last_before.interruptions
                 : chosen_before.notifications + last_before.notifications;
  }
  int64_t After(bool pages) const {
    return pages ? chosen_after.interruptions + last_after.interruptions
                 : chosen_after.notifications + last_after.notifications;
  }
};

class RuleProposal {
 public:
  RuleProposal(QualitySource& source, const ProposalInput& input, const ConfigPtr& config,
               const RuleQuality& quality, const RuleFacts& rule)
      : source_(source),
        input_(input),
        config_(config),
        quality_(quality),
        rule_(rule),
        last_{input.window.until - hours(24 * 7), input.window.until},
        before_{input.window.from, input.window.until - hours(24 * 7)} {}

  Result<std::optional<Outcome>> Best() {
    MLALERT_TRY(ReadPast());
    if (episodes_.empty()) {
      return std::optional<Outcome>();
    }
    MLALERT_ASSIGN(Replay baseline, ReplayEpisodes(config_, episodes_, acks_, input_.window));
    baseline_chosen_ = LoadOf(baseline, before_);
    baseline_last_ = LoadOf(baseline, last_);
    pages_ = baseline_chosen_.interruptions + baseline_last_.interruptions > 0;
    baseline_facts_ = FactsOf(baseline);
    std::optional<Outcome> best;
    for (const Candidate& candidate : Candidates()) {
      if (input_.stopped && input_.stopped()) {
        return std::optional<Outcome>();
      }
      MLALERT_ASSIGN(Outcome outcome, Try(candidate));
      if (Allowed(outcome) && (!best || Removed(outcome) > Removed(*best))) {
        best = std::move(outcome);
      }
    }
    // Less severe, or gone, only when nothing gentler does half of it.
    if (!best || Removed(*best) * 2 < Chosen(baseline_chosen_)) {
      for (const Candidate& candidate : LastResorts()) {
        MLALERT_ASSIGN(Outcome outcome, Try(candidate));
        if (Allowed(outcome) && (!best || Removed(outcome) > Removed(*best))) {
          best = std::move(outcome);
        }
      }
    }
    return best;
  }
  bool pages() const { return pages_; }
  double weeks() const { return ToSeconds(input_.window.until - input_.window.from) / (7 * 86400.0); }

 private:
  Status ReadPast() {
    MLALERT_ASSIGN(auto stored, source_.Episodes(rule_.rule, input_.window, kProposalEpisodesMax));
    std::map<int64_t, const LabelSet*> labels_of;
    for (const EpisodeFacts& e : stored) {
      // What came later than it began, came when it was received.
      episodes_.push_back(
          {e.labels, {}, IsSet(e.received_at) ? e.received_at : e.started_at, e.ended_at, e.incident_id});
    }
    for (const StoredEpisode& e : episodes_) {
      labels_of.try_emplace(e.incident_id, &e.labels);
    }
    for (const IncidentFacts& i : input_.incidents) {
      if (i.alertname != rule_.rule || i.test || !input_.window.Contains(i.opened_at)) {
        continue;
      }
      if (i.level == ActionLevel::kActed && IsSet(i.first_told_at)) {
        acted_.push_back(i);
      }
      auto labels = labels_of.find(i.id);
      if (IsSet(i.first_acknowledged_at) && labels != labels_of.end()) {
        acks_.push_back({*labels->second, i.first_acknowledged_at, "people"});
      }
    }
    return {};
  }

  std::vector<Candidate> Candidates() const {
    std::vector<Candidate> out;
    auto add = [&](const char* field, int64_t from_ms, int minutes_to) {
      const int64_t to_ms = int64_t{minutes_to} * 60'000;
      if (to_ms > from_ms) {
        out.push_back({field, FormatDuration(std::chrono::milliseconds(from_ms)),
                       FormatDuration(std::chrono::milliseconds(to_ms)), from_ms, to_ms});
      }
    };
    for (int m : kForMinutes) {
      add("for", rule_.for_ms, m);
    }
    for (int m : kKeepMinutes) {
      add("keep_firing_for", rule_.keep_firing_for_ms, m);
    }
    return out;
  }
  std::vector<Candidate> LastResorts() const {
    std::vector<Candidate> out;
    const std::string less = OneLess(rule_.severity);
    if (quality_.acted == 0 && quality_.told >= 10 && !less.empty()) {
      out.push_back({"severity", rule_.severity, less, 0, 0});
    }
    if (quality_.acted == 0 && quality_.told >= 29) {
      out.push_back({"delete", "", "", 0, 0});
    }
    return out;
  }

  Result<Outcome> Try(const Candidate& candidate) {
    Outcome out;
    out.candidate = candidate;
    MLALERT_ASSIGN(Replay replay,
                   ReplayEpisodes(config_,
                                  Under(candidate, episodes_, std::chrono::milliseconds(rule_.for_ms),
                                        std::chrono::milliseconds(rule_.keep_firing_for_ms)),
                                  acks_, input_.window));
    out.chosen_before = baseline_chosen_;
    out.last_before = baseline_last_;
    out.chosen_after = LoadOf(replay, before_);
    out.last_after = LoadOf(replay, last_);
    const std::vector<IncidentFacts> facts = FactsOf(replay);
    std::vector<double> delays;
    for (const IncidentFacts& i : acted_) {
      const Timestamp was = ToldOf(baseline_facts_, i, input_.window.until);
      if (!IsSet(was)) {
        continue;  // silenced then, or told by a config that is no more: nothing to compare with
      }
      ++out.acted;
      const Timestamp is = ToldOf(facts, i, input_.window.until);
      if (!IsSet(is)) {
        ++out.lost;
      } else {
        delays.push_back(std::max(0.0, ToSeconds(is - was)));
      }
    }
    std::sort(delays.begin(), delays.end());
    out.delay_seconds = Quantile(delays, 0.5);
    return out;
  }

  int64_t Chosen(const Load& load) const { return pages_ ? load.interruptions : load.notifications; }
  int64_t Removed(const Outcome& o) const { return Chosen(o.chosen_before) - Chosen(o.chosen_after); }
  bool Allowed(const Outcome& o) const {
    auto severity = ParseSeverity(rule_.severity);
    const double target = TargetSeconds(severity ? *severity : Severity::kP3);
    return o.lost == 0 && o.delay_seconds <= kDelayShare * target && Removed(o) >= kRemovedMin &&
           static_cast<double>(Removed(o)) >= kRemovedShareMin * static_cast<double>(Chosen(o.chosen_before));
  }

  QualitySource& source_;
  const ProposalInput& input_;
  const ConfigPtr& config_;
  const RuleQuality& quality_;
  const RuleFacts& rule_;
  Span last_, before_;
  std::vector<StoredEpisode> episodes_;
  std::vector<StoredAcknowledgement> acks_;
  std::vector<IncidentFacts> acted_;
  std::vector<IncidentFacts> baseline_facts_;
  Load baseline_chosen_, baseline_last_;
  bool pages_ = false;
};

std::string TextOf(const Candidate& c) {
  return c.field == "delete" ? "deleting the rule" : fmt::format("{} {} to {}", c.field, c.from, c.to);
}

Json ProposalJson(const RuleFacts& rule, const Outcome& o, bool pages, double weeks,
                  const std::string& patch) {
  const char* what = pages ? "interruptions" : "notifications";
  const int64_t before = o.Before(pages);
  const int64_t removed = before - o.After(pages);
  const int64_t last_before = pages ? o.last_before.interruptions : o.last_before.notifications;
  const int64_t last_after = pages ? o.last_after.interruptions : o.last_after.notifications;
  const int64_t chosen_before = before - last_before;
  const int64_t chosen_removed = removed - (last_before - last_after);
  const double bound = UpperBoundOfNone(o.acted);
  // It holds when it removes at least half the share of what it removed on the weeks before.
  const bool measured = last_before > 0;
  const bool holds =
      measured && static_cast<double>(last_before - last_after) / static_cast<double>(last_before) >=
                      0.5 * static_cast<double>(chosen_removed) / static_cast<double>(chosen_before);
  std::string summary =
      fmt::format("{} removes {} of {} {}, loses {} of {} acted-on incidents (95 % upper bound {:.0f} %)",
                  TextOf(o.candidate), removed, before, what, o.lost, o.acted, 100 * bound);
  if (o.candidate.field != "delete") {
    summary += o.delay_seconds < 1 ? ", told at the same time"
                                   : fmt::format(", told {} later", MinutesText(o.delay_seconds));
  }
  summary +=
      !measured ? "; nothing to verify it on in the last week"
      : holds
          ? fmt::format("; verified on the last week: {} of {}", last_before - last_after, last_before)
          : fmt::format("; does not hold on the last week: {} of {}", last_before - last_after, last_before);
  Json json = Json::MakeObject();
  json.Set("rule", rule.rule).Set("file", rule.file).Set("text", TextOf(o.candidate)).Set("summary", summary);
  Json change = Json::MakeObject();
  change.Set("field", o.candidate.field);
  if (o.candidate.to_ms != 0) {
    change.Set("from", o.candidate.from_ms).Set("to", o.candidate.to_ms);
  } else {
    change.Set("from", o.candidate.from).Set("to", o.candidate.to);
  }
  json.Set("change", std::move(change));
  json.Set("measure", what).Set("before", before).Set("removed", removed);
  json.Set("acted_on", o.acted)
      .Set("lost", o.lost)
      .Set("lost_upper_bound", std::round(bound * 10000) / 10000);
  json.Set("delay_seconds", o.delay_seconds);
  Json verified = Json::MakeObject();
  verified.Set("before", last_before).Set("removed", last_before - last_after);
  verified.Set("holds", measured ? Json(holds) : Json());
  json.Set("last_week", std::move(verified));
  json.Set("interruptions_per_week", pages ? static_cast<double>(before) / weeks : 0.0);
  json.Set("removed_per_week", pages ? static_cast<double>(removed) / weeks : 0.0);
  json.Set("patch", patch);
  return json;
}

}  // namespace

std::vector<StoredEpisode> Under(const Candidate& candidate, const std::vector<StoredEpisode>& episodes,
                                 Duration hold, Duration keep_firing_for) {
  std::vector<StoredEpisode> out;
  if (candidate.field == "delete") {
    return out;
  }
  const Duration more = std::chrono::milliseconds(candidate.to_ms - candidate.from_ms);
  if (candidate.field == "severity") {
    out = episodes;
    for (StoredEpisode& e : out) {
      e.labels = e.labels.With("severity", candidate.to);
    }
  } else if (candidate.field == "for") {
    for (const StoredEpisode& e : episodes) {
      StoredEpisode later = e;
      later.started_at += more;
      // The condition ended keep_firing_for before the alert did.
      if (!IsSet(e.ended_at) || later.started_at <= e.ended_at - keep_firing_for) {
        out.push_back(std::move(later));
      }
    }
  } else {
    // Longer, and one with the next of the same alert when the condition is back within that time: the
    // condition is true `for` before the alert fires.
    std::map<std::string, size_t> last;
    for (const StoredEpisode& e : episodes) {
      const std::string key = e.labels.ToString();
      auto it = last.find(key);
      if (it != last.end() && IsSet(out[it->second].ended_at) &&
          e.started_at - hold <= out[it->second].ended_at) {
        out[it->second].ended_at = IsSet(e.ended_at) ? e.ended_at + more : kUnset;
        continue;
      }
      last[key] = out.size();
      out.push_back(e);
      if (IsSet(e.ended_at)) {
        out.back().ended_at += more;
      }
    }
  }
  std::stable_sort(out.begin(), out.end(), [](const StoredEpisode& a, const StoredEpisode& b) {
    return a.started_at < b.started_at;
  });
  return out;
}

Json Propose(QualitySource& source, const ProposalInput& input, const ConfigPtr& config,
             const std::function<std::string(const std::string&)>& read_file) {
  Json out = Json::MakeArray();
  size_t looked_at = 0;
  for (const RuleQuality& quality : input.rules) {
    if (looked_at >= kProposalRulesMax || (input.stopped && input.stopped())) {
      break;
    }
    auto rule = std::find_if(input.loaded.begin(), input.loaded.end(),
                             [&](const RuleFacts& one) { return one.rule == quality.rule; });
    if (rule == input.loaded.end() || quality.told + quality.interruptions < kRemovedMin) {
      continue;
    }
    ++looked_at;
    RuleProposal proposal(source, input, config, quality, *rule);
    auto best = proposal.Best();
    if (!best || !*best) {
      continue;  // nothing that helps and harms nobody, or its past cannot be read
    }
    const std::string text = read_file ? read_file(rule->file) : "";
    const std::string patch =
        RulePatch(rule->file, text, rule->rule, (*best)->candidate.field, (*best)->candidate.to);
    out.Push(ProposalJson(*rule, **best, proposal.pages(), proposal.weeks(), patch));
  }
  return out;
}

}  // namespace mlalert
