#include "storage/alertmanager_state.h"

#include <algorithm>
#include <fmt/format.h>

#include "base/hash.h"
#include "base/json.h"
#include "storage/protobuf_reader.h"

namespace mlalert {
namespace {

using Field = ProtobufReader::Field;
using Type = Field::Type;

Status Bad(std::string what) {
  return Fail(ErrorCode::kCorrupt, std::move(what));
}

// Calls `take` for each field of a message.
template <class Take>
Status ForEachField(std::string_view message, Take take) {
  ProtobufReader reader(message);
  Field field;
  while (reader.Next(field)) {
    MLALERT_TRY(take(field));
  }
  return reader.ok() ? Status{} : Bad(fmt::format("broken off at byte {} of the message", reader.position()));
}

Status ReadText(const Field& field, std::string& out) {
  if (field.type != Type::kBytes || !IsValidUtf8(field.bytes)) {
    return Bad(fmt::format("field {} is not text", field.number));
  }
  out = field.bytes;
  return {};
}

// google.protobuf.Timestamp
Status ReadTime(const Field& field, Timestamp& out) {
  int64_t seconds = 0;
  int64_t nanos = 0;
  if (field.type != Type::kBytes) {
    return Bad(fmt::format("field {} is not a time", field.number));
  }
  MLALERT_TRY(ForEachField(field.bytes, [&](const Field& part) -> Status {
    if (part.number == 1) {
      seconds = static_cast<int64_t>(part.value);
    } else if (part.number == 2) {
      nanos = static_cast<int64_t>(part.value);
    }
    return {};
  }));
  constexpr int64_t kSecondsMax = 9'223'372'035;  // what 64 bits of nanoseconds hold
  if (nanos < 0 || nanos > 999'999'999) {
    return Bad("a time has bad nanoseconds");
  }
  if (seconds > kSecondsMax) {
    out = kNever;
  } else {
    // Go's zero time lies before 1678.
    out = seconds < -kSecondsMax ? kUnset : Timestamp(std::chrono::seconds(seconds) + Duration(nanos));
  }
  return {};
}

// Splits a file into its messages and decodes each with `decode`, which appends to out.entries.
template <class T, class Decode>
DecodedState<T> DecodeFile(std::string_view file, Decode decode) {
  DecodedState<T> out;
  auto note = [&](size_t place, std::string_view why) {
    if (out.problem.empty()) {
      out.problem = fmt::format("entry {} at byte {}: {}", out.entries.size() + out.unreadable, place, why);
    }
    ++out.unreadable;
  };
  ProtobufReader reader(file);
  while (!reader.AtEnd()) {
    const size_t place = reader.position();
    uint64_t length = 0;
    std::string_view message;
    if (!reader.NextVarint(length) || !reader.NextBytes(length, message)) {
      note(place, "the file ends in the middle of it, or its length is damaged");
      out.cut = true;
      break;
    }
    if (out.entries.size() >= kStateEntriesMax) {
      note(place, fmt::format("more than {} entries", kStateEntriesMax));
      out.cut = true;
      break;
    }
    if (Status read = decode(message, out.entries); !read) {
      note(place, read.error().message);
    }
  }
  return out;
}

// --- silences ---

Status ReadMatcher(std::string_view message, Matchers& out) {
  std::string name;
  std::string pattern;
  uint64_t type = 0;
  MLALERT_TRY(ForEachField(message, [&](const Field& field) -> Status {
    switch (field.number) {
      case 1:
        type = field.value;
        return {};
      case 2:
        return ReadText(field, name);
      case 3:
        return ReadText(field, pattern);
      default:
        return {};
    }
  }));
  static constexpr MatchOp kOps[] = {MatchOp::kEqual, MatchOp::kRegex, MatchOp::kNotEqual,
                                     MatchOp::kNotRegex};
  if (type >= std::size(kOps) || name.empty()) {
    return Bad("a matcher has no name or an unknown type");
  }
  MLALERT_ASSIGN(Matcher matcher, Matcher::Make(std::move(name), kOps[type], std::move(pattern)));
  out.push_back(std::move(matcher));
  return {};
}

Status ReadMatcherSet(std::string_view message, Matchers& out) {
  return ForEachField(message, [&](const Field& field) -> Status {
    return field.number == 1 ? ReadMatcher(field.bytes, out) : Status{};
  });
}

Status ReadMapEntry(std::string_view message, std::vector<std::pair<std::string, std::string>>& out) {
  std::pair<std::string, std::string> entry;
  MLALERT_TRY(ForEachField(message, [&](const Field& field) -> Status {
    return field.number == 1   ? ReadText(field, entry.first)
           : field.number == 2 ? ReadText(field, entry.second)
                               : Status{};
  }));
  out.push_back(std::move(entry));
  return {};
}

struct RawSilence {
  Silence silence;
  Matchers legacy;  // what versions before 0.32 wrote; later ones write a copy of the first set
  std::vector<Matchers> sets;
  std::vector<std::pair<std::string, std::string>> annotations;
  bool old_comment_read = false;
};

// Versions before 0.6 kept a list of comments; the first one counts.
Status ReadOldComment(std::string_view message, RawSilence& raw) {
  if (std::exchange(raw.old_comment_read, true)) {
    return {};
  }
  return ForEachField(message, [&](const Field& field) -> Status {
    return field.number == 1   ? ReadText(field, raw.silence.created_by)
           : field.number == 2 ? ReadText(field, raw.silence.comment)
                               : Status{};
  });
}

Status ReadSilenceField(const Field& field, RawSilence& raw) {
  switch (field.number) {
    case 1:
      return ReadText(field, raw.silence.id);
    case 2:
      return ReadMatcher(field.bytes, raw.legacy);
    case 3:
      return ReadTime(field, raw.silence.starts_at);
    case 4:
      return ReadTime(field, raw.silence.ends_at);
    case 5:
      return ReadTime(field, raw.silence.updated_at);
    case 7:
      return ReadOldComment(field.bytes, raw);
    case 8:
      return ReadText(field, raw.silence.created_by);
    case 9:
      return ReadText(field, raw.silence.comment);
    case 10:
      return ReadMapEntry(field.bytes, raw.annotations);
    case 11:
      return ReadMatcherSet(field.bytes, raw.sets.emplace_back());
    default:
      return {};
  }
}

// The UUID of the n-th further set of a silence: the same at every import.
std::string DerivedId(const std::string& id, size_t n) {
  std::string hex = Sha256Hex(fmt::format("{}/{}", id, n));
  hex[12] = '4';
  hex[16] = 'a';
  std::string_view h = hex;
  return fmt::format("{}-{}-{}-{}-{}", h.substr(0, 8), h.substr(8, 4), h.substr(12, 4), h.substr(16, 4),
                     h.substr(20, 12));
}

Status DecodeSilence(std::string_view message, std::vector<StoredSilence>& out) {
  RawSilence raw;
  Timestamp expires_at = kUnset;
  MLALERT_TRY(ForEachField(message, [&](const Field& field) -> Status {
    if (field.number == 1) {
      return ForEachField(field.bytes, [&](const Field& inner) { return ReadSilenceField(inner, raw); });
    }
    return field.number == 2 ? ReadTime(field, expires_at) : Status{};
  }));
  if (raw.sets.empty()) {
    raw.sets.push_back(std::move(raw.legacy));
  }
  const bool no_matchers =
      std::any_of(raw.sets.begin(), raw.sets.end(), [](const Matchers& set) { return set.empty(); });
  if (raw.silence.id.empty() || no_matchers) {
    return Bad("a silence without id or matchers");
  }
  if (!IsSet(raw.silence.starts_at) || !IsSet(raw.silence.ends_at)) {
    return Bad(fmt::format("silence {} has no start or no end", raw.silence.id));
  }
  if (!IsSet(raw.silence.updated_at)) {
    raw.silence.updated_at = raw.silence.starts_at;
  }
  raw.silence.annotations = LabelSet::From(std::move(raw.annotations));
  for (size_t i = 0; i < raw.sets.size(); ++i) {
    StoredSilence stored{raw.silence, expires_at};
    stored.silence.id = i == 0 ? raw.silence.id : DerivedId(raw.silence.id, i);
    stored.silence.matchers = std::move(raw.sets[i]);
    out.push_back(std::move(stored));
  }
  return {};
}

// --- notification log ---

// Repeated numbers come packed into one field, or one by one from older writers.
Status ReadHashes(const Field& field, std::vector<uint64_t>& out) {
  if (field.type == Type::kVarint) {
    out.push_back(field.value);
    return {};
  }
  if (field.type != Type::kBytes) {
    return Bad("a list of hashes is damaged");
  }
  ProtobufReader reader(field.bytes);
  while (!reader.AtEnd()) {
    uint64_t hash = 0;
    if (!reader.NextVarint(hash)) {
      return Bad("a list of hashes is damaged");
    }
    out.push_back(hash);
  }
  return {};
}

Status ReadReceiver(std::string_view message, NflogEntry& out) {
  return ForEachField(message, [&](const Field& field) -> Status {
    switch (field.number) {
      case 1:
        return ReadText(field, out.receiver);
      case 2:
        return ReadText(field, out.integration);
      case 3:
        out.index = static_cast<uint32_t>(field.value);
        return {};
      default:
        return {};
    }
  });
}

// map<string, one of {string, int64, double}>: only texts are kept, integrations of ours store nothing else.
Status ReadReceiverData(std::string_view message, Json& out) {
  std::string key;
  std::string text;
  bool is_text = false;
  MLALERT_TRY(ForEachField(message, [&](const Field& field) -> Status {
    if (field.number == 1) {
      return ReadText(field, key);
    }
    if (field.number != 2) {
      return {};
    }
    return ForEachField(field.bytes, [&](const Field& value) -> Status {
      is_text = is_text || value.number == 1;
      return value.number == 1 ? ReadText(value, text) : Status{};
    });
  }));
  if (is_text) {
    out.Set(key, text);
  }
  return {};
}

Status DecodeEntry(std::string_view message, std::vector<NflogEntry>& out) {
  NflogEntry entry;
  entry.foreign = true;
  Json data = Json::MakeObject();
  bool has_data = false;
  auto read = [&](const Field& field) -> Status {
    switch (field.number) {
      case 1:
        return ReadText(field, entry.group_key);
      case 2:
        return ReadReceiver(field.bytes, entry);
      case 5:
        return ReadTime(field, entry.timestamp);
      case 6:
        return ReadHashes(field, entry.firing);
      case 7:
        return ReadHashes(field, entry.resolved);
      case 8:
        has_data = true;
        return ReadReceiverData(field.bytes, data);
      default:
        return {};
    }
  };
  MLALERT_TRY(ForEachField(message, [&](const Field& field) -> Status {
    if (field.number == 1) {
      return ForEachField(field.bytes, read);
    }
    return field.number == 2 ? ReadTime(field, entry.expires_at) : Status{};
  }));
  if (entry.group_key.empty() || entry.receiver.empty() || entry.integration.empty()) {
    return Bad("an entry without group key or receiver");
  }
  if (!IsSet(entry.timestamp)) {
    return Bad("an entry without time");
  }
  std::sort(entry.firing.begin(), entry.firing.end());
  std::sort(entry.resolved.begin(), entry.resolved.end());
  if (has_data) {
    entry.data = data.Dump();
  }
  out.push_back(std::move(entry));
  return {};
}

}  // namespace

DecodedState<StoredSilence> DecodeSilences(std::string_view file) {
  return DecodeFile<StoredSilence>(file, DecodeSilence);
}

DecodedState<NflogEntry> DecodeNflog(std::string_view file) {
  return DecodeFile<NflogEntry>(file, DecodeEntry);
}

}  // namespace mlalert
