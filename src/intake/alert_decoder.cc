#include "intake/alert_decoder.h"

#include <algorithm>
#include <fmt/format.h>
#include <utility>

#include "base/json.h"
#include "base/json_reader.h"
#include "intake/go_json.h"

namespace mlalert {
namespace {

enum class Field : uint8_t { kNone, kLabels, kAnnotations, kStartsAt, kEndsAt, kGeneratorUrl, kUnknown };

// Where in the document the reader is.
enum class Level : uint8_t { kTop, kArray, kAlert, kMap, kSkip };

struct Range {
  uint32_t begin = 0;
  uint32_t size = 0;
};

struct RawAlert {
  Range labels;
  Range annotations;
  bool has_labels = false;
};

// Go's parser remembers the last time text it saw; senders repeat the same instants within a batch.
class TimeMemo {
 public:
  bool Parse(std::string_view text, Timestamp& time, int16_t& offset) {
    if (text != text_ || text.empty()) {
      if (text.empty()) {
        text_ = {};
        time_ = Timestamp{};  // upstream reads "" as the epoch, not as "not set"
        offset_ = 0;
      } else {
        int minutes = 0;
        auto parsed = ParseApiTime(text, &minutes);
        if (!parsed) {
          return false;
        }
        text_ = text;
        time_ = *parsed;
        offset_ = static_cast<int16_t>(minutes);
      }
    }
    time = time_;
    offset = offset_;
    return true;
  }

 private:
  std::string_view text_;
  Timestamp time_ = kUnset;
  int16_t offset_ = 0;
};

class Handler {
 public:
  Handler(IngestBatch& batch, DecodeFailure& failure, AlertSource source)
      : batch_(batch), failure_(failure), source_(source) {}

  bool Null() {
    switch (level_) {
      case Level::kTop:
        return true;  // upstream takes "null" as an empty list
      case Level::kMap:
        return AddLabel({});
      case Level::kAlert:
        Forget();
        field_ = Field::kNone;
        return true;
      case Level::kArray:
        return BeginAlert() && EndAlert();
      case Level::kSkip:
        return true;
    }
    return true;
  }
  bool Bool(bool) { return Scalar("bool"); }
  bool Int(int) { return Scalar("number"); }
  bool Uint(unsigned) { return Scalar("number"); }
  bool Int64(int64_t) { return Scalar("number"); }
  bool Uint64(uint64_t) { return Scalar("number"); }
  bool Double(double) { return Scalar("number"); }
  bool RawNumber(const char*, rapidjson::SizeType, bool) { return Scalar("number"); }

  bool String(const char* s, rapidjson::SizeType n, bool) {
    std::string_view text(s, n);
    if (level_ == Level::kMap) {
      return AddLabel(text);
    }
    if (level_ != Level::kAlert) {
      return Scalar("string");
    }
    DecodedAlert& alert = batch_.alerts.back();
    Field field = field_;
    field_ = Field::kNone;
    switch (field) {
      case Field::kStartsAt:
        return times_.Parse(text, alert.starts_at, alert.starts_offset_minutes) || BadTime(text);
      case Field::kEndsAt:
        return times_.Parse(text, alert.ends_at, alert.ends_offset_minutes) || BadTime(text);
      case Field::kGeneratorUrl:
        alert.generator_url = text;
        return true;
      case Field::kLabels:
      case Field::kAnnotations:
        return WrongType("string", "models.LabelSet");
      default:
        return true;
    }
  }

  bool Key(const char* s, rapidjson::SizeType n, bool) {
    std::string_view key(s, n);
    if (level_ == Level::kMap) {
      key_ = key;
      return true;
    }
    if (level_ == Level::kAlert) {
      field_ = key == "labels"         ? Field::kLabels
               : key == "annotations"  ? Field::kAnnotations
               : key == "startsAt"     ? Field::kStartsAt
               : key == "endsAt"       ? Field::kEndsAt
               : key == "generatorURL" ? Field::kGeneratorUrl
                                       : FieldOfOtherCase(key);
    }
    return true;
  }

