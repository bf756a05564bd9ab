#include "config/rule_loader.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <set>
#include <unordered_map>

#include "config/file_io.h"
#include "config/rule_lint.h"
#include "config/yaml_reader.h"
#include "model/label_set.h"
#include "promql/parser.h"
#include "template/rule_template.h"

namespace mlalert {
namespace {

constexpr int kGroupConcurrencyMax = 256;
constexpr int kUpdateEntriesMax = 1000;
// Keys of other rulers, for the hint only.
constexpr std::array<std::string_view, 4> kForeignGroupKeys{
    "partial_response_strategy", "source_tenants", "align_evaluation_time_on_interval", "evaluation_delay"};

using TextMap = std::map<std::string, std::string>;

template <size_t N>
void RefuseForeign(YamlMap& map, const std::array<std::string_view, N>& keys, std::string_view go_type,
                   std::string_view hint) {
  for (std::string_view key : keys) {
    if (map.value().node().Find(key) != nullptr) {
      map.Ignore(key);
      map.At(key).Error(fmt::format("field {} not found in type {}", key, go_type),
                        fmt::format("{} {}", key, hint));
    }
  }
}

// The fields of one rule as read, before it is known which kind it is.
struct RuleFields {
  std::string record;
  std::string alert;
  std::string expr;
  Duration hold{};
  Duration keep_firing_for{};
  TextMap labels;
  TextMap annotations;
  int update_entries_limit = 0;
};

// vmalert's keys mean here what they mean there; other tools refuse the file.
void WarnForeign(const YamlMap& map, std::string_view key, std::string_view what = "is a key of vmalert") {
  map.At(key).Warn(fmt::format("{} {}: Prometheus and promtool refuse this file", key, what));
}

class RuleFileReader {
 public:
  RuleFileReader(std::string file, const RuleDefaults& defaults)
      : file_(std::move(file)), defaults_(defaults) {}

  std::vector<RuleGroup> Read(const YamlValue& value) {
    YamlMap root(value, "rulefmt.RuleGroups");
    std::vector<RuleGroup> out;
    if (auto groups = root.Take("groups")) {
      for (const YamlValue& item : groups->Items("[]rulefmt.RuleGroup")) {
        // An empty item is dropped, as upstream's decoder does.
        if (!item.IsNull()) {
          ReadGroup(item, out.emplace_back());
        }
      }
    }
    root.Finish();
    return out;
  }

 private:
  void ReadGroup(const YamlValue& value, RuleGroup& out) {
    YamlMap map(value, "rulefmt.RuleGroup");
    out.file = file_;
    map.Read("name", out.name);
    if (out.name.empty()) {
      value.Error("Groupname must not be empty");
    } else if (!group_names_.insert(out.name).second) {
      map.At("name").Error(fmt::format("groupname: {} is repeated in the same file", GoQuote(out.name)));
    }
    map.Read("interval", out.interval);
    if (out.interval == Duration::zero()) {
      out.interval = defaults_.interval;
    }
    out.query_offset = defaults_.query_offset;
    if (auto offset = map.TakeSet("query_offset")) {
      offset->Read(out.query_offset);
    }
    map.Read("limit", out.limit);
    out.limit = std::max(out.limit, 0);
    TextMap labels;
    map.Read("labels", labels);
    for (const auto& [name, text] : labels) {
      if (!IsLabelName(name)) {
        map.At("labels").Error(fmt::format("invalid label name: {}", name));
      }
    }
    ChooseDatasource(map, labels, out);
    out.line = value.pos().line;
    ReadExtras(map, out);
    ReadRules(map, labels, out);
    RefuseForeign(map, kForeignGroupKeys, "rulefmt.RuleGroup",
                  "is a key of another ruler, not of Prometheus");
    map.Finish();
  }

