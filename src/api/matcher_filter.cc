#include "api/matcher_filter.h"

#include <algorithm>
#include <fmt/format.h>

#include "model/matcher_parse.h"

namespace mlalert {

Result<Matchers> ParseFilters(const HttpRequest& request, std::string_view name, std::string_view prefix,
                              MatcherMode mode) {
  Matchers filters;
  for (std::string_view text : request.QueryAll(name)) {
    if (filters.size() >= kFiltersMax) {
      return Fail(ErrorCode::kInvalid, fmt::format("{}more than {} values of {}", prefix, kFiltersMax, name));
    }
    auto matcher = ParseMatcher(text, mode);
    if (!matcher) {
      return Fail(ErrorCode::kInvalid, std::string(prefix) + matcher.error().message);
    }
    filters.push_back(std::move(*matcher));
  }
  return filters;
}

bool PassesFilters(const Matchers& filters, const LabelSet& labels) {
  return std::all_of(filters.begin(), filters.end(), [&](const Matcher& filter) {
    if (!filter.value().empty()) {
      return filter.Matches(labels);
    }
    bool wants_absent = filter.op() == MatchOp::kEqual || filter.op() == MatchOp::kRegex;
    return labels.Has(filter.name()) != wants_absent;
  });
}

LabelSet ReceiverLabels(const Config& config, const std::string& name) {
  std::vector<std::pair<std::string, std::string>> labels;
  if (const Receiver* receiver = config.FindReceiver(name)) {
    labels.assign(receiver->labels.begin(), receiver->labels.end());
  }
  labels.emplace_back("name", name);
  return LabelSet::From(std::move(labels));
}

}  // namespace mlalert