  bool StartObject() {
    switch (level_) {
      case Level::kTop:
        return WrongType("object", "models.PostableAlerts");
      case Level::kArray:
        return BeginAlert();
      case Level::kAlert:
        if (field_ == Field::kLabels || field_ == Field::kAnnotations) {
          return BeginMap();
        }
        return Skip("object");
      case Level::kMap:
        return WrongType("object", "string");
      case Level::kSkip:
        return Deeper();
    }
    return false;
  }

  bool EndObject(rapidjson::SizeType) {
    switch (level_) {
      case Level::kMap:
        level_ = Level::kAlert;
        field_ = Field::kNone;
        return true;
      case Level::kAlert:
        return EndAlert();
      default:
        return Shallower();
    }
  }

  bool StartArray() {
    switch (level_) {
      case Level::kTop:
        level_ = Level::kArray;
        return true;
      case Level::kArray:
        return WrongType("array", "models.PostableAlert");
      case Level::kAlert:
        return Skip("array");
      case Level::kMap:
        return WrongType("array", "string");
      case Level::kSkip:
        return Deeper();
    }
    return false;
  }

  bool EndArray(rapidjson::SizeType) {
    if (level_ == Level::kArray) {
      level_ = Level::kTop;
      return true;
    }
    return Shallower();
  }

  const std::vector<RawAlert>& raws() const { return raws_; }
  bool failed() const { return failed_; }

 private:
  bool BeginAlert() {
    batch_.alerts.emplace_back();
    batch_.alerts.back().source = source_;
    raws_.emplace_back();
    level_ = Level::kAlert;
    field_ = Field::kNone;
    return true;
  }
  bool EndAlert() {
    level_ = Level::kArray;
    return true;
  }

  // Unknown keys are rare: no sender of ours writes one.
  static Field FieldOfOtherCase(std::string_view key) {
    static constexpr std::pair<std::string_view, Field> kFields[] = {{"labels", Field::kLabels},
                                                                     {"annotations", Field::kAnnotations},
                                                                     {"startsAt", Field::kStartsAt},
                                                                     {"endsAt", Field::kEndsAt},
                                                                     {"generatorURL", Field::kGeneratorUrl}};
    for (const auto& [name, field] : kFields) {
      if (GoSameKey(name, key)) {
        return field;
      }
    }
    return Field::kUnknown;
  }

  // A field that is there twice adds to its map, as Go's decoder does.
  bool BeginMap() {
    level_ = Level::kMap;
    RawAlert& raw = raws_.back();
    Range& range = field_ == Field::kLabels ? raw.labels : raw.annotations;
    raw.has_labels = raw.has_labels || field_ == Field::kLabels;
    const Range before = range;
    range.begin = static_cast<uint32_t>(batch_.labels.size());
    for (uint32_t i = 0; i < before.size; ++i) {
      const Label label = batch_.labels[before.begin + i];
      batch_.labels.push_back(label);
    }
    return true;
  }
  // And null takes it away, but for times.
  void Forget() {
    RawAlert& raw = raws_.back();
    if (field_ == Field::kLabels) {
      raw.labels = {};
      raw.has_labels = false;
    } else if (field_ == Field::kAnnotations) {
      raw.annotations = {};
    } else if (field_ == Field::kGeneratorUrl) {
      batch_.alerts.back().generator_url = {};
    }
  }

  bool AddLabel(std::string_view value) {
    RawAlert& raw = raws_.back();
    Range& range = field_ == Field::kLabels ? raw.labels : raw.annotations;
    if (range.size >= kAlertLabelsMax) {
      return Refuse(400, fmt::format("an alert has more than {} labels or annotations", kAlertLabelsMax));
    }
    batch_.labels.push_back({key_, value});
    ++range.size;
    return true;
  }

