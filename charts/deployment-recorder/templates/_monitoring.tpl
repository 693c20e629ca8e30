{{/*
What Prometheus sees: which series are this release's, and from when on something is worth a word.
*/}}

{{/*
The seconds of a duration such as `90s`, `5m` or `1h 30min`, in the words that the program takes; parts of a
second count for nothing.
*/}}
{{- define "deployment-recorder.seconds" -}}
{{- $seconds := 0 }}
{{- range regexFindAll "[0-9]+ ?[a-z]+" . -1 }}
{{- $number := regexFind "^[0-9]+" . | int }}
{{- $unit := regexFind "[a-z]+$" . }}
{{- if regexMatch "^h" $unit }}
{{- $seconds = add $seconds (mul $number 3600) }}
{{- else if regexMatch "^(m|mins?|minutes?)$" $unit }}
{{- $seconds = add $seconds (mul $number 60) }}
{{- else if regexMatch "^s" $unit }}
{{- $seconds = add $seconds $number }}
{{- end }}
{{- end }}
{{- $seconds }}
{{- end }}

{{/*
The label `job` that the Prometheus operator gives to series of this release; nothing where nobody here makes a
monitor. With a `jobLabel` it is the value of that label, where there is one.
*/}}
{{- define "deployment-recorder.job" -}}
{{- $component := dict "root" . "component" "recorder" }}
{{- $name := include "deployment-recorder.fullname" . }}
{{- if .Values.serviceMonitor.enabled }}
{{- $labels := merge (include "deployment-recorder.labels" $component | fromYaml) .Values.service.labels }}
{{- get $labels .Values.serviceMonitor.jobLabel | default $name }}
{{- else if .Values.podMonitor.enabled }}
{{- $labels := merge (include "deployment-recorder.podLabels" $component | fromYaml) .Values.podLabels }}
{{- $usual := printf "%s/%s" (include "deployment-recorder.monitorNamespace" (dict "root" . "monitor" .Values.podMonitor)) $name }}
{{- get $labels .Values.podMonitor.jobLabel | default $usual }}
{{- end }}
{{- end }}

{{/* The matchers of this release's series, as in `namespace="a", job="b"`. */}}
{{- define "deployment-recorder.series" -}}
{{- $usual := printf "namespace=%q" (include "deployment-recorder.namespace" .) }}
{{- with include "deployment-recorder.job" . }}
{{- $usual = printf "%s, job=%q" $usual . }}
{{- end }}
{{- .Values.prometheusRule.selector | default $usual }}
{{- end }}

{{- define "deployment-recorder.monitorNamespace" -}}
{{- .monitor.namespace | default (include "deployment-recorder.namespace" .root) }}
{{- end }}

{{/* What stands in files/alerts.yaml between two @. */}}
{{- define "deployment-recorder.alertWords" -}}
{{- $thresholds := .Values.prometheusRule.defaultRules.thresholds }}
{{- $interval := include "deployment-recorder.seconds" .Values.config.interval | int | default 600 }}
{{- $lastSuccess := include "deployment-recorder.seconds" $thresholds.lastSuccess | int | default (max 1800 (mul 3 $interval)) }}
release: {{ include "deployment-recorder.series" . | quote }}
last-success: {{ $lastSuccess | quote }}
withheld: {{ $thresholds.withheld | quote }}
not-synced: {{ $thresholds.notSynced | quote }}
wait: {{ include "deployment-recorder.seconds" $thresholds.wait | quote }}
failed-requests: {{ $thresholds.failedRequests | quote }}
gaps-growth: {{ $thresholds.gapsGrowth | toString | quote }}
restarts: {{ $thresholds.restarts | toString | quote }}
{{- end }}

