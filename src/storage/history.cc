#include "storage/history.h"

#include <algorithm>
#include <fmt/format.h>
#include <mutex>
#include <utility>
#include <variant>

#include "base/hash.h"
#include "storage/codec.h"
#include "storage/migrator.h"

namespace mlalert {
namespace {

// A SELECT grown condition by condition; values are bound, never written into the text.
class Query {
 public:
  explicit Query(std::string head) : sql_(std::move(head)) {}

  void Where(std::string_view condition) {
    sql_ += any_ ? " AND " : " WHERE ";
    sql_ += condition;
    any_ = true;
  }
  template <class T>
  void Where(std::string_view condition, T value) {
    Where(condition);
    values_.emplace_back(std::move(value));
  }
  void Text(std::string_view column, const std::string& value) {
    if (!value.empty()) {
      Where(fmt::format("{} = ?", column), value);
    }
  }
  void AnyOf(std::string_view column, const std::vector<std::string>& values) {
    if (values.empty()) {
      return;
    }
    std::string marks;
    for (const std::string& value : values) {
      marks += marks.empty() ? "?" : ", ?";
      values_.emplace_back(value);
    }
    Where(fmt::format("{} IN ({})", column, marks));
  }
  void Between(std::string_view column, Timestamp since, Timestamp until) {
    if (IsSet(since)) {
      Where(fmt::format("{} >= ?", column), ToUnixMillis(since));
    }
    if (IsSet(until)) {
      Where(fmt::format("{} < ?", column), ToUnixMillis(until));
    }
  }
  // The page after the row `before_id` in the order time, id descending. A row that retention has deleted in
  // the meantime was older than all that is left: nothing follows.
  void NewestFirst(std::string_view table, std::string_view time, int64_t before_id, size_t limit) {
    if (before_id != 0) {
      Where(fmt::format("({0}, id) < (SELECT {0}, id FROM {1} WHERE id = ?)", time, table), before_id);
    }
    sql_ += fmt::format(" ORDER BY {} DESC, id DESC LIMIT {}", time, std::min(limit, kHistoryRowsMax));
  }

  Result<Stmt> Prepare(Db& db) const {
    MLALERT_ASSIGN(Stmt stmt, db.Prepare(sql_));
    int i = 0;
    for (const auto& value : values_) {
      ++i;
      MLALERT_TRY(std::visit([&](const auto& v) { return stmt.BindAt(i, v); }, value));
    }
    return stmt;
  }

