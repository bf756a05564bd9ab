// Drives a RuleManager by hand: a scripted data source answers at once, and what comes out is kept for
// looking at.
#pragma once

#include <fmt/format.h>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/json.h"
#include "config/config.h"
#include "config/rule_file.h"
#include "promql/parser.h"
#include "rules/rule_manager.h"
#include "template/rule_template.h"

namespace mlalert::testing {

using namespace std::chrono_literals;

using Series = std::pair<LabelSet, double>;

inline Timestamp At(Duration since) {
  return Timestamp(std::chrono::hours(24 * 20000)) + since;
}

inline std::string ValueText(double value) {
  return std::isnan(value)   ? "NaN"
         : std::isinf(value) ? (value > 0 ? "+Inf" : "-Inf")
                             : fmt::format("{}", value);
}

inline std::string VectorBody(const std::vector<Series>& series, std::string_view more = "") {
  std::string out = R"({"status":"success","data":{"resultType":"vector","result":[)";
  for (size_t i = 0; i < series.size(); ++i) {
    out += i > 0 ? ",{\"metric\":{" : "{\"metric\":{";
    bool first = true;
    for (const Label label : series[i].first) {
      out += std::exchange(first, false) ? "" : ",";
      AppendJsonString(out, label.name);
      out += ':';
      AppendJsonString(out, label.value);
    }
    out += fmt::format("}},\"value\":[1700000000.123,\"{}\"]}}", ValueText(series[i].second));
  }
  return out + "]}" + std::string(more) + "}";
}

inline HttpResult Ok(std::string body) {
  HttpResult out;
  out.status = 200;
  out.body = std::move(body);
  return out;
}
inline HttpResult Vector(const std::vector<Series>& series) {
  return Ok(VectorBody(series));
}
inline HttpResult Status(int status, std::string body) {
  HttpResult out = Ok(std::move(body));
  out.status = status;
  return out;
}
inline HttpResult Broken(Failure failure, std::string error = "connection refused") {
  HttpResult out;
  out.failure = failure;
  out.error = std::move(error);
  return out;
}

inline AlertingRule MakeRule(std::string name, std::string expr, Duration hold = {}, Duration keep = {},
                             std::map<std::string, std::string> labels = {},
                             std::map<std::string, std::string> annotations = {}) {
  AlertingRule rule;
  rule.name = std::move(name);
  rule.expr = std::move(expr);
  auto ast = promql::ParseExpr(rule.expr);
  if (!ast) {
    throw std::runtime_error(ast.error().message);
  }
  rule.hold = hold;
  rule.keep_firing_for = keep;
  const auto set_of = [&](const auto& raw) {
    for (const auto& [key, text] : raw) {
      auto one = RuleTemplate::Parse(rule.name, text);
      if (!one) {
        throw std::runtime_error(one.error().message);
      }
    }
    return LabelSet::From({raw.begin(), raw.end()});
  };
  rule.raw_labels = set_of(labels);
  rule.raw_annotations = set_of(annotations);
  return rule;
}

inline RuleGroup MakeGroup(std::string name, Duration interval, std::vector<AlertingRule> rules) {
  RuleGroup group;
  group.file = "rules.yml";
  group.name = std::move(name);
  group.interval = interval;
  group.rules = std::move(rules);
  return group;
}

inline Config MakeConfig() {
  Config config;
  DatasourceConfig datasource;
  datasource.url = "http://prometheus:9090/prom/";
  config.datasources.push_back(datasource);
  return config;
}

inline std::string Unescape(std::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '+') {
      out += ' ';
    } else if (text[i] == '%') {
      out += static_cast<char>(std::stoi(std::string(text.substr(i + 1, 2)), nullptr, 16));
      i += 2;
    } else {
      out += text[i];
    }
  }
  return out;
}

inline std::string Field(const HttpCall& call, std::string_view name) {
  const size_t mark = call.url.find('?');
  const std::string form =
      call.method == "GET" && mark != std::string::npos ? call.url.substr(mark + 1) : call.body;
  const std::string key = std::string(name) + "=";
  size_t at = form.starts_with(key) ? 0 : form.find("&" + key);
  if (at == std::string::npos) {
    return {};
  }
  at = form.find('=', at) + 1;
  return Unescape(std::string_view(form).substr(at, form.find('&', at) - at));
}

inline std::string Query(const HttpCall& call) {
  return Field(call, "query");
}

