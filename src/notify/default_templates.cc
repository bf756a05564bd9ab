#include "notify/default_templates.h"

namespace mlalert {
namespace {

// `__subject`: "[FIRING:2] HighCPU eu (node)": status and count, group labels, in parentheses the other
// common labels. Reasons that Alertmanager does not have stand beside the status: "[FIRING:2, FLAPPING] ...";
// `__mlalert_reason` is their text, and empty for all others; `_line` is for messages without a title, and
// `__mlalert_spoken_reason` for calls. An acknowledgement, and a raise in a thread of Slack, have texts of
// their own (acknowledged.cc, slack.cc).
constexpr std::string_view kShared = R"TEMPLATE(
{{- define "__alertmanager" }}Alertmanager{{ end -}}

{{- define "__alertmanagerURL" -}}
{{ .ExternalURL }}/#/alerts?receiver={{ .Receiver | urlquery }}
{{- end -}}

{{- define "__mlalert_reason" -}}
{{- with .NotificationReason -}}
{{- if eq . "severity raised" "flapping" "flapping ended" "escalated" "unacknowledged" "digest" }}, {{ . | toUpper }}{{ end -}}
{{- end -}}
{{- end -}}
{{- define "__mlalert_reason_line" -}}
{{- with .NotificationReason -}}
{{- if eq . "severity raised" "flapping" "flapping ended" "escalated" "unacknowledged" "digest" }}{{ . | toUpper }}
{{ end -}}
{{- end -}}
{{- end -}}

{{- define "__mlalert_spoken_reason" -}}
{{- with .NotificationReason -}}
{{- if eq . "severity raised" }}Severity raised. {{ else if eq . "repeat interval elapsed" }}Repeated. {{ else if eq . "new alerts added" }}New alerts. {{ else if eq . "escalated" }}Escalated. {{ else if eq . "unacknowledged" }}Not acknowledged any more. {{ else if eq . "flapping" }}Flapping. {{ else if eq . "flapping ended" }}Flapping ended. {{ end -}}
{{- end -}}
{{- end -}}

{{- define "__subject" -}}
[{{ .Status | toUpper }}{{ if eq .Status "firing" }}:{{ len .Alerts.Firing }}{{ end }}{{ template "__mlalert_reason" . }}]
{{- " " }}{{ join " " .GroupLabels.SortedPairs.Values }}{{ " " }}
{{- if gt (len .CommonLabels) (len .GroupLabels) -}}
({{ join " " (.CommonLabels.Remove .GroupLabels.Names).Values }})
{{- end }}
{{- end -}}

{{- define "__description" }}{{ end -}}

{{- define "__text_alert_list" -}}
{{- range . -}}
Labels:
{{ range .Labels.SortedPairs }} - {{ .Name }} = {{ .Value }}
{{ end -}}
Annotations:
{{ range .Annotations.SortedPairs }} - {{ .Name }} = {{ .Value }}
{{ end -}}
Source: {{ .GeneratorURL }}
{{ end -}}
{{- end -}}

{{- define "__text_alert_list_markdown" -}}
{{- range . }}
Labels:
{{ range .Labels.SortedPairs }}  - {{ .Name }} = {{ .Value }}
{{ end }}
Annotations:
{{ range .Annotations.SortedPairs }}  - {{ .Name }} = {{ .Value }}
{{ end }}
Source: {{ .GeneratorURL }}
{{ end }}
{{ end -}}

{{- /* Bodies that several receivers share; they differ in their blank lines. */ -}}
{{- define "__alerts_dense" -}}
{{ join " " .CommonAnnotations.SortedPairs.Values }}
{{ if .Alerts.Firing -}}
Alerts Firing:
{{ template "__text_alert_list" .Alerts.Firing }}
{{- end }}
{{ if .Alerts.Resolved -}}
Alerts Resolved:
{{ template "__text_alert_list" .Alerts.Resolved }}
{{- end }}
{{- end -}}

{{- define "__alerts_loose" }}
{{ if .Alerts.Firing }}
Alerts Firing:
{{ template "__text_alert_list" .Alerts.Firing }}
{{ end }}
{{ if .Alerts.Resolved }}
Alerts Resolved:
{{ template "__text_alert_list" .Alerts.Resolved }}
{{ end }}
{{ end -}}

{{- define "__alerts_annotated" -}}
{{ join " " .CommonAnnotations.SortedPairs.Values }}{{ template "__alerts_loose" . }}
{{- end -}}

{{- define "__alerts_markdown" }}
{{ if .Alerts.Firing }}
# Alerts Firing:
{{ template "__text_alert_list_markdown" .Alerts.Firing }}
{{ end }}
{{ if .Alerts.Resolved }}
# Alerts Resolved:
{{ template "__text_alert_list_markdown" .Alerts.Resolved }}
{{ end }}
{{ end -}}

{{- define "__good_or_danger" }}{{ if eq .Status "firing" }}danger{{ else }}good{{ end }}{{ end -}}
)TEMPLATE";

constexpr std::string_view kReceivers = R"TEMPLATE(
{{- define "slack.default.title" }}{{ template "__subject" . }}{{ end -}}
{{- define "slack.default.username" }}{{ template "__alertmanager" . }}{{ end -}}
{{- define "slack.default.fallback" -}}
{{ template "slack.default.title" . }} | {{ template "slack.default.titlelink" . }}
{{- end -}}
{{- define "slack.default.callbackid" }}{{ end -}}
{{- define "slack.default.pretext" }}{{ end -}}
{{- define "slack.default.titlelink" }}{{ template "__alertmanagerURL" . }}{{ end -}}
{{- define "slack.default.iconemoji" }}{{ end -}}
{{- define "slack.default.iconurl" }}{{ end -}}
{{- define "slack.default.text" }}{{ end -}}
{{- define "slack.default.footer" }}{{ end -}}
{{- define "slack.default.color" }}{{ template "__good_or_danger" . }}{{ end -}}

{{- define "mattermost.default.title" }}{{ template "__subject" . }}{{ end -}}
{{- define "mattermost.default.username" }}{{ template "__alertmanager" . }}{{ end -}}
{{- define "mattermost.default.fallback" -}}
{{ template "mattermost.default.title" . }} | {{ template "mattermost.default.titlelink" . }}
{{- end -}}
{{- define "mattermost.default.titlelink" }}{{ template "__alertmanagerURL" . }}{{ end -}}
{{- define "mattermost.default.text" }}{{ template "__alerts_markdown" . }}{{ end -}}
{{- define "mattermost.default.color" }}{{ template "__good_or_danger" . }}{{ end -}}

{{- define "rocketchat.default.title" }}{{ template "__subject" . }}{{ end -}}
{{- define "rocketchat.default.alias" }}{{ template "__alertmanager" . }}{{ end -}}
{{- define "rocketchat.default.titlelink" }}{{ template "__alertmanagerURL" . }}{{ end -}}
{{- define "rocketchat.default.emoji" }}{{ end -}}
{{- define "rocketchat.default.iconurl" }}{{ end -}}
{{- define "rocketchat.default.text" }}{{ end -}}

{{- define "pagerduty.default.description" }}{{ template "__subject" . }}{{ end -}}
{{- define "pagerduty.default.client" }}{{ template "__alertmanager" . }}{{ end -}}
{{- define "pagerduty.default.clientURL" }}{{ template "__alertmanagerURL" . }}{{ end -}}
{{- define "pagerduty.default.instances" }}{{ template "__text_alert_list" . }}{{ end -}}

{{- define "opsgenie.default.message" }}{{ template "__subject" . }}{{ end -}}
{{- define "opsgenie.default.description" }}{{ template "__alerts_dense" . }}{{ end -}}
{{- define "opsgenie.default.source" }}{{ template "__alertmanagerURL" . }}{{ end -}}

{{- define "victorops.default.state_message" }}{{ template "__alerts_dense" . }}{{ end -}}
{{- define "victorops.default.entity_display_name" }}{{ template "__subject" . }}{{ end -}}
{{- define "victorops.default.monitoring_tool" }}{{ template "__alertmanager" . }}{{ end -}}

{{- define "wechat.default.message" -}}
{{ template "__subject" . }}
{{ template "__alerts_dense" . }}
AlertmanagerUrl:
{{ template "__alertmanagerURL" . }}
{{- end -}}
{{- define "wechat.default.to_user" }}{{ end -}}
{{- define "wechat.default.to_party" }}{{ end -}}
{{- define "wechat.default.to_tag" }}{{ end -}}
{{- define "wechat.default.agent_id" }}{{ end -}}

{{- define "pushover.default.title" }}{{ template "__subject" . }}{{ end -}}
{{- define "pushover.default.message" }}{{ template "__alerts_annotated" . }}{{ end -}}
{{- define "pushover.default.url" }}{{ template "__alertmanagerURL" . }}{{ end -}}

{{- define "sns.default.subject" }}{{ template "__subject" . }}{{ end -}}
{{- define "sns.default.message" }}{{ template "__alerts_annotated" . }}{{ end -}}

{{- define "webex.default.message" }}{{ template "__mlalert_reason_line" . }}{{ template "__alerts_annotated" . }}{{ end -}}

{{- define "telegram.default.message" }}{{ template "__mlalert_reason_line" . }}{{ template "__alerts_loose" . }}{{ end -}}

{{- define "discord.default.content" }}{{ end -}}
{{- define "discord.default.title" }}{{ template "__subject" . }}{{ end -}}
{{- define "discord.default.message" }}{{ template "__alerts_loose" . }}{{ end -}}

{{- define "msteams.default.summary" }}{{ template "__subject" . }}{{ end -}}
{{- define "msteams.default.title" }}{{ template "__subject" . }}{{ end -}}
{{- define "msteams.default.text" }}{{ template "__alerts_markdown" . }}{{ end -}}

{{- define "msteamsv2.default.title" }}{{ template "__subject" . }}{{ end -}}
{{- define "msteamsv2.default.text" }}{{ template "__alerts_markdown" . }}{{ end -}}

{{- define "jira.default.summary" }}{{ template "__subject" . }}{{ end -}}
{{- define "jira.default.description" }}{{ template "__alerts_markdown" . }}{{ end -}}
{{- define "__jira_priority" -}}
{{- $critical := false }}{{ $warning := false }}{{ $info := false -}}
{{- range . -}}
{{- if eq .Labels.severity "critical" }}{{ $critical = true -}}
{{- else if eq .Labels.severity "warning" }}{{ $warning = true -}}
{{- else if eq .Labels.severity "info" }}{{ $info = true }}{{ end -}}
{{- end -}}
{{- if $critical }}High{{ else if $warning }}Medium{{ else if $info }}Low{{ end -}}
{{- end -}}
{{- define "jira.default.priority" -}}
{{- $known := false -}}
{{- range .Alerts.Firing -}}
{{- if match "^(critical|warning|info)$" .Labels.severity }}{{ $known = true }}{{ end -}}
{{- end -}}
{{- if $known }}{{ template "__jira_priority" .Alerts.Firing -}}
{{- else }}{{ template "__jira_priority" .Alerts.Resolved }}{{ end -}}
{{- end -}}
)TEMPLATE";

}  // namespace

std::string DefaultTemplateText() {
  std::string out(kShared);
  out += kReceivers;
  return out;
}

}  // namespace mlalert
