#include "storage/incident_facts.h"

#include <algorithm>
#include <array>
#include <unordered_map>
#include <utility>

#include "storage/codec.h"
#include "storage/each_row.h"

namespace mlalert {
namespace {

// Ids that lie so close together are read in one walk.
constexpr int64_t kGapMax = 64;
constexpr int64_t kAfterEndMillis = 30 * 60'000;  // a change so long after the end still counts

struct Draft {
  IncidentFacts facts;
  std::string labels;  // only where changes name an env and the labels do
  bool acted = false;
};

// --- which incidents

constexpr const char* kRow =
    "SELECT id, alertname, model, pipeline, team, severity, base_severity, state = 'resolved', opened_at, "
    "resolved_at, resolve_reason, episode_count, reopen_count, instr(labels, '\"test\":\"true\"') > 0, "
    "CASE WHEN ?1 AND instr(labels, '\"env\":') > 0 THEN labels END FROM incidents ";

// As the file has them; all spellings that people use are not needed here.
Severity SeverityOf(std::string_view text) {
  constexpr std::array kSeverities = {Severity::kP0, Severity::kP1, Severity::kP2, Severity::kP3};
  const bool known = text.size() == 2 && text[0] == 'P' && text[1] >= '0' && text[1] <= '3';
  return known ? kSeverities[static_cast<size_t>(text[1] - '0')] : Severity::kNone;
}

void ReadDraft(const Stmt& row, Draft& out) {
  int c = 0;
  IncidentFacts& f = out.facts;
  f.id = row.Int(c++);
  f.alertname = row.Text(c++);
  f.model = row.Text(c++);
  f.pipeline = row.Text(c++);
  f.team = row.Text(c++);
  f.severity = SeverityOf(row.Text(c++));
  f.base = SeverityOf(row.Text(c++));
  f.resolved = row.Int(c++) != 0;
  f.opened_at = TimeAt(row, c++);
  f.resolved_at = TimeAt(row, c++);
  f.resolve_reason = row.Text(c++);
  f.episodes = row.Int(c++);
  f.reopened = row.Int(c++);
  f.test = row.Int(c++) != 0;
  out.labels = row.Text(c++);
}

class Reader {
 public:
  Reader(Db& db, const Span& span, const std::string& team)
      : db_(db), from_(ToUnixMillis(span.from)), until_(ToUnixMillis(span.until)), team_(team) {}

  Result<std::vector<IncidentFacts>> Read() {
    MLALERT_TRY(ReadRows());
    MLALERT_TRY(ReadTold());
    MLALERT_TRY(ReadAcknowledged());
    MLALERT_TRY(ReadHumanEvents());
    MLALERT_TRY(ReadFeedback());
    MLALERT_TRY(ReadMutes());
    MLALERT_TRY(ReadChanges());
    std::vector<IncidentFacts> out;
    out.reserve(drafts_.size());
    for (Draft& draft : drafts_) {
      IncidentFacts& f = draft.facts;
      f.level = draft.acted                      ? ActionLevel::kActed
                : IsSet(f.first_acknowledged_at) ? ActionLevel::kAcknowledged
                                                 : ActionLevel::kNone;
      out.push_back(std::move(f));
    }
    return out;
  }

 private:
  struct Range {
    int64_t first = 0, last = 0;
  };

  void Keep(const Stmt& row) {
    Draft& draft = drafts_.emplace_back();
    ReadDraft(row, draft);
    if (!team_.empty() && draft.facts.team != team_) {
      drafts_.pop_back();
    }
  }

