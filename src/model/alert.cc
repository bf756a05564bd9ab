#include "model/alert.h"

#include <algorithm>

namespace mlalert {

std::string_view ToString(AlertSource source) {
  switch (source) {
    case AlertSource::kRules:
      return "rules";
    case AlertSource::kApi:
      return "api";
    case AlertSource::kWebhook:
      return "webhook";
  }
  return "api";
}

Alert MergeAlert(const Alert& stored, const Alert& incoming, Timestamp now) {
  bool overlap = (incoming.ends_at > stored.starts_at && incoming.ends_at < stored.ends_at) ||
                 (incoming.starts_at > stored.starts_at && incoming.starts_at < stored.ends_at);
  if (!overlap) {
    return incoming;
  }
  bool incoming_is_newer = incoming.updated_at >= stored.updated_at;
  const Alert& newer = incoming_is_newer ? incoming : stored;
  const Alert& older = incoming_is_newer ? stored : incoming;
  Alert merged = newer;
  if (older.starts_at < merged.starts_at) {
    merged.starts_at = older.starts_at;
    merged.starts_offset_minutes = older.starts_offset_minutes;
  }
  bool take_older_end = newer.ResolvedAt(now) ? older.ResolvedAt(now) && older.ends_at > newer.ends_at
                                              : older.ends_at > newer.ends_at && !older.timeout;
  if (take_older_end) {
    merged.ends_at = older.ends_at;
    merged.ends_offset_minutes = older.ends_offset_minutes;
  }
  return merged;
}

}  // namespace mlalert
