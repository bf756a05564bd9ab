#include "storage/codec.h"

#include <algorithm>
#include <charconv>
#include <fmt/format.h>

#include "base/hash.h"
#include "base/json.h"

namespace mlalert {
namespace {

// Timestamp covers 1678 to 2261; milliseconds from outside that range (a foreign hand in the file) are
// clamped.
constexpr int64_t kMillisMax = ToUnixMillis(kNever);
constexpr int64_t kMillisMin = -kMillisMax;

tl::unexpected<Error> Corrupt(std::string_view what, std::string_view value) {
  return Fail(ErrorCode::kCorrupt, fmt::format("stored {} \"{}\" is not valid", what, value.substr(0, 80)));
}

Result<uint64_t> ParseHex16(std::string_view text) {
  uint64_t value = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, 16);
  if (text.size() != 16 || error != std::errc{} || end != text.data() + text.size()) {
    return Corrupt("fingerprint", text);
  }
  return value;
}

Result<IncidentState> ParseState(std::string_view text) {
  for (auto state : {IncidentState::kOpen, IncidentState::kAcknowledged, IncidentState::kResolved}) {
    if (text == ToString(state)) {
      return state;
    }
  }
  return Corrupt("incident state", text);
}

Result<std::shared_ptr<const IncidentPolicy>> PolicyAt(const Stmt& row, int column, PolicyCache& policies) {
  if (row.IsNull(column)) {
    return nullptr;
  }
  auto known = policies.find(row.Text(column));
  if (known == policies.end()) {
    MLALERT_ASSIGN(IncidentPolicy policy, PolicyFromJson(row.Text(column)));
    known =
        policies.emplace(row.Text(column), std::make_shared<const IncidentPolicy>(std::move(policy))).first;
  }
  return known->second;
}

}  // namespace

std::optional<int64_t> ToColumn(Timestamp time) {
  if (!IsSet(time)) {
    return std::nullopt;
  }
  return ToUnixMillis(time);
}

Timestamp TimeAt(const Stmt& row, int column) {
  if (row.IsNull(column)) {
    return kUnset;
  }
  int64_t millis = row.Int(column);
  if (millis >= kMillisMax) {
    return kNever;
  }
  return FromUnixMillis(std::max(millis, kMillisMin));
}

std::optional<std::string_view> ToColumn(Severity severity) {
  return NullIfEmpty(ToString(severity));
}

Result<Severity> SeverityAt(const Stmt& row, int column) {
  if (row.IsNull(column)) {
    return Severity::kNone;
  }
  auto severity = ParseSeverity(row.Text(column));
  if (!severity) {
    return Corrupt("severity", row.Text(column));
  }
  return *severity;
}

std::string ToJson(const LabelSet& labels) {
  std::string out;
  AppendJson(out, labels);
  return out;
}

void AppendJson(std::string& out, const LabelSet& labels) {
  char separator = '{';
  for (const Label& label : labels) {
    out += separator;
    separator = ',';
    AppendJsonString(out, label.name);
    out += ':';
    AppendJsonString(out, label.value);
  }
  out += labels.empty() ? "{}" : "}";
}

Result<LabelSet> LabelsAt(const Stmt& row, int column) {
  auto json = ParseJson(row.Text(column));
  if (!json || !json->is_object()) {
    return Corrupt("label set", row.Text(column));
  }
  std::vector<std::pair<std::string, std::string>> labels;
  labels.reserve(json->AsObject().size());
  for (const auto& [name, value] : json->AsObject()) {
    if (!value.is_string()) {
      return Corrupt("label set", row.Text(column));
    }
    labels.emplace_back(name, value.AsString());
  }
  return LabelSet::From(std::move(labels));
}

std::string ToJson(const Matchers& matchers) {
  Json out = Json::MakeArray();
  for (const Matcher& matcher : matchers) {
    Json one = Json::MakeObject();
    one.Set("isEqual", matcher.op() == MatchOp::kEqual || matcher.op() == MatchOp::kRegex);
    one.Set("isRegex", matcher.op() == MatchOp::kRegex || matcher.op() == MatchOp::kNotRegex);
    one.Set("name", matcher.name());
    one.Set("value", matcher.value());
    out.Push(std::move(one));
  }
  return out.Dump();
}