  Status ReadRows() {
    MLALERT_ASSIGN(const int64_t with_env,
                   db_.QueryInt("SELECT EXISTS (SELECT 1 FROM changes WHERE env IS NOT NULL)"));
    std::vector<int64_t> opened;  // whatever their team
    size_t count = 0;
    MLALERT_TRY(EachRow(
        db_, "SELECT count(*) FROM incidents WHERE opened_at >= ? AND opened_at < ?",
        [&](const Stmt& row) -> Status {
          count = static_cast<size_t>(row.Int(0));
          return {};
        },
        from_, until_));
    opened.reserve(count);
    drafts_.reserve(team_.empty() ? count : 0);
    MLALERT_TRY(EachRow(
        db_, std::string(kRow) + "WHERE opened_at >= ?2 AND opened_at < ?3",
        [&](const Stmt& row) -> Status {
          opened.push_back(row.Int(0));
          Keep(row);
          return {};
        },
        with_env, from_, until_));
    if (!std::is_sorted(opened.begin(), opened.end())) {
      std::sort(opened.begin(), opened.end());
    }
    std::vector<int64_t> others;
    for (const char* sql : {"SELECT id FROM incidents WHERE resolved_at >= ? AND resolved_at < ?",
                            "SELECT incident_id FROM acknowledgements WHERE at >= ? AND at < ?"}) {
      MLALERT_TRY(EachRow(
          db_, sql,
          [&](const Stmt& row) -> Status {
            if (!std::binary_search(opened.begin(), opened.end(), row.Int(0))) {
              others.push_back(row.Int(0));
            }
            return {};
          },
          from_, until_));
    }
    std::sort(others.begin(), others.end());
    others.erase(std::unique(others.begin(), others.end()), others.end());
    MLALERT_ASSIGN(Stmt one, db_.Prepare(std::string(kRow) + "WHERE id = ?2"));
    for (int64_t id : others) {
      MLALERT_TRY(EachRow(
          one,
          [&](const Stmt& row) -> Status {
            Keep(row);
            return {};
          },
          with_env, id));
    }
    // Mostly in order already: ids grow with time.
    auto by_id = [](const Draft& a, const Draft& b) { return a.facts.id < b.facts.id; };
    if (!std::is_sorted(drafts_.begin(), drafts_.end(), by_id)) {
      const auto late = std::is_sorted_until(drafts_.begin(), drafts_.end(), by_id);
      std::sort(late, drafts_.end(), by_id);
      std::inplace_merge(drafts_.begin(), late, drafts_.end(), by_id);
    }
    for (const Draft& draft : drafts_) {
      if (ranges_.empty() || draft.facts.id - ranges_.back().last > kGapMax) {
        ranges_.push_back({draft.facts.id, draft.facts.id});
      }
      ranges_.back().last = draft.facts.id;
    }
    return {};
  }

  // Column 0 of `sql` is the incident; its two parameters are a range of them.
  template <class Take>
  Status Walk(std::string_view sql, Take take) {
    MLALERT_ASSIGN(Stmt stmt, db_.Prepare(sql));
    for (const Range& range : ranges_) {
      MLALERT_TRY(EachRow(
          stmt,
          [&](const Stmt& row) -> Status {
            const int64_t id = row.Int(0);
            auto it = std::lower_bound(drafts_.begin(), drafts_.end(), id,
                                       [](const Draft& d, int64_t wanted) { return d.facts.id < wanted; });
            if (it != drafts_.end() && it->facts.id == id) {
              take(row, *it);
            }
            return {};
          },
          range.first, range.last));
    }
    return {};
  }

  // --- what happened to them

  Status ReadTold() {
    // CROSS JOIN: in this order, which is that of incidents.
    return Walk(
        "SELECT ni.incident_id, min(n.at), min(CASE WHEN ni.told_severity IN ('P0', 'P1') THEN n.at END) "
        "FROM notification_incidents ni CROSS JOIN notifications n ON n.id = ni.notification_id "
        "WHERE ni.incident_id BETWEEN ? AND ? AND ni.told_severity IS NOT NULL GROUP BY ni.incident_id",
        [](const Stmt& row, Draft& draft) {
          draft.facts.first_told_at = TimeAt(row, 1);
          draft.facts.first_paged_at = TimeAt(row, 2);
        });
  }

  Status ReadAcknowledged() {
    return Walk(
        "SELECT incident_id, min(at) FROM acknowledgements WHERE incident_id BETWEEN ? AND ? "
        "GROUP BY incident_id",
        [](const Stmt& row, Draft& draft) { draft.facts.first_acknowledged_at = TimeAt(row, 1); });
  }

  Status ReadHumanEvents() {
    return Walk(
        "SELECT incident_id, max(type = 'snoozed'), max(type IN ('severity_raised', 'raised')), "
        "max(type IN ('severity_raised', 'raised', 'runbook_step', 'ticket_linked', 'postmortem_linked') "
        "    OR (type IN ('incident_resolved', 'resolved') "
        "        AND (reason IN ('fixed', 'rolled_back', 'mitigated') "
        "             OR instr(ifnull(data, ''), '\"resolution\":\"fixed\"') > 0 "
        "             OR instr(ifnull(data, ''), '\"resolution\":\"rolled_back\"') > 0 "
        "             OR instr(ifnull(data, ''), '\"resolution\":\"mitigated\"') > 0))) "
        "FROM events INDEXED BY events_by_human WHERE actor_kind = 'human' AND type <> 'acknowledged' "
        "AND incident_id BETWEEN ? AND ? "
        "GROUP BY incident_id",
        [](const Stmt& row, Draft& draft) {
          draft.facts.negative |= row.Int(1) != 0;
          draft.facts.raised_by_human = row.Int(2) != 0;
          draft.acted |= row.Int(3) != 0;
        });
  }

  Status ReadFeedback() {
    return Walk(
        "SELECT incident_id, max(last AND verdict = 'acted' AND resolution <> 'no_action'), "
        "max(resolution IN ('fixed', 'rolled_back', 'mitigated') OR link <> ''), "
        "max(last AND (verdict IN ('not_actionable', 'false_alarm') OR resolution = 'no_action')) "
        "FROM (SELECT f.*, NOT EXISTS (SELECT 1 FROM feedback g WHERE g.incident_id = f.incident_id "
        "        AND g.actor = f.actor AND g.id > f.id) AS last "
        "      FROM feedback f WHERE f.incident_id BETWEEN ? AND ?) GROUP BY incident_id",
        [](const Stmt& row, Draft& draft) {
          draft.acted |= row.Int(1) != 0 || row.Int(2) != 0;
          draft.facts.negative |= row.Int(3) != 0;
        });
  }

