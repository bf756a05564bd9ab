#include "mute/silences.h"

#include <algorithm>
#include <chrono>
#include <fmt/format.h>

#include "base/json.h"
#include "model/matcher_empty.h"

namespace mlalert {
namespace {

// Bytes of one silence in Alertmanager's store (silence.proto, MeshSilence): what its size limit counts.
// Every field number there is below 16, so a tag is one byte.
size_t VarintSize(uint64_t value) {
  size_t bytes = 1;
  for (; value >= 128; value >>= 7) {
    ++bytes;
  }
  return bytes;
}

size_t FieldSize(size_t length) {
  return 1 + VarintSize(length) + length;
}

size_t TextSize(std::string_view text) {
  return text.empty() ? 0 : FieldSize(text.size());
}

size_t TimeSize(Timestamp time) {
  auto seconds = std::chrono::floor<std::chrono::seconds>(time);
  auto nanos = static_cast<uint64_t>((time - seconds).count());
  int64_t whole = seconds.time_since_epoch().count();
  size_t bytes = whole == 0 ? 0 : 1 + VarintSize(static_cast<uint64_t>(whole));
  return FieldSize(bytes + (nanos == 0 ? 0 : 1 + VarintSize(nanos)));
}

size_t EncodedSize(const Silence& silence, Duration retention) {
  size_t matchers = 0;
  for (const Matcher& matcher : silence.matchers) {
    size_t type = matcher.op() == MatchOp::kEqual ? 0 : 2;
    matchers += FieldSize(type + TextSize(matcher.name()) + TextSize(matcher.value()));
  }
  size_t inner = TextSize(silence.id) + matchers + TimeSize(silence.starts_at) + TimeSize(silence.ends_at) +
                 TimeSize(silence.updated_at) + TextSize(silence.created_by) + TextSize(silence.comment);
  for (Label annotation : silence.annotations) {
    inner += FieldSize(FieldSize(annotation.name.size()) + FieldSize(annotation.value.size()));
  }
  return FieldSize(inner) + TimeSize(After(silence.ends_at, retention));
}

// Upstream compiles the pattern alone for this check; our matcher has it anchored already.
std::string RegexError(const std::string& pattern, std::string text) {
  std::string anchored = fmt::format("`^(?:{})$`", pattern);
  if (size_t at = text.find(anchored); at != std::string::npos) {
    text.replace(at, anchored.size(), fmt::format("`{}`", pattern));
  }
  return text;
}

Result<Matcher> Compile(const MatcherText& text, bool classic_names) {
  if (text.name.empty() || !IsValidUtf8(text.name) || (classic_names && !IsClassicLabelName(text.name))) {
    return Fail(ErrorCode::kInvalid, fmt::format("invalid label name {}", GoQuote(text.name)));
  }
  if (!IsValidUtf8(text.value)) {
    return Fail(ErrorCode::kInvalid, fmt::format("invalid label value {}", GoQuote(text.value)));
  }
  auto matcher = Matcher::Make(text.name, text.op, text.value);
  if (!matcher) {
    return Fail(ErrorCode::kInvalid, fmt::format("invalid regular expression {}: {}", GoQuote(text.value),
                                                 RegexError(text.value, matcher.error().message)));
  }
  return matcher;
}

auto Second(Timestamp time) {
  return std::chrono::floor<std::chrono::seconds>(time);
}

bool CanChangeInPlace(const Silence& old, const Matchers& matchers, const SilenceRequest& request,
                      Timestamp now) {
  if (old.matchers != matchers) {
    return false;
  }
  switch (StateAt(old, now)) {
    case SilenceState::kActive:
      return Second(old.starts_at) == Second(request.starts_at) && request.ends_at >= now;
    case SilenceState::kPending:
      return request.starts_at >= now;
    case SilenceState::kExpired:
      return false;
  }
  return false;
}

void End(Silence& silence, Timestamp now) {
  silence.starts_at = std::min(silence.starts_at, now);
  silence.ends_at = now;
  silence.updated_at = now;
}

}  // namespace

Status Silences::Validate(const SilenceRequest& request, Matchers& matchers) const {
  if (request.matchers.empty()) {
    return Fail(ErrorCode::kInvalid, "matcher set 0 is empty");
  }
  for (size_t i = 0; i < request.matchers.size(); ++i) {
    auto matcher = Compile(request.matchers[i], limits_.classic_names);
    if (!matcher) {
      return Fail(ErrorCode::kInvalid,
                  fmt::format("invalid label matcher {} in set 0: {}", i, matcher.error().message));
    }
    matchers.push_back(std::move(*matcher));
  }
  if (std::all_of(matchers.begin(), matchers.end(), MatchesEmpty)) {
    return Fail(ErrorCode::kInvalid, "matcher set 0: at least one matcher must not match the empty string");
  }
  return {};
}

Status Silences::CheckSize(const Silence& silence) const {
  size_t size = EncodedSize(silence, limits_.retention);
  if (limits_.bytes_max > 0 && size > limits_.bytes_max) {
    return Fail(ErrorCode::kLimit, fmt::format("silence exceeded maximum size: {} bytes (limit: {} bytes)",
                                               size, limits_.bytes_max));
  }
  return {};
}

Result<Silences::Change> Silences::Set(const SilenceRequest& request, Timestamp now, const MakeId& make_id) {
  if (request.starts_at >= request.ends_at) {
    return Fail(ErrorCode::kInvalid, "Failed to create silence: start time must be before end time");
  }
  if (request.ends_at < now) {
    return Fail(ErrorCode::kInvalid, "Failed to create silence: end time can't be in the past");
  }
  Silence silence;
  if (auto valid = Validate(request, silence.matchers); !valid) {
    return Fail(std::move(valid.error()).Context("invalid silence"));
  }
  auto old = by_id_.find(request.id);
  if (!request.id.empty() && old == by_id_.end()) {
    return Fail(ErrorCode::kNotFound, "silence not found");
  }
  silence.starts_at = request.starts_at;
  silence.ends_at = request.ends_at;
  silence.updated_at = now;
  silence.created_by = request.created_by;
  silence.comment = request.comment;
  silence.annotations = request.annotations;

  if (old != by_id_.end() && CanChangeInPlace(old->second->silence, silence.matchers, request, now)) {
    silence.id = request.id;
    MLALERT_TRY(CheckSize(silence));
    old->second->silence = silence;
    return Change{silence.id, {silence}, false};
  }
  if (limits_.count_max > 0 && by_id_.size() + 1 > limits_.count_max) {
    return Fail(ErrorCode::kLimit, fmt::format("exceeded maximum number of silences: {} (limit: {})",
                                               by_id_.size(), limits_.count_max));
  }
  do {
    silence.id = make_id();
  } while (by_id_.count(silence.id) != 0);
  silence.starts_at = std::max(silence.starts_at, now);
  MLALERT_TRY(CheckSize(silence));
  Change change{silence.id, {}, true};
  if (old != by_id_.end() && StateAt(old->second->silence, now) != SilenceState::kExpired) {
    End(old->second->silence, now);
    change.changed.push_back(old->second->silence);
  }
  change.changed.push_back(silence);
  Add(std::move(silence));
  return change;
}

Result<std::optional<Silence>> Silences::Expire(std::string_view id, Timestamp now) {
  auto it = by_id_.find(id);
  if (it == by_id_.end()) {
    return Fail(ErrorCode::kNotFound, "silence not found");
  }
  Silence& silence = it->second->silence;
  if (StateAt(silence, now) == SilenceState::kExpired) {
    return std::nullopt;
  }
  End(silence, now);
  return silence;
}

std::vector<std::string> Silences::Collect(Timestamp now) {
  std::vector<std::string> gone;
  for (auto it = by_id_.begin(); it != by_id_.end();) {
    if (After(it->second->silence.ends_at, limits_.retention) <= now) {
      gone.push_back(it->first);
      by_version_.erase(it->second->version);
      it = by_id_.erase(it);
    } else {
      ++it;
    }
  }
  return gone;
}

void Silences::Add(Silence silence) {
  any_until_resolved_ = any_until_resolved_ || silence.annotations.Get(kUntilResolved) == "true";
  auto entry = std::make_unique<Entry>(Entry{std::move(silence), ++version_});
  by_version_.emplace(entry->version, entry.get());
  std::string id = entry->silence.id;
  by_id_.emplace(std::move(id), std::move(entry));
}

void Silences::Restore(Silence silence) {
  if (by_id_.count(silence.id) == 0) {
    Add(std::move(silence));
  }
}

const Silence* Silences::Find(std::string_view id) const {
  auto it = by_id_.find(id);
  return it != by_id_.end() ? &it->second->silence : nullptr;
}

std::vector<Silence> Silences::All() const {
  std::vector<Silence> out;
  out.reserve(by_id_.size());
  for (const auto& [id, entry] : by_id_) {
    out.push_back(entry->silence);
  }
  return out;
}

const std::vector<uint64_t>& Silences::Matching(uint64_t fingerprint, const LabelSet& labels, Timestamp now) {
  if (now < newest_now_) {
    // The clock was set back: what had expired may be active again, and it was not compared.
    verdicts_.clear();
  }
  newest_now_ = now;
  Verdict& verdict = verdicts_[fingerprint];
  if (!(verdict.labels == labels)) {
    verdict = {0, labels, {}};
  }
  if (verdict.version == version_) {
    return verdict.matching;
  }
  std::erase_if(verdict.matching, [&](uint64_t version) { return by_version_.count(version) == 0; });
  for (auto it = by_version_.upper_bound(verdict.version); it != by_version_.end(); ++it) {
    const Silence& silence = it->second->silence;
    if (now < silence.ends_at && MatchesAll(silence.matchers, labels)) {
      verdict.matching.push_back(it->first);
    }
  }
  verdict.version = version_;
  return verdict.matching;
}

bool Silences::IsSilenced(uint64_t fingerprint, const LabelSet& labels, Timestamp now) {
  if (by_id_.empty()) {
    return false;
  }
  const std::vector<uint64_t>& matching = Matching(fingerprint, labels, now);
  return std::any_of(matching.begin(), matching.end(), [&](uint64_t version) {
    auto it = by_version_.find(version);
    return it != by_version_.end() && StateAt(it->second->silence, now) == SilenceState::kActive;
  });
}

std::vector<std::string> Silences::SilencedBy(uint64_t fingerprint, const LabelSet& labels, Timestamp now) {
  std::vector<std::string> out;
  if (by_id_.empty()) {
    return out;
  }
  for (uint64_t version : Matching(fingerprint, labels, now)) {
    auto it = by_version_.find(version);
    if (it != by_version_.end() && StateAt(it->second->silence, now) == SilenceState::kActive) {
      out.push_back(it->second->silence.id);
    }
  }
  std::sort(out.begin(), out.end());
  return out;
}

SilenceStats Silences::Stats(Timestamp now) const {
  SilenceStats stats;
  for (const auto& [id, entry] : by_id_) {
    SilenceState state = StateAt(entry->silence, now);
    ++(state == SilenceState::kActive    ? stats.active
       : state == SilenceState::kPending ? stats.pending
                                         : stats.expired);
  }
  return stats;
}

}  // namespace mlalert