 private:
  std::string sql_;
  bool any_ = false;
  std::vector<std::variant<int64_t, std::string>> values_;
};

template <class T, class Read>
Result<std::vector<T>> ReadAll(Db& db, const Query& query, Read read) {
  std::vector<T> out;
  MLALERT_ASSIGN(Stmt stmt, query.Prepare(db));
  while (true) {
    MLALERT_ASSIGN(bool row, stmt.Step());
    if (!row) {
      return out;
    }
    MLALERT_ASSIGN(T value, read(stmt));
    out.push_back(std::move(value));
  }
}

Result<HistoryEvent> ReadHistoryEvent(const Stmt& row) {
  MLALERT_ASSIGN(EventRecord event, ReadEvent(row));
  return HistoryEvent{row.Int(0), std::move(event)};
}

Result<AcknowledgementRecord> ReadOneAcknowledgement(const Stmt& row) {
  return ReadAcknowledgement(row);
}

std::string Select(const char* columns, std::string_view table) {
  return fmt::format("SELECT {} FROM {}", columns, table);
}

// The rows of `table` about one incident, oldest first.
Query OfIncident(const char* columns, std::string_view table, std::string_view order, IncidentId id) {
  return Query(fmt::format("SELECT {} FROM {} WHERE incident_id = {} ORDER BY {} LIMIT {}", columns, table,
                           id, order, kHistoryRowsMax));
}

constexpr std::string_view kNotificationsOfIncident =
    "id IN (SELECT notification_id FROM notification_incidents WHERE incident_id = ?)";

Query IncidentQuery(const IncidentFilter& filter) {
  Query query(Select(kIncidentColumns, "incidents"));
  std::vector<std::string> states;
  for (IncidentState state : filter.states) {
    states.emplace_back(ToString(state));
  }
  std::vector<std::string> severities;
  for (Severity severity : filter.severities) {
    severities.emplace_back(ToString(severity));
  }
  query.AnyOf("state", states);
  query.AnyOf("ifnull(severity, '')", severities);
  query.Text("alertname", filter.alertname);
  query.Text("model", filter.model);
  query.Text("pipeline", filter.pipeline);
  query.Text("team", filter.team);
  query.Between("opened_at", filter.since, filter.until);
  query.NewestFirst("incidents", "opened_at", filter.before_id, filter.limit);
  return query;
}

Query EventQuery(const EventFilter& filter) {
  Query query(Select(kEventColumns, "events"));
  if (filter.incident_id != 0) {
    query.Where("incident_id = ?", filter.incident_id);
  }
  if (filter.fingerprint != 0) {
    query.Text("fingerprint", Hex16(filter.fingerprint));
  }
  query.AnyOf("type", filter.types);
  query.Text("actor", filter.actor);
  query.Between("at", filter.since, filter.until);
  query.NewestFirst("events", "at", filter.before_id, filter.limit);
  return query;
}

Query NotificationQuery(const NotificationFilter& filter) {
  Query query(Select(kNotificationColumns, "notifications"));
  if (filter.incident_id != 0) {
    query.Where(kNotificationsOfIncident, filter.incident_id);
  }
  query.Text("receiver", filter.receiver);
  query.Text("integration", filter.integration);
  query.Text("outcome", filter.outcome);
  query.Between("at", filter.since, filter.until);
  query.NewestFirst("notifications", "at", filter.before_id, filter.limit);
  return query;
}

Query ChangeQuery(const ChangeFilter& filter) {
  Query query(Select(kChangeColumns, "changes"));
  query.Text("kind", filter.kind);
  query.Text("model", filter.model);
  query.Text("pipeline", filter.pipeline);
  query.Between("at", filter.since, filter.until);
  query.NewestFirst("changes", "at", filter.before_id, filter.limit);
  return query;
}

// What people said and changed, and when it was kept quiet.
Status ReadMemory(Db& db, IncidentId id, IncidentDetail& out) {
  MLALERT_ASSIGN(out.feedback, ReadAll<FeedbackRecord>(db, OfIncident(kFeedbackColumns, "feedback", "id", id),
                                                       ReadFeedback));
  MLALERT_ASSIGN(out.mutes,
                 ReadAll<MuteRecord>(db, OfIncident(kMuteColumns, "mutes", "started_at, id", id), ReadMute));
  Query changes(
      fmt::format("SELECT {} FROM changes WHERE id IN (SELECT change_id FROM v_incident_changes "
                  "WHERE incident_id = {}) ORDER BY at, id LIMIT {}",
                  kChangeColumns, id, kHistoryRowsMax));
  MLALERT_ASSIGN(out.changes,
                 ReadAll<LinkedChange>(db, changes, [&](const Stmt& row) -> Result<LinkedChange> {
                   MLALERT_ASSIGN(ChangeRecord change, ReadChange(row));
                   const Duration after = change.at - out.incident.opened_at;
                   return LinkedChange{std::move(change), after < Duration::zero(), after};
                 }));
  Query level(fmt::format("SELECT action_level FROM v_action_evidence WHERE incident_id = {}", id));
  MLALERT_ASSIGN(auto levels, ReadAll<std::string>(db, level, [](const Stmt& row) -> Result<std::string> {
                   return row.String(0);
                 }));
  out.action_level = levels.empty() ? "" : levels.front();
  return {};
}

Result<IncidentDetail> ReadDetail(Db& db, IncidentId id) {
  // One transaction, so that the parts fit together.
  MLALERT_ASSIGN(Txn txn, Txn::Begin(db, Txn::Kind::kRead));
  PolicyCache policies;
  Query head(Select(kIncidentColumns, "incidents"));
  head.Where("id = ?", id);
  MLALERT_ASSIGN(auto incidents,
                 ReadAll<Incident>(db, head, [&](const Stmt& row) { return ReadIncident(row, policies); }));
  if (incidents.empty()) {
    return Fail(ErrorCode::kNotFound, fmt::format("there is no incident {}", id));
  }
  IncidentDetail out;
  out.incident = std::move(incidents.front());
  MLALERT_ASSIGN(
      out.episodes,
      ReadAll<EpisodeRecord>(db, OfIncident(kEpisodeColumns, "episodes", "started_at, id", id), ReadEpisode));
  MLALERT_ASSIGN(out.events, ReadAll<HistoryEvent>(db, OfIncident(kEventColumns, "events", "at, id", id),
                                                   ReadHistoryEvent));
  Query notifications(fmt::format(
      "SELECT {} FROM notifications WHERE id IN (SELECT notification_id FROM notification_incidents WHERE "
      "incident_id = {}) ORDER BY at, id LIMIT {}",
      kNotificationColumns, id, kHistoryRowsMax));
  MLALERT_ASSIGN(out.notifications, ReadAll<NotificationRecord>(db, notifications, ReadNotification));
  MLALERT_ASSIGN(
      out.acknowledgements,
      ReadAll<AcknowledgementRecord>(db, OfIncident(kAcknowledgementColumns, "acknowledgements", "at", id),
                                     ReadOneAcknowledgement));
  MLALERT_TRY(ReadMemory(db, id, out));
  MLALERT_TRY(txn.Commit());
  return out;
}

}  // namespace

class History::Impl {
 public:
  Impl(Db db, HistoryOptions options) : db_(std::move(db)), options_(options) {}

  // One question at a time, each with its deadline.
  template <class Ask>
  auto Run(Ask ask) -> decltype(ask(std::declval<Db&>())) {
    std::lock_guard lock(mutex_);
    db_.SetDeadline(std::chrono::steady_clock::now() + options_.query_timeout);
    auto answer = ask(db_);
    db_.SetDeadline(std::nullopt);
    return answer;
  }