  Status ReadMutes() {
    return Walk(
        "SELECT incident_id, max(kind = 'silenced') FROM mutes WHERE incident_id BETWEEN ? AND ? "
        "GROUP BY incident_id",
        [](const Stmt& row, Draft& draft) {
          draft.facts.muted = true;
          draft.facts.negative |= row.Int(1) != 0;
        });
  }

  struct Change {
    int64_t at = 0;
    std::string model, pipeline, env;
    bool has_model = false, has_pipeline = false, has_env = false;
  };
  using Named = std::unordered_map<std::string, std::vector<size_t>>;  // indexes of changes, by time

  static bool Fits(const Change& c, const Draft& draft) {
    const IncidentFacts& f = draft.facts;
    return (!c.has_model || f.model.empty() || c.model == f.model) &&
           (!c.has_pipeline || f.pipeline.empty() || c.pipeline == f.pipeline) &&
           (!c.has_env || draft.labels.empty() ||
            draft.labels.find("\"env\":\"" + c.env + "\"") != std::string::npos);
  }

  bool Changed(const Draft& draft, const std::string& name, const Named& named, int64_t until) const {
    auto of_name = name.empty() ? named.end() : named.find(name);
    if (of_name == named.end()) {
      return false;
    }
    const int64_t opened = ToUnixMillis(draft.facts.opened_at);
    auto it = std::lower_bound(of_name->second.begin(), of_name->second.end(), opened,
                               [&](size_t i, int64_t at) { return changes_[i].at < at; });
    for (; it != of_name->second.end() && changes_[*it].at <= until; ++it) {
      if (Fits(changes_[*it], draft)) {
        return true;
      }
    }
    return false;
  }

  Status ReadChanges() {
    MLALERT_TRY(Walk("SELECT incident_id FROM changes WHERE incident_id BETWEEN ? AND ?",
                     [](const Stmt&, Draft& draft) { draft.acted = true; }));
    int64_t first = INT64_MAX;
    int64_t last = INT64_MIN;
    for (const Draft& draft : drafts_) {
      if (IsSet(draft.facts.opened_at)) {
        first = std::min(first, ToUnixMillis(draft.facts.opened_at));
        last = std::max(last, EndOf(draft));
      }
    }
    Named by_model, by_pipeline, by_entity;
    MLALERT_TRY(EachRow(
        db_,
        "SELECT at, model, pipeline, env, entity FROM changes WHERE at >= ? AND at <= ? AND automatic = 0 "
        "AND incident_id IS NULL ORDER BY at",
        [&](const Stmt& row) -> Status {
          const size_t index = changes_.size();
          changes_.push_back({row.Int(0), row.String(1), row.String(2), row.String(3), !row.IsNull(1),
                              !row.IsNull(2), !row.IsNull(3)});
          if (!row.IsNull(1)) {
            by_model[row.String(1)].push_back(index);
          }
          if (!row.IsNull(2)) {
            by_pipeline[row.String(2)].push_back(index);
          }
          if (!row.IsNull(4)) {
            by_entity[row.String(4)].push_back(index);
          }
          return {};
        },
        first, last));
    for (Draft& draft : drafts_) {
      const IncidentFacts& f = draft.facts;
      if (draft.acted || !IsSet(f.opened_at) || changes_.empty()) {
        continue;
      }
      const int64_t end = EndOf(draft);
      draft.acted = Changed(draft, f.model, by_model, end) || Changed(draft, f.pipeline, by_pipeline, end) ||
                    Changed(draft, f.model, by_entity, end) || Changed(draft, f.pipeline, by_entity, end);
    }
    return {};
  }

  static int64_t EndOf(const Draft& draft) {
    return IsSet(draft.facts.resolved_at) ? ToUnixMillis(draft.facts.resolved_at) + kAfterEndMillis
                                          : INT64_MAX;
  }

  Db& db_;
  const int64_t from_, until_;
  const std::string& team_;
  std::vector<Draft> drafts_;  // by id once all are there
  std::vector<Range> ranges_;
  std::vector<Change> changes_;
};

}  // namespace

Result<std::vector<IncidentFacts>> ReadIncidentFacts(Db& db, const Span& span, const std::string& team) {
  // One transaction, so that the facts fit together.
  MLALERT_ASSIGN(Txn txn, Txn::Begin(db, Txn::Kind::kRead));
  MLALERT_ASSIGN(auto facts, Reader(db, span, team).Read());
  MLALERT_TRY(txn.Commit());
  return facts;
}

}  // namespace mlalert
