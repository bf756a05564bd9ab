// Alertmanager's grouping, muting and deduplication once more, as slowly and plainly as possible: plain maps,
// walked from one instant to the next. It shares no code with the engine; property tests compare what both
// would say. Fed with the same config and posts as a Sim without incident policies, at whole seconds.
//
// Where we differ from Alertmanager on purpose, so does the oracle: a reload tells no end twice, which a
// receiver has heard; a restart keeps alerts and the phase of the groups, looks at them at once, and
// remembers resolved alerts only where somebody was told that they fire.
#pragma once

#include <algorithm>
#include <fmt/format.h>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "support/dispatch_spec.h"

namespace mlalert::testing {

class DispatchOracle {
 public:
  using Seconds = int64_t;
  static constexpr Seconds kForever = 1LL << 40;
  // Expired log entries and resolved alerts are dropped that often.
  static constexpr Seconds kSweep = 900, kCollect = 1800;

  explicit DispatchOracle(DispatchSpec spec) : spec_(std::move(spec)) {}

  void RunTo(Seconds t) {
    while (true) {
      Seconds next = std::min(next_sweep_, next_collect_);
      for (const auto& [key, group] : groups_) {
        next = std::min(next, group.next);
      }
      if (next > t) {
        break;
      }
      now_ = std::max(now_, next);
      RunDue();
    }
    now_ = t;
    RunDue();
  }

  // `fingerprint` orders alerts that came at the same time.
  void Post(const LabelMap& labels, uint64_t fingerprint, Seconds starts, Seconds ends, bool timeout) {
    const std::string& name = labels.at("alertname");
    Alert in{labels, fingerprint, starts, ends, timeout, now_, {}, false};
    auto [found, is_new] = alerts_.try_emplace(name, in);
    Alert& alert = found->second;
    const bool fired = !is_new && alert.ends > now_;
    if (!is_new) {
      Merge(alert, in);
    }
    const bool fires = alert.ends > now_;
    if (fires && !fired) {
      alert.received = now_;
    }
    if (fires != fired ||
        (fires && alert.ends == kForever && alert.written && alert.written->ends != kForever)) {
      Write(alert);
    }
    if (!(fired && fires)) {
      Insert(name);
    }
    RunDue();
  }

  void FailNext(const std::string& integration, int times) { failures_[integration] += times; }

  // The same id: another end.
  void Silence(const std::string& id, const LabelMap& equals, Seconds ends) {
    silences_[id] = {equals, now_, ends};
  }
  void Unsilence(const std::string& id) { silences_.at(id).ends = std::min(silences_.at(id).ends, now_); }

  // Routes and receivers must be the same; what mutes may be another.
  void Reload(DispatchSpec spec) {
    spec_ = std::move(spec);
    std::vector<Pending> owed;
    for (auto& [key, group] : groups_) {
      if (group.journalled) {
        owed.push_back({key, ReceiverOf(key), {}});
        for (const auto& name : group.members) {
          if (alerts_.at(name).ends <= now_) {
            owed.back().names.insert(name);
          }
        }
      }
    }
    std::map<GroupKey, Group> before;
    std::swap(before, groups_);
    ForgetSilentEnds();
    InsertAllThatFire();
    for (const auto& [key, entry] : log_) {
      owed.push_back({key.first, ReceiverOf(key.first), Owed(key.second, entry)});
    }
    for (const Pending& pending : owed) {
      if (pending.names.empty()) {
        continue;
      }
      if (!groups_.contains(pending.key)) {
        // Its group told of it: it comes back for that, and speaks at once.
        groups_[pending.key] = {now_ - RouteOf(pending.key).wait, now_, false, true, {}};
      }
      groups_[pending.key].members.insert(pending.names.begin(), pending.names.end());
    }
    RunDue();
  }

