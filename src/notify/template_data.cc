#include "notify/template_data.h"

#include <algorithm>
#include <fmt/format.h>
#include <map>

#include "base/hash.h"
#include "base/json.h"
#include "template/go_time.h"
#include "template/print.h"

namespace mlalert {
namespace {

using tmpl::LabelPair;
using tmpl::ParamType;
using tmpl::Signature;
using tmpl::Value;

const Signature kNoParameters;
const Signature kOneString{{ParamType::kString}, false};
const Signature kOneStringList{{ParamType::kStringList}, false};

std::string Printed(const Value& v) {
  std::string out;
  tmpl::AppendValue(out, v);
  return out;
}

// A list of strings that can join itself.
class StringsObject final : public tmpl::Object {
 public:
  explicit StringsObject(std::vector<std::string> items) : list_(Value::StringList(std::move(items))) {}

  std::string TypeName() const override { return "template.Strings"; }
  std::string Print() const override { return Printed(list_); }
  const Value* Underlying() const override { return &list_; }
  const Signature* FindMethod(std::string_view name) const override {
    return name == "Join" ? &kOneString : nullptr;
  }
  Result<Value> Call(std::string_view, std::span<const Value> args) const override {
    std::string out;
    for (size_t i = 0; i < list_.Size(); ++i) {
      if (i > 0) {
        out += args[0].AsString();
      }
      out += list_.Item(i).AsString();
      if (out.size() > kJoinedBytesMax) {
        return Fail(ErrorCode::kLimit, "joined text is too long");
      }
    }
    return Value::String(std::move(out));
  }

 private:
  static constexpr size_t kJoinedBytesMax = size_t{8} << 20;
  Value list_;
};

Value Strings(std::vector<std::string> items) {
  return Value::Of(std::make_shared<StringsObject>(std::move(items)));
}

class PairObject final : public tmpl::Object {
 public:
  explicit PairObject(Label label)
      : name_(Value::String(std::string(label.name))), value_(Value::String(std::string(label.value))) {}

  std::string TypeName() const override { return "template.Pair"; }
  std::string Print() const override { return fmt::format("{{{} {}}}", name_.AsString(), value_.AsString()); }
  std::vector<std::pair<std::string_view, Value>> Fields() const override {
    return {{"Name", name_}, {"Value", value_}};
  }
  bool IsComparable() const override { return true; }
  std::optional<Value> Field(std::string_view name) const override {
    if (name == "Name") {
      return name_;
    }
    if (name == "Value") {
      return value_;
    }
    return std::nullopt;
  }
  bool AppendJson(std::string& out) const override {
    out += "{\"Name\":";
    AppendJsonString(out, name_.AsString());
    out += ",\"Value\":";
    AppendJsonString(out, value_.AsString());
    out.push_back('}');
    return true;
  }

 private:
  // Shared text: a field that a template keeps in a variable outlives its pair.
  Value name_, value_;
};

// alertname first, the others by name.
std::vector<Label> SortedPairs(const LabelSet& labels) {
  std::vector<Label> out;
  for (Label label : labels) {
    if (label.name == "alertname") {
      out.insert(out.begin(), label);
    } else {
      out.push_back(label);
    }
  }
  return out;
}

std::string PrintPairs(const LabelSet& labels) {
  std::string out;
  for (Label label : SortedPairs(labels)) {
    if (!out.empty()) {
      out += ", ";
    }
    out += label.name;
    out += '=';
    out += label.value;
  }
  return out;
}

Value NamesOf(const LabelSet& labels) {
  std::vector<std::string> names;
  for (Label label : SortedPairs(labels)) {
    names.emplace_back(label.name);
  }
  return Strings(std::move(names));
}

Value ValuesOf(const LabelSet& labels) {
  std::vector<std::string> values;
  for (Label label : SortedPairs(labels)) {
    values.emplace_back(label.value);
  }
  return Strings(std::move(values));
}

class PairsObject final : public tmpl::Object {
 public:
  explicit PairsObject(LabelSet labels) : labels_(std::move(labels)) {
    std::vector<Value> items;
    for (Label label : SortedPairs(labels_)) {
      items.push_back(Value::Of(std::make_shared<PairObject>(label)));
    }
    list_ = Value::List(std::move(items), "template.Pairs");
  }