Result<Matchers> MatchersAt(const Stmt& row, int column) {
  auto json = ParseJson(row.Text(column));
  if (!json || !json->is_array()) {
    return Corrupt("matcher list", row.Text(column));
  }
  Matchers out;
  for (const Json& one : json->AsArray()) {
    const Json* is_equal = one.Find("isEqual");
    const Json* is_regex = one.Find("isRegex");
    if (is_equal == nullptr || is_regex == nullptr) {
      return Corrupt("matcher list", row.Text(column));
    }
    MatchOp equal = is_regex->AsBool() ? MatchOp::kRegex : MatchOp::kEqual;
    MatchOp not_equal = is_regex->AsBool() ? MatchOp::kNotRegex : MatchOp::kNotEqual;
    auto matcher =
        Matcher::Make(one.GetString("name"), is_equal->AsBool() ? equal : not_equal, one.GetString("value"));
    if (!matcher) {
      return Corrupt("matcher list", row.Text(column));
    }
    out.push_back(std::move(*matcher));
  }
  return out;
}

std::string FingerprintsToJson(const std::vector<uint64_t>& fingerprints) {
  std::string out = "[";
  for (uint64_t fingerprint : fingerprints) {
    out += out.size() > 1 ? ",\"" : "\"";
    out += Hex16(fingerprint);
    out += '"';
  }
  out += ']';
  return out;
}

Result<std::vector<uint64_t>> FingerprintsAt(const Stmt& row, int column) {
  auto json = ParseJson(row.Text(column));
  if (!json || !json->is_array()) {
    return Corrupt("fingerprint list", row.Text(column));
  }
  std::vector<uint64_t> out;
  out.reserve(json->AsArray().size());
  for (const Json& one : json->AsArray()) {
    MLALERT_ASSIGN(uint64_t fingerprint, ParseHex16(one.AsString()));
    out.push_back(fingerprint);
  }
  return out;
}

Result<uint64_t> FingerprintAt(const Stmt& row, int column) {
  return row.IsNull(column) ? 0 : ParseHex16(row.Text(column));
}

std::string TimesToJson(const std::vector<Timestamp>& times) {
  std::string out = "[";
  for (Timestamp time : times) {
    out += fmt::format("{}{}", out.size() > 1 ? "," : "", ToUnixMillis(time));
  }
  out += ']';
  return out;
}

Result<std::vector<Timestamp>> TimesAt(const Stmt& row, int column) {
  std::vector<Timestamp> out;
  if (row.IsNull(column)) {
    return out;
  }
  auto json = ParseJson(row.Text(column));
  if (!json || !json->is_array()) {
    return Corrupt("list of times", row.Text(column));
  }
  for (const Json& one : json->AsArray()) {
    out.push_back(FromUnixMillis(std::clamp(one.AsInt(), kMillisMin, kMillisMax)));
  }
  return out;
}

Result<AlertSource> SourceAt(const Stmt& row, int column) {
  for (auto source : {AlertSource::kRules, AlertSource::kApi, AlertSource::kWebhook}) {
    if (row.Text(column) == ToString(source)) {
      return source;
    }
  }
  return Corrupt("alert source", row.Text(column));
}

std::optional<int64_t> NullIfZero(int64_t value) {
  return value == 0 ? std::nullopt : std::optional(value);
}

std::optional<std::string_view> NullIfEmpty(std::string_view text) {
  return text.empty() ? std::nullopt : std::optional(text);
}

const char* const kIncidentColumns =
    "id, key, labels, annotations, state, policy, base_severity, ladder_severity, raised_severity, severity, "
    "opened_at, last_fired_at, resolved_at, resolve_reason, clock_elapsed_ms, clock_since, next_severity_at, "
    "ladder_step, acknowledged_by, acknowledged_at, acknowledge_comment, acknowledge_expires_at, "
    "last_told_at, "
    "told_severity, generation, reopen_count, episode_count, overruled_severity, raise_held_since, assignee, "
    "snoozed_until, snoozed_by, resolved_by, held_until, woken_at, muted_since, chain_started_at, "
    "chain_next_at, "
    "chain_step, chain_round, response_due_at, response_at, response_breached_at, parent_id, flapping_since, "
    "edges, opened_generation";