  void Restart() {
    known_.clear();
    for (const auto& [key, group] : groups_) {
      if (group.journalled) {
        known_[key] = group.created;
      }
    }
    groups_.clear();
    std::erase_if(alerts_, [](const auto& item) { return !item.second.written; });
    for (auto& [name, alert] : alerts_) {
      const bool fires = alert.ends > now_;
      // Refreshes are not written; the lease of the last transition is what counts.
      alert.starts = alert.written->starts;
      alert.timeout = alert.written->timeout;
      alert.ends = alert.written->ends;
      if (fires) {
        alert.ends =
            std::min(kForever, std::max(alert.ends, now_ + std::max<Seconds>(300, alert.written->lease)));
      }
    }
    ForgetSilentEnds();
    InsertAllThatFire();
    for (const auto& [key, entry] : log_) {
      std::set<std::string> names = Owed(key.second, entry);
      if (names.empty()) {
        continue;
      }
      auto [it, created] = groups_.try_emplace(key.first);
      if (created) {
        if (!Resume(key.first, it->second)) {
          it->second = {now_ - RouteOf(key.first).wait, now_, false, true, {}};
        }
        it->second.journalled = true;
      }
      it->second.members.insert(names.begin(), names.end());
    }
    known_.clear();
    next_sweep_ = now_ + kSweep;
    next_collect_ = now_ + kCollect;
    RunDue();
  }

  // "+90 web/webhook[0] first notification firing=A,B resolved=C", sorted within each second.
  std::vector<std::string> Said() const {
    auto sorted = said_;
    std::sort(sorted.begin(), sorted.end());
    std::vector<std::string> out;
    for (const auto& [at, line] : sorted) {
      out.push_back(fmt::format("+{} {}", at, line));
    }
    return out;
  }

 private:
  struct Written {  // as of the last transition
    Seconds starts = 0, ends = 0, lease = 0;
    bool timeout = false;
  };
  struct Alert {
    LabelMap labels;
    uint64_t fingerprint = 0;
    Seconds starts = 0, ends = 0;
    bool timeout = false;
    Seconds received = 0;
    std::optional<Written> written;
    bool open = false;  // written as firing
  };
  using GroupKey = std::pair<std::vector<size_t>, LabelMap>;  // the route as a path of child numbers
  struct Group {
    Seconds created = 0, next = 0;
    bool look = false;
    bool journalled = false;  // something fired in it
    std::set<std::string> members;
  };
  struct LogEntry {
    Seconds at = 0, expires = 0;
    std::set<std::string> firing, resolved;
  };
  struct SilenceState {
    LabelMap equals;
    Seconds starts = 0, ends = 0;
  };
  struct Pending {
    GroupKey key;
    std::string receiver;
    std::set<std::string> names;
  };

  void Write(Alert& alert) const {
    alert.written = Written{alert.starts, alert.ends, alert.ends - now_, alert.timeout};
    alert.open = alert.ends > now_;
  }

  void Merge(Alert& old, const Alert& in) const {
    const Alert before = old;
    bool overlap =
        (in.ends > old.starts && in.ends < old.ends) || (in.starts > old.starts && in.starts < old.ends);
    old.starts = in.starts;
    old.ends = in.ends;
    old.timeout = in.timeout;
    if (!overlap) {
      return;
    }
    old.starts = std::min(before.starts, in.starts);
    if (in.ends <= now_) {
      old.ends = before.ends <= now_ ? std::max(before.ends, in.ends) : in.ends;
    } else if (before.ends > in.ends && !before.timeout) {
      old.ends = before.ends;
    }
  }

  static bool Has(const LabelMap& labels, const LabelMap& wanted) {
    return std::all_of(wanted.begin(), wanted.end(),
                       [&](const auto& want) { return ValueOf(labels, want.first) == want.second; });
  }
  static std::string ValueOf(const LabelMap& labels, const std::string& name) {
    auto it = labels.find(name);
    return it != labels.end() ? it->second : "";
  }

  const RouteSpec& RouteOf(const GroupKey& key) const {
    const RouteSpec* route = &spec_.root;
    for (size_t child : key.first) {
      route = &route->children[child];
    }
    return *route;
  }
  const std::string& ReceiverOf(const GroupKey& key) const { return RouteOf(key).receiver; }

  // Depth first; a node is the answer itself only when none of its children is.
  static std::vector<std::vector<size_t>> Match(const RouteSpec& route, const LabelMap& labels,
                                                const std::vector<size_t>& path) {
    std::vector<std::vector<size_t>> out;
    for (size_t i = 0; i < route.children.size(); ++i) {
      if (!Has(labels, route.children[i].equals)) {
        continue;
      }
      std::vector<size_t> down = path;
      down.push_back(i);
      for (auto& found : Match(route.children[i], labels, down)) {
        out.push_back(std::move(found));
      }
      if (!route.children[i].go_on) {
        break;
      }
    }
    if (out.empty()) {
      out.push_back(path);
    }
    return out;
  }