  std::string TypeName() const override { return "template.Pairs"; }
  std::string Print() const override { return PrintPairs(labels_); }
  bool PrintsItself() const override { return true; }
  const Value* Underlying() const override { return &list_; }
  const Signature* FindMethod(std::string_view name) const override {
    return name == "Names" || name == "Values" ? &kNoParameters : nullptr;
  }
  Result<Value> Call(std::string_view name, std::span<const Value>) const override {
    return name == "Names" ? NamesOf(labels_) : ValuesOf(labels_);
  }

 private:
  LabelSet labels_;
  Value list_;
};

class KvObject final : public tmpl::Object {
 public:
  // `lasting`: somebody else keeps the labels alive as long as templates run, so that values may borrow from
  // them.
  KvObject(LabelSet labels, bool lasting) : labels_(std::move(labels)) {
    if (lasting) {
      pairs_.reserve(labels_.size());
      for (Label label : labels_) {
        pairs_.emplace_back(label.name, label.value);
      }
      map_ = Value::Labels(pairs_);
      return;
    }
    std::vector<std::pair<std::string, std::string>> entries;
    for (Label label : labels_) {
      entries.emplace_back(label.name, label.value);
    }
    map_ = Value::StringMap(std::move(entries));
  }

  std::string TypeName() const override { return "template.KV"; }
  std::string Print() const override { return PrintPairs(labels_); }
  bool PrintsItself() const override { return true; }
  const Value* Underlying() const override { return &map_; }
  const Signature* FindMethod(std::string_view name) const override {
    if (name == "Remove") {
      return &kOneStringList;
    }
    return name == "SortedPairs" || name == "Names" || name == "Values" ? &kNoParameters : nullptr;
  }
  Result<Value> Call(std::string_view name, std::span<const Value> args) const override {
    if (name == "SortedPairs") {
      return Value::Of(std::make_shared<PairsObject>(labels_));
    }
    if (name == "Names") {
      return NamesOf(labels_);
    }
    if (name == "Values") {
      return ValuesOf(labels_);
    }
    const Value& unwanted = args[0].Unwrapped();
    std::vector<std::string_view> names;
    for (size_t i = 0; i < unwanted.Size(); ++i) {
      names.push_back(unwanted.Item(i).AsString());
    }
    std::sort(names.begin(), names.end());
    std::vector<Label> kept;
    for (Label label : labels_) {
      if (!std::binary_search(names.begin(), names.end(), label.name)) {
        kept.push_back(label);
      }
    }
    return Value::Of(std::make_shared<KvObject>(LabelSet::FromSorted(kept), false));
  }

