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

class AlertObject final : public tmpl::Object {
 public:
  explicit AlertObject(const NotifiedAlert& alert)
      : resolved_(alert.resolved),
        label_set_(alert.alert.labels),
        annotation_set_(alert.alert.annotations),
        labels_(KvValue(label_set_)),
        annotations_(KvValue(annotation_set_)),
        starts_at_{alert.alert.starts_at, nullptr, alert.alert.starts_offset_minutes},
        ends_at_{kUnset, nullptr, 0},
        generator_url_(alert.alert.generator_url),
        fingerprint_(Hex16(alert.fingerprint)),
        severity_(alert.severity),
        incident_id_(alert.incident_id),
        acknowledged_(alert.acknowledged) {
    // A firing alert's endsAt is only a promise of its sender: receivers see none.
    if (resolved_) {
      ends_at_ = {alert.alert.ends_at, nullptr, alert.alert.ends_offset_minutes};
    }
  }

  bool resolved() const { return resolved_; }

  std::string TypeName() const override { return "template.Alert"; }
  std::string Print() const override {
    return fmt::format("{{{} {} {} {} {} {} {}}}", status(), PrintPairs(label_set_),
                       PrintPairs(annotation_set_), tmpl::PrintTime(starts_at_), tmpl::PrintTime(ends_at_),
                       generator_url_, fingerprint_);
  }
  std::optional<Value> Field(std::string_view name) const override {
    using Getter = Value (*)(const AlertObject&);
    static const std::map<std::string_view, Getter> kFields{
        {"Status", [](const AlertObject& a) { return Value::View(a.status()); }},
        {"Labels", [](const AlertObject& a) { return a.labels_; }},
        {"Annotations", [](const AlertObject& a) { return a.annotations_; }},
        {"StartsAt", [](const AlertObject& a) { return Value::OfTime(a.starts_at_); }},
        {"EndsAt", [](const AlertObject& a) { return Value::OfTime(a.ends_at_); }},
        {"GeneratorURL", [](const AlertObject& a) { return Value::View(a.generator_url_); }},
        {"Fingerprint", [](const AlertObject& a) { return Value::View(a.fingerprint_); }},
        {"Severity", [](const AlertObject& a) { return Value::View(ToString(a.severity_)); }},
        {"IncidentID", [](const AlertObject& a) { return Value::Integer(a.incident_id_); }},
        {"Acknowledged", [](const AlertObject& a) { return Value::Bool(a.acknowledged_); }},
    };
    auto it = kFields.find(name);
    return it != kFields.end() ? std::optional(it->second(*this)) : std::nullopt;
  }
  bool AppendJson(std::string& out) const override {
    out += "{\"status\":";
    AppendJsonString(out, status());
    out += ",\"labels\":";
    AppendJsonLabels(out, label_set_);
    out += ",\"annotations\":";
    AppendJsonLabels(out, annotation_set_);
    out += ",\"startsAt\":";
    AppendJsonString(out, FormatRfc3339Nano(starts_at_.at, starts_at_.offset_minutes));
    out += ",\"endsAt\":";
    AppendJsonString(out, FormatRfc3339Nano(ends_at_.at, ends_at_.offset_minutes));
    out += ",\"generatorURL\":";
    AppendJsonString(out, generator_url_);
    out += ",\"fingerprint\":";
    AppendJsonString(out, fingerprint_);
    out.push_back('}');
    return true;
  }

 private:
  std::string_view status() const { return resolved_ ? "resolved" : "firing"; }

  bool resolved_;
  LabelSet label_set_, annotation_set_;
  Value labels_, annotations_;
  tmpl::Time starts_at_, ends_at_;
  std::string generator_url_;
  std::string fingerprint_;
  Severity severity_;
  IncidentId incident_id_;
  bool acknowledged_;
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

  bool AnyFiring() const {
    return std::any_of(alerts_.begin(), alerts_.end(), [](const auto& a) { return !a->resolved(); });
  }

