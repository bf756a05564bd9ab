// The read side: questions about the past, answered from a read-only connection of its own, so that no
// question waits for the gate or for the journal. Thread: any; calls of one History take turns.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "storage/history_types.h"

namespace mlalert {

struct HistoryOptions {
  // A question that takes longer fails with kDeadline: a long read keeps the WAL from being reset.
  Duration query_timeout = std::chrono::seconds(10);
  // Rows about so many incidents are found from these (notifications: from a tenth of it). When there are
  // more, such rows are frequent, and the newest are found by walking back in time.
  size_t few_incidents = 20'000;
};

class History {
 public:
  // The file must exist and be at the schema this binary knows.
  static Result<std::unique_ptr<History>> Open(const std::string& path, HistoryOptions options = {});
  ~History();

  // Newest first by opening time.
  Result<std::vector<Incident>> ListIncidents(const IncidentFilter& filter);
  // kNotFound when there is none of that id.
  Result<IncidentDetail> GetIncident(IncidentId id);
  // Its row alone.
  Result<Incident> FindIncident(IncidentId id);
  // Newest first by time.
  Result<std::vector<HistoryEvent>> ListEvents(const EventFilter& filter);
  Result<std::vector<NotificationRecord>> ListNotifications(const NotificationFilter& filter);
  // Those active at some time in [from, until).
  Result<std::vector<Silence>> ListSilences(Timestamp from, Timestamp until);
  Result<std::vector<ChangeRecord>> ListChanges(const ChangeFilter& filter);
  // kNotFound when no change has that id of its sender.
  Result<ChangeRecord> FindChange(const std::string& external_id);
  // Incidents that the change is linked to, newest first.
  Result<std::vector<IncidentId>> IncidentsOfChange(int64_t change_id);

  // For reviews: one of the public views (v_*) as rows of text, times as ISO 8601; NULL is "".
  // kInvalid unless `view` is a view of the schema. At most kHistoryRowsMax rows.
  struct Table {
    std::vector<std::string> columns;
    std::vector<std::vector<std::string>> rows;
  };
  Result<Table> ReadView(const std::string& view, size_t limit = kHistoryRowsMax);

 private:
  class Impl;
  explicit History(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace mlalert
