#include "review/weekly_review.h"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>
#include <unordered_map>
#include <unordered_set>

namespace mlalert {
namespace {

using std::chrono::hours;

constexpr Duration kNeverFired = hours(24 * 90);
constexpr Duration kStaleSilence = hours(24 * 14);
constexpr size_t kListMax = 1000;
constexpr size_t kBreachesMax = 50;  // of each severity
constexpr std::array<std::string_view, 5> kSeverityNames = {"P0", "P1", "P2", "P3", "none"};

double Rounded(double value, double digits = 1000) {
  return std::round(value * digits) / digits;
}

Json RatioJson(const Ratio& ratio) {
  Json json = Json::MakeObject();
  const auto value = ratio.value();
  json.Set("value", value ? Json(Rounded(*value, 10000)) : Json());
  json.Set("k", ratio.k).Set("n", ratio.n);
  json.Set("low", Rounded(ratio.low(), 10000)).Set("high", Rounded(ratio.high(), 10000));
  return json;
}

Json SpreadJson(const Spread& spread) {
  Json json = Json::MakeObject();
  json.Set("n", spread.n);
  auto seconds = [&](double value) { return spread.n > 0 ? Json(Rounded(value)) : Json(); };
  json.Set("mean_seconds", seconds(spread.mean));
  json.Set("p50_seconds", seconds(spread.p50));
  json.Set("p90_seconds", seconds(spread.p90));
  return json;
}

Json BucketsJson(const std::array<int64_t, kBuckets>& buckets) {
  Json json = Json::MakeObject();
  for (size_t i = 0; i < kBuckets; ++i) {
    json.Set(std::string(ToString(static_cast<Bucket>(i))), buckets[i]);
  }
  return json;
}

Json TargetsJson(const std::array<TargetCounts, 4>& targets) {
  constexpr std::array<std::string_view, 4> kTargets = {"15m", "1h", "4 business hours",
                                                        "end of the next business day"};
  Json list = Json::MakeArray();
  for (size_t i = 0; i < targets.size(); ++i) {
    const TargetCounts& counts = targets[i];
    Json one = Json::MakeObject();
    one.Set("severity", kSeverityNames[i]).Set("target", kTargets[i]);
    one.Set("attained", counts.attained)
        .Set("breached", counts.breached)
        .Set("not_measured", counts.not_measured);
    const Ratio ratio{counts.attained, counts.attained + counts.breached};
    one.Set("ratio", ratio.value() ? Json(Rounded(*ratio.value(), 10000)) : Json());
    Json breaches = Json::MakeArray();
    for (size_t b = 0; b < counts.breaches.size() && b < kBreachesMax; ++b) {
      breaches.Push(counts.breaches[b]);
    }
    one.Set("breaches", std::move(breaches));
    list.Push(std::move(one));
  }
  return list;
}

Json TotalsJson(const Totals& t) {
  Json json = Json::MakeObject();
  json.Set("incidents", t.incidents).Set("told", t.told).Set("paged", t.paged);
  Json severities = Json::MakeObject();
  for (size_t i = 0; i < kSeverityNames.size(); ++i) {
    severities.Set(std::string(kSeverityNames[i]), t.by_severity[i]);
  }
  json.Set("by_severity", std::move(severities));
  json.Set("interruptions", t.interruptions);
  json.Set("interruptions_by_bucket", BucketsJson(t.interruptions_by_bucket));
  Json receivers = Json::MakeObject();
  for (const auto& [receiver, buckets] : t.interruptions_by_receiver) {
    receivers.Set(receiver, BucketsJson(buckets));
  }
  json.Set("interruptions_by_receiver", std::move(receivers));
  json.Set("pain", t.pain).Set("pain_gini", Rounded(t.pain_gini));
  json.Set("acknowledged", t.acknowledged).Set("unacknowledged", t.unacknowledged);
  json.Set("acted", t.acted).Set("negative", t.negative).Set("unsettled", t.unsettled);
  json.Set("action_ratio", RatioJson(t.action));
  json.Set("action_ratio_loose", RatioJson(t.action_loose));
  json.Set("action_ratio_paged", RatioJson(t.action_paged));
  json.Set("time_to_tell", SpreadJson(t.tell));
  Json ack = SpreadJson(t.acknowledge);
  ack.Set("unacknowledged", t.unacknowledged);
  json.Set("time_to_acknowledge", std::move(ack));
  json.Set("time_to_acknowledge_from_opening", SpreadJson(t.acknowledge_total));
  Json resolve = SpreadJson(t.resolve);
  resolve.Set("by_people", SpreadJson(t.resolve_human));
  resolve.Set("by_themselves", SpreadJson(t.resolve_auto));
  resolve.Set("never_told", SpreadJson(t.resolve_untold));
  Json excluded = Json::MakeObject();
  excluded.Set("timeout", t.resolve_timeout).Set("muted_only", t.resolve_muted).Set("test", t.resolve_test);
  resolve.Set("excluded", std::move(excluded));
  json.Set("time_to_resolve", std::move(resolve));
  json.Set("under_5m", RatioJson(t.under_5m)).Set("auto_resolved_under_5m", t.auto_under_5m);
  json.Set("flapping", t.flapping);
  json.Set("response_targets", TargetsJson(t.targets));
  return json;
}

// A number of the top line of a frozen or computed week; empty when it has none.
std::optional<double> TopNumber(const Json& totals, std::string_view key) {
  const Json* value = nullptr;
  if (key == "action_ratio") {
    value = totals.Find("action_ratio");
    value = value != nullptr ? value->Find("value") : nullptr;
  } else if (key == "mtta_seconds" || key == "mttr_seconds") {
    value = totals.Find(key == "mtta_seconds" ? "time_to_acknowledge" : "time_to_resolve");
    value = value != nullptr ? value->Find("mean_seconds") : nullptr;
  } else {
    value = totals.Find(key);
  }
  return value != nullptr && value->is_number() ? std::optional(value->AsDouble()) : std::nullopt;
}

constexpr std::array<std::string_view, 10> kTopLine = {
    "incidents",    "told",         "paged",        "interruptions",        "acted",
    "action_ratio", "mtta_seconds", "mttr_seconds", "failed_notifications", "flapping"};

class Builder {
 public:
  Builder(QualitySource& source, const ReviewRequest& request) : source_(source), request_(request) {}