  bool Scalar(std::string_view go_type) {
    switch (level_) {
      case Level::kTop:
        return WrongType(go_type, "models.PostableAlerts");
      case Level::kArray:
        return WrongType(go_type, "models.PostableAlert");
      case Level::kMap:
        return WrongType(go_type, "string");
      case Level::kAlert: {
        Field field = field_;
        field_ = Field::kNone;
        return field == Field::kUnknown || field == Field::kNone || WrongType(go_type, "string");
      }
      case Level::kSkip:
        return true;
    }
    return true;
  }

  bool Skip(std::string_view go_type) {
    if (field_ != Field::kUnknown) {
      return WrongType(go_type, "string");
    }
    level_ = Level::kSkip;
    depth_ = 0;
    return Deeper();
  }
  bool Deeper() {
    if (++depth_ > kAlertJsonDepthMax) {
      return Refuse(400, fmt::format("JSON is nested deeper than {} levels", kAlertJsonDepthMax));
    }
    return true;
  }
  bool Shallower() {
    if (--depth_ == 0) {
      level_ = Level::kAlert;
      field_ = Field::kNone;
    }
    return true;
  }

  bool BadTime(std::string_view text) {
    return Refuse(400, fmt::format("parsing alerts body from \"\" failed, because parsing time {} as "
                                   "\"2006-01-02T15:04:05Z07:00\" failed",
                                   GoQuote(text.substr(0, 64))));
  }
  bool WrongType(std::string_view got, std::string_view want) {
    return Refuse(
        400, fmt::format("parsing alerts body from \"\" failed, because json: cannot unmarshal {} into Go "
                         "value of type {}",
                         got, want));
  }
  bool Refuse(int status, std::string message) {
    failed_ = true;
    failure_ = {status, status, std::move(message)};
    return false;
  }

