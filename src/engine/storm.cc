// Storms: more new incidents at once than anybody can read. One alert stands for all of them; they are told
// when it is over and they still fire. The first P0 of each model is told at once all the same. And the other
// alerts that mlalert raises about itself.
#include "engine/storm.h"

#include <algorithm>
#include <fmt/format.h>

#include "config/calm_config.h"
#include "engine/engine.h"

namespace mlalert {
namespace {

constexpr std::string_view kStormName = "AlertStorm";
constexpr size_t kNamesToldMax = 5;

}  // namespace

void Engine::IngestOwn(const LabelSet& labels, const LabelSet& annotations, Timestamp ends_at, Timestamp now,
                       Effects& fx) {
  std::vector<Label> label_list;
  for (Label label : labels) {
    label_list.push_back(label);
  }
  std::vector<Label> annotation_list;
  for (Label label : annotations) {
    annotation_list.push_back(label);
  }
  DecodedAlert alert;
  alert.labels = label_list;
  alert.annotations = annotation_list;
  alert.starts_at = now;
  alert.ends_at = ends_at;
  alert.source = AlertSource::kRules;
  alert.fingerprint = labels.fingerprint();
  if (AlertEntry* known = alerts_.Find(alert.fingerprint); known != nullptr && known->firing) {
    alert.starts_at = known->alert.starts_at;
  } else if (ends_at <= now) {
    return;  // it does not fire
  }
  Ingest({&alert, 1}, now, fx);
}

void Engine::NoteOpened(IncidentEntry& entry, Timestamp now) {
  Incident& incident = entry.incident;
  if (config_->calm == nullptr || config_->calm->storm.incidents == 0 || StandsForStorm(incident) ||
      incident.labels.Get("alertname").starts_with("Mlalert")) {
    return;
  }
  const StormConfig& config = config_->calm->storm;
  std::string key;
  for (const std::string& name : config.by) {
    key += fmt::format("{}\x1f", incident.labels.Get(name));
  }
  Storm& storm = storms_[key];
  while (!storm.openings.empty() && storm.openings.front().first + config.within <= now) {
    storm.openings.pop_front();
  }
  storm.openings.emplace_back(now, incident.id);
  if (now >= storm.until) {
    if (storm.openings.size() <= static_cast<size_t>(config.incidents)) {
      return;
    }
    storm.models.clear();
    storm.count = 0;
    storm.told_count = 0;
    for (const auto& [at, id] : storm.openings) {
      storm.waiting.push_back(id);
    }
    storm.labels = LabelSet::From({{"alertname", kStormName}, {"severity", ToString(config.severity)}});
    for (const std::string& name : config.by) {
      if (std::string_view value = incident.labels.Get(name); !value.empty()) {
        storm.labels = storm.labels.With(name, value);
      }
    }
  } else {
    storm.waiting.push_back(incident.id);
  }
  storm.until = now + config.quiet;
  storms_raised_ = true;
}

// "37 new incidents: 30 Down, 7 Lag; 20 models".
void Engine::DescribeStorm(Storm& storm) const {
  std::map<std::string, size_t> names;
  std::unordered_set<std::string> models;
  for (const auto& [at, id] : storm.openings) {
    const IncidentEntry* entry = incidents_.table().Find(id);
    if (entry == nullptr) {
      continue;
    }
    ++names[std::string(entry->incident.labels.Get("alertname"))];
    if (std::string_view model = entry->incident.labels.Get("model"); !model.empty()) {
      models.emplace(model);
    }
  }
  std::vector<std::pair<size_t, std::string>> most;
  most.reserve(names.size());
  for (const auto& [name, count] : names) {
    most.emplace_back(count, name);
  }
  std::stable_sort(most.begin(), most.end(), [](const auto& a, const auto& b) { return a.first > b.first; });
  std::string text;
  for (size_t i = 0; i < most.size() && i < kNamesToldMax; ++i) {
    text += fmt::format("{}{} {}", i == 0 ? "" : ", ", most[i].first, most[i].second);
  }
  if (most.size() > kNamesToldMax) {
    text += fmt::format(" and {} other names", most.size() - kNamesToldMax);
  }
  if (!models.empty()) {
    text += fmt::format("; {} {}", models.size(), models.size() == 1 ? "model" : "models");
  }
  storm.told_count = storm.count;
  storm.annotations = LabelSet::From(
      {{"summary", fmt::format("Alert storm: {} new incidents and more to come", storm.count)},
       {"description",
        fmt::format("{}. New incidents are not told one by one until it is over; see `mlalert incidents`.",
                    text)}});
}

// After the batch that brought them: the storm's own alert must exist before others can point to its
// incident.
void Engine::RaiseStorms(Timestamp now, Effects& fx) {
  while (std::exchange(storms_raised_, false)) {
    for (auto& [key, storm] : storms_) {
      if (storm.waiting.empty()) {
        continue;
      }
      const std::vector<IncidentId> joining = std::exchange(storm.waiting, {});
      storm.count += joining.size();
      // Said anew when there are twice as many: an alert that changes with each of them would be a storm,
      // too.
      if (storm.count >= 2 * storm.told_count) {
        DescribeStorm(storm);
      }
      IngestOwn(storm.labels, storm.annotations, storm.until, now, fx);
      const AlertEntry* own = alerts_.Find(storm.labels.fingerprint());
      if (own == nullptr) {
        continue;
      }
      for (IncidentId id : joining) {
        JoinStorm(id, own->incident_id, storm, now, fx);
      }
    }
  }
}

void Engine::JoinStorm(IncidentId id, IncidentId parent, Storm& storm, Timestamp now, Effects& fx) {
  IncidentEntry* entry = incidents_.table().Find(id);
  if (entry == nullptr || entry->incident.state == IncidentState::kResolved || id == parent) {
    return;
  }
  Incident& incident = entry->incident;
  const std::string model(incident.labels.Get("model"));
  if (incident.severity == Severity::kP0 && storm.models.insert(model).second) {
    return;  // it breaks through
  }
  incident.care.Set(&IncidentCare::parent, parent);
  EventRecord event = IncidentEvent(incident, now, "joined_storm");
  event.to_value = std::to_string(parent);
  fx.records.emplace_back(IncidentRecord{incident});
  fx.records.emplace_back(std::move(event));
  Unsettle(*entry);
}

bool StandsForStorm(const Incident& incident) {
  return incident.labels.Get("alertname") == kStormName;
}

bool Engine::IsInStorm(const Incident& incident) const {
  if (incident.care->parent == 0) {
    return false;
  }
  const IncidentEntry* parent = incidents_.table().Find(incident.care->parent);
  return parent != nullptr && parent->incident.state != IncidentState::kResolved;
}

void Engine::ReportStorage(bool degraded, const std::string& why, Timestamp now, Effects& fx) {
  const LabelSet labels = LabelSet::From({{"alertname", "MlalertStorageDegraded"}, {"severity", "P1"}});
  const LabelSet annotations = LabelSet::From(
      {{"summary", "mlalert cannot write its database"},
       {"description",
        fmt::format("It works from memory: a crash now would forget what people did since. {}", why)}});
  IngestOwn(labels, annotations, degraded ? kNever : now, now, fx);
}

}  // namespace mlalert