 private:
  LabelSet labels_;
  std::vector<LabelPair> pairs_;
  Value map_;
};

Value KvValue(const LabelSet& labels) {
  return Value::Of(std::make_shared<KvObject>(labels, true));
}

void AppendJsonLabels(std::string& out, const LabelSet& labels) {
  out.push_back('{');
  const char* separator = "";
  for (Label label : labels) {
    out += separator;
    AppendJsonString(out, label.name);
    out.push_back(':');
    AppendJsonString(out, label.value);
    separator = ",";
  }
  out.push_back('}');
}

std::string JsonTime(const tmpl::Time& time) {
  return time.zone == nullptr ? FormatRfc3339Nano(time.at, time.offset_minutes)
                              : tmpl::FormatLayout(time, tmpl::kRfc3339NanoLayout);
}

// One element of "alerts"; times as JsonTime() gives them.
struct JsonAlert {
  std::string_view status;
  const LabelSet& labels;
  const LabelSet& annotations;
  std::string_view starts_at, ends_at;
  std::string_view generator_url;
  std::string_view fingerprint;
};

void AppendJsonAlert(std::string& out, const JsonAlert& alert) {
  out += "{\"status\":";
  AppendJsonString(out, alert.status);
  out += ",\"labels\":";
  AppendJsonLabels(out, alert.labels);
  out += ",\"annotations\":";
  AppendJsonLabels(out, alert.annotations);
  out += ",\"startsAt\":";
  AppendJsonString(out, alert.starts_at);
  out += ",\"endsAt\":";
  AppendJsonString(out, alert.ends_at);
  out += ",\"generatorURL\":";
  AppendJsonString(out, alert.generator_url);
  out += ",\"fingerprint\":";
  AppendJsonString(out, alert.fingerprint);
  out.push_back('}');
}

// What stands before and after "alerts".
struct JsonGroup {
  std::string_view receiver;  // as it shows
  std::string_view status;
  std::string_view reason;
  const LabelSet& group_labels;
  const LabelSet& common_labels;
  const LabelSet& common_annotations;
  const LabelSet& route_labels;
  std::string_view external_url;
};

void BeginJsonGroup(std::string& out, const JsonGroup& group) {
  out += "{\"receiver\":";
  AppendJsonString(out, group.receiver);
  out += ",\"status\":";
  AppendJsonString(out, group.status);
  out += ",\"alerts\":";
}

void EndJsonGroup(std::string& out, const JsonGroup& group) {
  out += ",\"notification_reason\":";
  AppendJsonString(out, group.reason);
  out += ",\"groupLabels\":";
  AppendJsonLabels(out, group.group_labels);
  out += ",\"commonLabels\":";
  AppendJsonLabels(out, group.common_labels);
  out += ",\"commonAnnotations\":";
  AppendJsonLabels(out, group.common_annotations);
  // Only newer Alertmanagers have it: those who do not use route labels see the body they know.
  if (!group.route_labels.empty()) {
    out += ",\"routeLabels\":";
    AppendJsonLabels(out, group.route_labels);
  }
  out += ",\"externalURL\":";
  AppendJsonString(out, group.external_url);
}

// The fields that upstream's struct has, for printf; ours do not show there.
std::vector<std::pair<std::string_view, Value>> FieldsOf(const tmpl::Object& object,
                                                         std::initializer_list<std::string_view> names) {
  std::vector<std::pair<std::string_view, Value>> out;
  for (std::string_view name : names) {
    out.emplace_back(name, object.Field(name).value_or(Value()));
  }
  return out;
}

// The fields that are links; nothing when `name` is none of them.
std::optional<Value> LinkField(std::string_view name, const ActionLinks* links,
                               const std::vector<TokenTarget>& targets,
                               const std::vector<TokenTarget>& judged, std::string_view recipient) {
  static const std::map<std::string_view, TokenAction> kLinks{
      {"AcknowledgeURL", TokenAction::kAcknowledge},
      {"SnoozeURL", TokenAction::kSnooze},
      {"ResolveURL", TokenAction::kResolve},
      {"ActedURL", TokenAction::kActed},
      {"NotActionableURL", TokenAction::kNotActionable},
      {"FalseAlarmURL", TokenAction::kFalseAlarm},
      {"PoorDetailsURL", TokenAction::kPoorDetails}};
  auto it = kLinks.find(name);
  if (it == kLinks.end()) {
    return std::nullopt;
  }
  return Value::String(links != nullptr
                           ? links->Url(it->second, IsFeedback(it->second) ? judged : targets, recipient)
                           : std::string());
}

class AlertObject final : public tmpl::Object {
 public:
  explicit AlertObject(TemplateAlert alert) : alert_(std::move(alert)) {}

  const std::string& status() const { return alert_.status; }

  std::string TypeName() const override { return "template.Alert"; }
  std::string Print() const override {
    return fmt::format("{{{} {} {} {} {} {} {}}}", alert_.status, PrintPairs(alert_.labels),
                       PrintPairs(alert_.annotations), tmpl::PrintTime(alert_.starts_at),
                       tmpl::PrintTime(alert_.ends_at), alert_.generator_url, alert_.fingerprint);
  }
  std::vector<std::pair<std::string_view, Value>> Fields() const override {
    return FieldsOf(*this,
                    {"Status", "Labels", "Annotations", "StartsAt", "EndsAt", "GeneratorURL", "Fingerprint"});
  }
  std::optional<Value> Field(std::string_view name) const override {
    using Getter = Value (*)(const AlertObject&);
    static const std::map<std::string_view, Getter> kFields{
        {"Status", [](const AlertObject& a) { return Value::View(a.alert_.status); }},
        {"Labels", [](const AlertObject& a) { return Kv(a.labels_, a.alert_.labels); }},
        {"Annotations", [](const AlertObject& a) { return Kv(a.annotations_, a.alert_.annotations); }},
        {"StartsAt", [](const AlertObject& a) { return Value::OfTime(a.alert_.starts_at); }},
        {"EndsAt", [](const AlertObject& a) { return Value::OfTime(a.alert_.ends_at); }},
        {"GeneratorURL", [](const AlertObject& a) { return Value::View(a.alert_.generator_url); }},
        {"Fingerprint", [](const AlertObject& a) { return Value::View(a.alert_.fingerprint); }},
        {"Severity", [](const AlertObject& a) { return Value::View(ToString(a.alert_.severity)); }},
        {"IncidentID", [](const AlertObject& a) { return Value::Integer(a.alert_.incident_id); }},
        {"Acknowledged", [](const AlertObject& a) { return Value::Bool(a.alert_.acknowledged); }},
    };
    auto it = kFields.find(name);
    return it != kFields.end() ? std::optional(it->second(*this)) : Link(name);
  }
  bool AppendJson(std::string& out) const override {
    AppendJsonAlert(out, {alert_.status, alert_.labels, alert_.annotations, JsonTime(alert_.starts_at),
                          JsonTime(alert_.ends_at), alert_.generator_url, alert_.fingerprint});
    return true;
  }

