// Alertmanager's grouping and deduplication once more, as slowly and plainly as possible: plain maps, walked
// at every second. It shares no code with the engine; property tests compare what both would say. Fed with
// the same posts as a Sim without incident policies, at whole seconds.
//
// Where we differ from Alertmanager on purpose, so does the oracle: a post that finds an alert resolved and
// leaves it resolved joins no group; a reload or restart keeps the phase of the groups and looks at them at
// once; after a restart resolved alerts are remembered only where somebody was told that they fire.
#pragma once

#include <algorithm>
#include <fmt/format.h>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/time.h"

namespace mlalert::testing {

class DispatchOracle {
 public:
  using Seconds = int64_t;
  using LabelMap = std::map<std::string, std::string>;
  static constexpr Seconds kForever = 1LL << 40;

  struct RouteSpec {
    LabelMap equals;  // matches when the alert has all of these
    std::string receiver;
    std::vector<std::string> group_by;
    bool go_on = false;
    Seconds wait = 30, interval = 300, repeat = 14400;
  };
  struct IntegrationSpec {
    std::string name;  // "web/webhook[0]"
    bool send_resolved = true;
  };

  // `children` of a root that matches everything.
  DispatchOracle(RouteSpec root, std::vector<RouteSpec> children,
                 std::map<std::string, std::vector<IntegrationSpec>> receivers)
      : routes_(std::move(children)), receivers_(std::move(receivers)) {
    routes_.push_back(std::move(root));
  }

  void RunTo(Seconds t) {
    for (; now_ < t; ++now_) {
      RunDue();
    }
    RunDue();
  }

  void Post(const LabelMap& labels, Seconds starts, Seconds ends, bool timeout) {
    const std::string& name = labels.at("alertname");
    Alert in{labels, starts, ends, timeout, 0, 0, 0, false};
    auto found = alerts_.find(name);
    if (found == alerts_.end()) {
      if (ends <= now_) {
        return;
      }
      alerts_[name] = in;
      Write(alerts_[name]);
      Insert(name);
    } else {
      bool fired = found->second.ends > now_;
      Merge(found->second, in);
      if (!fired && found->second.ends > now_) {
        Write(found->second);
        Insert(name);
      } else if (fired && found->second.ends == kForever && found->second.written_ends != kForever) {
        Write(found->second);
      }
    }
    RunDue();
  }

  void FailNext(const std::string& integration, int times) { failures_[integration] += times; }

  void Reload() {
    ForgetSilentEnds();
    LookAtAll();
    RunDue();
  }