 private:
  std::mutex mutex_;
  Db db_;
  HistoryOptions options_;
};

History::History(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
History::~History() = default;

Result<std::unique_ptr<History>> History::Open(const std::string& path, HistoryOptions options) {
  MLALERT_ASSIGN(Db db, Db::Open(path, DbMode::kReadOnly));
  MLALERT_TRY(CheckSchema(db));
  return std::unique_ptr<History>(new History(std::make_unique<Impl>(std::move(db), options)));
}

Result<std::vector<Incident>> History::ListIncidents(const IncidentFilter& filter) {
  return impl_->Run([&](Db& db) {
    PolicyCache policies;
    return ReadAll<Incident>(db, IncidentQuery(filter),
                             [&](const Stmt& row) { return ReadIncident(row, policies); });
  });
}

Result<IncidentDetail> History::GetIncident(IncidentId id) {
  return impl_->Run([&](Db& db) { return ReadDetail(db, id); });
}

Result<std::vector<HistoryEvent>> History::ListEvents(const EventFilter& filter) {
  return impl_->Run([&](Db& db) { return ReadAll<HistoryEvent>(db, EventQuery(filter), ReadHistoryEvent); });
}

Result<std::vector<NotificationRecord>> History::ListNotifications(const NotificationFilter& filter) {
  return impl_->Run(
      [&](Db& db) { return ReadAll<NotificationRecord>(db, NotificationQuery(filter), ReadNotification); });
}

Result<std::vector<ChangeRecord>> History::ListChanges(const ChangeFilter& filter) {
  return impl_->Run([&](Db& db) { return ReadAll<ChangeRecord>(db, ChangeQuery(filter), ReadChange); });
}

Result<std::vector<Silence>> History::ListSilences(Timestamp from, Timestamp until) {
  return impl_->Run([&](Db& db) {
    Query query(Select(kSilenceColumns, "silences"));
    query.Where("starts_at < ?", ToUnixMillis(until));
    query.Where("ends_at > ?", ToUnixMillis(from));
    return ReadAll<Silence>(db, query, ReadSilence);
  });
}

Result<ChangeRecord> History::FindChange(const std::string& external_id) {
  return impl_->Run([&](Db& db) -> Result<ChangeRecord> {
    Query query(Select(kChangeColumns, "changes"));
    query.Where("external_id = ?", external_id);
    MLALERT_ASSIGN(auto found, ReadAll<ChangeRecord>(db, query, ReadChange));
    if (found.empty()) {
      return Fail(ErrorCode::kNotFound, fmt::format("there is no change \"{}\"", external_id));
    }
    return std::move(found.front());
  });
}

Result<std::vector<IncidentId>> History::IncidentsOfChange(int64_t change_id) {
  return impl_->Run([&](Db& db) {
    // Those of the week before: the index on opened_at bounds the walk.
    Query query(
        fmt::format("SELECT i.id FROM changes c JOIN incidents i ON i.opened_at BETWEEN c.at - 604800000 AND "
                    "c.at + 21600000 "
                    "WHERE c.id = {0} AND (i.resolved_at IS NULL OR i.resolved_at >= c.at - 1800000) AND "
                    "EXISTS (SELECT 1 "
                    "FROM v_incident_changes v WHERE v.incident_id = i.id AND v.change_id = {0}) ORDER BY "
                    "i.id DESC LIMIT 100",
                    change_id));
    return ReadAll<IncidentId>(db, query, [](const Stmt& row) -> Result<IncidentId> { return row.Int(0); });
  });
}

Result<History::Table> History::ReadView(const std::string& view, size_t limit) {
  return impl_->Run([&](Db& db) -> Result<Table> {
    // The name goes into the text of the statement: only names that the schema itself has.
    MLALERT_ASSIGN(Stmt known, db.Prepare("SELECT 1 FROM sqlite_schema WHERE type = 'view' AND name = ?"));
    MLALERT_TRY(known.Bind(view));
    MLALERT_ASSIGN(bool exists, known.Step());
    if (!exists) {
      return Fail(ErrorCode::kInvalid, fmt::format("there is no view \"{}\"", view));
    }
    known.Reset();
    MLALERT_ASSIGN(Stmt stmt, db.Prepare(fmt::format("SELECT * FROM {} LIMIT {}", view,
                                                     std::min(limit, kHistoryRowsMax))));
    Table table;
    for (int i = 0; i < stmt.ColumnCount(); ++i) {
      table.columns.push_back(stmt.ColumnName(i));
    }
    while (true) {
      MLALERT_ASSIGN(bool row, stmt.Step());
      if (!row) {
        return table;
      }
      std::vector<std::string> cells;
      for (int i = 0; i < stmt.ColumnCount(); ++i) {
        cells.push_back(stmt.String(i));
      }
      table.rows.push_back(std::move(cells));
    }
  });
}

}  // namespace mlalert