  Result<Json> Build() {
    MLALERT_ASSIGN(const Timestamp oldest, source_.Oldest());
    oldest_ = oldest;
    MLALERT_TRY(ReadFrozen());
    // What is not frozen of the weeks before is computed: one read covers it and the window of the rules.
    Timestamp from = request_.span.until - kRuleWindow;
    for (const Prior& prior : priors_) {
      if (prior.totals.is_null()) {
        from = std::min(from, prior.span.from);
      }
    }
    from = std::min(from, request_.span.from);
    const Span window{from, request_.span.until};
    MLALERT_ASSIGN(incidents_, source_.Incidents(window, request_.team));
    MLALERT_ASSIGN(pages_, source_.Pages(window));
    if (!request_.team.empty()) {
      KeepPagesOfTeam();
    }
    MLALERT_ASSIGN(rules_, source_.Rules());
    MLALERT_ASSIGN(Json totals, TotalsOf(request_.span));
    MLALERT_TRY(ComputePriors());

    Json review = Json::MakeObject();
    review.Set("definition_version", kDefinitionVersion);
    review.Set("week", request_.week.empty() ? Json() : Json(request_.week));
    review.Set("team", request_.team.empty() ? Json() : Json(request_.team));
    review.Set("from", FormatRfc3339Millis(request_.span.from));
    review.Set("until", FormatRfc3339Millis(request_.span.until));
    review.Set("time_zone", request_.zone.name());
    review.Set("as_of", FormatRfc3339Millis(request_.as_of));
    review.Set("frozen", false);
    MLALERT_TRY(AddFeedback(totals));
    review.Set("previous", Previous(totals));
    review.Set("totals", std::move(totals));
    AddRules(review);
    MLALERT_ASSIGN(Json hygiene, Hygiene());
    review.Set("hygiene", std::move(hygiene));
    review.Set("promises", Promises());
    const Span rule_window{request_.span.until - kRuleWindow, request_.span.until};
    review.Set("proposals", request_.propose
                                ? request_.propose(source_, {quality_, rules_, incidents_, pages_,
                                                             rule_window, request_.zone, request_.stopped})
                                : Json::MakeArray());
    return review;
  }

