{{/* Names */}}
{{- define "mlalert.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" -}}
{{- end -}}

{{- define "mlalert.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 52 | trimSuffix "-" -}}
{{- else if contains (include "mlalert.name" .) .Release.Name -}}
{{- .Release.Name | trunc 52 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name (include "mlalert.name" .) | trunc 52 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{- define "mlalert.namespace" -}}
{{- default .Release.Namespace .Values.namespaceOverride -}}
{{- end -}}

{{- define "mlalert.serviceAccountName" -}}
{{- if .Values.serviceAccount.create -}}
{{- default (include "mlalert.fullname" .) .Values.serviceAccount.name -}}
{{- else -}}
{{- default "default" .Values.serviceAccount.name -}}
{{- end -}}
{{- end -}}

{{- define "mlalert.image" -}}
{{- $registry := default .Values.image.registry .Values.global.imageRegistry -}}
{{- $name := ternary (printf "%s/%s" $registry .Values.image.repository) .Values.image.repository (ne $registry "") -}}
{{- if .Values.image.digest -}}
{{- printf "%s@%s" $name .Values.image.digest -}}
{{- else -}}
{{- printf "%s:%s" $name (default .Chart.AppVersion .Values.image.tag) -}}
{{- end -}}
{{- end -}}

{{/* Of every pod: those of the chart and those of a chart that contains it. */}}
{{- define "mlalert.imagePullSecrets" -}}
{{- $secrets := .Values.imagePullSecrets -}}
{{- range .Values.global.imagePullSecrets -}}
{{- $secrets = append $secrets (ternary (dict "name" .) . (kindIs "string" .)) -}}
{{- end -}}
{{- with uniq $secrets -}}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end -}}
{{- end -}}

{{/* What selectors and claims carry: it must never change, so no version and nothing of the user's. */}}
{{- define "mlalert.selectorLabels" -}}
app.kubernetes.io/name: {{ include "mlalert.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{/* Of every object. What others select by wins over labels of the user's. */}}
{{- define "mlalert.labels" -}}
{{- $own := include "mlalert.selectorLabels" . | fromYaml -}}
{{- $_ := set $own "app.kubernetes.io/part-of" "mlalert" -}}
{{- $more := dict "app.kubernetes.io/version" .Chart.AppVersion "app.kubernetes.io/managed-by" .Release.Service "helm.sh/chart" (printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_") -}}
{{- toYaml (merge $own .Values.commonLabels $more) }}
{{- end -}}

{{/* metadata of an object. Call with (dict "root" $ "name" NAME "labels" MAP "annotations" MAP "namespace" TEXT); all but root and name may be absent. */}}
{{- define "mlalert.metadata" -}}
name: {{ .name }}
namespace: {{ default (include "mlalert.namespace" .root) .namespace }}
labels:
  {{- $labels := merge (dict) (default (dict) .labels) (include "mlalert.labels" .root | fromYaml) }}
  {{- toYaml $labels | nindent 2 }}
{{- $annotations := merge (dict) (default (dict) .annotations) .root.Values.commonAnnotations }}
{{- with $annotations }}
annotations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{/* Addresses */}}
{{- define "mlalert.scheme" -}}
{{- ternary "https" "http" .Values.web.tls -}}
{{- end -}}

{{- define "mlalert.externalURL" -}}
{{- if .Values.externalURL -}}
{{- tpl .Values.externalURL . -}}
{{- else if and .Values.ingress.enabled .Values.ingress.hosts -}}
{{- printf "%s://%s" (ternary "https" "http" (not (empty .Values.ingress.tls))) (tpl (first .Values.ingress.hosts).host .) -}}
{{- .Values.routePrefix | trimSuffix "/" -}}
{{- else if and .Values.httpRoute.enabled .Values.httpRoute.hostnames -}}
{{- printf "https://%s" (tpl (first .Values.httpRoute.hostnames) .) -}}
{{- .Values.routePrefix | trimSuffix "/" -}}
{{- else -}}
{{- printf "%s://%s.%s.svc:%v" (include "mlalert.scheme" .) (include "mlalert.fullname" .) (include "mlalert.namespace" .) .Values.service.port -}}
{{- .Values.routePrefix | trimSuffix "/" -}}
{{- end -}}
{{- end -}}

{{/* Prefix of all paths without a slash at its end: empty, or /something. */}}
{{- define "mlalert.prefix" -}}
{{- if .Values.routePrefix -}}
{{- .Values.routePrefix | trimSuffix "/" -}}
{{- else if .Values.externalURL -}}
{{- (urlParse (tpl .Values.externalURL .)).path | trimSuffix "/" -}}
{{- end -}}
{{- end -}}

{{/* Inside the cluster, with the prefix. */}}
{{- define "mlalert.serviceURL" -}}
{{- printf "%s://%s.%s.svc:%v%s" (include "mlalert.scheme" .) (include "mlalert.fullname" .) (include "mlalert.namespace" .) .Values.service.port (include "mlalert.prefix" .) -}}
{{- end -}}

{{/* Where the configuration comes from: "own", "configmap" or "secret" */}}
{{- define "mlalert.configSource" -}}
{{- if .Values.config.existingConfigMap -}}configmap
{{- else if .Values.config.existingSecret -}}secret
{{- else -}}own
{{- end -}}
{{- end -}}

{{/* The text of mlalert.yml. */}}
{{- define "mlalert.config" -}}
{{- if .Values.config.text -}}
{{- .Values.config.text -}}
{{- else if .Values.config.data -}}
{{- toYaml .Values.config.data -}}
{{- else -}}
{{- toYaml (mergeOverwrite (include "mlalert.defaultConfig" . | fromYaml) .Values.config.overrides) -}}
{{- end -}}
{{- end -}}

{{/* deploy/mlalert.yml with the data source and the receivers of the values. */}}
{{- define "mlalert.defaultConfig" -}}
{{- $config := .Files.Get "files/mlalert.yml" | fromYaml -}}
{{- if .Values.prometheus.url -}}
{{- $source := dict "name" "default" "url" .Values.prometheus.url "timeout" .Values.prometheus.timeout -}}
{{- if .Values.prometheus.headers -}}{{- $_ := set $source "headers" .Values.prometheus.headers -}}{{- end -}}
{{- $_ := set $config "datasources" (list $source) -}}
{{- $files := list -}}
{{- if .Values.rules.shipped -}}{{- $files = append $files "/usr/share/mlalert/rules/*.yml" -}}{{- end -}}
{{- if .Values.ruleFiles -}}{{- $files = append $files "/etc/mlalert/rules/*.y*ml" -}}{{- end -}}
{{- range .Values.ruleConfigMaps -}}{{- $files = append $files (printf "/etc/mlalert/rules-from/%s/*.y*ml" .) -}}{{- end -}}
{{- $_ := set $config "rule_files" $files -}}
{{- else -}}
{{- $_ := unset (unset $config "datasources") "rule_files" -}}
{{- end -}}
{{- $templates := list -}}
{{- if .Values.templates -}}{{- $templates = append $templates "/etc/mlalert/templates/*" -}}{{- end -}}
{{- range .Values.templateConfigMaps -}}{{- $templates = append $templates (printf "/etc/mlalert/templates-from/%s/*" .) -}}{{- end -}}
{{- if $templates -}}{{- $_ := set $config "templates" $templates -}}{{- end -}}
{{- range $receiver := $config.receivers -}}
{{- if hasKey $receiver "slack_configs" -}}
{{- if $.Values.slack.existingSecret -}}
{{- range $receiver.slack_configs -}}
{{- $_ := set . "api_url_file" (printf "/etc/mlalert/secrets/slack/%s" $.Values.slack.key) -}}
{{- $_ := set . "channel" $.Values.slack.channel -}}
{{- end -}}
{{- else -}}{{- $_ := unset $receiver "slack_configs" -}}{{- end -}}
{{- end -}}
{{- if hasKey $receiver "pagerduty_configs" -}}
{{- if $.Values.pagerduty.existingSecret -}}
{{- range $receiver.pagerduty_configs -}}
{{- $_ := set . "routing_key_file" (printf "/etc/mlalert/secrets/pagerduty/%s" $.Values.pagerduty.key) -}}
{{- end -}}
{{- else -}}{{- $_ := unset $receiver "pagerduty_configs" -}}{{- end -}}
{{- end -}}
{{- end -}}
{{- toYaml $config -}}
{{- end -}}

{{/* A map of file names to texts or maps, as data of a ConfigMap. Neither is passed through tpl: alerts have templates of their own. */}}
{{- define "mlalert.files" -}}
{{- range $name, $content := . }}
{{ $name | quote }}: |-
  {{- if kindIs "string" $content }}
  {{- $content | nindent 2 }}
  {{- else }}
  {{- toYaml $content | nindent 2 }}
  {{- end }}
{{- end }}
{{- end -}}

{{/* A probe. With a web configuration every path may want a password, so only the port is tried. */}}
{{- define "mlalert.probe" -}}
{{- if or .timing.httpGet .timing.tcpSocket .timing.exec .timing.grpc }}
{{ toYaml .timing }}
{{- else }}
{{- if .root.Values.web.existingSecret }}
tcpSocket:
  port: http
{{- else }}
httpGet:
  path: {{ include "mlalert.prefix" .root }}{{ .path }}
  port: http
  scheme: {{ include "mlalert.scheme" .root | upper }}
{{- end }}
{{ toYaml .timing }}
{{- end }}
{{- end -}}

{{/* What a schema cannot say, or not in words that help. */}}
{{- define "mlalert.validate" -}}
{{- $v := .Values -}}
{{- $own := or $v.config.data $v.config.text -}}
{{- if gt (int $v.replicaCount) 1 -}}
{{- fail (printf "replicaCount is %v: mlalert keeps its state in one SQLite file, so there can be one replica (or 0 for maintenance)" $v.replicaCount) -}}
{{- end -}}
{{- if and $v.config.existingConfigMap $v.config.existingSecret -}}
{{- fail "config.existingConfigMap and config.existingSecret are both set: mlalert reads one configuration, keep one of them" -}}
{{- end -}}
{{- if and $v.config.data $v.config.text -}}
{{- fail "config.data and config.text are both set: they are two ways to write the same file, keep one of them" -}}
{{- end -}}
{{- if and (or $v.config.existingConfigMap $v.config.existingSecret) (or $own $v.config.overrides) -}}
{{- fail "config.data, config.text or config.overrides is set beside an existing ConfigMap or Secret, which would win: keep one of them" -}}
{{- end -}}
{{- if and $own $v.config.overrides -}}
{{- fail "config.overrides changes the default configuration, and config.data or config.text replaces it: keep one of them" -}}
{{- end -}}
{{- if and $v.prometheus.url (or $own $v.config.existingConfigMap $v.config.existingSecret) -}}
{{- fail "prometheus.url belongs to the default configuration; yours has datasources of its own: leave prometheus.url empty" -}}
{{- end -}}
{{- range tuple "slack" "pagerduty" -}}
{{- if and (index $v .).existingSecret (or $own $v.config.existingConfigMap $v.config.existingSecret) -}}
{{- fail (printf "%s.existingSecret belongs to the default configuration; mount the Secret with secretMounts and name its file in yours" .) -}}
{{- end -}}
{{- end -}}
{{- if and $v.prometheus.url (not (regexMatch "^https?://[^/]+" $v.prometheus.url)) -}}
{{- fail (printf "prometheus.url is %q: it must be a URL as http://prometheus:9090" $v.prometheus.url) -}}
{{- end -}}
{{- if and $v.externalURL (not (regexMatch "^https?://[^/]+" (tpl $v.externalURL .))) -}}
{{- fail (printf "externalURL is %q: it must be a URL as https://mlalert.example.com" $v.externalURL) -}}
{{- end -}}
{{- if and $v.routePrefix (not (hasPrefix "/" $v.routePrefix)) -}}
{{- fail (printf "routePrefix is %q: it must begin with a slash, as /mlalert" $v.routePrefix) -}}
{{- end -}}
{{- if and $v.ingress.enabled (not $v.ingress.hosts) -}}
{{- fail "ingress.enabled is true and ingress.hosts is empty: name a host, as {host: mlalert.example.com}" -}}
{{- end -}}
{{- if and $v.httpRoute.enabled (not $v.httpRoute.parentRefs) -}}
{{- fail "httpRoute.enabled is true and httpRoute.parentRefs is empty: name the Gateway, as {name: gateway, namespace: infra}" -}}
{{- end -}}
{{- $managed := list "config.file" "config.auto-reload-interval" "runbooks.path" "storage.path" "web.listen-address" "web.external-url" "web.route-prefix" "web.config.file" "log.level" "log.format" -}}
{{- range $name, $_ := $v.extraArgs -}}
{{- if hasPrefix "-" $name -}}
{{- fail (printf "extraArgs: write %q without its dashes" $name) -}}
{{- end -}}
{{- if has $name $managed -}}
{{- fail (printf "extraArgs: the chart sets --%s itself, from a value of its own" $name) -}}
{{- end -}}
{{- end -}}
{{- range $name, $_ := $v.runbooks -}}
{{- if not (regexMatch "^[^.]+(\\..+)?\\.md$" $name) -}}
{{- fail (printf "runbooks: %q must be NAME.md or NAME.MODEL.md, or nobody finds it" $name) -}}
{{- end -}}
{{- end -}}
{{- if $v.backup.enabled -}}
{{- if not $v.persistence.enabled -}}
{{- fail "backup.enabled is true and persistence.enabled is false: there is no volume to copy from" -}}
{{- end -}}
{{- if has "ReadWriteOncePod" $v.persistence.accessModes -}}
{{- fail "backup.enabled is true and persistence.accessModes has ReadWriteOncePod: the backup is a second pod on the same volume; use ReadWriteOnce" -}}
{{- end -}}
{{- end -}}
{{- range $name, $_ := $v.ruleFiles -}}
{{- if not (regexMatch "\\.ya?ml$" $name) -}}
{{- fail (printf "ruleFiles: %q must end in .yml or .yaml, or no rule is read from it" $name) -}}
{{- end -}}
{{- end -}}
{{- $mounts := list -}}
{{- if $v.slack.existingSecret -}}{{- $mounts = append $mounts "slack" -}}{{- end -}}
{{- if $v.pagerduty.existingSecret -}}{{- $mounts = append $mounts "pagerduty" -}}{{- end -}}
{{- range $v.secretMounts -}}
{{- if has .name $mounts -}}
{{- fail (printf "secretMounts: two mounts are called %q; names are folders under /etc/mlalert/secrets" .name) -}}
{{- end -}}
{{- $mounts = append $mounts .name -}}
{{- end -}}
{{- end -}}
