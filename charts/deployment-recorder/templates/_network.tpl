{{/*
Who may talk to whom, the parts of the NetworkPolicies; and how many pods may go at once.
*/}}

{{/* Ports as in (list (dict "protocol" "TCP" "port" 443)), of one protocol. */}}
{{- define "deployment-recorder.ports" -}}
{{- $ports := list }}
{{- range $protocol := .protocols }}
{{- range $port := $.ports }}
{{- $ports = append $ports (dict "protocol" $protocol "port" (int $port)) }}
{{- end }}
{{- end }}
{{- toYaml $ports }}
{{- end }}

{{/*
One rule out: (dict "to" PEERS "ports" NUMBERS "protocols" NAMES). Without peers it is to everywhere.
*/}}
{{- define "deployment-recorder.out" -}}
- ports:
    {{- include "deployment-recorder.ports" . | nindent 4 }}
  {{- with .to }}
  to:
    {{- toYaml . | nindent 4 }}
  {{- end }}
{{- end }}

{{/* The port of an address: the one that it names, else that of its scheme. */}}
{{- define "deployment-recorder.portOf" -}}
{{- $host := regexReplaceAll "^[a-z0-9]+://" (lower .) "" | splitList "/" | first }}
{{- $port := regexFind ":[0-9]+$" $host | trimPrefix ":" }}
{{- $port | default (hasPrefix "http://" (lower .) | ternary "80" "443") }}
{{- end }}

{{/* The ports of the proxies, as far as the values tell them. A proxy without a scheme is one of http. */}}
{{- define "deployment-recorder.proxyPorts" -}}
{{- $ports := list }}
{{- range list .Values.proxy.httpProxy .Values.proxy.httpsProxy }}
{{- if . }}
{{- $url := contains "://" . | ternary . (printf "http://%s" .) }}
{{- $ports = append $ports (include "deployment-recorder.portOf" $url | int) }}
{{- end }}
{{- end }}
{{- .Values.networkPolicy.proxy.ports | default ($ports | uniq) | toYaml }}
{{- end }}

{{/* What the recorder, `helm test` and the job at the end reach. */}}
{{- define "deployment-recorder.egress" -}}
{{- $policy := .Values.networkPolicy }}
{{- $tcp := list "TCP" }}
# Names.
{{ include "deployment-recorder.out" (dict "to" $policy.dns.to "ports" $policy.dns.ports "protocols" (list "UDP" "TCP")) }}
# The API server.
{{ include "deployment-recorder.out" (dict "to" $policy.apiServer.to "ports" $policy.apiServer.ports "protocols" $tcp) }}
{{- if .Values.sandbox.enabled }}
# The sandbox, and not GitHub.
- ports:
    - protocol: TCP
      port: 8090
  to:
    - podSelector:
        matchLabels:
          {{- include "deployment-recorder.selector" (dict "root" . "component" "sandbox") | nindent 10 }}
{{- else if not .Values.config.dryRun }}
{{- $github := $policy.github.ports | default (list (include "deployment-recorder.portOf" (include "deployment-recorder.baseUrl" .))) }}
# GitHub.
{{ include "deployment-recorder.out" (dict "to" $policy.github.to "ports" $github "protocols" $tcp) }}
{{- end }}
{{- if .Values.config.readImageLabels }}
# Registries, and where they keep what they have.
{{ include "deployment-recorder.out" (dict "to" $policy.registries.to "ports" $policy.registries.ports "protocols" $tcp) }}
{{- end }}
{{- with include "deployment-recorder.proxyPorts" . | fromYamlArray }}
# The proxy.
{{ include "deployment-recorder.out" (dict "to" $policy.proxy.to "ports" . "protocols" $tcp) }}
{{- end }}
{{- with $policy.egress }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- define "deployment-recorder.problemsOfAvailability" -}}
{{- $budget := .Values.podDisruptionBudget }}
{{- if and (ne (toString $budget.minAvailable) "") (ne (toString $budget.maxUnavailable) "") }}
podDisruptionBudget.minAvailable and podDisruptionBudget.maxUnavailable are both given: leave one out.
{{- end }}
{{- $policy := .Values.networkPolicy }}
{{- if and $policy.enabled .Values.proxy.existingSecret (not $policy.proxy.ports) (not (include "deployment-recorder.proxyPorts" . | fromYamlArray)) }}
networkPolicy.proxy.ports is missing: which port the proxy has stands in proxy.existingSecret, where the chart does not look.
{{- end }}
{{- end }}