 private:
  struct Prior {
    std::string week;
    Span span;
    Json totals;  // null: not frozen
  };

  Status ReadFrozen() {
    for (int i = 1; i <= kMedianWeeks; ++i) {
      Prior prior;
      const Duration length = request_.span.until - request_.span.from;
      prior.span = {request_.span.from - i * length, request_.span.until - i * length};
      if (!request_.week.empty()) {
        const Week week = WeekOf(request_.span.from - hours(24 * 7 * i) + hours(12), request_.zone);
        prior.week = week.name;
        prior.span = week.span;
        MLALERT_ASSIGN(auto frozen, source_.Review(request_.team, week.name));
        if (frozen) {
          auto data = ParseJson(frozen->data);
          const Json* totals = data ? data->Find("totals") : nullptr;
          if (totals != nullptr) {
            prior.totals = *totals;
            if (last_review_.is_null() && i == 1) {
              last_review_ = std::move(*data);
            }
          }
        }
      }
      // Weeks before the history began say nothing.
      if (!prior.totals.is_null() || (IsSet(oldest_) && prior.span.until > oldest_)) {
        priors_.push_back(std::move(prior));
      }
    }
    return {};
  }

  void KeepPagesOfTeam() {
    std::unordered_set<int64_t> ids;
    for (const IncidentFacts& incident : incidents_) {
      ids.insert(incident.id);
    }
    std::erase_if(pages_, [&](const PageFacts& page) {
      return std::none_of(page.incidents.begin(), page.incidents.end(),
                          [&](int64_t id) { return ids.contains(id); });
    });
  }

  Result<Json> TotalsOf(const Span& span) {
    Json json = TotalsJson(ComputeTotals(incidents_, pages_, span, request_.as_of, request_.zone));
    MLALERT_ASSIGN(const int64_t fired, source_.EpisodesStarted(span, request_.team));
    MLALERT_ASSIGN(notifications_, source_.Notifications(span));
    json.Set("fired", fired);
    json.Set("notifications", notifications_.sent).Set("failed_notifications", notifications_.failed);
    return json;
  }

  Status ComputePriors() {
    NotificationFacts ours = notifications_;
    for (Prior& prior : priors_) {
      if (prior.totals.is_null()) {
        MLALERT_ASSIGN(prior.totals, TotalsOf(prior.span));
      }
    }
    notifications_ = std::move(ours);
    return {};
  }

  Status AddFeedback(Json& totals) {
    MLALERT_ASSIGN(FeedbackFacts f, source_.Feedback(request_.span, request_.team));
    Json json = Json::MakeObject();
    json.Set("incidents", f.incidents).Set("acted", f.acted).Set("not_actionable", f.not_actionable);
    json.Set("false_alarm", f.false_alarm).Set("poor_details", f.poor_details);
    const Json* told = totals.Find("told");
    const Ratio response{f.incidents, told != nullptr ? std::max(told->AsInt(), f.incidents) : f.incidents};
    json.Set("response_rate", response.value() ? Json(Rounded(*response.value(), 10000)) : Json());
    totals.Set("feedback", std::move(json));
    return {};
  }