 private:
  std::optional<Value> Link(std::string_view name) const {
    std::vector<TokenTarget> judged;
    if (alert_.incident_id != 0) {
      judged.push_back({alert_.incident_id, alert_.generation});
    }
    return LinkField(name, alert_.links.get(),
                     alert_.status == "firing" ? judged : std::vector<TokenTarget>(), judged,
                     alert_.recipient);
  }
  // Made when a template first asks for it: a webhook's body does not.
  static const Value& Kv(std::optional<Value>& kept, const LabelSet& labels) {
    if (!kept) {
      kept = KvValue(labels);
    }
    return *kept;
  }

  TemplateAlert alert_;
  mutable std::optional<Value> labels_, annotations_;
};

class AlertsObject final : public tmpl::Object {
 public:
  explicit AlertsObject(std::vector<std::shared_ptr<const AlertObject>> alerts) : alerts_(std::move(alerts)) {
    std::vector<Value> items;
    items.reserve(alerts_.size());
    for (const auto& alert : alerts_) {
      items.push_back(Value::Of(alert));
    }
    list_ = Value::List(std::move(items), "template.Alerts");
  }

  std::string TypeName() const override { return "template.Alerts"; }
  std::string Print() const override { return Printed(list_); }
  const Value* Underlying() const override { return &list_; }
  const Signature* FindMethod(std::string_view name) const override {
    return name == "Firing" || name == "Resolved" ? &kNoParameters : nullptr;
  }
  Result<Value> Call(std::string_view name, std::span<const Value>) const override {
    std::string_view status = name == "Resolved" ? "resolved" : "firing";
    std::vector<Value> some;
    for (const auto& alert : alerts_) {
      if (alert->status() == status) {
        some.push_back(Value::Of(alert));
      }
    }
    return Value::List(std::move(some), "[]template.Alert");  // upstream's too has no methods
  }

