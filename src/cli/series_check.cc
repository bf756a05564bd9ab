#include "cli/series_check.h"

#include <fmt/format.h>
#include <future>
#include <utility>

#include "config/url_check.h"
#include "model/label_set.h"
#include "promql/analysis.h"
#include "promql/parser.h"
#include "promql/printer.h"
#include "rules/query_result.h"

namespace mlalert {
namespace {

constexpr Duration kAskTimeout = std::chrono::seconds(30);

DatasourceConfig SourceAt(const std::string& url) {
  DatasourceConfig out;
  out.url = url;
  return out;
}

// Written by the evaluator itself while something fires.
bool IsSynthetic(const promql::VectorSelector& selector) {
  return selector.name == "ALERTS" || selector.name == "ALERTS_FOR_STATE";
}

}  // namespace

Result<std::unique_ptr<SeriesCheck>> SeriesCheck::Open(const std::string& url) {
  MLALERT_TRY(CheckHttpUrl(url));
  auto clock = std::make_unique<SystemClock>();
  MLALERT_ASSIGN(auto transport, HttpTransport::Start(*clock));
  return std::unique_ptr<SeriesCheck>(new SeriesCheck(url, std::move(clock), std::move(transport)));
}

SeriesCheck::SeriesCheck(const std::string& url, std::unique_ptr<SystemClock> clock,
                         std::unique_ptr<HttpTransport> transport)
    : clock_(std::move(clock)),
      transport_(std::move(transport)),
      datasource_(SourceAt(url), EvaluationConfig()),
      lane_(transport_->OpenLane({.name = "check"})) {}

SeriesCheck::~SeriesCheck() {
  transport_->Shutdown();
}

Diagnostics SeriesCheck::Check(const std::vector<RuleGroup>& groups) {
  Diagnostics out;
  for (const RuleGroup& group : groups) {
    for (const AlertingRule& rule : group.rules) {
      if (Status asked = CheckRule(group, rule, out); !asked) {
        Diagnostic problem;
        problem.where.file = group.file;
        problem.message = "the data source cannot be asked for series: " + asked.error().message;
        out.Add(std::move(problem));
        return out;
      }
    }
  }
  return out;
}

Status SeriesCheck::CheckRule(const RuleGroup& group, const AlertingRule& rule, Diagnostics& out) {
  const auto expr = promql::ParseExpr(rule.expr);
  if (!expr) {
    return {};  // MetricsQL
  }
  for (const promql::RequiredSelector& required : promql::RequiredSelectors(**expr)) {
    if (IsSynthetic(*required.selector)) {
      continue;
    }
    MLALERT_ASSIGN(const bool exists, Exists(promql::PresenceQuery(required)));
    if (!exists) {
      Diagnostic problem;
      problem.level = DiagnosticLevel::kWarning;
      problem.where.file = group.file;
      problem.where.line = rule.line;
      problem.where.column = 1;
      problem.message = fmt::format("group {}, rule {}: no series match {}", GoQuote(group.name),
                                    GoQuote(rule.name), promql::Print(*required.selector));
      problem.hint = "as long as nobody exports them, the rule cannot fire";
      out.Add(std::move(problem));
    }
  }
  return {};
}

Result<bool> SeriesCheck::Exists(const std::string& query) {
  if (const auto known = known_.find(query); known != known_.end()) {
    return known->second;
  }
  std::promise<HttpResult> promise;
  std::future<HttpResult> result = promise.get_future();
  transport_->Send(lane_, datasource_.BuildCall(PrepareQuery(query, kAskTimeout), clock_->Now(), kAskTimeout),
                   [&promise](HttpResult answer) { promise.set_value(std::move(answer)); });
  const QueryAnswer answer = DecodeQueryAnswer(result.get());
  if (!answer.ok()) {
    return Fail(ErrorCode::kUnavailable, answer.error_text);
  }
  return known_[query] = !answer.samples().empty();
}

}  // namespace mlalert