  void Insert(const std::string& name) {
    const Alert& alert = alerts_.at(name);
    for (const auto& path : Match(spec_.root, alert.labels, {})) {
      GroupKey key{path, {}};
      const RouteSpec& route = RouteOf(key);
      for (const auto& label : alert.labels) {
        if (route.group_by_all || std::count(route.group_by.begin(), route.group_by.end(), label.first) > 0) {
          key.second.insert(label);
        }
      }
      auto [it, created] = groups_.try_emplace(key);
      if (created && !Resume(key, it->second)) {
        const bool old = alert.starts + route.wait < now_;
        it->second.created = old ? now_ - route.wait : now_;
        it->second.next = it->second.created + route.wait;
      }
      it->second.members.insert(name);
      it->second.journalled = it->second.journalled || alert.ends > now_;
    }
  }

  // Of before a restart: in phase, with a look at once when its first flush has passed.
  bool Resume(const GroupKey& key, Group& group) {
    auto known = known_.find(key);
    if (known == known_.end()) {
      return false;
    }
    const RouteSpec& route = RouteOf(key);
    group.created = known->second;
    group.next = group.created + route.wait;
    group.look = group.next < now_;
    group.journalled = true;
    while (group.next < now_ || (group.look && group.next <= now_)) {
      group.next += route.interval;
    }
    known_.erase(known);
    return true;
  }

  void InsertAllThatFire() {
    std::vector<std::pair<std::pair<Seconds, uint64_t>, std::string>> order;
    for (const auto& [name, alert] : alerts_) {
      if (alert.ends > now_) {
        order.push_back({{alert.received, alert.fingerprint}, name});
      }
    }
    std::sort(order.begin(), order.end());
    for (const auto& [at, name] : order) {
      Insert(name);
    }
  }

  // Who is in the log as firing must hear of its end.
  std::set<std::string> Owed(const std::string& integration, const LogEntry& entry) const {
    std::set<std::string> out;
    for (const auto& name : entry.firing) {
      auto it = alerts_.find(name);
      if (it != alerts_.end() && (it->second.ends > now_ || SendsResolved(integration))) {
        out.insert(name);
      }
    }
    return out;
  }

  // Receivers without send_resolved hear nothing of the end, so the log alone learns it.
  void ForgetSilentEnds() {
    for (auto& [key, entry] : log_) {
      bool fires = std::any_of(entry.firing.begin(), entry.firing.end(), [&](const std::string& name) {
        auto it = alerts_.find(name);
        return it != alerts_.end() && it->second.ends > now_;
      });
      if (!fires && !SendsResolved(key.second)) {
        entry.firing.clear();
      }
    }
  }
  bool SendsResolved(const std::string& integration) const {
    for (const auto& [name, list] : spec_.receivers) {
      for (const auto& one : list) {
        if (one.name == integration) {
          return one.send_resolved;
        }
      }
    }
    return true;
  }

  void RunDue() {
    for (auto& [name, alert] : alerts_) {
      if (alert.open && alert.ends <= now_) {
        Write(alert);
      }
    }
    if (now_ >= next_sweep_) {
      std::erase_if(log_, [&](const auto& item) { return item.second.expires <= now_; });
      next_sweep_ = now_ + kSweep;
    }
    if (now_ >= next_collect_) {
      std::erase_if(alerts_,
                    [&](const auto& item) { return item.second.ends <= now_ && !Grouped(item.first); });
      next_collect_ = now_ + kCollect;
    }
    for (auto it = groups_.begin(); it != groups_.end();) {
      Group& group = it->second;
      if (group.next > now_ && !group.look) {
        ++it;
        continue;
      }
      group.look = false;
      while (group.next <= now_) {
        group.next += RouteOf(it->first).interval;
      }
      it = Flush(it->first, group) ? std::next(it) : groups_.erase(it);
    }
  }