  void Restart() {
    for (auto& [key, group] : groups_) {
      std::erase_if(group.members, [&, k = key](const std::string& name) {
        return alerts_.at(name).ends <= now_ && !Told(k, name);
      });
    }
    std::erase_if(groups_, [](const auto& item) { return item.second.members.empty(); });
    ForgetSilentEnds();
    for (auto& [name, alert] : alerts_) {
      if (alert.ends > now_) {
        // Refreshes are not written; the lease of the last transition is what counts.
        alert.starts = alert.written_starts;
        alert.timeout = alert.written_timeout;
        alert.ends =
            std::min(kForever, std::max(alert.written_ends, now_ + std::max<Seconds>(300, alert.lease)));
      }
    }
    next_sweep_ = now_ + 300;
    LookAtAll();
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
  struct Alert {
    LabelMap labels;
    Seconds starts = 0, ends = 0;
    bool timeout = false;
    // As of the last transition.
    Seconds lease = 0, written_starts = 0, written_ends = 0;
    bool written_timeout = false;
  };
  using GroupKey = std::pair<size_t, LabelMap>;
  struct Group {
    Seconds first = 0, next = 0;
    bool look = false;
    std::set<std::string> members;
  };
  struct LogEntry {
    Seconds at = 0, expires = 0;
    std::set<std::string> firing, resolved;
  };

  void Merge(Alert& old, Alert in) {
    bool overlap =
        (in.ends > old.starts && in.ends < old.ends) || (in.starts > old.starts && in.starts < old.ends);
    if (!overlap) {
      std::swap(old, in);
      KeepWritten(in, old);
      return;
    }
    Alert out = in;
    out.starts = std::min(old.starts, in.starts);
    if (in.ends <= now_) {
      out.ends = old.ends <= now_ ? std::max(old.ends, in.ends) : in.ends;
    } else if (old.ends > in.ends && !old.timeout) {
      out.ends = old.ends;
    }
    KeepWritten(old, out);
    old = out;
  }

  void Write(Alert& alert) const {
    alert.lease = alert.ends - now_;
    alert.written_starts = alert.starts;
    alert.written_ends = alert.ends;
    alert.written_timeout = alert.timeout;
  }
  static void KeepWritten(const Alert& from, Alert& to) {
    to.lease = from.lease;
    to.written_starts = from.written_starts;
    to.written_ends = from.written_ends;
    to.written_timeout = from.written_timeout;
  }

  std::vector<size_t> RoutesOf(const LabelMap& labels) const {
    std::vector<size_t> out;
    for (size_t i = 0; i + 1 < routes_.size(); ++i) {
      bool matches = std::all_of(routes_[i].equals.begin(), routes_[i].equals.end(), [&](const auto& want) {
        auto it = labels.find(want.first);
        return it != labels.end() && it->second == want.second;
      });
      if (matches) {
        out.push_back(i);
        if (!routes_[i].go_on) {
          break;
        }
      }
    }
    if (out.empty()) {
      out.push_back(routes_.size() - 1);
    }
    return out;
  }

  void Insert(const std::string& name) {
    const Alert& alert = alerts_.at(name);
    for (size_t route : RoutesOf(alert.labels)) {
      LabelMap by;
      for (const auto& label : routes_[route].group_by) {
        if (auto it = alert.labels.find(label); it != alert.labels.end()) {
          by.insert(*it);
        }
      }
      auto [it, created] = groups_.try_emplace({route, by});
      if (created) {
        bool old = alert.starts + routes_[route].wait < now_;
        it->second.first = it->second.next = old ? now_ : now_ + routes_[route].wait;
      }
      it->second.members.insert(name);
    }
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
    for (const auto& [name, list] : receivers_) {
      for (const auto& one : list) {
        if (one.name == integration) {
          return one.send_resolved;
        }
      }
    }
    return true;
  }

  void LookAtAll() {
    for (auto& [key, group] : groups_) {
      group.look = group.first <= now_;
    }
  }

  void RunDue() {
    if (now_ >= next_sweep_) {
      std::erase_if(log_, [&](const auto& item) { return item.second.expires <= now_; });
      std::erase_if(alerts_,
                    [&](const auto& item) { return item.second.ends <= now_ && !Grouped(item.first); });
      next_sweep_ = now_ + 300;
    }
    for (auto it = groups_.begin(); it != groups_.end();) {
      Group& group = it->second;
      if (group.next > now_ && !group.look) {
        ++it;
        continue;
      }
      group.look = false;
      while (group.next <= now_) {
        group.next += routes_[it->first.first].interval;
      }
      it = Flush(it->first, group) ? std::next(it) : groups_.erase(it);
    }
  }

  // False when the group is empty afterwards.
  bool Flush(const GroupKey& key, Group& group) {
    std::set<std::string> firing, resolved;
    for (const auto& name : group.members) {
      (alerts_.at(name).ends <= now_ ? resolved : firing).insert(name);
    }
    bool ok = true;
    for (const auto& integration : receivers_.at(routes_[key.first].receiver)) {
      ok = FlushOne(key, integration, firing, resolved) && ok;
    }
    if (ok) {
      for (const auto& name : resolved) {
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
    const RouteSpec& route = routes_[key.first];
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
  bool Told(const GroupKey& key, const std::string& name) const {
    return std::any_of(log_.begin(), log_.end(), [&](const auto& item) {
      return item.first.first == key && SendsResolved(item.first.second) && item.second.firing.contains(name);
    });
  }

  std::vector<RouteSpec> routes_;  // the root is the last
  std::map<std::string, std::vector<IntegrationSpec>> receivers_;
  Seconds now_ = 0, next_sweep_ = 300;
  std::map<std::string, Alert> alerts_;
  std::map<GroupKey, Group> groups_;
  std::map<std::pair<GroupKey, std::string>, LogEntry> log_;
  std::map<std::string, int> failures_;
  std::vector<std::pair<Seconds, std::string>> said_;
};

}  // namespace mlalert::testing
