#include "base/log.h"

#include <atomic>
#include <cstdio>

#include "base/json.h"
#include "base/time.h"

namespace mlalert {
namespace {

// Set once at start, before the other threads; tests set them again.
std::atomic<LogLevel> log_level{LogLevel::kInfo};
std::atomic<LogFormat> log_format{LogFormat::kLogfmt};

std::string_view Name(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug:
      return "debug";
    case LogLevel::kInfo:
      return "info";
    case LogLevel::kWarn:
      return "warn";
    case LogLevel::kError:
      return "error";
  }
  return "info";
}

bool NeedsQuotes(std::string_view value) {
  if (value.empty()) {
    return true;
  }
  for (char c : value) {
    if (c <= ' ' || c == '=' || c == '"' || c == '\x7f') {
      return true;
    }
  }
  return false;
}

}  // namespace

void SetupLog(LogLevel level, LogFormat format) {
  log_level = level;
  log_format = format;
}

Result<LogLevel> ParseLogLevel(std::string_view text) {
  for (LogLevel level : {LogLevel::kDebug, LogLevel::kInfo, LogLevel::kWarn, LogLevel::kError}) {
    if (Name(level) == text) {
      return level;
    }
  }
  return Fail(Error{ErrorCode::kInvalid,
                    fmt::format("unknown log level \"{}\"", text),
                    {},
                    "use debug, info, warn or error"});
}

void Log(LogLevel level, std::string_view message, std::initializer_list<LogField> fields) {
  if (level < log_level.load()) {
    return;
  }
  std::string now = FormatRfc3339Millis(SystemClock().Now());
  std::string line;
  if (log_format.load() == LogFormat::kJson) {
    Json json = Json::MakeObject();
    json.Set("ts", now).Set("level", Name(level)).Set("msg", message);
    for (const auto& field : fields) {
      json.Set(std::string(field.key), field.value);
    }
    line = json.Dump();
  } else {
    line = fmt::format("ts={} level={} msg=", now, Name(level));
    AppendJsonString(line, message);
    for (const auto& field : fields) {
      line += ' ';
      line += field.key;
      line += '=';
      if (NeedsQuotes(field.value)) {
        AppendJsonString(line, field.value);
      } else {
        line += field.value;
      }
    }
  }
  line += '\n';
  // stderr has no buffer: a line is one write, so that lines of several threads do not mix.
  (void)std::fwrite(line.data(), 1, line.size(), stderr);
}

}  // namespace mlalert