  std::string TypeName() const override { return "template.Alerts"; }
  std::string Print() const override { return Printed(list_); }
  const Value* Underlying() const override { return &list_; }
  const Signature* FindMethod(std::string_view name) const override {
    return name == "Firing" || name == "Resolved" ? &kNoParameters : nullptr;
  }
  Result<Value> Call(std::string_view name, std::span<const Value>) const override {
    bool resolved = name == "Resolved";
    std::vector<std::shared_ptr<const AlertObject>> some;
    for (const auto& alert : alerts_) {
      if (alert->resolved() == resolved) {
        some.push_back(alert);
      }
    }
    return Value::Of(std::make_shared<AlertsObject>(std::move(some)));
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

}  // namespace

class TemplateData::Root final : public tmpl::Object {
 public:
  Root(const Notification& n, const TemplateDataOptions& options)
      : receiver_(QuoteRegex(n.receiver->name)),
        reason_(options.reason.empty() ? ToString(n.reason) : options.reason),
        external_url_(options.external_url),
        acknowledged_by_(n.acknowledged_by),
        group_labels_(n.group_labels),
        route_labels_(options.route_labels) {
    auto alerts = std::span(n.alerts).first(std::min(n.alerts.size(), options.alerts_max));
    std::vector<std::shared_ptr<const AlertObject>> objects;
    objects.reserve(alerts.size());
    Severity highest = Severity::kNone;
    for (const NotifiedAlert& alert : alerts) {
      objects.push_back(std::make_shared<AlertObject>(alert));
      highest = std::max(highest, alert.severity);
      if (incident_url_.empty() && alert.incident_id != 0) {
        incident_url_ = fmt::format("{}{}", options.incident_url_prefix, alert.incident_id);
      }
    }
    alerts_ = std::make_shared<AlertsObject>(std::move(objects));
    resolved_ = !alerts_->AnyFiring();
    severity_ = resolved_ ? highest : n.MaxSeverity();
    common_labels_ = Common(alerts, &Alert::labels);
    common_annotations_ = Common(alerts, &Alert::annotations);
  }

  std::string TypeName() const override { return "*template.Data"; }
  std::string Print() const override {
    return fmt::format("{{{} {} {} {} {} {} {} {} {}}}", receiver_, status(), alerts_->Print(), reason_,
                       PrintPairs(group_labels_), PrintPairs(common_labels_), PrintPairs(common_annotations_),
                       PrintPairs(route_labels_), external_url_);
  }
  std::optional<Value> Field(std::string_view name) const override {
    using Getter = Value (*)(const Root&);
    static const std::map<std::string_view, Getter> kFields{
        {"Receiver", [](const Root& d) { return Value::View(d.receiver_); }},
        {"Status", [](const Root& d) { return Value::View(d.status()); }},
        {"Alerts", [](const Root& d) { return Value::Of(d.alerts_); }},
        {"NotificationReason", [](const Root& d) { return Value::View(d.reason_); }},
        {"GroupLabels", [](const Root& d) { return KvValue(d.group_labels_); }},
        {"CommonLabels", [](const Root& d) { return KvValue(d.common_labels_); }},
        {"CommonAnnotations", [](const Root& d) { return KvValue(d.common_annotations_); }},
        {"RouteLabels", [](const Root& d) { return KvValue(d.route_labels_); }},
        {"ExternalURL", [](const Root& d) { return Value::View(d.external_url_); }},
        {"Severity", [](const Root& d) { return Value::View(ToString(d.severity_)); }},
        {"AcknowledgedBy", [](const Root& d) { return Value::View(d.acknowledged_by_); }},
        {"IncidentURL", [](const Root& d) { return Value::View(d.incident_url_); }},
    };
    auto it = kFields.find(name);
    return it != kFields.end() ? std::optional(it->second(*this)) : std::nullopt;
  }
  bool AppendJson(std::string& out) const override {
    AppendFields(out);
    out.push_back('}');
    return true;
  }

  void AppendFields(std::string& out) const {
    out += "{\"receiver\":";
    AppendJsonString(out, receiver_);
    out += ",\"status\":";
    AppendJsonString(out, status());
    out += ",\"alerts\":";
    alerts_->AppendJson(out);
    out += ",\"notification_reason\":";
    AppendJsonString(out, reason_);
    out += ",\"groupLabels\":";
    AppendJsonLabels(out, group_labels_);
    out += ",\"commonLabels\":";
    AppendJsonLabels(out, common_labels_);
    out += ",\"commonAnnotations\":";
    AppendJsonLabels(out, common_annotations_);
    // Only newer Alertmanagers have it: those who do not use route labels see the body they know.
    if (!route_labels_.empty()) {
      out += ",\"routeLabels\":";
      AppendJsonLabels(out, route_labels_);
    }
    out += ",\"externalURL\":";
    AppendJsonString(out, external_url_);
  }

  bool resolved() const { return resolved_; }
  const LabelSet& route_labels() const { return route_labels_; }
  const LabelSet& common_labels() const { return common_labels_; }

 private:
  std::string_view status() const { return resolved_ ? "resolved" : "firing"; }

  std::string receiver_;
  std::string reason_;
  std::string external_url_;
  std::string acknowledged_by_;
  std::string incident_url_;
  std::shared_ptr<const AlertsObject> alerts_;
  LabelSet group_labels_, common_labels_, common_annotations_, route_labels_;
  Severity severity_ = Severity::kNone;
  bool resolved_ = false;
};

TemplateData::TemplateData(const Notification& n, const TemplateDataOptions& options)
    : data_(std::make_shared<Root>(n, options)), root_(Value::Of(data_)) {}

void TemplateData::AppendJsonFields(std::string& out) const {
  data_->AppendFields(out);
}

bool TemplateData::resolved() const {
  return data_->resolved();
}

const LabelSet& TemplateData::route_labels() const {
  return data_->route_labels();
}

const LabelSet& TemplateData::common_labels() const {
  return data_->common_labels();
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
