#include "rules/query_result.h"

#include <algorithm>
#include <charconv>
#include <fmt/format.h>
#include <functional>

#include "base/json.h"
#include "base/json_reader.h"

namespace mlalert {

namespace {

constexpr size_t kJsonDepthMax = 16;
constexpr size_t kWarningBytesMax = 512;

uint64_t Mix(uint64_t hash, uint64_t value) {
  hash ^= value;
  hash *= 0x9E3779B97F4A7C15ULL;
  return hash ^ (hash >> 32);
}

uint64_t MixLabel(uint64_t hash, const Label& label) {
  const std::hash<std::string_view> text;
  return Mix(Mix(hash, text(label.name)), text(label.value));
}

// At most `bytes_max`, never cut inside a UTF-8 sequence, no control characters.
std::string Shown(std::string_view text, size_t bytes_max) {
  bool cut = text.size() > bytes_max;
  size_t size = std::min(text.size(), bytes_max);
  while (cut && size > 0 && (static_cast<unsigned char>(text[size]) & 0xC0) == 0x80) {
    --size;
  }
  std::string out(text.substr(0, size));
  const bool utf8 = IsValidUtf8(out);
  for (char& c : out) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == 0x7F) {
      c = ' ';
    } else if (byte >= 0x80 && !utf8) {
      c = '?';
    }
  }
  return cut ? out + "..." : out;
}

bool RetryableStatus(int status) {
  return status == 429 || status == 502 || status == 503 || status == 504;
}

// Prometheus' names, and the status codes that VictoriaMetrics puts there.
bool BlamesTheQuery(std::string_view error_type) {
  return error_type == "bad_data" || error_type == "execution" || error_type == "400" || error_type == "422";
}

}  // namespace

// Receives the parse events of one answer. A stack of what each open bracket is, as deep as kJsonDepthMax
// allows.
class QueryAnswerHandler {
 public:
  // `check_text`: escapes may have made labels that are not UTF-8, as the parser lets half a surrogate pair
  // through.
  QueryAnswerHandler(QueryAnswer& answer, bool check_text) : answer_(answer), check_text_(check_text) {}

  bool Null() { return Scalar(); }
  bool Bool(bool value) {
    if (Top() == In::kEnvelope && key_ == Key_::kIsPartial) {
      answer_.partial = answer_.partial || value;
    }
    return Scalar();
  }
  // Numbers come as text (RawNumber); the reader still needs these to compile.
  bool Int(int) { return Scalar(); }
  bool Uint(unsigned) { return Scalar(); }
  bool Int64(int64_t) { return Scalar(); }
  bool Uint64(uint64_t) { return Scalar(); }
  bool Double(double) { return Scalar(); }
  bool RawNumber(const char*, rapidjson::SizeType, bool) { return Scalar(); }

  bool String(const char* text, rapidjson::SizeType size, bool) {
    const std::string_view value(text, size);
    switch (Top()) {
      case In::kMetric:
        return AddLabel(value);
      case In::kPoint:
        if (position_++ != 1) {
          return Refuse("a sample's timestamp is not a number");
        }
        return SetValue(value);
      case In::kResult:
        ++position_;
        scalar_ = value;
        return true;
      case In::kEnvelope:
        SetEnvelopeText(value);
        return true;
      case In::kData:
        if (key_ == Key_::kResultType) {
          result_type_ = value;
        }
        return true;
      case In::kWarnings:
        if (answer_.warnings.size() < kQueryWarningsMax) {
          answer_.warnings.push_back(Shown(value, kWarningBytesMax));
        }
        // "PromQL warning:" and "PromQL info:" are remarks about the query; anything else is about missing
        // data.
        if (warnings_ && !value.starts_with("PromQL ")) {
          answer_.partial = true;
        }
        return true;
      default:
        return Scalar();
    }
  }

  bool Key(const char* text, rapidjson::SizeType size, bool) {
    const std::string_view name(text, size);
    switch (Top()) {
      case In::kMetric:
        label_name_ = name;
        return true;
      case In::kElement:
        key_ = name == "metric"                           ? Key_::kMetric
               : name == "value"                          ? Key_::kValue
               : name == "histogram"                      ? Key_::kHistogram
               : name == "values" || name == "histograms" ? Key_::kSeries
                                                          : Key_::kOther;
        return true;
      case In::kData:
        key_ = name == "resultType" ? Key_::kResultType : name == "result" ? Key_::kResult : Key_::kOther;
        return true;
      case In::kEnvelope:
        key_ = name == "status"      ? Key_::kStatus
               : name == "data"      ? Key_::kData
               : name == "error"     ? Key_::kError
               : name == "errorType" ? Key_::kErrorType
               : name == "warnings"  ? Key_::kWarnings
               : name == "infos"     ? Key_::kInfos
               : name == "isPartial" ? Key_::kIsPartial
                                     : Key_::kOther;
        return true;
      default:
        return true;
    }
  }