  void ReadExtras(YamlMap& map, RuleGroup& out) const {
    GroupExtras& extras = out.extras;
    ReadType(map);
    if (map.Take("tenant")) {
      map.At("tenant").Error("tenant is not supported in rule files",
                             "give the tenant's data source its own entry in datasources (url or headers)");
    }
    if (map.Read("concurrency", extras.concurrency)) {
      WarnForeign(map, "concurrency");
      if (extras.concurrency < 0 || extras.concurrency > kGroupConcurrencyMax) {
        map.At("concurrency").Error(fmt::format("concurrency must be from 0 to {}", kGroupConcurrencyMax));
      }
    }
    ReadTimes(map, out);
    ReadParams(map, extras);
    ReadHeaders(map, extras);
    for (std::string_view key : {"debug", "notifier_headers"}) {
      if (map.Take(key)) {
        map.At(key).Warn(fmt::format("{} is a key of vmalert and has no effect here", key));
      }
    }
  }

  static void ReadType(YamlMap& map) {
    std::string type;
    if (!map.Read("type", type)) {
      return;
    }
    if (type != "prometheus" && !type.empty()) {
      map.At("type").Error(fmt::format("rules of type {} are not evaluated by mlalert", GoQuote(type)),
                           "only type prometheus is");
    } else {
      WarnForeign(map, "type");
    }
  }

  static void ReadTimes(YamlMap& map, RuleGroup& out) {
    std::string text;
    if (map.Read("eval_offset", text) && !text.empty()) {
      WarnForeign(map, "eval_offset");
      const bool negative = text.starts_with('-');
      auto offset = ParseDuration(std::string_view(text).substr(negative ? 1 : 0));
      if (!offset) {
        map.At("eval_offset").Error(offset.error().message);
      } else if (*offset > out.interval) {
        map.At("eval_offset").Error("eval_offset should be smaller than interval");
      } else {
        out.extras.eval_offset = negative ? -*offset : *offset;
      }
    }
    bool aligned = false;
    if (map.Read("eval_alignment", aligned)) {
      WarnForeign(map, "eval_alignment");
      if (aligned && !out.extras.eval_offset) {
        out.extras.eval_offset = Duration::zero();
      }
    }
    if (auto delay = map.TakeSet("eval_delay"); delay && delay->Read(out.query_offset)) {
      WarnForeign(map, "eval_delay");
      if (map.value().node().Find("query_offset") != nullptr) {
        map.At("eval_delay").Error("eval_delay and query_offset mean the same: keep one");
      } else if (map.value().node().Find("eval_offset") != nullptr) {
        map.At("eval_delay").Error("eval_offset cannot be used with eval_delay");
      }
    }
  }

  static void ReadParams(YamlMap& map, GroupExtras& out) {
    auto params = map.TakeSet("params");
    if (!params) {
      return;
    }
    WarnForeign(map, "params");
    YamlMap entries(*params, "map[string][]string");
    for (const auto& entry : params->node().entries) {
      YamlValue item = entries.At(entry.key);
      if (entry.key == "query" || entry.key == "time" || entry.key == "timeout") {
        item.Error(fmt::format("params cannot hold {}: mlalert sets it for every query", GoQuote(entry.key)));
        continue;
      }
      YamlValue values =
          params->Child(*entry.value, entry.value->pos, fmt::format("{}.{}", params->path(), entry.key));
      std::vector<std::string> texts;
      if (values.IsScalar()) {
        values.Read(texts.emplace_back());
      } else {
        values.Read(texts);
      }
      for (std::string& text : texts) {
        out.params.emplace_back(entry.key, std::move(text));
      }
    }
  }

  static void ReadHeaders(YamlMap& map, GroupExtras& out) {
    std::vector<std::string> lines;
    if (!map.Read("headers", lines)) {
      return;
    }
    WarnForeign(map, "headers");
    for (const std::string& line : lines) {
      const size_t colon = line.find(':');
      if (colon == std::string::npos || colon == 0) {
        map.At("headers").Error(
            fmt::format("missing ':' in header {}; expecting \"key: value\" format", GoQuote(line)));
        continue;
      }
      const size_t begin = line.find_first_not_of(" \t", colon + 1);
      out.headers.emplace_back(line.substr(0, colon), begin == std::string::npos ? "" : line.substr(begin));
    }
  }

