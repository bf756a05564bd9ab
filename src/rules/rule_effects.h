// What a step of the rule evaluator wants done outside: queries to send, alerts for the engine, rows to
// journal. Filled by: rules/rule_manager. Drained by: the shell, in this order: records, alerts, queries.
// Thread: plain values, moved out of the lock.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/shared_text.h"
#include "base/time.h"
#include "intake/decoded_alert.h"
#include "model/label_set.h"
#include "model/record.h"
#include "net/transport.h"

namespace mlalert {

// Never 0, never used twice by one manager.
using QueryId = uint64_t;

struct QueryRequest {
  QueryId id = 0;
  std::string datasource;  // DatasourceConfig::name: one lane each
  HttpCall call;           // to be sent now; its timeout is what is left of the slot's deadline
};

// A firing alert (ends_at lies ahead: it is held until then) or a resolved one (ends_at is when it ended).
struct RuleAlert {
  LabelSet labels;
  LabelSet annotations;
  SharedText generator_url;
  Timestamp starts_at = kUnset;
  Timestamp ends_at = kUnset;
};

struct RuleEffects {
  std::vector<QueryRequest> queries;
  std::vector<RuleAlert> alerts;
  std::vector<Record> records;

  bool empty() const { return queries.empty() && alerts.empty() && records.empty(); }
};

// The form the engine takes. `labels` receives the labels that the result points into; the result also
// borrows from `alerts`.
std::vector<DecodedAlert> ToDecoded(std::span<const RuleAlert> alerts, std::vector<Label>& labels);

}  // namespace mlalert
