// What "." is in a notification template: Alertmanager's data model (receiver, status, alerts, labels) with a
// few fields of ours. Made by: the payload builders, one per rendering. Read by: the template engine, and by
// the webhook body, which is the same data as JSON. Thread: one at a time; what templates see never changes.
// Labels are shared with the notification, not copied.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "model/label_set.h"
#include "notify/action_links.h"
#include "notify/notification.h"
#include "template/value.h"

namespace mlalert {

// One alert and one group as templates see them: of a notification, or given as JSON to `mlalert template`.
struct TemplateAlert {
  std::string status;  // "firing" or "resolved"
  LabelSet labels{}, annotations{};
  tmpl::Time starts_at{}, ends_at{};
  std::string generator_url{};
  std::string fingerprint{};
  Severity severity = Severity::kNone;
  IncidentId incident_id = 0;
  bool acknowledged = false;
  int64_t generation = 0;
  ActionLinksPtr links{};
  std::string recipient{};
};

struct TemplateGroup {
  std::string receiver{};  // as it shows: regex-quoted
  std::string status{};
  std::vector<TemplateAlert> alerts{};
  std::string reason{};
  LabelSet group_labels{}, common_labels{}, common_annotations{}, route_labels{};
  std::string external_url{};
  Severity severity = Severity::kNone;
  std::string acknowledged_by{};
  std::string incident_url{};
  std::vector<TokenTarget> targets{};
  std::vector<TokenTarget> judged{};  // what feedback is about
  ActionLinksPtr links{};
  std::string recipient{};
};

struct TemplateDataOptions {
  // Only the first so many alerts exist for the template (webhook max_alerts).
  size_t alerts_max = SIZE_MAX;
  LabelSet route_labels{};
  std::string_view external_url{};
  std::string_view incident_url_prefix{};
  // In place of the notification's reason.
  std::string_view reason{};
  ActionLinksPtr links{};
};

// Fields of the root: Receiver (regex-quoted name) Status Alerts NotificationReason GroupLabels CommonLabels
// CommonAnnotations RouteLabels ExternalURL, and ours: Severity (highest, "P1"), AcknowledgedBy, IncidentURL
// (of the first alert that has an incident), AcknowledgeURL, SnoozeURL and ResolveURL (of all that fires),
// ActedURL, NotActionableURL, FalseAlarmURL and PoorDetailsURL (the same; of all when nothing fires). Of an
// alert: Status Labels Annotations StartsAt EndsAt GeneratorURL Fingerprint, and ours: Severity, IncidentID
// (0: none), Acknowledged and the links. Ours do not appear in toJson.
class TemplateData {
 public:
  TemplateData(const Notification& n, const TemplateDataOptions& options);
  // `type_name` is what error messages call the root.
  explicit TemplateData(TemplateGroup group, const char* type_name = "*template.Data");

  const tmpl::Value& root() const { return root_; }
  // As the webhook has it: {"receiver":...,"externalURL":...} without the closing brace.
  void AppendJsonFields(std::string& out) const;
  bool resolved() const;
  const LabelSet& route_labels() const;
  const LabelSet& common_labels() const;

 private:
  class Root;
  std::shared_ptr<const Root> data_;
  tmpl::Value root_;
};

// The same as TemplateData(n, options).AppendJsonFields(out), without making what only templates look at.
void AppendJsonFields(std::string& out, const Notification& n, const TemplateDataOptions& options);

// Go's regexp.QuoteMeta.
std::string QuoteRegex(std::string_view text);

}  // namespace mlalert