  void ChooseDatasource(YamlMap& map, const TextMap& labels, RuleGroup& out) {
    out.datasource = defaults_.datasource;
    if (auto label = labels.find(defaults_.datasource_label); label != labels.end()) {
      out.datasource = label->second;
    }
    metricsql_ = false;
    if (defaults_.datasources.empty()) {
      return;
    }
    auto known = std::find_if(
        defaults_.datasources.begin(), defaults_.datasources.end(),
        [&](const auto& source) { return out.datasource.empty() || source.name == out.datasource; });
    if (known == defaults_.datasources.end()) {
      map.At("labels").Error(
          fmt::format("group {}: label {} names the data source {}, which does not exist", GoQuote(out.name),
                      GoQuote(defaults_.datasource_label), GoQuote(out.datasource)),
          "evaluation.datasource_label makes this label choose one of datasources");
      return;
    }
    metricsql_ = known->dialect == DatasourceConfig::Dialect::kMetricsql;
  }

  void ReadRules(YamlMap& map, const TextMap& group_labels, RuleGroup& out) {
    auto rules = map.Take("rules");
    if (!rules) {
      return;
    }
    int number = 0;
    std::optional<YamlValue> first_recording;
    for (const YamlValue& item : rules->Items("[]rulefmt.RuleNode")) {
      if (item.IsNull()) {
        continue;
      }
      ReadRule(item, ++number, group_labels, out);
      if (!first_recording && !out.recording_rules.empty()) {
        first_recording = item;
      }
    }
    if (first_recording) {
      size_t count = out.recording_rules.size();
      first_recording->Warn(
          fmt::format("group {} has {} recording rule{}, which mlalert does not evaluate: {}",
                      GoQuote(out.name), count, count == 1 ? "" : "s", JoinNames(out.recording_rules)),
          "leave them to Prometheus or its ruler; alerting rules may query what they record");
    }
  }

  static std::string JoinNames(const std::vector<RecordingRule>& rules) {
    constexpr size_t kNamesShown = 5;
    std::string out;
    for (size_t i = 0; i < rules.size() && i < kNamesShown; ++i) {
      out += (i > 0 ? ", " : "") + rules[i].name;
    }
    return rules.size() > kNamesShown ? out + ", ..." : out;
  }

  static RuleFields ReadFields(YamlMap& map) {
    RuleFields out;
    map.Read("record", out.record);
    map.Read("alert", out.alert);
    map.Read("expr", out.expr);
    map.Read("for", out.hold);
    map.Read("keep_firing_for", out.keep_firing_for);
    map.Read("labels", out.labels);
    map.Read("annotations", out.annotations);
    if (map.Take("debug")) {
      map.At("debug").Warn("debug is a key of vmalert and has no effect here");
    }
    if (map.Read("update_entries_limit", out.update_entries_limit)) {
      WarnForeign(map, "update_entries_limit");
      out.update_entries_limit = std::clamp(out.update_entries_limit, 0, kUpdateEntriesMax);
    }
    map.Finish();
    return out;
  }

  void ReadRule(const YamlValue& value, int number, const TextMap& group_labels, RuleGroup& out) {
    YamlMap map(value, "rulefmt.RuleNode");
    RuleFields fields = ReadFields(map);
    const std::string& name = fields.record.empty() ? fields.alert : fields.record;
    prefix_ = fmt::format("group {}, rule {}, {}: ", GoQuote(out.name), number, GoQuote(name));
    if (!fields.record.empty() && !fields.alert.empty()) {
      Bad(map.At("alert"), "only one of 'record' and 'alert' must be set");
    }
    if (fields.record.empty() && fields.alert.empty()) {
      Bad(value, "one of 'record' or 'alert' must be set");
    }
    std::shared_ptr<const promql::Expr> ast = ReadExpr(map, fields.expr);
    CheckNames(map, fields);
    TextMap labels = fields.labels;
    labels.insert(group_labels.begin(), group_labels.end());
    WarnAboutDuplicate(value, name, labels);
    if (!fields.record.empty()) {
      CheckRecording(map, fields);
      out.recording_rules.push_back({fields.record, fields.expr, SetOf(labels), value.pos().line, number});
      return;
    }
    AlertingRule rule;
    rule.position = number;
    rule.update_entries_limit = fields.update_entries_limit;
    rule.name = fields.alert;
    rule.expr = fields.expr;
    rule.hold = fields.hold;
    rule.keep_firing_for = fields.keep_firing_for;
    CheckTemplates(map, "label", rule.name, labels);
    CheckTemplates(map, "annotation", rule.name, fields.annotations);
    rule.raw_labels = SetOf(labels);
    rule.raw_annotations = SetOf(fields.annotations);
    rule.line = value.pos().line;
    if (defaults_.lint) {
      LintRule(map, prefix_, rule, ast.get(), out.interval);
    }
    out.rules.push_back(std::move(rule));
  }

