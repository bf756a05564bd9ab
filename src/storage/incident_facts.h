// The facts of v_incident_facts for the incidents of a span, all at once. The view says what each fact means
// and looks into ten tables for one incident; here the same tables are walked once, in the order of
// incidents, which on millions of rows is the difference between seconds and tenths. A test compares the two.
// Fed by: storage/quality_source. Thread: that of the connection.
#pragma once

#include <string>
#include <vector>

#include "storage/quality_source.h"
#include "storage/sqlite.h"

namespace mlalert {

// Incidents that opened, were resolved or acknowledged in the span; by id. `team` empty: all.
Result<std::vector<IncidentFacts>> ReadIncidentFacts(Db& db, const Span& span, const std::string& team);

}  // namespace mlalert
