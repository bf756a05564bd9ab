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

  void Append(std::string_view text) { sql_ += text; }
  // What follows are the conditions of another SELECT.
  void BeginWhere() { any_ = false; }
  // A WHERE is in the text already.
  void ContinueWhere() { any_ = true; }
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

void AddSeverities(Query& query, const std::vector<Severity>& severities) {
  std::vector<std::string> names;
  names.reserve(severities.size());
  for (Severity severity : severities) {
    names.emplace_back(ToString(severity));
  }
  // A comparison with an expression finds no index.
  const bool with_none = std::find(severities.begin(), severities.end(), Severity::kNone) != severities.end();
  query.AnyOf(with_none ? "ifnull(severity, '')" : "severity", names);
}

// As of what is over: by when something else ought to be acted on only the engine knows.
void AddResponse(Query& query, ResponseState response) {
  switch (response) {
    case ResponseState::kNone:
      return;
    case ResponseState::kBreached:
      query.Where("response_breached_at IS NOT NULL");
      return;
    case ResponseState::kMet:
      query.Where("response_due_at IS NOT NULL");
      query.Where("response_at IS NOT NULL");
      query.Where("response_breached_at IS NULL");
      return;
    case ResponseState::kNotNeeded:
    case ResponseState::kDue:
      query.Where("response_due_at IS NOT NULL");
      query.Where("response_at IS NULL");
      query.Where("response_breached_at IS NULL");
      query.Where(response == ResponseState::kDue ? "state <> 'resolved'" : "state = 'resolved'");
      return;
  }
}

// What the row must be like, but for its state and, where `severities` says so, its severity.
void AddConditions(Query& query, const IncidentFilter& filter, bool severities) {
  query.Text("alertname", filter.alertname);
  query.Text("model", filter.model);
  query.Text("pipeline", filter.pipeline);
  query.Text("team", filter.team);
  AddResponse(query, filter.response);
  if (severities) {
    AddSeverities(query, filter.severities);
  }
  query.Between("opened_at", filter.since, filter.until);
}

bool Wants(const IncidentFilter& filter, IncidentState state) {
  return filter.states.empty() ||
         std::find(filter.states.begin(), filter.states.end(), state) != filter.states.end();
}

// Rare values are far apart in time, so they are found by the indexes of what is over; what is not over has
// none of these (each costs an alert that opens), and is little: it is looked through. The newest of both.
Query SelectiveIncidentQuery(const IncidentFilter& filter) {
  const bool by_label =
      !filter.alertname.empty() || !filter.model.empty() || !filter.pipeline.empty() || !filter.team.empty();
  const char* const from_over = !filter.alertname.empty() ? "incidents INDEXED BY incidents_over_by_alertname"
                                : by_label                ? "incidents"
                                                          : "incidents INDEXED BY incidents_over_by_opened";
  Query query(Select(kIncidentColumns, "incidents") + " WHERE id IN (");
  bool first = true;
  auto part = [&](std::string_view from, std::string_view states) {
    query.Append(
        fmt::format("{}SELECT id FROM (SELECT id, opened_at FROM {}", first ? "" : " UNION ALL ", from));
    query.BeginWhere();
    query.Where(states);
    first = false;
  };
  auto end = [&] {
    query.NewestFirst("incidents", "opened_at", filter.before_id, filter.limit);
    query.Append(")");
  };
  if (Wants(filter, IncidentState::kResolved)) {
    if (by_label || filter.severities.empty()) {
      part(from_over, "state = 'resolved'");
      AddConditions(query, filter, true);
      end();
    } else {
      // Several severities are several walks over their index, each as long as the page.
      for (Severity severity : filter.severities) {
        part("incidents INDEXED BY incidents_over_by_severity", "state = 'resolved'");
        if (severity == Severity::kNone) {
          query.Where("severity IS NULL");
        } else {
          query.Where("severity = ?", std::string(ToString(severity)));
        }
        AddConditions(query, filter, false);
        end();
      }
    }
  }
  std::vector<std::string> open_states;
  for (IncidentState state : {IncidentState::kOpen, IncidentState::kAcknowledged}) {
    if (Wants(filter, state)) {
      open_states.emplace_back(ToString(state));
    }
  }
  if (!open_states.empty()) {
    part("incidents INDEXED BY incidents_open", "state <> 'resolved'");
    if (open_states.size() == 1) {
      query.AnyOf("state", open_states);
    }
    AddConditions(query, filter, true);
    end();
  }
  query.Append(
      fmt::format(") ORDER BY opened_at DESC, id DESC LIMIT {}", std::min(filter.limit, kHistoryRowsMax)));
  return query;
}

Query IncidentQuery(const IncidentFilter& filter) {
  const bool every_state = Wants(filter, IncidentState::kResolved) && Wants(filter, IncidentState::kOpen) &&
                           Wants(filter, IncidentState::kAcknowledged);
  const bool any = filter.alertname.empty() && filter.model.empty() && filter.pipeline.empty() &&
                   filter.team.empty() && filter.severities.empty() &&
                   filter.response == ResponseState::kNone;
  if (!any || !every_state) {
    return SelectiveIncidentQuery(filter);
  }
  Query query(Select(kIncidentColumns, "incidents"));
  query.Between("opened_at", filter.since, filter.until);
  query.NewestFirst("incidents", "opened_at", filter.before_id, filter.limit);
  return query;
}

