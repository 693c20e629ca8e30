{{/*
What is given and means nothing: above all, values of github/deployment-tracker's chart.
*/}}

{{/* Whether a value that only its chart has is given. */}}
{{- define "deployment-recorder.isFromTracker" -}}
{{- $auth := .Values.auth }}
{{- if or .Values.config.namespace .Values.config.dnTemplate (not (kindIs "invalid" .Values.config.workers))
  (not (kindIs "invalid" .Values.config.bulkClusterSync)) .Values.lifecycle $auth.apiToken $auth.apiTokenSecret
  $auth.githubApp.installId $auth.githubApp.privateKey $auth.githubApp.privateKeySecret
  (include "deployment-recorder.isTrackerImage" .Values.image) }}yes
{{- end }}
{{- end }}

{{/* Whether values of an image name its image, of GitHub's registry or of a mirror. */}}
{{- define "deployment-recorder.isTrackerImage" -}}
{{- if regexMatch "(^|/)github/deployment-tracker$" .repository }}yes{{ end }}
{{- end }}

{{/* What is ignored, as a paragraph of the notes; nothing if nothing is. */}}
{{- define "deployment-recorder.ignored" -}}
{{- $ignored := list }}
{{- if not (kindIs "invalid" .Values.config.workers) }}
{{- $ignored = append $ignored "config.workers: records are sent in batches, one after the other" }}
{{- end }}
{{- if not (kindIs "invalid" .Values.config.bulkClusterSync) }}
{{- $ignored = append $ignored "config.bulkClusterSync: everything is sent as a full snapshot at config.interval anyway" }}
{{- end }}
{{- if .Values.lifecycle }}
{{- $ignored = append $ignored "lifecycle: it ends by itself on SIGTERM, and its image has no shell and no sleep" }}
{{- end }}
{{- if include "deployment-recorder.isTrackerImage" .Values.image }}
{{- $ignored = append $ignored "image.repository, image.tag: they are of github/deployment-tracker, whose image is another program" }}
{{- end }}
{{- range $name := list "livenessProbe" "readinessProbe" "startupProbe" }}
{{- if eq (include "deployment-recorder.isTrackerProbe" (index $.Values $name)) "yes" }}
{{- $ignored = append $ignored (printf "%s: it asks the port `metrics` of github/deployment-tracker" $name) }}
{{- end }}
{{- end }}
{{- if and (eq (include "deployment-recorder.signIn" .) "app") (or .Values.auth.apiToken .Values.auth.apiTokenSecret) }}
{{- $ignored = append $ignored "auth.apiToken, auth.apiTokenSecret: it signs in as the GitHub App" }}
{{- end }}
{{- if and .Values.sandbox.enabled (or .Values.auth.existingSecret .Values.auth.apiToken .Values.auth.apiTokenSecret .Values.auth.githubApp.appId) }}
{{- $ignored = append $ignored "auth: the sandbox gets no token that is meant for GitHub" }}
{{- end }}
{{- if and .Values.sandbox.enabled .Values.config.baseUrl }}
{{- $ignored = append $ignored "config.baseUrl: everything is sent to the sandbox" }}
{{- end }}
{{- if and .Values.decommissionOnUninstall .Values.config.dryRun }}
{{- $ignored = append $ignored "decommissionOnUninstall: a dry run tells GitHub nothing" }}
{{- end }}
{{- with $ignored }}

Given and ignored:
{{- range . }}
  * {{ . }}
{{- end }}
{{- end }}
{{- end }}

{{/* Whether a probe is for the port that the other chart names `metrics`. */}}
{{- define "deployment-recorder.isTrackerProbe" -}}
{{- if hasKey (. | default dict) "httpGet" }}
{{- if eq (toString .httpGet.port) "metrics" }}yes{{ end }}
{{- end }}
{{- end }}
