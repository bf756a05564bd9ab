// The answer of a Prometheus-compatible server to an instant query, decoded in one pass without a tree.
// Fed by: the shell, with what the transport brought, outside every lock. Read by: rules/ (evaluation).
// Owns the response body, which is rewritten in place: labels are views into it, so that 100,000 series cost
// no allocation each. Hostile input: limits below; every error is a text fit for an API (no secrets, capped).
// Thread: a value; move it to where it is used.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "model/label_set.h"
#include "net/transport.h"

namespace mlalert {

inline constexpr size_t kQueryAnswerBytesMax = size_t{256} << 20;
inline constexpr size_t kSampleLabelsMax = 256;
inline constexpr size_t kQueryWarningsMax = 20;    // warnings and infos together; the rest is dropped
inline constexpr size_t kErrorTextBytesMax = 512;  // what an answer may add to a rule's last error

enum class AnswerError : uint8_t {
  kNone,
  kRule,  // the server understood the query and refused it, or the result is of no use: asking again is vain
  kSource,     // nobody answered, or not with what a Prometheus API answers
  kCancelled,  // we gave up ourselves: says nothing about either
};

struct QuerySample {
  uint32_t first_label = 0;  // into QueryAnswer's labels
  uint32_t label_count = 0;
  double value = 0;  // 0 for a native histogram
  bool histogram = false;
  uint64_t hash = 0;  // HashLabels() of its labels
};

class QueryAnswer {
 public:
  AnswerError error = AnswerError::kNone;
  std::string error_text;
  bool retryable = false;           // network, 429, 502, 503, 504
  bool method_not_allowed = false;  // 405: the server wants GET
  std::optional<Duration> retry_after;
  Duration latency{};

  bool partial = false;  // the server says that parts of its data did not answer
  std::vector<std::string> warnings;

  bool ok() const { return error == AnswerError::kNone; }
  const std::vector<QuerySample>& samples() const { return samples_; }
  // Sorted by name, unique; __name__ included. Valid as long as this object.
  std::span<const Label> labels(const QuerySample& sample) const {
    return std::span<const Label>(labels_).subspan(sample.first_label, sample.label_count);
  }

  static QueryAnswer Failed(AnswerError error, std::string text);

 private:
  friend class QueryAnswerHandler;
  friend QueryAnswer DecodeQueryAnswer(HttpResult result);

  std::unique_ptr<std::string> body_;  // on the heap: views into it survive a move
  std::vector<Label> labels_;
  std::vector<QuerySample> samples_;
};

// Never fails: what is wrong with the result is the answer's error.
QueryAnswer DecodeQueryAnswer(HttpResult result);

// In-memory only: differs between builds.
uint64_t HashLabels(std::span<const Label> labels);
uint64_t HashLabels(const LabelSet& labels);

// "1", "+Inf", "nan", "1e-07", any case. Nothing for anything else.
std::optional<double> ParseSampleValue(std::string_view text);

}  // namespace mlalert