  Json Previous(const Json& totals) {
    Json weeks = Json::MakeArray();
    Json medians = Json::MakeObject();
    Json changes = Json::MakeObject();
    for (const Prior& prior : priors_) {
      weeks.Push(prior.week.empty() ? FormatRfc3339Millis(prior.span.from) : prior.week);
    }
    for (std::string_view key : kTopLine) {
      std::vector<double> values;
      for (const Prior& prior : priors_) {
        if (auto value = TopNumber(prior.totals, key)) {
          values.push_back(*value);
        }
      }
      std::sort(values.begin(), values.end());
      const auto ours = TopNumber(totals, key);
      const std::string name(key);
      medians.Set(name, values.empty() ? Json() : Json(Rounded(Quantile(values, 0.5), 10000)));
      changes.Set(name,
                  values.empty() || !ours ? Json() : Json(Rounded(*ours - Quantile(values, 0.5), 10000)));
    }
    Json json = Json::MakeObject();
    json.Set("weeks", std::move(weeks)).Set("median", std::move(medians)).Set("change", std::move(changes));
    return json;
  }

  const RuleFacts* FindRule(const std::string& name) const {
    auto it =
        std::find_if(rules_.begin(), rules_.end(), [&](const RuleFacts& rule) { return rule.rule == name; });
    return it != rules_.end() ? &*it : nullptr;
  }

  Json RuleJson(const RuleQuality& r) const {
    const RuleFacts* facts = FindRule(r.rule);
    Json json = Json::MakeObject();
    json.Set("rule", r.rule).Set("incidents", r.incidents).Set("told", r.told).Set("paged", r.paged);
    json.Set("interruptions", r.interruptions).Set("sleep_interruptions", r.sleep_interruptions);
    json.Set("acknowledged", r.acknowledged).Set("acted", r.acted).Set("negative", r.negative);
    json.Set("action_ratio", RatioJson(r.action));
    json.Set("noise", Rounded(r.noise, 10));
    Json parts = Json::MakeObject();
    parts.Set("not_acted", Rounded(1 - r.action_shrunk)).Set("under_5m", Rounded(r.under_5m));
    parts.Set("flap", Rounded(r.flap)).Set("sleep_share", Rounded(r.sleep_share));
    parts.Set("duplicate", Rounded(r.duplicate));
    json.Set("noise_parts", std::move(parts));
    // Without its rule nothing is known of its runbook.
    const Reason reason = ReasonOf(r, facts == nullptr || !facts->runbook_url.empty());
    json.Set("reason", reason.name.empty() ? Json() : Json(reason.name));
    json.Set("why", reason.why);
    json.Set("file", facts != nullptr ? Json(facts->file) : Json());
    return json;
  }

  void AddRules(Json& review) {
    const Span window{request_.span.until - kRuleWindow, request_.span.until};
    quality_ = ComputeRules(incidents_, pages_, window, request_.as_of, request_.zone);
    Json worst = Json::MakeArray();
    Json all = Json::MakeArray();
    Json never = Json::MakeArray();
    for (const RuleQuality& rule : quality_) {
      Json json = RuleJson(rule);
      if (worst.AsArray().size() < kWorstRules && rule.told + rule.interruptions > 0 &&
          !json.GetString("reason").empty()) {
        worst.Push(json);
      }
      if (rule.never_acted) {
        Json one = Json::MakeObject();
        one.Set("rule", rule.rule).Set("told", rule.told);
        one.Set("upper_bound", Rounded(rule.never_acted_bound, 10000))
            .Set("verdict", NeverActedWord(rule.told));
        never.Push(std::move(one));
      }
      if (all.AsArray().size() < kListMax) {
        all.Push(std::move(json));
      }
    }
    review.Set("rule_window_days", static_cast<int64_t>(kRuleWindow / hours(24)));
    review.Set("worst_rules", std::move(worst));
    review.Set("never_acted_on", std::move(never));
    review.Set("rules", std::move(all));
  }

