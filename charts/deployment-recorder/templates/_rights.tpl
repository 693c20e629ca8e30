{{/*
Rights: which kinds are read, from the list that the program's code gives (files/watched.yaml), and what
keeping the ledger needs.
*/}}

{{/* What an object of rights shares: the head of a Role or binding. Call with (dict "root" $ "name" NAME). */}}
{{- define "deployment-recorder.rightsMetadata" -}}
name: {{ .name | quote }}
{{- with .namespace }}
namespace: {{ . | quote }}
{{- end }}
labels:
  {{- include "deployment-recorder.labels" (dict "root" .root "component" "recorder") | nindent 2 }}
{{- end }}

{{/* The recorder's service account, as the subject of a binding. */}}
{{- define "deployment-recorder.subjects" -}}
- kind: ServiceAccount
  name: {{ include "deployment-recorder.serviceAccountName" . | quote }}
  namespace: {{ include "deployment-recorder.namespace" . | quote }}
{{- end }}

{{/* The words of config.kinds and config.addKinds. */}}
{{- define "deployment-recorder.kinds" -}}
{{- $watched := .Files.Get "files/watched.yaml" | fromYaml }}
{{- $given := include "deployment-recorder.commas" .Values.config.kinds }}
{{- $added := include "deployment-recorder.commas" .Values.config.addKinds }}
{{- $kinds := $watched.default }}
{{- if $given }}
{{- $kinds = splitList "," $given }}
{{- end }}
{{- if $added }}
{{- $kinds = concat $kinds (splitList "," $added) }}
{{- end }}
{{- $kinds | uniq | toYaml }}
{{- end }}

{{/*
The namespaces that are looked at one by one: those of config.namespaces if all are exact names and none is
excluded. Then the program asks for each by its name, and lists no namespaces.
*/}}
{{- define "deployment-recorder.exactNamespaces" -}}
{{- $names := include "deployment-recorder.namespaces" . }}
{{- $exact := list }}
{{- if and $names (not (contains "*" $names)) (not (include "deployment-recorder.commas" .Values.config.excludeNamespaces)) }}
{{- $exact = splitList "," $names | uniq | sortAlpha }}
{{- end }}
{{- toYaml $exact }}
{{- end }}

{{/* What rbac.ownerPresets and rbac.owners name: entries with an apiGroup and resources. */}}
{{- define "deployment-recorder.owners" -}}
{{- $presets := .Files.Get "files/owners.yaml" | fromYaml }}
{{- $owners := list }}
{{- range .Values.rbac.ownerPresets }}
{{- $owners = concat $owners (get $presets . | default list) }}
{{- end }}
{{- concat $owners .Values.rbac.owners | toYaml }}
{{- end }}

{{/*
The rules to read what is selected: whole lists and changes of them, of the selected kinds alone; namespaces
too where they are not named one by one; and what leads traffic in, by the ways that are asked for.
*/}}
{{- define "deployment-recorder.watchRules" -}}
{{- $watched := .Files.Get "files/watched.yaml" | fromYaml }}
{{- $read := $watched.always }}
{{- if not (include "deployment-recorder.exactNamespaces" . | fromYamlArray) }}
{{- $read = concat $read $watched.wholeCluster }}
{{- end }}
{{- range include "deployment-recorder.kinds" . | fromYamlArray }}
{{- $read = concat $read (get $watched.kinds . | default list) }}
{{- end }}
{{- $ways := include "deployment-recorder.commas" .Values.config.inferRisks }}
{{- range ternary (splitList "," $ways) list (ne $ways "") }}
{{- $read = concat $read (get $watched.inferRisks . | default list) }}
{{- end }}
{{- range $owner := include "deployment-recorder.owners" . | fromYamlArray }}
{{- range $owner.resources }}
{{- $read = append $read (dict "apiGroup" $owner.apiGroup "resource" .) }}
{{- end }}
{{- end }}
{{- $groups := dict }}
{{- range $read }}
{{- $_ := set $groups .apiGroup (append (get $groups .apiGroup | default list) .resource | uniq | sortAlpha) }}
{{- end }}
{{- range $group, $resources := $groups }}
- apiGroups: [{{ $group | default "\"\"" }}]
  resources: [{{ join ", " $resources }}]
  verbs: [list, watch]
{{- end }}
{{- if .Values.config.usePullSecrets }}
# Pull secrets, by the names that pods and their service accounts give. Which these will be nobody can know here,
# so that every Secret can be read.
{{- range $watched.pullSecrets }}
- apiGroups: [{{ .apiGroup | default "\"\"" }}]
  resources: [{{ .resource }}]
  verbs: [get]
{{- end }}
{{- end }}
{{- if and .Values.config.events (not .Values.config.dryRun) }}
# Events on workloads. They are only created; the API server removes them by itself.
- apiGroups: [events.k8s.io]
  resources: [events]
  verbs: [create]
{{- end }}
{{- end }}

{{/* The rules to keep the ledger and its Lease, in its namespace. */}}
{{- define "deployment-recorder.ledgerRules" -}}
{{- $ledger := include "deployment-recorder.ledger" . -}}
# Whether the ledger has its namespace, for check; and the uid by which clusters are told apart where
# kube-system cannot be read. A ledger is only written once one of the two uids is known.
- apiGroups: [""]
  resources: [namespaces]
  verbs: [get]
  resourceNames: [{{ include "deployment-recorder.namespace" . | quote }}]
# The Lease of the ledger: it is read, renewed and given back.
- apiGroups: [coordination.k8s.io]
  resources: [leases]
  verbs: [create]
- apiGroups: [coordination.k8s.io]
  resources: [leases]
  verbs: [get, update]
  resourceNames: [{{ $ledger | quote }}]
# The ledger: a root and up to 256 shards. A name cannot be given for what is only to be created.
- apiGroups: [""]
  resources: [configmaps]
  verbs: [create]
- apiGroups: [""]
  resources: [configmaps]
  verbs: [get, update]
  resourceNames: [
    {{ $ledger | quote }},
    {{- range until 256 | chunk 4 }}
    {{ range . }}{{ printf "%s-%d" $ledger . | quote }}, {{ end }}
    {{- end }}
  ]
{{- end }}
