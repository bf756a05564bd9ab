#include "engine/health.h"

#include <fmt/format.h>
#include <numeric>

namespace mlalert {

std::string HealthReport::Text() const {
  std::string out;
  for (const auto& [part, why] : {std::pair("evaluation", &evaluation), std::pair("storage", &storage),
                                  std::pair("delivery", &delivery)}) {
    if (!why->empty()) {
      out += fmt::format("{}{}: {}", out.empty() ? "" : "; ", part, *why);
    }
  }
  return out;
}

std::string DeliveryJudge::Judge(const DeliveryStats& stats, Timestamp now) {
  std::string out;
  for (IntegrationKind which : kAllIntegrationKinds) {
    const DeliveryCounters& counters = stats.by_kind[static_cast<size_t>(which)];
    Kind& kind = kinds_[static_cast<size_t>(which)];
    const uint64_t failed = std::accumulate(counters.retry.begin(), counters.retry.end(), uint64_t{0}) +
                            std::accumulate(counters.failed.begin(), counters.failed.end(), uint64_t{0});
    if (counters.sent > kind.sent || now < kind.last_failure) {
      kind.failing_since = kUnset;
    } else if (failed > kind.failed) {
      kind.failing_since = IsSet(kind.failing_since) ? kind.failing_since : now;
      kind.last_failure = now;
    }
    kind.sent = counters.sent;
    kind.failed = failed;
    if (IsSet(kind.failing_since) && now - kind.last_failure >= kDeliveryForgets) {
      kind.failing_since = kUnset;
    }
    if (IsSet(kind.failing_since) && now - kind.failing_since >= kDeliveryPatience) {
      out += fmt::format("{}no {} notification has succeeded since {}", out.empty() ? "" : ", ",
                         ToString(which), FormatRfc3339Millis(kind.failing_since));
    }
  }
  return out;
}

std::string JudgeStorage(const JournalStats& stats) {
  return stats.state == JournalState::kHealthy
             ? std::string()
             : fmt::format("the journal is {}: what happens is kept in memory only", ToString(stats.state));
}

}  // namespace mlalert
