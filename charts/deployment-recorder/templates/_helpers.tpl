{{/*
Names, labels and images: what every object of the chart shares.
*/}}

{{/* The short name: of the chart, unless overridden. */}}
{{- define "deployment-recorder.name" -}}
{{- .Values.nameOverride | default .Chart.Name | trunc 63 | trimSuffix "-" }}
{{- end }}

{{/*
The name of most objects. Names of Services and of the ledger have no dots and begin with a letter, so all do;
50 characters leave room for what is put behind it.
*/}}
{{- define "deployment-recorder.fullname" -}}
{{- $name := .Values.nameOverride | default .Chart.Name }}
{{- $full := .Values.fullnameOverride }}
{{- if not $full }}
{{- $full = contains $name .Release.Name | ternary .Release.Name (printf "%s-%s" .Release.Name $name) }}
{{- end }}
{{- regexReplaceAll "^([0-9])" (lower $full) "r${1}" | replace "." "-" | trunc 50 | trimSuffix "-" }}
{{- end }}

{{- define "deployment-recorder.namespace" -}}
{{- .Values.namespaceOverride | default .Release.Namespace }}
{{- end }}

{{- define "deployment-recorder.serviceAccountName" -}}
{{- $usual := .Values.serviceAccount.create | ternary (include "deployment-recorder.fullname" .) "default" }}
{{- .Values.serviceAccount.name | default $usual }}
{{- end }}

{{/* The name of the ledger and of its Lease. */}}
{{- define "deployment-recorder.ledger" -}}
{{- .Values.config.ledgerName | default (include "deployment-recorder.fullname" .) }}
{{- end }}

{{/*
By what pods of one component are selected: never changes, since a Deployment's selector cannot.
Call with (dict "root" $ "component" "recorder").
*/}}
{{- define "deployment-recorder.selector" -}}
app.kubernetes.io/name: {{ include "deployment-recorder.name" .root | quote }}
app.kubernetes.io/instance: {{ .root.Release.Name | quote }}
app.kubernetes.io/component: {{ .component }}
{{- end }}

{{/* Labels of the pods of one component: no version of the chart, so that its change alone restarts nothing. */}}
{{- define "deployment-recorder.podLabels" -}}
{{- $own := include "deployment-recorder.selector" . | fromYaml }}
{{- $version := dict
  "app.kubernetes.io/version" (.root.Chart.AppVersion | replace "+" "_" | trunc 63 | trimSuffix "-")
  "app.kubernetes.io/part-of" "deployment-recorder"
  "app.kubernetes.io/managed-by" .root.Release.Service }}
{{- merge (dict) $own $version .root.Values.commonLabels | toYaml }}
{{- end }}

{{/* Labels of every other object of one component. */}}
{{- define "deployment-recorder.labels" -}}
{{- $chart := printf "%s-%s" .root.Chart.Name .root.Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
{{- merge (include "deployment-recorder.podLabels" . | fromYaml) (dict "helm.sh/chart" $chart) | toYaml }}
{{- end }}

{{/*
An image by digest or tag. Call with (dict "root" $ "image" .Values.image). A repository that
begins with a registry, as github/deployment-tracker's chart has it, is taken as it is; that of its own image,
from whatever mirror, is not, which is another program. Without a digest it has that which Chart.yaml names for the very same image:
a release writes it there (deploy/release/chart).
*/}}
{{- define "deployment-recorder.image" -}}
{{- $image := .image }}
{{- if include "deployment-recorder.isTrackerImage" .image }}
{{- $image = dict "registry" .image.registry "repository" "deployment-recorder/deployment-recorder" "tag" "" "digest" "" }}
{{- end }}
{{- $registry := (.root.Values.global).imageRegistry | default $image.registry }}
{{- $repository := $image.repository }}
{{- $first := splitList "/" $repository | first }}
{{- $whole := and (contains "/" $repository) (or (regexMatch "[.:]" $first) (eq $first "localhost")) }}
{{- if and $registry (not $whole) }}
{{- $repository = printf "%s/%s" (trimSuffix "/" $registry) $repository }}
{{- end }}
{{- $name := printf "%s:%s" $repository ($image.tag | default .root.Chart.AppVersion) }}
{{- $digest := $image.digest }}
{{- range index .root.Chart.Annotations "artifacthub.io/images" | fromYamlArray }}
{{- if and (not $digest) (hasPrefix (printf "%s@" $name) .image) }}
{{- $digest = splitList "@" .image | last }}
{{- end }}
{{- end }}
{{- $name }}{{ with $digest }}@{{ . }}{{ end }}
{{- end }}

{{/* Pull secrets of the whole and of this chart, given by name or as objects, each once. */}}
{{- define "deployment-recorder.pullSecrets" -}}
{{- $secrets := list }}
{{- range concat ((.Values.global).imagePullSecrets | default list) (.Values.imagePullSecrets | default list) }}
{{- $secrets = append $secrets (kindIs "string" . | ternary (dict "name" .) .) }}
{{- end }}
{{- with $secrets | uniq }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{/* A list, given as a list or as a text with commas, as a text with commas. */}}
{{- define "deployment-recorder.commas" -}}
{{- $items := kindIs "string" . | ternary (splitList "," (toString .)) . }}
{{- $trimmed := list }}
{{- range $items }}
{{- $trimmed = append $trimmed (toString . | trim) }}
{{- end }}
{{- without $trimmed "" | join "," }}
{{- end }}

{{/* A number or text as text: numbers of a values file are floating, and large ones would get an exponent. */}}
{{- define "deployment-recorder.text" -}}
{{- if kindIs "float64" . }}{{ printf "%.0f" . }}{{ else }}{{ toString . | trim }}{{ end }}
{{- end }}
