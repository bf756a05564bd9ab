// The alert that a held episode keeps, as a restart gives it back.
#pragma once

#include "model/record.h"

namespace mlalert::testing {

inline AlertRecord AlertOf(const EpisodeRecord& r) {
  AlertRecord out;
  out.alert.labels = r.labels;
  out.alert.annotations = r.annotations;
  out.alert.generator_url = r.generator_url;
  out.alert.starts_at = r.started_at;
  out.alert.ends_at = r.ends_at;
  out.alert.updated_at = r.updated_at;
  out.alert.starts_offset_minutes = r.starts_offset_minutes;
  out.alert.ends_offset_minutes = r.ends_offset_minutes;
  out.alert.timeout = r.timeout;
  out.alert.source = r.source;
  out.received_at = r.received_at;
  out.incident_id = r.incident_id;
  out.episode_id = r.id;
  out.ended = IsSet(r.ended_at);
  out.end_reason = r.end_reason;
  return out;
}

}  // namespace mlalert::testing
