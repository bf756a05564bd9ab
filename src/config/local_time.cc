#include "config/local_time.h"

#include <cstdlib>
#include <date/tz.h>
#include <filesystem>
#include <stdexcept>
#include <string_view>

namespace mlalert {

const date::time_zone* FindTimeZone(const std::string& name) {
  if (name.empty() || name == "UTC") {
    return nullptr;
  }
  try {
    if (name != "Local") {
      return date::locate_zone(name);
    }
    const char* tz = std::getenv("TZ");
    if (tz == nullptr) {
      return date::current_zone();
    }
    std::string_view from_env(tz);
    if (from_env.starts_with(':')) {
      from_env.remove_prefix(1);
    }
    return from_env.empty() ? nullptr : date::locate_zone(from_env);
  } catch (const std::exception&) {
    return nullptr;
  }
}

bool TimeZoneExists(const std::string& name) {
  if (name == "UTC" || name == "Local" || name.empty()) {
    return true;
  }
  if (name.front() == '/' || name.find("..") != std::string::npos || name.find('\\') != std::string::npos ||
      name.find('\0') != std::string::npos) {
    return false;
  }
  std::error_code ec;
  return std::filesystem::is_regular_file(std::filesystem::path("/usr/share/zoneinfo") / name, ec);
}

int64_t ToLocalSeconds(Timestamp t, const date::time_zone* zone) {
  const auto utc = std::chrono::floor<std::chrono::seconds>(t);
  const std::chrono::seconds offset = zone != nullptr ? zone->get_info(utc).offset : std::chrono::seconds(0);
  return (utc.time_since_epoch() + offset).count();
}

Timestamp FromLocalSeconds(int64_t seconds, const date::time_zone* zone) {
  const std::chrono::seconds since(seconds);
  if (zone == nullptr) {
    return Timestamp(since);
  }
  const date::local_info info = zone->get_info(date::local_seconds(since));
  if (info.result == date::local_info::nonexistent) {
    return info.first.end;
  }
  return Timestamp(since - info.first.offset);
}

}  // namespace mlalert