Result<Incident> ReadIncident(const Stmt& row, PolicyCache& policies) {
  int c = 0;
  Incident out;
  out.id = row.Int(c++);
  MLALERT_ASSIGN(out.key, LabelsAt(row, c++));
  MLALERT_ASSIGN(out.labels, LabelsAt(row, c++));
  MLALERT_ASSIGN(out.annotations, LabelsAt(row, c++));
  MLALERT_ASSIGN(out.state, ParseState(row.Text(c++)));
  MLALERT_ASSIGN(out.policy, PolicyAt(row, c++, policies));
  MLALERT_ASSIGN(out.base, SeverityAt(row, c++));
  MLALERT_ASSIGN(out.ladder, SeverityAt(row, c++));
  MLALERT_ASSIGN(out.raised, SeverityAt(row, c++));
  MLALERT_ASSIGN(out.severity, SeverityAt(row, c++));
  out.opened_at = TimeAt(row, c++);
  out.last_fired_at = TimeAt(row, c++);
  out.resolved_at = TimeAt(row, c++);
  out.resolve_reason = ResolveReasonFromString(row.Text(c++));
  out.clock_elapsed = std::chrono::milliseconds(std::clamp<int64_t>(row.Int(c++), 0, kMillisMax));
  out.clock_since = TimeAt(row, c++);
  out.next_severity_at = TimeAt(row, c++);
  out.ladder_step = static_cast<uint16_t>(row.Int(c++));
  if (!row.IsNull(c)) {
    out.care.Set(&IncidentCare::ack,
                 std::make_shared<const Acknowledgement>(Acknowledgement{
                     TimeAt(row, c + 1), row.String(c), row.String(c + 2), TimeAt(row, c + 3)}));
  }
  c += 4;
  out.last_told_at = TimeAt(row, c++);
  MLALERT_ASSIGN(out.told_severity, SeverityAt(row, c++));
  out.generation = row.Int(c++);
  out.reopen_count = static_cast<int32_t>(row.Int(c++));
  out.episode_count = static_cast<int32_t>(row.Int(c++));
  MLALERT_ASSIGN(out.overruled, SeverityAt(row, c++));
  out.care.Set(&IncidentCare::raise_held_since, TimeAt(row, c++));
  out.care.Set(&IncidentCare::assignee, row.String(c++));
  out.care.Set(&IncidentCare::snoozed_until, TimeAt(row, c++));
  out.care.Set(&IncidentCare::snoozed_by, row.String(c++));
  out.care.Set(&IncidentCare::resolved_by, row.String(c++));
  out.care.Set(&IncidentCare::held_until, TimeAt(row, c++));
  out.care.Set(&IncidentCare::woken_at, TimeAt(row, c++));
  out.care.Set(&IncidentCare::muted_since, TimeAt(row, c++));
  out.chain_started_at = TimeAt(row, c++);
  out.chain_next_at = TimeAt(row, c++);
  out.chain_step = static_cast<uint16_t>(row.Int(c++));
  out.chain_round = static_cast<uint16_t>(row.Int(c++));
  out.response_due_at = TimeAt(row, c++);
  out.care.Set(&IncidentCare::response_at, TimeAt(row, c++));
  out.response_breached = IsSet(TimeAt(row, c++));
  out.care.Set(&IncidentCare::parent, row.Int(c++));
  out.care.Set(&IncidentCare::flapping_since, TimeAt(row, c++));
  MLALERT_ASSIGN(std::vector<Timestamp> edges, TimesAt(row, c++));
  if (!edges.empty()) {
    out.care.Set(&IncidentCare::edges, std::make_shared<const std::vector<Timestamp>>(std::move(edges)));
  }
  out.opened_generation = row.Int(c++);
  return out;
}

const char* const kEpisodeColumns =
    "id, incident_id, fingerprint, labels, annotations, source, severity, started_at, received_at, ended_at, "
    "end_reason";

Result<EpisodeRecord> ReadEpisode(const Stmt& row) {
  EpisodeRecord out;
  out.id = row.Int(0);
  out.incident_id = row.Int(1);
  MLALERT_ASSIGN(out.fingerprint, FingerprintAt(row, 2));
  MLALERT_ASSIGN(out.labels, LabelsAt(row, 3));
  MLALERT_ASSIGN(out.annotations, LabelsAt(row, 4));
  MLALERT_ASSIGN(out.source, SourceAt(row, 5));
  MLALERT_ASSIGN(out.severity, SeverityAt(row, 6));
  out.started_at = TimeAt(row, 7);
  out.received_at = TimeAt(row, 8);
  out.ended_at = TimeAt(row, 9);
  out.end_reason = ResolveReasonFromString(row.Text(10));
  return out;
}

const char* const kEventColumns =
    "id, at, incident_id, fingerprint, type, actor_kind, actor, reason, from_value, to_value, data, via, "
    "address, "
    "generation";

Result<EventRecord> ReadEvent(const Stmt& row) {
  EventRecord out;
  out.at = TimeAt(row, 1);
  out.incident_id = row.Int(2);
  MLALERT_ASSIGN(out.fingerprint, FingerprintAt(row, 3));
  out.type = row.String(4);
  out.actor_kind = row.String(5);
  out.actor = row.String(6);
  out.reason = row.String(7);
  out.from_value = row.String(8);
  out.to_value = row.String(9);
  out.data = row.String(10);
  out.via = row.String(11);
  out.address = row.String(12);
  out.generation = row.Int(13);
  return out;
}