  std::shared_ptr<const promql::Expr> ReadExpr(YamlMap& map, const std::string& expr) const {
    auto value = map.Take("expr");
    if (!value || (expr.empty() && (value->IsScalar() || value->IsNull()))) {
      Bad(value ? *value : map.value(), "field 'expr' must be set in rule");
      return nullptr;
    }
    if (!value->IsScalar()) {
      return nullptr;  // reported as a wrong type
    }
    auto parsed = promql::ParseExpr(expr);
    if (!parsed && metricsql_) {
      value->Inside(parsed.error().where)
          .Warn(fmt::format("{}not PromQL, so only the data source can check it: {}", prefix_,
                            parsed.error().message),
                "a vanished series of this rule cannot be told from a false condition");
      return nullptr;
    }
    if (!parsed) {
      Bad(value->Inside(parsed.error().where),
          fmt::format("could not parse expression: {}", parsed.error().message));
      return nullptr;
    }
    return std::move(*parsed);
  }

  void CheckNames(YamlMap& map, const RuleFields& fields) const {
    for (const auto& [name, text] : fields.labels) {
      if (!IsLabelName(name)) {
        Bad(EntryOf(map.At("labels"), name), fmt::format("invalid label name: {}", name));
      } else if (!IsClassicName(name)) {
        EntryOf(map.At("labels"), name)
            .Warn(fmt::format("{}label name {} is valid since Prometheus 3 only", prefix_, GoQuote(name)),
                  "older ones and their tools know letters, digits and _, not beginning with a digit");
      }
    }
    for (const auto& [name, text] : fields.annotations) {
      if (name.empty()) {
        Bad(map.At("annotations"), fmt::format("invalid annotation name: {}", name));
      }
    }
  }

  void CheckRecording(YamlMap& map, const RuleFields& fields) const {
    if (!fields.annotations.empty()) {
      Bad(map.At("annotations"), "invalid field 'annotations' in recording rule");
    }
    if (fields.hold != Duration::zero()) {
      Bad(map.At("for"), "invalid field 'for' in recording rule");
    }
    if (fields.keep_firing_for != Duration::zero()) {
      Bad(map.At("keep_firing_for"), "invalid field 'keep_firing_for' in recording rule");
    }
    if (fields.record.find_first_of("{}") != std::string::npos) {
      Bad(map.At("record"),
          fmt::format("braces present in the recording rule name; should it be in expr?: {}", fields.record));
    }
  }

  void CheckTemplates(YamlMap& map, std::string_view kind, const std::string& alert,
                      const TextMap& texts) const {
    for (const auto& [name, text] : texts) {
      auto parsed = RuleTemplate::Parse(alert, text);
      if (parsed) {
        continue;
      }
      YamlValue section = map.At(kind == "label" ? "labels" : "annotations");
      const auto* entry = section.node().Find(name);
      // A group's label is not in the rule's own section; then the rule is the place.
      YamlValue at = entry == nullptr ? section
                                      : section.Child(*entry->value, entry->value->pos,
                                                      fmt::format("{}.{}", section.path(), name));
      Bad(at, fmt::format("{} {}: {}", kind, GoQuote(name), parsed.error().message));
    }
  }

  static LabelSet SetOf(const TextMap& texts) {
    std::vector<Label> labels;
    for (const auto& [name, text] : texts) {
      labels.push_back({name, text});
    }
    return LabelSet::FromSorted(labels);
  }