  bool StartObject() {
    if (depth_ == 0) {
      return Push(In::kEnvelope);
    }
    switch (Top()) {
      case In::kEnvelope:
        if (key_ != Key_::kData) {
          return Push(In::kSkip);
        }
        return std::exchange(data_seen_, true) ? Refuse("two data members") : Push(In::kData);
      case In::kResult:
        ++position_;
        return BeginElement();
      case In::kElement:
        if (key_ != Key_::kMetric) {
          return Push(In::kSkip);
        }
        return std::exchange(metric_seen_, true) ? Refuse("a series with two metric members")
                                                 : Push(In::kMetric);
      case In::kMetric:
        return Refuse("a label value is not a string");
      default:
        return Push(In::kSkip);
    }
  }

  bool StartArray() {
    switch (depth_ == 0 ? In::kSkip : Top()) {
      case In::kEnvelope:
        warnings_ = key_ == Key_::kWarnings;
        return Push(key_ == Key_::kWarnings || key_ == Key_::kInfos ? In::kWarnings : In::kSkip);
      case In::kData:
        if (key_ != Key_::kResult) {
          return Push(In::kSkip);
        }
        position_ = 0;
        return std::exchange(result_seen_, true) ? Refuse("two results") : Push(In::kResult);
      case In::kElement:
        if (key_ == Key_::kValue) {
          position_ = 0;
          return Push(In::kPoint);
        }
        if (key_ == Key_::kHistogram) {
          sample_.histogram = true;
          value_seen_ = true;
        }
        matrix_ = matrix_ || key_ == Key_::kSeries;
        return Push(In::kSkip);
      case In::kMetric:
        return Refuse("a label value is not a string");
      default:
        return Push(In::kSkip);
    }
  }

  bool EndObject(rapidjson::SizeType) {
    const In closed = Pop();
    if (closed == In::kMetric) {
      return EndMetric();
    }
    if (closed == In::kElement) {
      return EndElement();
    }
    return true;
  }
  bool EndArray(rapidjson::SizeType) {
    Pop();
    return true;
  }

  // What was wrong, when a callback has returned false.
  const std::string& refusal() const { return refusal_; }
  bool limit_reached() const { return limit_reached_; }
  bool success() const { return status_ == "success"; }
  bool is_error() const { return status_ == "error"; }
  std::string_view error_type() const { return error_type_; }
  std::string_view error() const { return error_; }

  // After a successful parse of a success: brings a scalar into the form of a vector, and refuses what no
  // alerting rule can use.
  void Finish() {
    if (result_type_ == "scalar") {
      const auto value = position_ == 2 ? ParseSampleValue(scalar_) : std::nullopt;
      if (!value) {
        Fail(AnswerError::kSource, "bad answer: the scalar is not a number");
        return;
      }
      answer_.samples_.assign(1, QuerySample{0, 0, *value, false, HashLabels(std::span<const Label>())});
    } else if (result_type_ == "string" || result_type_ == "matrix" || matrix_) {
      Fail(AnswerError::kRule, "rule result is not a vector or scalar");
    } else if (result_type_ != "vector" || !result_seen_) {
      Fail(AnswerError::kSource, "bad answer: it holds no result");
    }
  }

 private:
  enum class In : uint8_t { kEnvelope, kData, kResult, kElement, kMetric, kPoint, kWarnings, kSkip };
  enum class Key_ : uint8_t {
    kOther,
    kStatus,
    kData,
    kError,
    kErrorType,
    kWarnings,
    kInfos,
    kIsPartial,
    kResultType,
    kResult,
    kMetric,
    kValue,
    kHistogram,
    kSeries
  };

  In Top() const { return depth_ == 0 ? In::kSkip : stack_[depth_ - 1]; }
  bool Push(In in) {
    if (depth_ == kJsonDepthMax) {
      return Refuse("nested too deeply");
    }
    stack_[depth_++] = in;
    return true;
  }
  In Pop() { return stack_[--depth_]; }

  bool Refuse(std::string_view why) {
    refusal_ = why;
    return false;
  }
  void Fail(AnswerError error, std::string_view text) {
    answer_.error = error;
    answer_.error_text = text;
  }

