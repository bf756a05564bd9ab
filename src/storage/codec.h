// How values of the model look in columns: times as milliseconds or NULL, labels as JSON objects,
// fingerprints as 16 hex digits, severities as "P0".."P3" or NULL. The writer, restore and history share it.
// Thread: pure functions.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "model/incident.h"
#include "model/record.h"
#include "storage/sqlite.h"

namespace mlalert {

// kUnset is NULL; below a millisecond is cut; kNever keeps its meaning.
std::optional<int64_t> ToColumn(Timestamp time);
Timestamp TimeAt(const Stmt& row, int column);

std::optional<std::string_view> ToColumn(Severity severity);
Result<Severity> SeverityAt(const Stmt& row, int column);

std::string ToJson(const LabelSet& labels);
void AppendJson(std::string& out, const LabelSet& labels);
Result<LabelSet> LabelsAt(const Stmt& row, int column);

// [{"isEqual":true,"isRegex":false,"name":"a","value":"b"}], as the API has them; the order is kept.
std::string ToJson(const Matchers& matchers);
Result<Matchers> MatchersAt(const Stmt& row, int column);

std::string FingerprintsToJson(const std::vector<uint64_t>& fingerprints);
Result<std::vector<uint64_t>> FingerprintsAt(const Stmt& row, int column);
Result<uint64_t> FingerprintAt(const Stmt& row, int column);

// [1767225600000, ...]
std::string TimesToJson(const std::vector<Timestamp>& times);
Result<std::vector<Timestamp>> TimesAt(const Stmt& row, int column);

Result<AlertSource> SourceAt(const Stmt& row, int column);

// Ids and numbers whose zero means "none": NULL.
std::optional<int64_t> NullIfZero(int64_t value);
// Text columns that hold JSON, and extracted labels.
std::optional<std::string_view> NullIfEmpty(std::string_view text);

// Column lists and their readers, in the same order.
extern const char* const kIncidentColumns;
// Policies by their JSON text: incidents of one policy share it, as they did when they were written.
using PolicyCache = std::map<std::string, std::shared_ptr<const IncidentPolicy>, std::less<>>;
Result<Incident> ReadIncident(const Stmt& row, PolicyCache& policies);
extern const char* const kEpisodeColumns;
Result<EpisodeRecord> ReadEpisode(const Stmt& row);
extern const char* const kEventColumns;
Result<EventRecord> ReadEvent(const Stmt& row);  // column 0 is the id
extern const char* const kNotificationColumns;
Result<NotificationRecord> ReadNotification(const Stmt& row);
extern const char* const kAcknowledgementColumns;
AcknowledgementRecord ReadAcknowledgement(const Stmt& row);
extern const char* const kSilenceColumns;
Result<Silence> ReadSilence(const Stmt& row);
extern const char* const kFeedbackColumns;
Result<FeedbackRecord> ReadFeedback(const Stmt& row);
extern const char* const kChangeColumns;
Result<ChangeRecord> ReadChange(const Stmt& row);
extern const char* const kMuteColumns;
Result<MuteRecord> ReadMute(const Stmt& row);

}  // namespace mlalert