  IngestBatch& batch_;
  DecodeFailure& failure_;
  AlertSource source_;
  Level level_ = Level::kTop;
  Field field_ = Field::kNone;
  std::string_view key_;
  int depth_ = 0;
  bool failed_ = false;
  std::vector<RawAlert> raws_;
  TimeMemo times_;
};

// The host part of an authority: brackets must pair.
bool HasGoodHost(std::string_view rest) {
  if (!rest.starts_with("//")) {
    return true;
  }
  std::string_view host = rest.substr(2, rest.find_first_of("/?#", 2) - 2);
  host = host.substr(host.rfind('@') == std::string_view::npos ? 0 : host.rfind('@') + 1);
  return !host.starts_with('[') || host.find(']') != std::string_view::npos;
}

// What strfmt's "uri" demands, which is Go's url.ParseRequestURI: an absolute path, or a scheme with
// something behind it; no spaces or control characters.
bool IsRequestUri(std::string_view text) {
  if (text.starts_with('/')) {
    return std::all_of(text.begin(), text.end(),
                       [](char c) { return static_cast<unsigned char>(c) >= ' ' && c != '\x7f'; });
  }
  size_t colon = text.find(':');
  if (colon == std::string_view::npos || colon == 0 || colon + 1 == text.size()) {
    return false;
  }
  for (size_t i = 0; i < colon; ++i) {
    char c = text[i];
    bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    bool other = (c >= '0' && c <= '9') || c == '+' || c == '-' || c == '.';
    if (!letter && !(other && i > 0)) {
      return false;
    }
  }
  for (char c : text) {
    if (static_cast<unsigned char>(c) <= ' ' || c == '\x7f') {
      return false;
    }
  }
  return HasGoodHost(text.substr(colon + 1));
}

bool CheckSchema(const IngestBatch& batch, const std::vector<RawAlert>& raws, DecodeFailure& failure) {
  for (size_t i = 0; i < raws.size(); ++i) {
    std::string_view url = batch.alerts[i].generator_url;
    if (!url.empty() && !IsRequestUri(url)) {
      failure = {
          422, 601,
          fmt::format("{}.generatorURL in body must be of type uri: {}", i, GoQuote(url.substr(0, 512)))};
      return false;
    }
    if (!raws[i].has_labels) {
      failure = {422, 602, fmt::format("{}.labels in body is required", i)};
      return false;
    }
  }
  return true;
}

}  // namespace

namespace {

// Bodies that people write by hand are small, and only they read what is wrong; the copy costs a large batch
// of a Prometheus nothing.
constexpr size_t kExplainBytesMax = size_t{16} << 10;

// Says it as Go would, where Go would say something.
void Explain(std::string_view original, DecodeFailure& failure) {
  auto why = GoJsonSyntaxError(original);
  if (!why) {
    why = GoAlertsTypeError(original);
  }
  if (why) {
    failure = {400, 400, "parsing alerts body from \"\" failed, because " + *why};
  }
}

}  // namespace

bool DecodeAlerts(std::string& body, const DecodeOptions& options, IngestBatch& batch,
                  DecodeFailure& failure) {
  batch.Clear();
  if (body.empty() || IsBlankJson(body)) {
    failure = {422, 602, "alerts in body is required"};
    return false;
  }
  const bool valid = IsValidUtf8(body);
  if (!valid || HasForbiddenControl(body)) {
    // Both may stand behind the list, where nobody looks.
    if (auto why = GoJsonSyntaxError(body)) {
      failure = {400, 400, "parsing alerts body from \"\" failed, because " + *why};
      return false;
    }
  }
  if (!valid) {
    ReplaceInvalidUtf8(body);
  }
  if (MayEscapeSurrogates(body)) {
    ReplaceLoneSurrogates(body);
  }
  thread_local std::string original;  // the parser writes into the body
  original.assign(body, 0, body.size() <= kExplainBytesMax ? body.size() : 0);
  Handler handler(batch, failure, options.source);
  rapidjson::Reader reader;
  rapidjson::InsituStringStream stream(body.data());
  constexpr unsigned kFlags =
      rapidjson::kParseInsituFlag | rapidjson::kParseIterativeFlag | rapidjson::kParseStopWhenDoneFlag;
  auto result = reader.Parse<kFlags>(stream, handler);
  if (result.IsError()) {
    if (!handler.failed()) {
      bool cut = result.Offset() >= body.size();
      failure = {400, 400,
                 fmt::format("parsing alerts body from \"\" failed, because {}",
                             cut ? "unexpected EOF"
                                 : fmt::format("{} at byte {}", rapidjson::GetParseError_En(result.Code()),
                                               result.Offset()))};
    }
    if (!original.empty() && failure.http_status == 400) {
      Explain(original, failure);
    }
    batch.Clear();
    return false;
  }
  if (!CheckSchema(batch, handler.raws(), failure)) {
    batch.Clear();
    return false;
  }
  size_t kept = 0;
  for (size_t i = 0; i < handler.raws().size(); ++i) {
    const RawAlert& raw = handler.raws()[i];
    DecodedAlert& alert = batch.alerts[i];
    Label* labels = batch.labels.data() + raw.labels.begin;
    Label* annotations = batch.labels.data() + raw.annotations.begin;
    alert.labels = {labels, NormaliseLabels(labels, raw.labels.size, true)};
    alert.annotations = {annotations, NormaliseLabels(annotations, raw.annotations.size, false)};
    std::string error = FinishAlert(alert, options.now, options.resolve_timeout, options.classic_names);
    ++(alert.ends_at > options.now ? batch.received_firing : batch.received_resolved);
    if (!error.empty()) {
      batch.errors.push_back(std::move(error));
      continue;
    }
    batch.alerts[kept++] = alert;
  }
  batch.alerts.resize(kept);
  return true;
}

}  // namespace mlalert