  // A value where nothing else is expected.
  bool Scalar() {
    switch (Top()) {
      case In::kMetric:
        return Refuse("a label value is not a string");
      case In::kPoint:
        return ++position_ <= 1 || Refuse("a sample's value is not a string");
      case In::kResult:
        ++position_;
        return true;
      default:
        return true;
    }
  }

  void SetEnvelopeText(std::string_view value) {
    if (key_ == Key_::kStatus) {
      status_ = value;
    } else if (key_ == Key_::kError) {
      error_ = value;
    } else if (key_ == Key_::kErrorType) {
      error_type_ = value;
    }
  }

  bool BeginElement() {
    sample_ = QuerySample{};
    sample_.first_label = static_cast<uint32_t>(answer_.labels_.size());
    sample_.hash = HashLabels(std::span<const Label>());
    metric_seen_ = false;
    value_seen_ = false;
    return Push(In::kElement);
  }

  bool AddLabel(std::string_view value) {
    if (answer_.labels_.size() - sample_.first_label >= kSampleLabelsMax) {
      limit_reached_ = true;
      return Refuse(fmt::format("a series has more than {} labels", kSampleLabelsMax));
    }
    if (check_text_ && !(IsValidUtf8(label_name_) && IsValidUtf8(value))) {
      return Refuse("a label is not UTF-8");
    }
    // An empty label is no label.
    if (!value.empty()) {
      answer_.labels_.push_back({label_name_, value});
    }
    return true;
  }

  bool EndMetric() {
    const std::span<Label> labels = std::span<Label>(answer_.labels_).subspan(sample_.first_label);
    const auto by_name = [](const Label& a, const Label& b) { return a.name < b.name; };
    if (!std::is_sorted(labels.begin(), labels.end(), by_name)) {
      std::sort(labels.begin(), labels.end(), by_name);
    }
    const auto same = [](const Label& a, const Label& b) { return a.name == b.name; };
    if (std::adjacent_find(labels.begin(), labels.end(), same) != labels.end()) {
      return Refuse("a series has the same label twice");
    }
    sample_.label_count = static_cast<uint32_t>(labels.size());
    sample_.hash = HashLabels(labels);
    return true;
  }

  bool SetValue(std::string_view text) {
    const auto value = ParseSampleValue(text);
    if (!value) {
      return Refuse("a sample's value is not a number");
    }
    sample_.value = *value;
    value_seen_ = true;
    return true;
  }

  bool EndElement() {
    if (!value_seen_ && !matrix_) {
      return Refuse("a series has no value");
    }
    if (!matrix_) {
      answer_.samples_.push_back(sample_);
    }
    return true;
  }

  QueryAnswer& answer_;
  bool check_text_;
  In stack_[kJsonDepthMax] = {};
  size_t depth_ = 0;
  Key_ key_ = Key_::kOther;
  bool data_seen_ = false;
  bool result_seen_ = false;
  bool metric_seen_ = false;
  bool value_seen_ = false;
  bool matrix_ = false;
  bool warnings_ = false;
  bool limit_reached_ = false;
  uint32_t position_ = 0;  // in the innermost array that cares
  QuerySample sample_;
  std::string_view label_name_;
  std::string_view status_, error_, error_type_, result_type_, scalar_;
  std::string refusal_;
};

namespace {

std::string StatusText(int status) {
  switch (status) {
    case 400:
      return "400 Bad Request";
    case 401:
      return "401 Unauthorized";
    case 403:
      return "403 Forbidden";
    case 404:
      return "404 Not Found";
    case 405:
      return "405 Method Not Allowed";
    case 429:
      return "429 Too Many Requests";
    case 500:
      return "500 Internal Server Error";
    case 502:
      return "502 Bad Gateway";
    case 503:
      return "503 Service Unavailable";
    case 504:
      return "504 Gateway Timeout";
    default:
      return fmt::format("status {}", status);
  }
}

void DescribeFailure(const HttpResult& result, QueryAnswer& answer) {
  if (result.failure == Failure::kCancelled) {
    answer.error = AnswerError::kCancelled;
    answer.error_text = "cancelled";
    return;
  }
  answer.error_text =
      fmt::format("{}: {}", FailureName(result.failure), Shown(result.error, kErrorTextBytesMax));
  if (result.failure == Failure::kTooLarge) {
    answer.error = AnswerError::kRule;
    return;
  }
  answer.error = AnswerError::kSource;
  answer.retryable = result.failure != Failure::kOther;
}

// Neither an error envelope nor a success: a proxy's page, a server that is not ready, another kind of
// server.
void DescribeStranger(int status, std::string_view head, std::string_view why, QueryAnswer& answer) {
  answer.error = AnswerError::kSource;
  answer.error_text = status / 100 == 2 ? fmt::format("not an answer of a Prometheus API: {}", why)
                                        : fmt::format("server returned {}", StatusText(status));
  if (!head.empty()) {
    answer.error_text += ": ";
    answer.error_text += Shown(head, 160);
  }
}

}  // namespace