  Result<Json> Hygiene() {
    Json json = Json::MakeObject();
    json.Set("rules_that_never_fired", NeverFired());
    MLALERT_ASSIGN(Json silences, StaleSilences());
    json.Set("stale_silences", std::move(silences));
    MLALERT_ASSIGN(auto fell, source_.FellToDefaultRoute(request_.span));
    Json fell_json = Json::MakeArray();
    for (const auto& one : fell) {
      Json row = Json::MakeObject();
      row.Set("alertname", one.name).Set("incidents", one.count);
      fell_json.Push(std::move(row));
    }
    json.Set("fell_to_default_route", std::move(fell_json));
    Json failed = Json::MakeArray();
    for (const auto& failure : notifications_.failures) {
      Json row = Json::MakeObject();
      row.Set("receiver", failure.receiver)
          .Set("integration", failure.integration)
          .Set("failed", failure.failed);
      row.Set("last_at", FormatRfc3339Millis(failure.last_at)).Set("error", failure.error);
      failed.Push(std::move(row));
    }
    json.Set("failed_notifications", std::move(failed));
    Json bare = Json::MakeArray();
    for (const RuleFacts& rule : rules_) {
      if (rule.runbook_url.empty() && bare.AsArray().size() < kListMax) {
        bare.Push(rule.rule);
      }
    }
    json.Set("rules_without_runbook", std::move(bare));
    return json;
  }

  Json NeverFired() const {
    Json list = Json::MakeArray();
    for (const RuleFacts& rule : rules_) {
      // Counted from when mlalert first had the rule: before, nobody watched.
      const Duration watched = request_.as_of - rule.first_loaded;
      const bool silent = !IsSet(rule.last_fired) || rule.last_fired < request_.as_of - kNeverFired;
      if (!silent || list.AsArray().size() >= kListMax) {
        continue;
      }
      Json row = Json::MakeObject();
      row.Set("rule", rule.rule).Set("file", rule.file);
      row.Set("days", static_cast<int64_t>(std::min(watched, kNeverFired) / hours(24)));
      row.Set("last_fired_at", IsSet(rule.last_fired) ? Json(FormatRfc3339Millis(rule.last_fired)) : Json());
      list.Push(std::move(row));
    }
    return list;
  }

  Result<Json> StaleSilences() {
    MLALERT_ASSIGN(auto silences, source_.Silences(request_.span));
    Json list = Json::MakeArray();
    for (const SilenceFacts& s : silences) {
      const Timestamp end = std::min(request_.as_of, request_.span.until);
      const bool active = s.starts_at <= end && s.ends_at > end;
      const bool old = end - s.starts_at > kStaleSilence;
      const bool idle = s.hidden == 0 && s.starts_at < request_.span.from;
      if (!active || (!old && !idle) || list.AsArray().size() >= kListMax) {
        continue;
      }
      Json row = Json::MakeObject();
      row.Set("id", s.id).Set("created_by", s.created_by).Set("comment", s.comment);
      row.Set("matchers", s.matchers);
      row.Set("starts_at", FormatRfc3339Millis(s.starts_at)).Set("ends_at", FormatRfc3339Millis(s.ends_at));
      row.Set("hidden", s.hidden).Set("why", idle ? "hid nothing this week" : "older than 14 days");
      list.Push(std::move(row));
    }
    return list;
  }

  // What the last review proposed: was it done, and did it help as promised?
  Json Promises() const {
    Json list = Json::MakeArray();
    const Json* proposals = last_review_.Find("proposals");
    if (proposals == nullptr) {
      return list;
    }
    const double weeks = ToSeconds(request_.span.until - request_.span.from) / ToSeconds(hours(24 * 7));
    for (const Json& p : proposals->AsArray()) {
      const std::string& name = p.GetString("rule");
      const RuleFacts* rule = FindRule(name);
      const Json* change = p.Find("change");
      if (change == nullptr) {
        continue;
      }
      const std::string& field = change->GetString("field");
      const Json* to = change->Find("to");
      bool applied = false;
      if (field == "delete") {
        applied = rule == nullptr;
      } else if (rule != nullptr && to != nullptr) {
        applied = field == "for"               ? rule->for_ms == to->AsInt()
                  : field == "keep_firing_for" ? rule->keep_firing_for_ms == to->AsInt()
                                               : rule->severity == to->AsString();
      }
      int64_t got = 0;
      for (const PageFacts& page : pages_) {
        const bool ours = std::any_of(page.incidents.begin(), page.incidents.end(), [&](int64_t id) {
          auto it = std::lower_bound(incidents_.begin(), incidents_.end(), id,
                                     [](const IncidentFacts& i, int64_t wanted) { return i.id < wanted; });
          return it != incidents_.end() && it->id == id && it->alertname == name;
        });
        got += page.interruption && ours && request_.span.Contains(page.at) ? 1 : 0;
      }
      const double before =
          p.Find("interruptions_per_week") != nullptr ? p.Find("interruptions_per_week")->AsDouble() : 0;
      const double removed =
          p.Find("removed_per_week") != nullptr ? p.Find("removed_per_week")->AsDouble() : 0;
      const double saved = before * weeks - static_cast<double>(got);
      Json row = Json::MakeObject();
      row.Set("rule", name).Set("change", p.GetString("text")).Set("applied", applied);
      row.Set("promised", -Rounded(removed * weeks, 10))
          .Set("got", applied ? Json(-Rounded(saved, 10)) : Json());
      row.Set("status", !applied ? "not applied" : saved >= removed * weeks * 0.75 - 1 ? "kept" : "not kept");
      list.Push(std::move(row));
    }
    return list;
  }