  bool Muted(const Alert& alert, const RouteSpec& route) const {
    for (const InhibitSpec& rule : spec_.inhibit) {
      if (!Has(alert.labels, rule.target)) {
        continue;
      }
      for (const auto& [name, source] : alerts_) {
        bool equal = std::all_of(rule.equal.begin(), rule.equal.end(), [&](const std::string& label) {
          return ValueOf(source.labels, label) == ValueOf(alert.labels, label);
        });
        bool both = Has(alert.labels, rule.source) && Has(source.labels, rule.target);
        if (source.ends > now_ && Has(source.labels, rule.source) && equal && !both) {
          return true;
        }
      }
    }
    auto contains_now = [&](const std::string& name) {
      const auto& [from, to] = spec_.intervals.at(name);
      const Seconds minute = now_ / 60 % 1440;
      return from <= minute && minute < to;
    };
    if (!route.active.empty() && std::none_of(route.active.begin(), route.active.end(), contains_now)) {
      return true;
    }
    if (std::any_of(route.mute.begin(), route.mute.end(), contains_now)) {
      return true;
    }
    return std::any_of(silences_.begin(), silences_.end(), [&](const auto& item) {
      const SilenceState& silence = item.second;
      return silence.starts <= now_ && now_ < silence.ends && Has(alert.labels, silence.equals);
    });
  }

  // False when the group is empty afterwards.
  bool Flush(const GroupKey& key, Group& group) {
    std::set<std::string> firing, resolved, ended;
    for (const auto& name : group.members) {
      const bool over = alerts_.at(name).ends <= now_;
      if (over) {
        ended.insert(name);
      }
      if (!Muted(alerts_.at(name), RouteOf(key))) {
        (over ? resolved : firing).insert(name);
      }
    }
    bool ok = true;
    if (!firing.empty() || !resolved.empty()) {
      for (const auto& integration : spec_.receivers.at(ReceiverOf(key))) {
        ok = FlushOne(key, integration, firing, resolved) && ok;
      }
    }
    if (ok) {
      for (const auto& name : ended) {
        group.members.erase(name);
      }
    }
    return !group.members.empty();
  }

  bool FlushOne(const GroupKey& key, const IntegrationSpec& integration, const std::set<std::string>& firing,
                const std::set<std::string>& resolved) {
    auto within = [](const std::set<std::string>& a, const std::set<std::string>& b) {
      return std::includes(b.begin(), b.end(), a.begin(), a.end());
    };
    const RouteSpec& route = RouteOf(key);
    auto found = log_.find({key, integration.name});
    const LogEntry* entry = found != log_.end() ? &found->second : nullptr;
    std::string reason;
    if (entry == nullptr) {
      reason = firing.empty() ? "" : "first notification";
    } else if (!within(firing, entry->firing)) {
      reason = entry->firing.empty() ? "first notification" : "new alerts added";
    } else if (firing.empty()) {
      reason = entry->firing.empty() ? "" : "all alerts resolved";
    } else if (integration.send_resolved && !within(resolved, entry->resolved)) {
      reason = "some alerts resolved";
    } else if (entry->at < now_ - route.repeat) {
      reason = "repeat interval elapsed";
    }
    if (reason.empty()) {
      return true;
    }
    if (integration.send_resolved || !firing.empty()) {
      if (failures_[integration.name] > 0) {
        --failures_[integration.name];
        return false;
      }
      std::string line = integration.name + " " + reason;
      line += firing.empty() ? "" : fmt::format(" firing={}", fmt::join(firing, ","));
      if (integration.send_resolved && !resolved.empty()) {
        line += fmt::format(" resolved={}", fmt::join(resolved, ","));
      }
      said_.emplace_back(now_, line);
    }
    log_[{key, integration.name}] = {now_, now_ + std::min<Seconds>(120 * 3600, 2 * route.repeat), firing,
                                     resolved};
    return true;
  }

  bool Grouped(const std::string& name) const {
    return std::any_of(groups_.begin(), groups_.end(),
                       [&](const auto& item) { return item.second.members.contains(name); });
  }

  DispatchSpec spec_;
  Seconds now_ = 0, next_sweep_ = kSweep, next_collect_ = kCollect;
  std::map<std::string, Alert> alerts_;
  std::map<GroupKey, Group> groups_;
  std::map<GroupKey, Seconds> known_;  // while restarting: created
  std::map<std::pair<GroupKey, std::string>, LogEntry> log_;
  std::map<std::string, SilenceState> silences_;
  std::map<std::string, int> failures_;
  std::vector<std::pair<Seconds, std::string>> said_;
};

}  // namespace mlalert::testing