// The incidents that `about` says, as the inside of an IN.
void AppendIncidentsAbout(Query& query, const AboutIncident& about, std::string_view limit) {
  IncidentFilter filter;
  filter.alertname = about.alertname;
  filter.model = about.model;
  filter.severities = about.severities;
  query.Append("SELECT id FROM (");
  const char* separator = "";
  for (const char* part : {" FROM incidents WHERE state = 'resolved'",
                           " FROM incidents INDEXED BY incidents_open WHERE state <> 'resolved'"}) {
    query.Append(separator);
    query.Append("SELECT id");
    query.Append(part);
    query.ContinueWhere();
    AddConditions(query, filter, true);
    separator = " UNION ALL ";
  }
  query.Append(")");
  query.Append(limit);
}

// HistoryOptions::few_incidents.
Result<bool> AboutFew(Db& db, const AboutIncident& about, size_t few) {
  if (about.any()) {
    return false;
  }
  Query query("SELECT count(*) FROM (");
  AppendIncidentsAbout(query, about, fmt::format(" LIMIT {})", few + 1));
  MLALERT_ASSIGN(Stmt stmt, query.Prepare(db));
  MLALERT_TRY(stmt.Step());
  return static_cast<size_t>(stmt.Int(0)) <= few;
}

// Conditions on a row of incidents that is joined as `i`.
void AddConditionsOnJoined(Query& query, const AboutIncident& about) {
  query.Text("i.alertname", about.alertname);
  query.Text("i.model", about.model);
  std::vector<std::string> names;
  for (Severity severity : about.severities) {
    names.emplace_back(ToString(severity));
  }
  query.AnyOf("ifnull(i.severity, '')", names);
}

Query EventQuery(const EventFilter& filter, bool few) {
  Query query(Select(kEventColumns, filter.about.any() ? "events"
                                    : few              ? "events INDEXED BY events_by_incident"
                                                       : "events INDEXED BY events_by_time"));
  if (!filter.about.any() && few) {
    query.Where("incident_id IN (");
    AppendIncidentsAbout(query, filter.about, ")");
    query.ContinueWhere();
  } else if (!filter.about.any()) {
    query.Where("EXISTS (SELECT 1 FROM incidents i WHERE i.id = events.incident_id");
    AddConditionsOnJoined(query, filter.about);
    query.Append(")");
  }
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

Query NotificationQuery(const NotificationFilter& filter, bool few) {
  Query query(Select(kNotificationColumns, filter.about.any() || few
                                               ? "notifications"
                                               : "notifications INDEXED BY notifications_by_time"));
  if (!filter.about.any() && few) {
    query.Where("id IN (SELECT notification_id FROM notification_incidents WHERE incident_id IN (");
    AppendIncidentsAbout(query, filter.about, "))");
    query.ContinueWhere();
  } else if (!filter.about.any()) {
    query.Where(
        "EXISTS (SELECT 1 FROM json_each(notifications.incidents) j JOIN incidents i ON i.id = j.value WHERE "
        "1");
    AddConditionsOnJoined(query, filter.about);
    query.Append(")");
  }
  if (filter.incident_id != 0) {
    query.Where(kNotificationsOfIncident, filter.incident_id);
  }
  query.Text("receiver", filter.receiver);
  query.Text("integration", filter.integration);
  query.Text("outcome", filter.outcome);
  AddSeverities(query, filter.severities);
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

Result<Incident> ReadOne(Db& db, IncidentId id) {
  PolicyCache policies;
  Query head(Select(kIncidentColumns, "incidents"));
  head.Where("id = ?", id);
  MLALERT_ASSIGN(auto incidents,
                 ReadAll<Incident>(db, head, [&](const Stmt& row) { return ReadIncident(row, policies); }));
  if (incidents.empty()) {
    return Fail(ErrorCode::kNotFound, fmt::format("there is no incident {}", id));
  }
  return std::move(incidents.front());
}

Result<IncidentDetail> ReadDetail(Db& db, IncidentId id) {
  // One transaction, so that the parts fit together.
  MLALERT_ASSIGN(Txn txn, Txn::Begin(db, Txn::Kind::kRead));
  IncidentDetail out;
  MLALERT_ASSIGN(out.incident, ReadOne(db, id));
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

  const HistoryOptions& options() const { return options_; }
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

Result<Incident> History::FindIncident(IncidentId id) {
  return impl_->Run([&](Db& db) { return ReadOne(db, id); });
}

Result<std::vector<HistoryEvent>> History::ListEvents(const EventFilter& filter) {
  return impl_->Run([&](Db& db) -> Result<std::vector<HistoryEvent>> {
    MLALERT_ASSIGN(const bool few, AboutFew(db, filter.about, impl_->options().few_incidents));
    return ReadAll<HistoryEvent>(db, EventQuery(filter, few), ReadHistoryEvent);
  });
}

Result<std::vector<NotificationRecord>> History::ListNotifications(const NotificationFilter& filter) {
  return impl_->Run([&](Db& db) -> Result<std::vector<NotificationRecord>> {
    MLALERT_ASSIGN(const bool few, AboutFew(db, filter.about, impl_->options().few_incidents / 10));
    return ReadAll<NotificationRecord>(db, NotificationQuery(filter, few), ReadNotification);
  });
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
      cells.reserve(table.columns.size());
      for (int i = 0; i < stmt.ColumnCount(); ++i) {
        cells.push_back(stmt.String(i));
      }
      table.rows.push_back(std::move(cells));
    }
  });
}

}  // namespace mlalert
