#include "incidents/chain.h"

#include <algorithm>

namespace mlalert {
namespace {

const IncidentChain* ChainOf(const Incident& incident) {
  return incident.policy != nullptr ? incident.policy->chain.get() : nullptr;
}

// Its round is over and no other follows: it ends as long after its last step as a round would have begun.
Timestamp EndsAt(const Incident& incident, const IncidentChain& chain) {
  return After(incident.chain_started_at, chain.steps.back().after + chain.repeat_every);
}

// Positions the incident at its next step: in this round, or at the beginning of the next one; then at the
// end.
void SetNext(Incident& incident, const IncidentChain& chain) {
  if (incident.chain_step < chain.steps.size()) {
    incident.chain_next_at = After(incident.chain_started_at, chain.steps[incident.chain_step].after);
    return;
  }
  if (incident.chain_round < chain.repeat_times) {
    // The next round counts from its own beginning: such that its first step is due repeat_every after the
    // last one.
    const Duration last = chain.steps.back().after;
    const Duration first = chain.steps[chain.repeat_from].after;
    incident.chain_started_at = After(incident.chain_started_at, last + chain.repeat_every - first);
    incident.chain_step = static_cast<uint16_t>(chain.repeat_from);
    ++incident.chain_round;
    incident.chain_next_at = After(incident.chain_started_at, first);
    return;
  }
  incident.chain_next_at = EndsAt(incident, chain);
}

}  // namespace

void StartChain(Incident& incident, Timestamp now) {
  const IncidentChain* chain = ChainOf(incident);
  if (chain == nullptr || chain->steps.empty()) {
    return;
  }
  incident.chain_started_at = now;
  incident.chain_step = 0;
  incident.chain_round = 0;
  SetNext(incident, *chain);
}

void StopChain(Incident& incident) {
  incident.chain_started_at = kUnset;
  incident.chain_next_at = kUnset;
}

void ResumeChain(Incident& incident, Timestamp muted_since, Timestamp now) {
  const IncidentChain* chain = ChainOf(incident);
  if (chain == nullptr) {
    return;
  }
  if (!IsSet(incident.chain_started_at)) {
    StartChain(incident, now);
    return;
  }
  // A chain that began while it was muted has lost nothing yet.
  const Duration lost = now - std::max(muted_since, incident.chain_started_at);
  incident.chain_started_at += std::max(lost, Duration::zero());
  if (incident.chain_step < chain->steps.size()) {
    incident.chain_next_at = After(incident.chain_started_at, chain->steps[incident.chain_step].after);
  } else if (incident.chain_step == chain->steps.size()) {
    incident.chain_next_at = EndsAt(incident, *chain);
  }
}

void PostponeChain(Incident& incident, Timestamp at) {
  if (IsSet(incident.chain_next_at) && incident.chain_next_at < at) {
    incident.chain_started_at += at - incident.chain_next_at;
    incident.chain_next_at = at;
  }
}

std::optional<size_t> TakeChainStep(Incident& incident, Timestamp now) {
  const IncidentChain* chain = ChainOf(incident);
  if (chain == nullptr || !IsSet(incident.chain_next_at) || incident.chain_next_at > now ||
      incident.chain_step >= chain->steps.size()) {
    return std::nullopt;
  }
  const size_t step = incident.chain_step++;
  SetNext(incident, *chain);
  return step;
}

bool TakeChainEnd(Incident& incident, Timestamp now) {
  const IncidentChain* chain = ChainOf(incident);
  if (chain == nullptr || !IsSet(incident.chain_next_at) || incident.chain_next_at > now ||
      incident.chain_step != chain->steps.size()) {
    return false;
  }
  ++incident.chain_step;
  incident.chain_next_at = kUnset;
  return true;
}

void HastenChain(Incident& incident, Timestamp now) {
  if (IsSet(incident.chain_next_at) && incident.chain_next_at > now) {
    // The steps that follow keep their distance to it.
    incident.chain_started_at -= incident.chain_next_at - now;
    incident.chain_next_at = now;
  }
}

bool IsChainExhausted(const Incident& incident) {
  return ChainOf(incident) != nullptr && IsSet(incident.chain_started_at) && !IsSet(incident.chain_next_at) &&
         !IsSet(incident.care->muted_since);
}

std::optional<TakenStep> LastChainStep(const Incident& incident) {
  const IncidentChain* chain = ChainOf(incident);
  if (chain == nullptr || !IsSet(incident.chain_started_at) || chain->steps.empty()) {
    return std::nullopt;
  }
  if (incident.chain_round > 0 && incident.chain_step == chain->repeat_from) {
    // This round has not begun: the last step of the one before.
    const Timestamp first = After(incident.chain_started_at, chain->steps[chain->repeat_from].after);
    return TakenStep{chain->steps.size() - 1, first - chain->repeat_every};
  }
  if (incident.chain_step == 0) {
    return std::nullopt;
  }
  const size_t step = std::min<size_t>(incident.chain_step, chain->steps.size()) - 1U;
  return TakenStep{step, After(incident.chain_started_at, chain->steps[step].after)};
}

bool StepApplies(const ChainStep& step, const LabelSet& labels, Severity severity) {
  if (!step.severities.empty() &&
      std::find(step.severities.begin(), step.severities.end(), severity) == step.severities.end()) {
    return false;
  }
  return std::all_of(step.matchers.begin(), step.matchers.end(),
                     [&](const Matcher& matcher) { return matcher.Matches(labels); });
}

std::vector<PlannedStep> ChainAhead(const Incident& incident, size_t limit) {
  std::vector<PlannedStep> out;
  const IncidentChain* chain = ChainOf(incident);
  if (chain == nullptr || incident.state == IncidentState::kResolved) {
    return out;
  }
  Incident ahead;
  ahead.policy = incident.policy;
  ahead.chain_started_at = incident.chain_started_at;
  ahead.chain_next_at = incident.chain_next_at;
  ahead.chain_step = incident.chain_step;
  ahead.chain_round = incident.chain_round;
  const bool stands = !IsSet(incident.chain_next_at) && !IsChainExhausted(incident);
  if (stands && !IsSet(incident.chain_started_at)) {
    StartChain(ahead, Timestamp{});  // what would follow, without times
  } else if (stands) {
    ahead.chain_next_at = Timestamp{};
  }
  while (out.size() < limit && IsSet(ahead.chain_next_at)) {
    const Timestamp at = ahead.chain_next_at;
    const uint32_t round = ahead.chain_round;
    auto step = TakeChainStep(ahead, at);
    out.push_back({step, round, stands ? kUnset : at});
    if (!step) {
      break;
    }
  }
  return out;
}

}  // namespace mlalert