  QualitySource& source_;
  const ReviewRequest& request_;
  Timestamp oldest_ = kUnset;
  std::vector<Prior> priors_;
  Json last_review_;
  std::vector<IncidentFacts> incidents_;
  std::vector<PageFacts> pages_;
  NotificationFacts notifications_;
  std::vector<RuleFacts> rules_;
  std::vector<RuleQuality> quality_;
};

}  // namespace

Result<Json> BuildReview(QualitySource& source, const ReviewRequest& request) {
  return Builder(source, request).Build();
}

Result<Json> AskReview(QualitySource& source, const ReviewQuery& query, Timestamp now) {
  std::string zone_name = query.time_zone;
  if (zone_name.empty()) {
    MLALERT_ASSIGN(auto newest, source.Reviews(query.team, kUnset, 1));
    if (!newest.empty()) {
      if (auto data = ParseJson(newest.front().data)) {
        zone_name = data->GetString("time_zone");
      }
    }
  }
  ReviewRequest request;
  MLALERT_ASSIGN(request.zone, TimeZone::Find(zone_name));
  request.team = query.team;
  request.as_of = now;
  request.propose = query.propose;
  if (IsSet(query.since)) {
    if (!query.week.empty()) {
      return Fail(ErrorCode::kInvalid, "give a week or a time since when, not both");
    }
    if (query.since >= now) {
      return Fail(ErrorCode::kInvalid, "the review would begin in the future");
    }
    request.span = {query.since, now};
    return BuildReview(source, request);
  }
  Week week = LastWeek(now, request.zone);
  if (!query.week.empty()) {
    MLALERT_ASSIGN(week, ParseWeek(query.week, request.zone));
  }
  if (week.span.from > now) {
    return Fail(ErrorCode::kInvalid, fmt::format("week {} has not begun", week.name));
  }
  if (!query.live) {
    MLALERT_ASSIGN(auto frozen, source.Review(query.team, week.name));
    if (frozen) {
      return ParseJson(frozen->data);
    }
  }
  request.week = week.name;
  request.span = week.span;
  return BuildReview(source, request);
}

ReviewRecord FreezeReview(const Json& review, const Week& week, Timestamp now) {
  Json frozen = review;
  frozen.Set("frozen", true);
  ReviewRecord out;
  out.team = review.GetString("team");
  out.week = week.name;
  out.week_start = week.span.from;
  out.week_end = week.span.until;
  out.definition_version = kDefinitionVersion;
  out.frozen_at = now;
  if (const Json* totals = review.Find("totals")) {
    auto count = [&](const char* key) {
      const Json* value = totals->Find(key);
      return value != nullptr ? value->AsInt() : 0;
    };
    out.incidents = count("incidents");
    out.told = count("told");
    out.paged = count("paged");
    out.interruptions = count("interruptions");
    out.acted = count("acted");
  }
  out.data = frozen.Dump();
  return out;
}

}  // namespace mlalert
