#include "rules/template_queries.h"

#include <algorithm>
#include <fmt/format.h>

namespace mlalert {

TemplateQueries::TemplateQueries() {
  function_ = [this](const std::string& expr) -> Result<std::vector<tmpl::Sample>> {
    auto known = answers_.find(expr);
    if (known != answers_.end()) {
      return known->second;
    }
    if (answers_.size() + wanted_.size() >= kTemplateQueriesMax) {
      return Fail(ErrorCode::kLimit, fmt::format("more than {} queries in templates", kTemplateQueriesMax));
    }
    wanted_.insert(expr);
    return Fail(ErrorCode::kUnavailable, "the query has no answer yet");
  };
}

void TemplateQueries::Begin() {
  answers_.clear();
  wanted_.clear();
}

std::vector<std::string> TemplateQueries::TakeWanted() {
  std::vector<std::string> out(wanted_.begin(), wanted_.end());
  wanted_.clear();
  return out;
}

void TemplateQueries::OnAnswer(const std::string& expr, const QueryAnswer& answer) {
  if (!answer.ok()) {
    answers_.insert_or_assign(expr, Fail(ErrorCode::kUnavailable, answer.error_text));
    return;
  }
  std::vector<tmpl::Sample> samples;
  for (const QuerySample& sample : answer.samples()) {
    if (samples.size() == kTemplateSamplesMax) {
      break;
    }
    tmpl::Sample& out = samples.emplace_back();
    out.value = sample.value;
    for (const Label& label : answer.labels(sample)) {
      out.labels.emplace_back(label.name, label.value);
    }
  }
  answers_.insert_or_assign(expr, std::move(samples));
}

}  // namespace mlalert