{{/*
The chart's own groups of rules, those of a dry run without what is about GitHub, and without alerts that are
disabled.
*/}}
{{- define "deployment-recorder.alertGroups" -}}
{{- $values := .Values.prometheusRule }}
{{- $text := .Files.Get "files/alerts.yaml" }}
{{- range $word, $value := include "deployment-recorder.alertWords" . | fromYaml }}
{{- $text = $text | replace (printf "@%s@" $word) $value }}
{{- end }}
{{- $groups := list }}
{{- range ($text | fromYaml).groups }}
{{- $rules := list }}
{{- range .rules }}
{{- if not (has .alert $values.defaultRules.disabled) }}
{{- $severity := get $values.defaultRules.severities .alert | default .labels.severity }}
{{- $labels := merge (dict "severity" $severity) $values.alertLabels }}
{{- $runbook := dict "runbook_url" (printf "%s#%s" $values.runbookUrl (lower .alert)) }}
{{- $rules = append $rules (merge (dict "labels" $labels "annotations" (merge (dict) .annotations $runbook)) .) }}
{{- end }}
{{- end }}
{{- $left := and (eq .name "reporting") $.Values.config.dryRun }}
{{- if and $rules (not $left) }}
{{- $name := printf "%s.%s" (include "deployment-recorder.fullname" $) .name }}
{{- $groups = append $groups (dict "name" $name "rules" $rules) }}
{{- end }}
{{- end }}
{{- toYaml $groups }}
{{- end }}

{{- define "deployment-recorder.problemsOfMonitoring" -}}
{{- if and .Values.serviceMonitor.enabled .Values.podMonitor.enabled }}
serviceMonitor.enabled and podMonitor.enabled are both true: each scrapes the same pods, so leave one out.
{{- end }}
{{- if and .Values.serviceMonitor.enabled (not .Values.service.enabled) }}
serviceMonitor.enabled is true, but service.enabled is false: without a Service use podMonitor.enabled.
{{- end }}
{{- $alerts := list }}
{{- range (regexFindAll "alert: [A-Za-z]+" (.Files.Get "files/alerts.yaml") -1) }}
{{- $alerts = append $alerts (trimPrefix "alert: " .) }}
{{- end }}
{{- $rules := .Values.prometheusRule.defaultRules }}
{{- range $rules.disabled }}
{{- if not (has . $alerts) }}
prometheusRule.defaultRules.disabled has {{ . | quote }}, which is no alert: allowed are {{ join ", " $alerts }}.
{{- end }}
{{- end }}
{{- range keys $rules.severities }}
{{- if not (has . $alerts) }}
prometheusRule.defaultRules.severities has {{ . | quote }}, which is no alert: allowed are {{ join ", " $alerts }}.
{{- end }}
{{- end }}
{{- $thresholds := $rules.thresholds }}
{{- range $name := list "lastSuccess" "withheld" "notSynced" "wait" }}
{{- $given := index $thresholds $name }}
{{- $may := and (eq $name "lastSuccess") (not $given) }}
{{- if not (or $may (regexMatch "^([0-9]+h)?([0-9]+m)?([0-9]+s)?$" $given | and $given)) }}
prometheusRule.defaultRules.thresholds.{{ $name }} is {{ $given | quote }}: allowed is a duration such as 30s, 5m or 1h30m.
{{- end }}
{{- end }}
{{- end }}

{{/*
What a ServiceMonitor and a PodMonitor have in common. Call with (dict "root" $ "monitor" VALUES "endpoints" KEY).
*/}}
{{- define "deployment-recorder.monitor" -}}
{{- $monitor := .monitor }}
{{- $endpoint := dict "port" "http" "path" "/metrics" }}
{{- range $key := list "interval" "scrapeTimeout" "honorLabels" "relabelings" "metricRelabelings" }}
{{- with index $monitor $key }}
{{- $_ := set $endpoint $key . }}
{{- end }}
{{- end }}
{{ .endpoints }}:
  - {{- toYaml $endpoint | nindent 4 }}
{{- with $monitor.jobLabel }}
jobLabel: {{ . | quote }}
{{- end }}
{{- with $monitor.sampleLimit }}
sampleLimit: {{ int . }}
{{- end }}
{{- with $monitor.podTargetLabels }}
podTargetLabels:
  {{- toYaml . | nindent 2 }}
{{- end }}
namespaceSelector:
  matchNames:
    - {{ include "deployment-recorder.namespace" .root | quote }}
selector:
  matchLabels:
    {{- include "deployment-recorder.selector" (dict "root" .root "component" "recorder") | nindent 4 }}
{{- end }}
