#include "review/quality.h"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>
#include <unordered_map>
#include <unordered_set>

namespace mlalert {
namespace {

constexpr double kZ = 1.959963984540054;  // 95 %, two-sided
constexpr std::array<double, kBuckets> kPain = {1, 2, 5};

bool ByPerson(const IncidentFacts& incident) {
  return incident.resolve_reason != "condition" && incident.resolve_reason != "timeout" &&
         !incident.resolve_reason.empty();
}

bool IsSettled(const IncidentFacts& incident, Timestamp as_of) {
  return incident.resolved && incident.resolved_at + kSettling <= as_of;
}

double SecondsBetween(Timestamp from, Timestamp to) {
  return std::max(0.0, ToSeconds(to - from));
}

// 0: all alike, towards 1: one has it all.
double Gini(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  double sum = 0;
  double weighted = 0;
  for (size_t i = 0; i < values.size(); ++i) {
    sum += values[i];
    weighted += static_cast<double>(i + 1) * values[i];
  }
  const double n = static_cast<double>(values.size());
  return sum <= 0 ? 0 : 2 * weighted / (n * sum) - (n + 1) / n;
}

void AddResolve(const IncidentFacts& i, Totals& out, std::array<std::vector<double>, 4>& seconds) {
  if (i.test) {
    ++out.resolve_test;
  } else if (i.resolve_reason == "timeout") {
    ++out.resolve_timeout;
  } else if (!IsSet(i.first_told_at) && i.muted) {
    ++out.resolve_muted;
  } else {
    const double ttr = SecondsBetween(i.opened_at, i.resolved_at);
    seconds[0].push_back(ttr);
    seconds[ByPerson(i) ? 1 : IsSet(i.first_told_at) ? 2 : 3].push_back(ttr);
  }
}

// Pages about tests alone interrupt nobody.
void AddPages(const std::vector<PageFacts>& pages, const Span& span, const std::unordered_set<int64_t>& tests,
              const TimeZone& zone, Totals& out) {
  for (const PageFacts& page : pages) {
    const bool wanted =
        page.incidents.empty() || std::any_of(page.incidents.begin(), page.incidents.end(),
                                              [&](int64_t id) { return !tests.contains(id); });
    if (!page.interruption || !wanted || !span.Contains(page.at)) {
      continue;
    }
    const auto bucket = static_cast<size_t>(BucketOf(page.at, zone));
    ++out.interruptions;
    ++out.interruptions_by_bucket[bucket];
    ++out.interruptions_by_receiver[page.receiver][bucket];
    out.pain += kPain[bucket];
  }
  std::vector<double> loads;
  for (const auto& [receiver, buckets] : out.interruptions_by_receiver) {
    double load = 0;
    for (size_t i = 0; i < kBuckets; ++i) {
      load += kPain[i] * static_cast<double>(buckets[i]);
    }
    loads.push_back(load);
  }
  out.pain_gini = Gini(std::move(loads));
}

}  // namespace

size_t Rank(Severity severity) {
  switch (severity) {
    case Severity::kP0:
      return 0;
    case Severity::kP1:
      return 1;
    case Severity::kP2:
      return 2;
    case Severity::kP3:
      return 3;
    default:
      return 4;
  }
}

std::optional<double> Ratio::value() const {
  return n > 0 ? std::optional(static_cast<double>(k) / static_cast<double>(n)) : std::nullopt;
}

double Ratio::low() const {
  if (n == 0 || k == 0) {
    return 0;
  }
  const double size = static_cast<double>(n);
  const double p = static_cast<double>(k) / size;
  const double centre = p + kZ * kZ / (2 * size);
  const double half = kZ * std::sqrt(p * (1 - p) / size + kZ * kZ / (4 * size * size));
  return std::max(0.0, (centre - half) / (1 + kZ * kZ / size));
}

double Ratio::high() const {
  if (n == 0 || k == n) {
    return 1;
  }
  return 1 - Ratio{n - k, n}.low();
}

double UpperBoundOfNone(int64_t n) {
  return n <= 0 ? 1 : 1 - std::pow(0.05, 1 / static_cast<double>(n));
}

double Quantile(const std::vector<double>& sorted, double q) {
  if (sorted.empty()) {
    return 0;
  }
  const double rank = q * static_cast<double>(sorted.size() - 1);
  const auto below = static_cast<size_t>(std::floor(rank));
  const size_t above = std::min(below + 1, sorted.size() - 1);
  const double weight = rank - std::floor(rank);
  return sorted[below] * (1 - weight) + sorted[above] * weight;
}

Spread SpreadOf(std::vector<double> seconds) {
  Spread out;
  out.n = static_cast<int64_t>(seconds.size());
  if (seconds.empty()) {
    return out;
  }
  std::sort(seconds.begin(), seconds.end());
  double sum = 0;
  for (double value : seconds) {
    sum += value;
  }
  out.mean = sum / static_cast<double>(seconds.size());
  out.p50 = Quantile(seconds, 0.5);
  out.p90 = Quantile(seconds, 0.9);
  return out;
}

Severity TargetSeverity(const IncidentFacts& incident) {
  return incident.base != Severity::kNone ? incident.base : incident.severity;
}

Timestamp TargetOf(Severity severity, Timestamp opened_at, const TimeZone& zone) {
  switch (severity) {
    case Severity::kP0:
      return opened_at + std::chrono::minutes(15);
    case Severity::kP1:
      return opened_at + std::chrono::hours(1);
    case Severity::kP2:
      return AfterBusinessTime(opened_at, std::chrono::hours(4), zone);
    case Severity::kP3:
      return EndOfNextBusinessDay(opened_at, zone);
    default:
      return kUnset;
  }
}

Target JudgeTarget(const IncidentFacts& incident, Timestamp as_of, const TimeZone& zone) {
  const Timestamp target = TargetOf(TargetSeverity(incident), incident.opened_at, zone);
  if (!IsSet(target)) {
    return Target::kNotMeasured;
  }
  if (IsSet(incident.first_acknowledged_at)) {
    return incident.first_acknowledged_at <= target ? Target::kAttained : Target::kBreached;
  }
  const Timestamp end = incident.resolved ? incident.resolved_at : as_of;
  return end > target ? Target::kBreached : Target::kNotMeasured;
}

Totals ComputeTotals(const std::vector<IncidentFacts>& incidents, const std::vector<PageFacts>& pages,
                     const Span& span, Timestamp as_of, const TimeZone& zone) {
  Totals out;
  std::vector<double> tell, ack, ack_total;
  std::array<std::vector<double>, 4> resolve;  // all, by people, by themselves, never told
  std::unordered_set<int64_t> tests;
  for (const IncidentFacts& i : incidents) {
    if (i.resolved && span.Contains(i.resolved_at)) {
      AddResolve(i, out, resolve);
    }
    if (i.test) {
      tests.insert(i.id);
      continue;
    }
    if (span.Contains(i.first_acknowledged_at)) {
      if (IsSet(i.first_told_at)) {
        ack.push_back(SecondsBetween(i.first_told_at, i.first_acknowledged_at));
      }
      ack_total.push_back(SecondsBetween(i.opened_at, i.first_acknowledged_at));
    }
    if (!span.Contains(i.opened_at)) {
      continue;
    }
    ++out.incidents;
    ++out.by_severity[Rank(i.severity)];
    ++out.under_5m.n;
    if (i.resolved && i.resolved_at - i.opened_at <= kShortLived) {
      ++out.under_5m.k;
      out.auto_under_5m += !ByPerson(i) && !IsSet(i.first_acknowledged_at) ? 1 : 0;
    }
    out.flapping += i.reopened > 0 ? 1 : 0;
    out.acknowledged += IsSet(i.first_acknowledged_at) ? 1 : 0;
    if (!IsSet(i.first_told_at)) {
      continue;
    }
    const bool paged = IsSet(i.first_paged_at);
    const bool acted = i.level == ActionLevel::kActed;
    ++out.told;
    out.paged += paged ? 1 : 0;
    out.acted += acted ? 1 : 0;
    out.negative += i.negative ? 1 : 0;
    out.unacknowledged += IsSet(i.first_acknowledged_at) ? 0 : 1;
    tell.push_back(SecondsBetween(i.opened_at, i.first_told_at));
    if (IsSettled(i, as_of)) {
      ++out.action.n;
      out.action.k += acted ? 1 : 0;
      ++out.action_loose.n;
      out.action_loose.k += i.level != ActionLevel::kNone ? 1 : 0;
      out.action_paged.n += paged ? 1 : 0;
      out.action_paged.k += paged && acted ? 1 : 0;
    } else {
      ++out.unsettled;
    }
    if (const size_t rank = Rank(TargetSeverity(i)); rank < out.targets.size()) {
      TargetCounts& counts = out.targets[rank];
      switch (JudgeTarget(i, as_of, zone)) {
        case Target::kAttained:
          ++counts.attained;
          break;
        case Target::kBreached:
          ++counts.breached;
          counts.breaches.push_back(i.id);
          break;
        case Target::kNotMeasured:
          ++counts.not_measured;
          break;
      }
    }
  }
  out.tell = SpreadOf(std::move(tell));
  out.acknowledge = SpreadOf(std::move(ack));
  out.acknowledge_total = SpreadOf(std::move(ack_total));
  out.resolve = SpreadOf(std::move(resolve[0]));
  out.resolve_human = SpreadOf(std::move(resolve[1]));
  out.resolve_auto = SpreadOf(std::move(resolve[2]));
  out.resolve_untold = SpreadOf(std::move(resolve[3]));
  AddPages(pages, span, tests, zone, out);
  return out;
}

std::string_view NeverActedWord(int64_t told) {
  return told < 10 ? "watch" : told <= 28 ? "likely noise" : "delete or demote";
}

std::vector<RuleQuality> ComputeRules(const std::vector<IncidentFacts>& incidents,
                                      const std::vector<PageFacts>& pages, const Span& span, Timestamp as_of,
                                      const TimeZone& zone) {
  std::map<std::string, RuleQuality> rules;
  std::unordered_map<int64_t, const IncidentFacts*> by_id;
  // By model, in order of opening: neighbours are found by walking to both sides.
  std::unordered_map<std::string, std::vector<const IncidentFacts*>> by_model;
  for (const IncidentFacts& i : incidents) {
    if (i.test) {
      continue;
    }
    by_id.emplace(i.id, &i);
    if (span.Contains(i.opened_at) && !i.model.empty()) {
      by_model[i.model].push_back(&i);
    }
  }
  // What a rule has besides its quality. Found by hash: there are far more incidents than rules.
  struct Work {
    RuleQuality* rule = nullptr;
    double concurrent = 0;                       // sum of beside-counts
    std::map<std::string_view, int64_t> beside;  // other rule -> incidents
    int64_t with_model = 0, under = 0;
  };
  std::unordered_map<std::string_view, Work> work;
  auto work_of = [&](const IncidentFacts& i) -> Work& {
    Work& of = work[i.alertname];
    if (of.rule == nullptr) {
      of.rule = &rules[i.alertname];
    }
    return of;
  };
  for (auto& [model, list] : by_model) {
    std::sort(list.begin(), list.end(), [](const IncidentFacts* a, const IncidentFacts* b) {
      return a->opened_at != b->opened_at ? a->opened_at < b->opened_at : a->id < b->id;
    });
    // The rules in the window around each, counted as it moves on: in a storm it holds thousands.
    std::map<std::string_view, int64_t> window;
    size_t first = 0;
    size_t end = 0;
    for (const IncidentFacts* incident : list) {
      for (; end < list.size() && list[end]->opened_at - incident->opened_at <= kSameTrouble; ++end) {
        ++window[list[end]->alertname];
      }
      for (; incident->opened_at - list[first]->opened_at > kSameTrouble; ++first) {
        auto leaves = window.find(list[first]->alertname);
        if (--leaves->second == 0) {
          window.erase(leaves);
        }
      }
      Work& of = work_of(*incident);
      of.concurrent += static_cast<double>(end - first);
      for (const auto& [other, count] : window) {
        if (other != incident->alertname) {
          ++of.beside[other];
        }
      }
    }
  }
  for (const auto& [id, incident] : by_id) {
    const IncidentFacts& i = *incident;
    if (!span.Contains(i.opened_at)) {
      continue;
    }
    Work& of = work_of(i);
    RuleQuality& rule = *of.rule;
    ++rule.incidents;
    rule.episodes += i.episodes;
    rule.reopened += i.reopened > 0 ? 1 : 0;
    rule.acknowledged += IsSet(i.first_acknowledged_at) ? 1 : 0;
    rule.negative += i.negative ? 1 : 0;
    rule.raised_by_human += i.raised_by_human ? 1 : 0;
    of.with_model += i.model.empty() ? 0 : 1;
    if (i.resolved && i.resolved_at - i.opened_at <= kShortLived) {
      ++of.under;
      rule.self_healed += !ByPerson(i) && !IsSet(i.first_acknowledged_at) ? 1 : 0;
    }
    if (IsSet(i.first_told_at) && IsSettled(i, as_of)) {
      ++rule.told;
      rule.paged += IsSet(i.first_paged_at) ? 1 : 0;
      rule.acted += i.level == ActionLevel::kActed ? 1 : 0;
      rule.targets_breached += JudgeTarget(i, as_of, zone) == Target::kBreached ? 1 : 0;
    }
  }
  for (const PageFacts& page : pages) {
    if (!page.interruption || !span.Contains(page.at)) {
      continue;
    }
    std::unordered_set<std::string> names;
    for (int64_t id : page.incidents) {
      if (auto it = by_id.find(id); it != by_id.end()) {
        names.insert(it->second->alertname);
      }
    }
    const bool sleep = BucketOf(page.at, zone) == Bucket::kSleep;
    for (const std::string& name : names) {
      if (auto it = rules.find(name); it != rules.end()) {
        ++it->second.interruptions;
        it->second.sleep_interruptions += sleep ? 1 : 0;
      }
    }
  }
  std::vector<RuleQuality> out;
  for (auto& [name, rule] : rules) {
    const double n = static_cast<double>(rule.incidents);
    rule.rule = name;
    rule.action = {rule.acted, rule.told};
    rule.action_shrunk = static_cast<double>(rule.acted + 1) / static_cast<double>(rule.told + 4);
    const Work& of = work[name];
    rule.under_5m = static_cast<double>(of.under) / n;
    rule.flap = std::min(1.0, static_cast<double>(rule.episodes) / n / 5);
    rule.sleep_share = rule.interruptions == 0 ? 0
                                               : static_cast<double>(rule.sleep_interruptions) /
                                                     static_cast<double>(rule.interruptions);
    // Incidents without a model stand alone.
    const double mean = (of.concurrent + n - static_cast<double>(of.with_model)) / n;
    rule.duplicate = mean <= 1 ? 0 : 1 - 1 / mean;
    rule.noise = 100 * (0.40 * (1 - rule.action_shrunk) + 0.20 * rule.under_5m + 0.15 * rule.flap +
                        0.15 * rule.sleep_share + 0.10 * rule.duplicate);
    for (const auto& [other, count] : of.beside) {
      const double share = static_cast<double>(count) / n;
      if (share > rule.duplicate_share) {
        rule.duplicate_share = share;
        rule.duplicate_of = other;
      }
    }
    rule.never_acted = rule.told >= kNeverActedMin && rule.acted == 0;
    rule.never_acted_bound = UpperBoundOfNone(rule.told);
    out.push_back(std::move(rule));
  }
  // By what it cost, then by how noisy it was: a rule that fired once is not the week's problem.
  std::sort(out.begin(), out.end(), [](const RuleQuality& a, const RuleQuality& b) {
    const double cost_a = a.noise * static_cast<double>(a.interruptions + a.told);
    const double cost_b = b.noise * static_cast<double>(b.interruptions + b.told);
    return cost_a != cost_b ? cost_a > cost_b : a.noise != b.noise ? a.noise > b.noise : a.rule < b.rule;
  });
  return out;
}

Reason ReasonOf(const RuleQuality& r, bool has_runbook) {
  const double n = static_cast<double>(std::max<int64_t>(1, r.incidents));
  const bool few_acted = r.told == 0 || r.action.value().value_or(0) < 0.30;
  if (few_acted && r.incidents >= 3 &&
      (static_cast<double>(r.reopened) / n >= 0.3 || static_cast<double>(r.episodes) / n >= 3)) {
    return {"flaps", fmt::format("{} of {} incidents came back, {:.1f} firing periods each", r.reopened,
                                 r.incidents, static_cast<double>(r.episodes) / n)};
  }
  if (few_acted && r.incidents >= 3 && static_cast<double>(r.self_healed) / n >= 0.5) {
    return {"self-heals",
            fmt::format("{} of {} went away by themselves within 5 minutes", r.self_healed, r.incidents)};
  }
  if (r.incidents >= 3 && r.duplicate_share >= 0.8) {
    return {"duplicate",
            fmt::format("{:.0f} % of its incidents come with {}", 100 * r.duplicate_share, r.duplicate_of)};
  }
  if (r.never_acted) {
    return {"never acted on", fmt::format("told {} times, acted on 0 times (at most {:.0f} % at 95 %): {}",
                                          r.told, 100 * r.never_acted_bound, NeverActedWord(r.told))};
  }
  if (r.told >= 3 && r.raised_by_human * 2 >= r.told) {
    return {"wrong severity", fmt::format("people raised {} of {}", r.raised_by_human, r.told)};
  }
  if (r.told >= 3 && r.paged > 0 && r.acted > 0 && r.targets_breached * 2 >= r.told) {
    return {"wrong severity", fmt::format("paged {} times, {} of {} not taken in time: nobody hurries",
                                          r.paged, r.targets_breached, r.told)};
  }
  if (!has_runbook && r.told > 0) {
    return {"no runbook", "the rule has no runbook_url"};
  }
  return {};
}

}  // namespace mlalert