QueryAnswer QueryAnswer::Failed(AnswerError error, std::string text) {
  QueryAnswer out;
  out.error = error;
  out.error_text = std::move(text);
  return out;
}

QueryAnswer DecodeQueryAnswer(HttpResult result) {
  QueryAnswer answer;
  answer.latency = result.latency;
  answer.retry_after = result.retry_after;
  if (!result.ok()) {
    DescribeFailure(result, answer);
    return answer;
  }
  const bool http_ok = result.status / 100 == 2;
  answer.retryable = RetryableStatus(result.status);
  answer.method_not_allowed = result.status == 405;
  if (result.body.size() > kQueryAnswerBytesMax) {
    answer.error = AnswerError::kRule;
    answer.error_text = fmt::format("answer is larger than {} bytes", kQueryAnswerBytesMax);
    return answer;
  }
  answer.body_ = std::make_unique<std::string>(std::move(result.body));
  const size_t start = answer.body_->find_first_not_of(" \t\r\n");
  const bool json = start != std::string::npos && (*answer.body_)[start] == '{';
  // Taken before parsing, which rewrites the body.
  const std::string head = http_ok && json ? std::string() : answer.body_->substr(0, 200);

  // Three times as fast as letting the parser look at each character.
  if (!IsValidUtf8(*answer.body_)) {
    DescribeStranger(result.status, head, "the body is not UTF-8", answer);
    answer.body_.reset();
    return answer;
  }
  QueryAnswerHandler handler(answer, answer.body_->find("\\u") != std::string::npos);
  rapidjson::ParseResult parsed;
  if (json) {
    constexpr unsigned kFlags =
        rapidjson::kParseInsituFlag | rapidjson::kParseIterativeFlag | rapidjson::kParseNumbersAsStringsFlag;
    rapidjson::Reader reader;
    rapidjson::InsituStringStream stream(answer.body_->data());
    parsed = reader.Parse<kFlags>(stream, handler);
  }
  if (json && !parsed.IsError() && handler.is_error()) {
    const bool query_is_wrong =
        BlamesTheQuery(handler.error_type()) || (!http_ok && (result.status == 400 || result.status == 422));
    answer.error = query_is_wrong ? AnswerError::kRule : AnswerError::kSource;
    answer.error_text =
        fmt::format("{}: {}", Shown(handler.error_type(), 40), Shown(handler.error(), kErrorTextBytesMax));
  } else if (!json || !http_ok) {
    DescribeStranger(result.status, head, "the body is not JSON", answer);
  } else if (parsed.IsError()) {
    const bool refused = !handler.refusal().empty();
    const std::string why = refused ? handler.refusal() : rapidjson::GetParseError_En(parsed.Code());
    answer.error = handler.limit_reached() ? AnswerError::kRule : AnswerError::kSource;
    answer.error_text = fmt::format("bad answer: {} at byte {}", why, parsed.Offset());
  } else if (!handler.success()) {
    DescribeStranger(result.status, {}, "it says neither success nor error", answer);
  } else {
    handler.Finish();
  }
  if (!answer.ok()) {
    answer.samples_.clear();
    answer.labels_.clear();
    answer.body_.reset();
  }
  return answer;
}

uint64_t HashLabels(std::span<const Label> labels) {
  uint64_t hash = labels.size();
  for (const Label& label : labels) {
    hash = MixLabel(hash, label);
  }
  return hash;
}

uint64_t HashLabels(const LabelSet& labels) {
  uint64_t hash = labels.size();
  for (const Label label : labels) {
    hash = MixLabel(hash, label);
  }
  return hash;
}

std::optional<double> ParseSampleValue(std::string_view text) {
  const bool plus = text.starts_with('+');
  if (plus) {
    text.remove_prefix(1);
  }
  // "+-1", and from_chars' own "nan(...)".
  if (text.empty() || (plus && text[0] == '-') || text.back() == ')') {
    return std::nullopt;
  }
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) {
    return std::nullopt;
  }
  return value;
}

}  // namespace mlalert
