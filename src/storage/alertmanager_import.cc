#include "storage/alertmanager_import.h"

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fmt/format.h>
#include <fstream>
#include <iterator>
#include <optional>

#include "storage/alertmanager_state.h"
#include "storage/codec.h"
#include "storage/record_writer.h"

namespace mlalert {
namespace {

using File = AlertmanagerImport::File;

// Nothing when there is no such file, or when it cannot be read: `file.problem` then says why.
std::optional<std::string> ReadFile(File& file) {
  std::error_code error;
  if (!std::filesystem::exists(file.path, error)) {
    if (error) {
      file.problem = error.message();
    }
    return std::nullopt;
  }
  if (!std::filesystem::is_regular_file(file.path, error)) {
    file.problem = "not a regular file";
    return std::nullopt;
  }
  const uintmax_t size = std::filesystem::file_size(file.path, error);
  if (!error && size > kStateFileBytesMax) {
    file.problem = fmt::format("{} bytes are more than the limit of {}", size, kStateFileBytesMax);
    return std::nullopt;
  }
  std::ifstream stream(file.path, std::ios::binary);
  std::string bytes{std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>()};
  if (!stream.is_open() || stream.bad()) {
    file.problem = fmt::format("cannot be read: {}", std::strerror(errno));
    return std::nullopt;
  }
  file.found = true;
  return bytes;
}

// Whether the row that `select` finds is at least as new.
Result<bool> HasNewer(Stmt& select, Timestamp time) {
  MLALERT_ASSIGN(bool row, select.Step());
  const bool newer = row && select.Int(0) >= ToUnixMillis(time);
  select.Reset();
  return newer;
}

// A record that the schema refuses is left out; anything else is an error.
Status Write(RecordWriter& writer, const Record& record, File& file) {
  Status written = writer.Write(record);
  if (written) {
    ++file.imported;
    return {};
  }
  if (written.error().code != ErrorCode::kConflict && written.error().code != ErrorCode::kInvalid) {
    return written;
  }
  ++file.unreadable;
  if (file.problem.empty()) {
    file.problem = written.error().message;
  }
  return {};
}

// How far the entries of both files are. Decoding, which comes before them, is a small part of the work.
class Entries {
 public:
  Entries(size_t total, const WorkProgress& progress) : total_(total), progress_(progress) {}

  Status Next() {
    if (progress_ && done_ % kEntriesBetweenProgress == 0 &&
        !progress_(static_cast<double>(done_) / static_cast<double>(total_))) {
      return Fail(ErrorCode::kDeadline, "stopped: nothing of Alertmanager's state was imported");
    }
    ++done_;
    return {};
  }

 private:
  static constexpr size_t kEntriesBetweenProgress = 500;
  size_t total_;
  size_t done_ = 0;
  const WorkProgress& progress_;
};

template <class T>
void Note(File& file, const DecodedState<T>& decoded) {
  file.unreadable = decoded.unreadable;
  file.problem = decoded.problem;
}

template <class T>
DecodedState<T> Decode(File& file, DecodedState<T> (*decode)(std::string_view bytes)) {
  DecodedState<T> decoded;
  if (std::optional<std::string> bytes = ReadFile(file)) {
    decoded = decode(*bytes);
    Note(file, decoded);
  }
  return decoded;
}

Status ImportSilences(std::vector<StoredSilence> silences, Db& db, RecordWriter& writer, File& file,
                      Timestamp now, Entries& entries) {
  MLALERT_ASSIGN(Stmt known, db.Prepare("SELECT updated_at FROM silences WHERE id = ?"));
  for (StoredSilence& stored : silences) {
    MLALERT_TRY(entries.Next());
    if (IsSet(stored.expires_at) && stored.expires_at <= now) {
      ++file.expired;
      continue;
    }
    MLALERT_TRY(known.Bind(stored.silence.id));
    MLALERT_ASSIGN(bool newer, HasNewer(known, stored.silence.updated_at));
    if (newer) {
      ++file.known;
      continue;
    }
    MLALERT_TRY(Write(writer, SilenceRecord{std::move(stored.silence)}, file));
  }
  return {};
}

Status ImportNflog(const std::vector<NflogEntry>& log, Db& db, RecordWriter& writer, File& file,
                   Timestamp now, Entries& entries) {
  MLALERT_ASSIGN(Stmt known,
                 db.Prepare("SELECT timestamp FROM nflog WHERE group_key = ? AND receiver = ? AND "
                            "integration = ? AND integration_index = ?"));
  for (const NflogEntry& entry : log) {
    MLALERT_TRY(entries.Next());
    if (IsSet(entry.expires_at) && entry.expires_at <= now) {
      ++file.expired;
      continue;
    }
    MLALERT_TRY(known.Bind(entry.group_key, entry.receiver, entry.integration, entry.index));
    MLALERT_ASSIGN(bool newer, HasNewer(known, entry.timestamp));
    if (newer) {
      ++file.known;
      continue;
    }
    MLALERT_TRY(Write(writer, entry, file));
  }
  return {};
}

}  // namespace

Result<AlertmanagerImport> ImportAlertmanagerState(Db& db, const std::string& folder, Timestamp now,
                                                   const WorkProgress& progress) {
  AlertmanagerImport out;
  out.silences.path = (std::filesystem::path(folder) / "silences").string();
  out.nflog.path = (std::filesystem::path(folder) / "nflog").string();
  MLALERT_ASSIGN(int64_t marks, db.QueryInt(fmt::format("SELECT count(*) FROM meta WHERE key = '{}'",
                                                        kAlertmanagerImportKey)));
  out.done_before = marks > 0;
  if (out.done_before) {
    return out;
  }
  auto silences = Decode<StoredSilence>(out.silences, DecodeSilences);
  auto nflog = Decode<NflogEntry>(out.nflog, DecodeNflog);
  if (!out.found()) {
    return out;  // files that come later are imported then
  }
  Entries entries(silences.entries.size() + nflog.entries.size(), progress);
  MLALERT_ASSIGN(RecordWriter writer, RecordWriter::Create(db));
  MLALERT_ASSIGN(Txn txn, Txn::Begin(db));
  MLALERT_TRY(ImportSilences(std::move(silences.entries), db, writer, out.silences, now, entries));
  MLALERT_TRY(ImportNflog(nflog.entries, db, writer, out.nflog, now, entries));
  MLALERT_ASSIGN(Stmt mark, db.Prepare("INSERT INTO meta (key, value) VALUES (?, ?)"));
  MLALERT_TRY(
      mark.Run(kAlertmanagerImportKey, fmt::format("{} silences={} nflog={}", FormatRfc3339Millis(now),
                                                   out.silences.imported, out.nflog.imported)));
  MLALERT_TRY(txn.Commit());
  return out;
}

}  // namespace mlalert
