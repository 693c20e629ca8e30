{{/*
The pod: what the recorder, the test and the job at the end have in common.
*/}}

{{/* Everything of a pod but who it is, its containers and how it restarts. */}}
{{- define "deployment-recorder.podSpec" -}}
{{- $pullSecrets := include "deployment-recorder.pullSecrets" . }}
enableServiceLinks: false
{{- with $pullSecrets | trim }}
{{ . }}
{{- end }}
{{- with .Values.podSecurityContext }}
securityContext:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- range $key := list "priorityClassName" "runtimeClassName" "schedulerName" "dnsPolicy" "dnsConfig" "hostAliases" "nodeSelector" "affinity" "tolerations" }}
{{- with index $.Values $key }}
{{- if kindIs "string" . }}
{{ $key }}: {{ . | quote }}
{{- else }}
{{ $key }}:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}

{{/* The container of the program, but for its name, arguments, ports and probes. */}}
{{- define "deployment-recorder.container" -}}
image: {{ include "deployment-recorder.image" (dict "root" . "image" .Values.image) | quote }}
imagePullPolicy: {{ .Values.image.pullPolicy }}
{{- with .Values.securityContext }}
securityContext:
  {{- toYaml . | nindent 2 }}
{{- end }}
env:
  # By these a container that is restarted knows its own Lease.
  - name: POD_NAME
    valueFrom:
      fieldRef:
        fieldPath: metadata.name
  - name: POD_UID
    valueFrom:
      fieldRef:
        fieldPath: metadata.uid
  {{- with include "deployment-recorder.signInEnv" . | fromYamlArray }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
  {{- with include "deployment-recorder.networkEnv" . | fromYamlArray }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
  {{- with .Values.extraEnv }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- with .Values.extraEnvFrom }}
envFrom:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.resources }}
resources:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with include "deployment-recorder.mounts" . | fromYamlArray }}
volumeMounts:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{/* Proxies and certificate authorities. */}}
{{- define "deployment-recorder.networkEnv" -}}
{{- $proxy := .Values.proxy }}
{{- $env := list }}
{{- range $name, $value := dict "HTTP_PROXY" $proxy.httpProxy "HTTPS_PROXY" $proxy.httpsProxy }}
{{- if $value }}
{{- $env = append $env (dict "name" $name "value" $value) }}
{{- else if $proxy.existingSecret }}
{{- $reference := dict "name" $proxy.existingSecret "key" $name "optional" true }}
{{- $env = append $env (dict "name" $name "valueFrom" (dict "secretKeyRef" $reference)) }}
{{- end }}
{{- end }}
{{- if $env }}
{{- /* The API server is not behind the proxy; the kubelet puts its address in place of the variable. */}}
{{- $direct := list "$(KUBERNETES_SERVICE_HOST)" ".svc" }}
{{- with $proxy.noProxy }}{{ $direct = append $direct . }}{{ end }}
{{- $env = append $env (dict "name" "NO_PROXY" "value" (join "," $direct)) }}
{{- end }}
{{- if or .Values.caBundle.existingConfigMap .Values.caBundle.existingSecret }}
{{- /* With both, the image's authorities and those of the folder are trusted. */}}
{{- $env = append $env (dict "name" "SSL_CERT_FILE" "value" "/etc/ssl/certs/ca-certificates.crt") }}
{{- $env = append $env (dict "name" "SSL_CERT_DIR" "value" "/etc/ssl/deployment-recorder") }}
{{- end }}
{{- toYaml $env }}
{{- end }}

{{/* Volumes. Whole folders are mounted, never single files: those would not follow a change. */}}
{{- define "deployment-recorder.volumes" -}}
{{- $volumes := list }}
{{- with include "deployment-recorder.secretFile" . | fromYaml }}
{{- $items := list (dict "key" .key "path" .file) }}
{{- $volumes = append $volumes (dict "name" "github" "secret" (dict "secretName" .secret "defaultMode" 288 "items" $items)) }}
{{- end }}
{{- $sources := list }}
{{- range $organization, $file := include "deployment-recorder.organizations" . | fromYaml }}
{{- $items := list (dict "key" $file.key "path" $organization) }}
{{- $sources = append $sources (dict "secret" (dict "name" $file.secret "items" $items)) }}
{{- end }}
{{- with $sources }}
{{- $volumes = append $volumes (dict "name" "github-organizations" "projected" (dict "defaultMode" 288 "sources" .)) }}
{{- end }}
{{- /* The name is the one that OpenSSL looks for in such a folder. */}}
{{- $items := list (dict "key" .Values.caBundle.key "path" "00000000.0") }}
{{- with .Values.caBundle.existingSecret }}
{{- $volumes = append $volumes (dict "name" "ca-bundle" "secret" (dict "secretName" . "defaultMode" 292 "items" $items)) }}
{{- else }}
{{- with .Values.caBundle.existingConfigMap }}
{{- $volumes = append $volumes (dict "name" "ca-bundle" "configMap" (dict "name" . "items" $items)) }}
{{- end }}
{{- end }}
{{- concat $volumes (.Values.extraVolumes | default list) | toYaml }}
{{- end }}

{{- define "deployment-recorder.mounts" -}}
{{- $mounts := list }}
{{- with include "deployment-recorder.secretFile" . | fromYaml }}
{{- $mounts = append $mounts (dict "name" "github" "mountPath" (include "deployment-recorder.authFolder" $) "readOnly" true) }}
{{- end }}
{{- with include "deployment-recorder.organizations" . | fromYaml }}
{{- $mounts = append $mounts (dict "name" "github-organizations" "mountPath" (include "deployment-recorder.organizationsFolder" $) "readOnly" true) }}
{{- end }}
{{- if or .Values.caBundle.existingConfigMap .Values.caBundle.existingSecret }}
{{- $mounts = append $mounts (dict "name" "ca-bundle" "mountPath" "/etc/ssl/deployment-recorder" "readOnly" true) }}
{{- end }}
{{- concat $mounts (.Values.extraVolumeMounts | default list) | toYaml }}
{{- end }}

{{/* Spread; a constraint that selects nothing by itself is about the recorder's pods. */}}
{{- define "deployment-recorder.spread" -}}
{{- $constraints := list }}
{{- $own := dict "matchLabels" (include "deployment-recorder.selector" (dict "root" . "component" "recorder") | fromYaml) }}
{{- range .Values.topologySpreadConstraints }}
{{- $constraint := deepCopy . }}
{{- if not (hasKey $constraint "labelSelector") }}
{{- $_ := set $constraint "labelSelector" $own }}
{{- end }}
{{- $constraints = append $constraints $constraint }}
{{- end }}
{{- toYaml $constraints }}
{{- end }}

{{/*
A probe; one for the port of github/deployment-tracker's chart is not for this program. One of another way of asking
has no `httpGet`, which Helm would leave from the default.
*/}}
{{- define "deployment-recorder.probe" -}}
{{- $probe := .given }}
{{- if include "deployment-recorder.isTrackerProbe" .given }}
{{- $probe = .usual }}
{{- end }}
{{- $probe = $probe | default dict }}
{{- if or (hasKey $probe "exec") (hasKey $probe "grpc") (hasKey $probe "tcpSocket") }}
{{- $probe = omit $probe "httpGet" }}
{{- end }}
{{- $probe | toYaml }}
{{- end }}
