#include "base/log.h"

#include <memory>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include "base/json.h"
#include "base/time.h"

namespace mlalert {
namespace {

LogFormat log_format = LogFormat::kLogfmt;

spdlog::level::level_enum ToSpdlog(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug:
      return spdlog::level::debug;
    case LogLevel::kInfo:
      return spdlog::level::info;
    case LogLevel::kWarn:
      return spdlog::level::warn;
    case LogLevel::kError:
      return spdlog::level::err;
  }
  return spdlog::level::info;
}

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

spdlog::logger& Logger() {
  static std::shared_ptr<spdlog::logger> logger = [] {
    auto made = spdlog::stderr_logger_mt("mlalert");
    made->set_formatter(std::make_unique<spdlog::pattern_formatter>("%v"));
    made->flush_on(spdlog::level::info);
    return made;
  }();
  return *logger;
}

}  // namespace

void SetupLog(LogLevel level, LogFormat format) {
  Logger().set_level(ToSpdlog(level));
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
  if (!Logger().should_log(ToSpdlog(level))) {
    return;
  }
  std::string now = FormatRfc3339Millis(SystemClock().Now());
  std::string line;
  if (log_format == LogFormat::kJson) {
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
  Logger().log(ToSpdlog(level), line);
}

}  // namespace mlalert
