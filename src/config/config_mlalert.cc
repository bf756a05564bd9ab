// What mlalert adds to alertmanager.yml: data sources, rule files, incidents and their policies, history,
// models.
#include <algorithm>
#include <fmt/format.h>

#include "config/config_sections.h"
#include "config/config_words.h"
#include "config/file_io.h"
#include "config/url_check.h"

namespace mlalert {
namespace {

// A key of the design that a later version reads: better said than called unknown.
void RefuseYet(YamlMap& map, std::string_view key) {
  if (map.Take(key)) {
    map.At(key).Error(fmt::format("{} is not supported yet", key));
  }
}

// Userinfo in the URL becomes basic_auth, so that the URL can be shown everywhere.
void MoveUserinfo(const YamlMap& map, const HttpUrlParts& parts, DatasourceConfig& out) {
  out.url = parts.without_userinfo;
  if (!parts.username) {
    return;
  }
  HttpClientConfig http = *out.http_config;
  if (http.basic_auth || http.authorization || http.oauth2) {
    map.At("url").Error("the URL holds a user name and http_config another authentication: keep one");
    return;
  }
  BasicAuth& auth = http.basic_auth.emplace();
  auth.username = *parts.username;
  auth.password = Secret(parts.password.value_or(""));
  out.http_config = std::make_shared<const HttpClientConfig>(std::move(http));
}

void ReadFailover(YamlMap& map, DatasourceConfig& out) {
  auto list = map.Take("failover_urls");
  if (!list) {
    return;
  }
  for (const YamlValue& item : list->Items("a list of URLs")) {
    std::string url;
    item.Read(url);
    auto parts = CheckHttpUrl(url);
    if (!parts) {
      item.Error(parts.error().message);
    } else if (parts->username) {
      item.Error("a failover URL holds a user name", "http_config applies to all URLs of a data source");
    } else {
      out.failover_urls.push_back(parts->without_userinfo);
    }
  }
}

// Values are one text or a list of them.
void ReadParams(YamlMap& map, DatasourceConfig& out) {
  auto params = map.TakeSet("params");
  if (!params) {
    return;
  }
  if (params->node().kind != YamlNode::Kind::kMap) {
    params->WrongType("map[string][]string");
    return;
  }
  for (const auto& entry : params->node().entries) {
    YamlValue item =
        params->Child(*entry.value, entry.key_pos, fmt::format("{}.{}", params->path(), entry.key));
    if (entry.key == "query" || entry.key == "time" || entry.key == "timeout") {
      item.Error(fmt::format("params cannot hold {}: mlalert sets it for every query", Quoted(entry.key)));
      continue;
    }
    std::vector<std::string> values;
    if (item.IsScalar()) {
      item.Read(values.emplace_back());
    } else {
      item.Read(values);
    }
    for (std::string& text : values) {
      out.params.emplace_back(entry.key, std::move(text));
    }
  }
}

void ReadDatasource(const YamlValue& value, const LoadContext& context, DatasourceConfig& out) {
  YamlMap map(value, "datasource");
  map.Read("name", out.name);
  if (out.name.empty()) {
    value.Error("missing name in datasource");
  }
  auto http = map.TakeSet("http_config");
  out.http_config =
      http ? ReadHttpConfig(*http, context.directory) : std::make_shared<const HttpClientConfig>();
  std::string url;
  map.Read("url", url);
  if (url.empty()) {
    value.Error("missing url in datasource");
  } else if (auto parts = CheckHttpUrl(url)) {
    MoveUserinfo(map, *parts, out);
  } else {
    map.At("url").Error(parts.error().message);
  }
  if (ReadIfSet(map, "timeout", out.timeout) && out.timeout == Duration::zero()) {
    map.At("timeout").Error("timeout must be more than 0");
  }
  ReadFailover(map, out);
  if (map.Read("concurrency", out.concurrency) &&
      (out.concurrency < 1 || out.concurrency > kEvaluationConcurrencyMax)) {
    map.At("concurrency").Error(fmt::format("concurrency must be from 1 to {}", kEvaluationConcurrencyMax));
  }
  ReadWord(map, "method", {{"POST", false}, {"GET", true}}, out.use_get);
  ReadParams(map, out);
  using Dialect = DatasourceConfig::Dialect;
  ReadWord(map, "dialect", {{"promql", Dialect::kPromql}, {"metricsql", Dialect::kMetricsql}}, out.dialect);
  map.Read("headers", out.headers);
  map.Finish();
}

void ReadDatasources(YamlMap& root, const LoadContext& context, Config& out) {
  auto list = root.Take("datasources");
  if (!list) {
    return;
  }
  std::set<std::string> names;
  for (const YamlValue& item : list->Items("a list of datasources")) {
    DatasourceConfig& datasource = out.datasources.emplace_back();
    ReadDatasource(item, context, datasource);
    if (!names.insert(datasource.name).second) {
      YamlMap(item, "datasource")
          .At("name")
          .Error(fmt::format("datasource name {} is not unique", Quoted(datasource.name)));
    }
  }
}

void ReadRuleFiles(YamlMap& root, const LoadContext& context, Config& out) {
  auto list = root.Take("rule_files");
  if (!list) {
    return;
  }
  for (const YamlValue& item : list->Items("[]string")) {
    if (item.IsScalar()) {
      item.Read(out.rule_files.emplace_back().glob);
      continue;
    }
    YamlMap map(item, "rule files");
    std::vector<std::string> globs;
    map.Read("files", globs);
    if (globs.empty()) {
      item.Error("missing files in rule files", "write {files: [a.yml], datasource: name}, or just the file");
    }
    std::string datasource;
    map.Read("datasource", datasource);
    if (!datasource.empty() && out.FindDatasource(datasource) == nullptr) {
      map.At("datasource")
          .Error(fmt::format("undefined data source {} used in rule_files", Quoted(datasource)));
    }
    map.Finish();
    for (std::string& glob : globs) {
      out.rule_files.push_back({std::move(glob), datasource});
    }
  }
  for (RuleFiles& files : out.rule_files) {
    files.glob = JoinDirectory(context.directory, files.glob);
  }
}

void ReadIncidents(YamlMap& root, const LoadContext& context, IncidentsConfig& out) {
  auto value = root.TakeSet("incidents");
  if (!value) {
    return;
  }
  YamlMap map(*value, "incidents");
  if (auto identity = map.Take("identity"); identity && identity->Read(out.identity)) {
    std::set<std::string> seen;
    for (const YamlValue& item : identity->Items("[]string")) {
      const std::string& name = item.node().text;
      if (!IsLabelName(name, context)) {
        item.Error(fmt::format("invalid label name {} in identity", Quoted(name)));
      } else if (name == "severity") {
        item.Error(
            "severity cannot be part of the identity: an incident keeps its identity while its severity "
            "rises");
      } else if (!seen.insert(name).second) {
        item.Error(fmt::format("duplicated label {} in identity", Quoted(name)));
      }
    }
  }
  ReadIfSet(map, "reopen_window", out.reopen_window);
  if (ReadIfSet(map, "resolve_hold", out.resolve_hold) && out.resolve_hold == Duration::zero()) {
    map.At("resolve_hold").Error("resolve_hold must be more than 0");
  }
  map.Finish();
}

void ReadModel(const YamlValue& value, ModelConfig& out) {
  YamlMap map(value, "model");
  map.Read("name", out.name);
  if (out.name.empty()) {
    value.Error("missing name in model");
  }
  map.Read("team", out.team);
  ReadUrl(map, "dashboard_url", out.dashboard_url);
  ReadUrl(map, "runbook_url", out.runbook_url);
  if (auto contacts = map.TakeSet("contacts"); contacts && contacts->Read(out.contacts)) {
    for (const auto& [level, unused] : out.contacts) {
      if (level != "l1" && level != "l2" && level != "l3") {
        YamlMap(*contacts, "contacts")
            .At(level)
            .Error(fmt::format("unknown contact level {}", Quoted(level)), "levels are l1, l2, l3");
      }
    }
  }
  map.Finish();
}

void ReadModels(YamlMap& root, Config& out) {
  auto list = root.Take("models");
  if (!list) {
    return;
  }
  std::set<std::string> names;
  for (const YamlValue& item : list->Items("a list of models")) {
    ModelConfig& model = out.models.emplace_back();
    ReadModel(item, model);
    if (!model.name.empty() && !names.insert(model.name).second) {
      YamlMap(item, "model").At("name").Error(fmt::format("model name {} is not unique", Quoted(model.name)));
    }
  }
}

}  // namespace

void ReadMlalertSections(YamlMap& root, const LoadContext& context, Config& out) {
  ReadDatasources(root, context, out);
  ReadRuleFiles(root, context, out);
  ReadEvaluationSections(root, context, out);
  ReadAlerting(root, context, out.alerting);
  ReadIncidents(root, context, out.incidents);
  ReadPolicies(root, context, out);
  ReadResponseTargets(root, out);
  ReadCalm(root, context, out);
  if (auto history = root.TakeSet("history")) {
    YamlMap map(*history, "history");
    if (ReadIfSet(map, "retention", out.history.retention) && out.history.retention == Duration::zero()) {
      map.At("retention").Error("retention must be more than 0");
    }
    map.Finish();
  }
  ReadReview(root, out);
  ReadModels(root, out);
  for (std::string_view key : {"chain"}) {
    RefuseYet(root, key);
  }
}

}  // namespace mlalert