const char* const kNotificationColumns =
    "id, at, group_key, receiver, integration, integration_index, reason, attempt, outcome, http_status, "
    "latency_ms, error, severity, firing, resolved, incidents";

Result<NotificationRecord> ReadNotification(const Stmt& row) {
  NotificationRecord out;
  out.id = row.Int(0);
  out.at = TimeAt(row, 1);
  out.group_key = row.String(2);
  out.receiver = row.String(3);
  out.integration = row.String(4);
  out.index = static_cast<uint32_t>(row.Int(5));
  out.reason = row.String(6);
  out.attempt = static_cast<uint32_t>(row.Int(7));
  out.outcome = row.String(8);
  out.http_status = static_cast<int32_t>(row.Int(9));
  out.latency_ms = row.Int(10);
  out.error = row.String(11);
  MLALERT_ASSIGN(out.severity, SeverityAt(row, 12));
  out.firing = static_cast<uint32_t>(row.Int(13));
  out.resolved = static_cast<uint32_t>(row.Int(14));
  MLALERT_ASSIGN(Json incidents, ParseJson(row.Text(15)));
  for (const Json& id : incidents.AsArray()) {
    out.incidents.push_back({id.AsInt()});
  }
  return out;
}

const char* const kAcknowledgementColumns =
    "incident_id, at, actor, via, comment, expires_at, ended_at, end_reason";

AcknowledgementRecord ReadAcknowledgement(const Stmt& row) {
  AcknowledgementRecord out;
  out.incident_id = row.Int(0);
  out.at = TimeAt(row, 1);
  out.actor = row.String(2);
  out.via = row.String(3);
  out.comment = row.String(4);
  out.expires_at = TimeAt(row, 5);
  out.ended_at = TimeAt(row, 6);
  out.end_reason = row.String(7);
  return out;
}

const char* const kSilenceColumns =
    "id, matchers, starts_at, ends_at, updated_at, created_by, comment, annotations";

Result<Silence> ReadSilence(const Stmt& row) {
  Silence out;
  out.id = row.String(0);
  MLALERT_ASSIGN(out.matchers, MatchersAt(row, 1));
  out.starts_at = TimeAt(row, 2);
  out.ends_at = TimeAt(row, 3);
  out.updated_at = TimeAt(row, 4);
  out.created_by = row.String(5);
  out.comment = row.String(6);
  if (!row.IsNull(7)) {
    MLALERT_ASSIGN(out.annotations, LabelsAt(row, 7));
  }
  return out;
}

const char* const kFeedbackColumns = "incident_id, at, actor, via, verdict, resolution, comment, link";

Result<FeedbackRecord> ReadFeedback(const Stmt& row) {
  return FeedbackRecord{row.Int(0),    TimeAt(row, 1), row.String(2), row.String(3),
                        row.String(4), row.String(5),  row.String(6), row.String(7)};
}

const char* const kChangeColumns =
    "id, external_id, at, received_at, kind, model, pipeline, entity, env, incident_id, from_version, "
    "to_version, actor, automatic, url, comment";

Result<ChangeRecord> ReadChange(const Stmt& row) {
  int c = 0;
  ChangeRecord out;
  out.id = row.Int(c++);
  out.external_id = row.String(c++);
  out.at = TimeAt(row, c++);
  out.received_at = TimeAt(row, c++);
  out.kind = row.String(c++);
  out.model = row.String(c++);
  out.pipeline = row.String(c++);
  out.entity = row.String(c++);
  out.env = row.String(c++);
  out.incident_id = row.Int(c++);
  out.from_version = row.String(c++);
  out.to_version = row.String(c++);
  out.actor = row.String(c++);
  out.automatic = row.Int(c++) != 0;
  out.url = row.String(c++);
  out.comment = row.String(c++);
  return out;
}

const char* const kMuteColumns =
    "id, incident_id, fingerprint, kind, muted_by, receiver, started_at, ended_at, end_reason";

Result<MuteRecord> ReadMute(const Stmt& row) {
  MuteRecord out;
  out.id = row.Int(0);
  out.incident_id = row.Int(1);
  MLALERT_ASSIGN(out.fingerprint, FingerprintAt(row, 2));
  out.kind = row.String(3);
  out.muted_by = row.String(4);
  out.receiver = row.String(5);
  out.started_at = TimeAt(row, 6);
  out.ended_at = TimeAt(row, 7);
  out.end_reason = row.String(8);
  return out;
}

}  // namespace mlalert