 private:
  std::vector<std::shared_ptr<const AlertObject>> alerts_;
  Value list_;
};

// Pairs of the first alert that all others have too.
LabelSet Common(std::span<const NotifiedAlert> alerts, LabelSet Alert::*which) {
  if (alerts.empty()) {
    return {};
  }
  std::vector<Label> common;
  for (Label label : alerts.front().alert.*which) {
    common.push_back(label);
  }
  for (const NotifiedAlert& alert : alerts.subspan(1)) {
    const LabelSet& set = alert.alert.*which;
    // As upstream an empty value equals a missing one.
    std::erase_if(common, [&](Label label) { return set.Get(label.name) != label.value; });
    if (common.empty()) {
      break;
    }
  }
  return LabelSet::FromSorted(common);
}

TemplateAlert AlertOf(const NotifiedAlert& alert) {
  TemplateAlert out{.status = alert.resolved ? "resolved" : "firing",
                    .labels = alert.alert.labels,
                    .annotations = alert.alert.annotations,
                    .starts_at = {alert.alert.starts_at, nullptr, alert.alert.starts_offset_minutes},
                    .ends_at = {kUnset, nullptr, 0},
                    .generator_url = std::string(alert.alert.generator_url.view()),
                    .fingerprint = Hex16(alert.fingerprint),
                    .severity = alert.severity,
                    .incident_id = alert.incident_id,
                    .acknowledged = alert.acknowledged,
                    .generation = alert.generation};
  // A firing alert's endsAt is only a promise of its sender: receivers see none.
  if (alert.resolved) {
    out.ends_at = {alert.alert.ends_at, nullptr, alert.alert.ends_offset_minutes};
  }
  return out;
}

TemplateGroup GroupOf(const Notification& n, const TemplateDataOptions& options) {
  auto alerts = std::span(n.alerts).first(std::min(n.alerts.size(), options.alerts_max));
  // Nobody has looked at them for as long as the group waited: to load one after the other is most of the
  // work.
  for (const NotifiedAlert& alert : alerts) {
    alert.alert.labels.Prefetch();
    alert.alert.annotations.Prefetch();
  }
  TemplateGroup out{.receiver = QuoteRegex(n.receiver->name),
                    .status = "resolved",
                    .reason = std::string(options.reason.empty() ? n.ReasonText() : options.reason),
                    .group_labels = n.group_labels,
                    .common_labels = Common(alerts, &Alert::labels),
                    .common_annotations = Common(alerts, &Alert::annotations),
                    .route_labels = options.route_labels,
                    .external_url = std::string(options.external_url),
                    .acknowledged_by = n.acknowledged_by,
                    .targets = TargetsOf(n),
                    .judged = JudgedOf(n),
                    .links = options.links,
                    .recipient = n.receiver->name};
  out.alerts.reserve(alerts.size());
  for (const NotifiedAlert& alert : alerts) {
    out.alerts.push_back(AlertOf(alert));
    out.alerts.back().links = options.links;
    out.alerts.back().recipient = n.receiver->name;
    out.severity = std::max(out.severity, alert.severity);
    if (!alert.resolved) {
      out.status = "firing";
    }
    if (out.incident_url.empty() && alert.incident_id != 0) {
      out.incident_url = fmt::format("{}{}", options.incident_url_prefix, alert.incident_id);
    }
  }
  if (out.status == "firing") {
    out.severity = n.MaxSeverity();
  }
  return out;
}

}  // namespace

class TemplateData::Root final : public tmpl::Object {
 public:
  Root(TemplateGroup group, const char* type_name) : group_(std::move(group)), type_name_(type_name) {
    std::vector<std::shared_ptr<const AlertObject>> objects;
    objects.reserve(group_.alerts.size());
    for (TemplateAlert& alert : group_.alerts) {
      objects.push_back(std::make_shared<AlertObject>(std::move(alert)));
    }
    group_.alerts.clear();
    alerts_ = std::make_shared<AlertsObject>(std::move(objects));
  }

  std::string TypeName() const override { return type_name_; }
  std::string Print() const override {
    return fmt::format("{{{} {} {} {} {} {} {} {} {}}}", group_.receiver, group_.status, alerts_->Print(),
                       group_.reason, PrintPairs(group_.group_labels), PrintPairs(group_.common_labels),
                       PrintPairs(group_.common_annotations), PrintPairs(group_.route_labels),
                       group_.external_url);
  }
  std::vector<std::pair<std::string_view, Value>> Fields() const override {
    return FieldsOf(*this, {"Receiver", "Status", "Alerts", "NotificationReason", "GroupLabels",
                            "CommonLabels", "CommonAnnotations", "RouteLabels", "ExternalURL"});
  }
  std::optional<Value> Field(std::string_view name) const override {
    using Getter = Value (*)(const Root&);
    static const std::map<std::string_view, Getter> kFields{
        {"Receiver", [](const Root& d) { return Value::View(d.group_.receiver); }},
        {"Status", [](const Root& d) { return Value::View(d.group_.status); }},
        {"Alerts", [](const Root& d) { return Value::Of(d.alerts_); }},
        {"NotificationReason", [](const Root& d) { return Value::View(d.group_.reason); }},
        {"GroupLabels", [](const Root& d) { return KvValue(d.group_.group_labels); }},
        {"CommonLabels", [](const Root& d) { return KvValue(d.group_.common_labels); }},
        {"CommonAnnotations", [](const Root& d) { return KvValue(d.group_.common_annotations); }},
        {"RouteLabels", [](const Root& d) { return KvValue(d.group_.route_labels); }},
        {"ExternalURL", [](const Root& d) { return Value::View(d.group_.external_url); }},
        {"Severity", [](const Root& d) { return Value::View(ToString(d.group_.severity)); }},
        {"AcknowledgedBy", [](const Root& d) { return Value::View(d.group_.acknowledged_by); }},
        {"IncidentURL", [](const Root& d) { return Value::View(d.group_.incident_url); }},
    };
    auto it = kFields.find(name);
    return it != kFields.end()
               ? std::optional(it->second(*this))
               : LinkField(name, group_.links.get(), group_.targets, group_.judged, group_.recipient);
  }
  bool AppendJson(std::string& out) const override {
    AppendFields(out);
    out.push_back('}');
    return true;
  }

