#include "rules/datasource.h"

#include <algorithm>
#include <fmt/format.h>
#include <memory>
#include <strings.h>
#include <utility>

#include "net/url.h"

namespace mlalert {

namespace {

std::string QueryUrl(const std::string& base) {
  const Result<Url> url = ParseUrl(base);
  // The configuration was checked; an odd URL fails when it is called, with the transport's own words.
  return url ? JoinPath(*url, "api/v1/query").ToString() : base + "/api/v1/query";
}

bool SameHttp(const HttpConfigPtr& a, const HttpConfigPtr& b) {
  return a == b || (a && b && *a == *b);
}

EventRecord SourceEvent(std::string type, const std::string& name, std::string reason, Timestamp now) {
  EventRecord event;
  event.at = now;
  event.type = std::move(type);
  event.actor_kind = "system";
  event.actor = "rules";
  event.reason = std::move(reason);
  event.to_value = name;
  return event;
}

}  // namespace

std::string PrepareQuery(std::string_view query, Duration timeout) {
  return fmt::format("query={}&timeout={}&time=", QueryEscape(query), FormatDuration(timeout));
}

Datasource::Datasource(DatasourceConfig config, const EvaluationConfig& evaluation)
    : config_(std::move(config)), get_(config_.use_get) {
  urls_.push_back(QueryUrl(config_.url));
  for (const std::string& url : config_.failover_urls) {
    urls_.push_back(QueryUrl(url));
  }
  for (const auto& [name, value] : config_.params) {
    params_ += fmt::format("{}={}&", QueryEscape(name), QueryEscape(value));
  }
  for (const auto& [name, value] : config_.headers) {
    headers_get_.emplace_back(name, value);
  }
  headers_post_ = headers_get_;
  headers_post_.emplace_back("Content-Type", "application/x-www-form-urlencoded");
  alert_ = SelfAlert(
      LabelSet::From(
          {{"alertname", "DatasourceUnreachable"}, {"datasource", config_.name}, {"severity", "P1"}}),
      config_.url, evaluation.resend_delay, evaluation.interval);
  SetEvaluation(evaluation);
}

bool Datasource::SameAs(const DatasourceConfig& other) const {
  return config_.name == other.name && config_.url == other.url &&
         config_.failover_urls == other.failover_urls && config_.timeout == other.timeout &&
         config_.concurrency == other.concurrency && config_.use_get == other.use_get &&
         config_.params == other.params && config_.headers == other.headers &&
         SameHttp(config_.http_config, other.http_config);
}

void Datasource::SetEvaluation(const EvaluationConfig& evaluation) {
  concurrency_ = static_cast<size_t>(
      std::max(1, config_.concurrency > 0 ? config_.concurrency : evaluation.concurrency));
  alert_.SetTimes(evaluation.resend_delay, evaluation.interval);
}

std::string Datasource::ParamsFor(const GroupExtras& extras) const {
  if (extras.params.empty()) {
    return params_;
  }
  std::string out;
  for (const auto& [name, value] : config_.params) {
    const bool replaced = std::any_of(extras.params.begin(), extras.params.end(),
                                      [&name = name](const auto& param) { return param.first == name; });
    out += replaced ? std::string() : fmt::format("{}={}&", QueryEscape(name), QueryEscape(value));
  }
  for (const auto& [name, value] : extras.params) {
    out += fmt::format("{}={}&", QueryEscape(name), QueryEscape(value));
  }
  return out;
}

HttpHeaders Datasource::HeadersFor(const HttpHeaders& own, const GroupExtras& extras) {
  HttpHeaders out = own;
  for (const auto& header : extras.headers) {
    std::erase_if(
        out, [&](const auto& have) { return strcasecmp(have.first.c_str(), header.first.c_str()) == 0; });
    out.push_back(header);
  }
  return out;
}

HttpCall Datasource::BuildCall(std::string_view prepared, Timestamp at, Duration timeout,
                               const GroupExtras& extras) const {
  HttpCall call;
  const int64_t ms = ToUnixMillis(at);
  std::string form;
  form.reserve(params_.size() + prepared.size() + 24);
  form.append(ParamsFor(extras)).append(prepared);
  fmt::format_to(std::back_inserter(form), "{}.{:03}", ms / 1000, ms % 1000);
  if (get_) {
    call.method = "GET";
    const std::string& url = urls_[active_];
    call.url = url + (url.find('?') == std::string::npos ? "?" : "&") + form;
    call.headers = HeadersFor(headers_get_, extras);
  } else {
    call.method = "POST";
    call.url = urls_[active_];
    call.headers = HeadersFor(headers_post_, extras);
    call.body = std::move(form);
  }
  call.timeout = timeout;
  call.response_bytes_max = kQueryAnswerBytesMax;
  call.options = config_.http_config;
  call.repeatable = true;
  return call;
}

void Datasource::OnUnanswered(size_t url, Timestamp now) {
  if (url == active_) {
    active_ = (active_ + 1) % urls_.size();
    switched_at_ = now;
  }
}

void Datasource::ChooseUrl(Timestamp now) {
  // A clock that was set back must not keep it away.
  if (active_ != 0 && (now - switched_at_ >= kFailbackAfter || now < switched_at_)) {
    active_ = 0;
  }
}

void Datasource::OnAnswered(Timestamp now, RuleEffects& fx) {
  if (alert_.firing()) {
    fx.records.push_back(SourceEvent("datasource_recovered", config_.name, "it answers again", now));
    alert_.Resolve(now, fx);
  } else if (std::exchange(may_have_leftover_, false)) {
    alert_.ResolveLeftover(now, fx);
  }
  failures_in_a_row_ = 0;
  failing_since_ = kUnset;
  last_error_.clear();
}

void Datasource::OnFailed(const std::string& error, Timestamp now, RuleEffects& fx) {
  ++failures_in_a_row_;
  last_error_ = error;
  if (!IsSet(failing_since_) || now < failing_since_) {
    failing_since_ = now;
  }
  const Duration patience = std::clamp(shortest_interval, kUnreachableAfterMin, kUnreachableAfterMax);
  if (!alert_.firing() && (failures_in_a_row_ < 2 || now - failing_since_ < patience)) {
    return;
  }
  if (!alert_.firing()) {
    fx.records.push_back(SourceEvent("datasource_unreachable", config_.name, error, now));
  }
  alert_.Fire(
      LabelSet::From({{"summary", fmt::format("data source {} cannot be asked", config_.name)},
                      {"description",
                       fmt::format("No query has succeeded since {}. Alerts that fired keep firing and no "
                                   "new ones can be seen until it answers.",
                                   FormatRfc3339Millis(failing_since_))},
                      {"error", error}}),
      now, fx);
}

}  // namespace mlalert