class Harness {
 public:
  // Given the text of a query.
  using Source = std::function<HttpResult(const std::string& query)>;

  explicit Harness(Config settings = MakeConfig())
      : config(std::move(settings)), manager(std::make_unique<RuleManager>(Options())) {}

  static RuleManagerOptions Options() {
    return {"http://mlalert", "http://ext/path", [] { return 0.5; }};
  }

  void SetRules(std::vector<RuleGroup> groups) { manager->SetRules(std::move(groups), config, now, fx); }

  // Everything that is due up to and including `until`; answers take no time.
  void RunUntil(Timestamp until) {
    while (true) {
      AnswerAll();
      const Timestamp due = manager->NextDue();
      if (due > until) {
        break;
      }
      now = std::max(now, due);
      manager->RunDue(now, fx);
    }
    now = std::max(now, until);
    Drain();
  }
  void RunFor(Duration d) { RunUntil(now + d); }

  // Keeps what came out, so that queries can be answered in any order.
  void Drain() {
    for (auto& query : fx.queries) {
      queries.push_back(query);
      open.push_back(std::move(query));
    }
    for (auto& alert : fx.alerts) {
      alerts.push_back(std::move(alert));
    }
    for (auto& record : fx.records) {
      records.push_back(std::move(record));
    }
    fx = {};
  }
  void AnswerAll() {
    Drain();
    while (!open.empty()) {
      const QueryRequest query = std::move(open.front());
      open.erase(open.begin());
      manager->OnQueryResult(query.id, source(Query(query.call)), now, fx);
      Drain();
    }
  }

  std::vector<RuleAlert> TakeAlerts() {
    Drain();
    return std::exchange(alerts, {});
  }
  template <class T>
  std::vector<T> TakeRecords() {
    Drain();
    std::vector<T> out;
    for (const Record& record : records) {
      if (const T* one = std::get_if<T>(&record)) {
        out.push_back(*one);
      }
    }
    records.clear();
    return out;
  }
  // The table rule_states after all records so far.
  std::vector<RuleStateRecord> Stored() {
    Drain();
    for (const Record& record : records) {
      if (const auto* put = std::get_if<RuleStateRecord>(&record)) {
        stored[Key(*put)] = *put;
        Truncate(stored[Key(*put)]);
      } else if (const auto* removed = std::get_if<RuleStateDelete>(&record)) {
        stored.erase(Key(*removed));
      }
    }
    records.clear();
    std::vector<RuleStateRecord> out;
    for (const auto& [key, record] : stored) {
      out.push_back(record);
    }
    return out;
  }
  // As after kill -9 and start: a new manager that knows only what was stored.
  void Restart(std::vector<RuleGroup> groups) {
    const std::vector<RuleStateRecord> state = Stored();
    open.clear();
    manager = std::make_unique<RuleManager>(Options());
    SetRules(std::move(groups));
    manager->Restore(state, now, fx);
  }

  RuleView Rule(size_t group = 0, size_t rule = 0) { return manager->Snapshot(now).at(group).rules.at(rule); }
  // '.', 'p' or 'F' for a rule that has at most one alert.
  char State(size_t group = 0, size_t rule = 0) {
    const InstanceState state = Rule(group, rule).state;
    return state == InstanceState::kFiring ? 'F' : state == InstanceState::kPending ? 'p' : '.';
  }

  Config config;
  Timestamp now = At(0s);
  RuleEffects fx;
  std::unique_ptr<RuleManager> manager;
  Source source = [](const std::string&) { return Vector({}); };
  std::vector<QueryRequest> queries;  // all so far
  std::vector<QueryRequest> open;
  std::vector<RuleAlert> alerts;
  std::vector<Record> records;

 private:
  template <class T>
  static std::string Key(const T& record) {
    return fmt::format("{};{};{};{};{}", record.file, record.group, record.rule, record.ordinal,
                       record.labels.ToString());
  }
  // The database keeps milliseconds.
  static void Truncate(RuleStateRecord& record) {
    for (Timestamp* t : {&record.active_at, &record.fired_at, &record.resolved_at, &record.keep_firing_since,
                         &record.last_sent_at}) {
      if (IsSet(*t)) {
        *t = FromUnixMillis(ToUnixMillis(*t));
      }
    }
  }

  std::map<std::string, RuleStateRecord> stored;
};

}  // namespace mlalert::testing