  // promtool's lint: same name and labels, whatever the expression.
  void WarnAboutDuplicate(const YamlValue& value, const std::string& name, const TextMap& labels) {
    std::string key = name;
    for (const auto& [label, text] : labels) {
      key.append(1, '\0').append(label).append(1, '\0').append(text);
    }
    auto [first, fresh] = seen_rules_.emplace(std::move(key), value.pos().line);
    if (!fresh && !name.empty()) {
      value.Warn(fmt::format("rule {} has the same name and labels as the one at line {}", GoQuote(name),
                             first->second),
                 "alerts of both share one identity when their series have equal labels");
    }
  }

  void Bad(const YamlValue& at, const std::string& message) const { at.Error(prefix_ + message); }

  // The place of one entry's key.
  static YamlValue EntryOf(const YamlValue& section, const std::string& name) {
    const auto* entry = section.node().Find(name);
    return entry == nullptr
               ? section
               : section.Child(*entry->value, entry->key_pos, fmt::format("{}.{}", section.path(), name));
  }

  static bool IsClassicName(std::string_view name) {
    auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; };
    return letter(name.front()) &&
           std::all_of(name.begin(), name.end(), [&](char c) { return letter(c) || (c >= '0' && c <= '9'); });
  }

  static bool IsLabelName(std::string_view name) { return !name.empty() && name != "__name__"; }

  std::string file_;
  RuleDefaults defaults_;
  std::string prefix_;
  bool metricsql_ = false;  // the group's data source speaks it
  std::set<std::string> group_names_;
  std::unordered_map<std::string, int> seen_rules_;
};

void AddFileProblem(Diagnostics& out, DiagnosticLevel level, const std::string& file, std::string message) {
  Diagnostic diagnostic;
  diagnostic.level = level;
  diagnostic.where.file = file;
  diagnostic.message = std::move(message);
  out.Add(std::move(diagnostic));
}

}  // namespace

Diagnostics LoadRuleText(std::string_view text, const std::string& file, const RuleDefaults& defaults,
                         std::vector<RuleGroup>& out) {
  Diagnostics diagnostics;
  SourceText source(file, text.substr(0, kYamlBytesMax + 1));
  YamlNodePtr tree = ParseYaml(text, source, diagnostics);
  if (tree == nullptr) {
    return diagnostics;
  }
  RuleFileReader reader(file, defaults);
  auto groups = reader.Read(YamlValue(*tree, source, diagnostics));
  if (diagnostics.ok()) {
    out = std::move(groups);
  }
  diagnostics.Sort();
  return diagnostics;
}

RuleDefaults RuleDefaultsOf(const Config& config) {
  RuleDefaults out;
  out.interval = config.evaluation.interval;
  out.query_offset = config.evaluation.query_offset;
  out.datasource_label = config.evaluation.datasource_label;
  out.datasources = config.datasources;
  return out;
}

Diagnostics LoadRuleFiles(const std::vector<RuleFiles>& patterns, const RuleDefaults& defaults,
                          std::vector<RuleGroup>& out) {
  Diagnostics all;
  std::vector<RuleGroup> groups;
  std::set<std::string> done;
  for (const auto& [glob, datasource] : patterns) {
    RuleDefaults of_files = defaults;
    of_files.datasource = datasource;
    std::vector<std::string> files = ExpandGlob(glob);
    if (files.empty()) {
      AddFileProblem(all, DiagnosticLevel::kWarning, glob, "no rule file matches this pattern");
    }
    for (const std::string& file : files) {
      if (!done.insert(file).second) {
        continue;
      }
      auto text = ReadSmallFile(file, kYamlBytesMax);
      if (!text) {
        // As Prometheus: a file that is not there is no error, one that cannot be read is.
        bool missing = text.error().code == ErrorCode::kNotFound;
        AddFileProblem(all, missing ? DiagnosticLevel::kWarning : DiagnosticLevel::kError, file,
                       missing ? "no such rule file" : text.error().message);
        continue;
      }
      std::vector<RuleGroup> loaded;
      all.Append(LoadRuleText(*text, file, of_files, loaded));
      std::move(loaded.begin(), loaded.end(), std::back_inserter(groups));
    }
  }
  if (all.ok()) {
    out = std::move(groups);
  }
  return all;
}

}  // namespace mlalert