  void AppendFields(std::string& out) const {
    const JsonGroup group{group_.receiver,     group_.status,        group_.reason,
                          group_.group_labels, group_.common_labels, group_.common_annotations,
                          group_.route_labels, group_.external_url};
    BeginJsonGroup(out, group);
    alerts_->AppendJson(out);
    EndJsonGroup(out, group);
  }

  const TemplateGroup& group() const { return group_; }

 private:
  TemplateGroup group_;  // its alerts are in alerts_
  const char* type_name_;
  std::shared_ptr<const AlertsObject> alerts_;
};

TemplateData::TemplateData(const Notification& n, const TemplateDataOptions& options)
    : TemplateData(GroupOf(n, options)) {}

TemplateData::TemplateData(TemplateGroup group, const char* type_name)
    : data_(std::make_shared<Root>(std::move(group), type_name)), root_(Value::Of(data_)) {}

void TemplateData::AppendJsonFields(std::string& out) const {
  data_->AppendFields(out);
}

void AppendJsonFields(std::string& out, const Notification& n, const TemplateDataOptions& options) {
  constexpr size_t kBytesExpected = 1024;  // of an alert
  auto alerts = std::span(n.alerts).first(std::min(n.alerts.size(), options.alerts_max));
  for (const NotifiedAlert& alert : alerts) {
    alert.alert.labels.Prefetch();
    alert.alert.annotations.Prefetch();
  }
  const bool fires =
      std::any_of(alerts.begin(), alerts.end(), [](const NotifiedAlert& alert) { return !alert.resolved; });
  const std::string receiver = QuoteRegex(n.receiver->name);
  const LabelSet common_labels = Common(alerts, &Alert::labels);
  const LabelSet common_annotations = Common(alerts, &Alert::annotations);
  const JsonGroup group{receiver,
                        fires ? "firing" : "resolved",
                        options.reason.empty() ? n.ReasonText() : options.reason,
                        n.group_labels,
                        common_labels,
                        common_annotations,
                        options.route_labels,
                        options.external_url};
  out.reserve(out.size() + (alerts.size() + 2) * kBytesExpected);
  BeginJsonGroup(out, group);
  out.push_back('[');
  // Alerts of a group have often begun together.
  tmpl::Time starts_at;
  std::string starts_text = JsonTime(starts_at);
  const std::string no_end = JsonTime({});
  for (const NotifiedAlert& one : alerts) {
    if (&one != alerts.data()) {
      out.push_back(',');
    }
    const Alert& alert = one.alert;
    if (alert.starts_at != starts_at.at || alert.starts_offset_minutes != starts_at.offset_minutes) {
      starts_at = {alert.starts_at, nullptr, alert.starts_offset_minutes};
      starts_text = JsonTime(starts_at);
    }
    // A firing alert's endsAt is only a promise of its sender: receivers see none.
    const std::string end =
        one.resolved ? JsonTime({alert.ends_at, nullptr, alert.ends_offset_minutes}) : std::string();
    AppendJsonAlert(out, {one.resolved ? "resolved" : "firing", alert.labels, alert.annotations, starts_text,
                          one.resolved ? end : no_end, alert.generator_url, Hex16(one.fingerprint)});
  }
  out.push_back(']');
  EndJsonGroup(out, group);
}

bool TemplateData::resolved() const {
  return data_->group().status == "resolved";
}

const LabelSet& TemplateData::route_labels() const {
  return data_->group().route_labels;
}

const LabelSet& TemplateData::common_labels() const {
  return data_->group().common_labels;
}

std::string QuoteRegex(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (char c : text) {
    if (std::string_view("\\.+*?()|[]{}^$").find(c) != std::string_view::npos) {
      out.push_back('\\');
    }
    out.push_back(c);
  }
  return out;
}

}  // namespace mlalert
