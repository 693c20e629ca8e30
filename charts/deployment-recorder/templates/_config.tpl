{{/*
What `config` becomes: the arguments of the program. They are shown to everybody who may read the Deployment,
so nothing secret may be here.
*/}}

{{/* The namespaces to look at, separated by commas. */}}
{{- define "deployment-recorder.namespaces" -}}
{{- include "deployment-recorder.commas" (.Values.config.namespaces | default .Values.config.namespace) }}
{{- end }}

{{/* The organization, cluster and logical environment: for a try with the sandbox any will do. */}}
{{- define "deployment-recorder.org" -}}
{{- .Values.config.org | default (.Values.sandbox.enabled | ternary "sandbox" "") }}
{{- end }}
{{- define "deployment-recorder.cluster" -}}
{{- .Values.config.cluster | default (.Values.sandbox.enabled | ternary "sandbox" "") }}
{{- end }}
{{- define "deployment-recorder.logicalEnvironment" -}}
{{- .Values.config.logicalEnvironment | default (.Values.sandbox.enabled | ternary "sandbox" "") }}
{{- end }}

{{/* GitHub's address with its scheme; of the sandbox where there is one. */}}
{{- define "deployment-recorder.baseUrl" -}}
{{- $url := trim .Values.config.baseUrl }}
{{- if .Values.sandbox.enabled }}
{{- $url = printf "http://%s-sandbox.%s.svc:%v" (include "deployment-recorder.fullname" .) (include "deployment-recorder.namespace" .) (.Values.sandbox.service.port | int) }}
{{- else if and $url (not (contains "://" $url)) }}
{{- $url = printf "https://%s" $url }}
{{- end }}
{{- $url }}
{{- end }}

{{/* Whether an uninstall ends all records. A dry run has none, and nobody who could. */}}
{{- define "deployment-recorder.decommissions" -}}
{{- if and .Values.decommissionOnUninstall (not .Values.config.dryRun) }}yes{{ end }}
{{- end }}

{{/* Arguments that everything that reads the ledger has: who and where it is, and how it logs. */}}
{{- define "deployment-recorder.commonArgs" -}}
{{- $config := .Values.config }}
{{- $flags := list
  (list "org" (include "deployment-recorder.org" .))
  (list "github-api-url" (include "deployment-recorder.baseUrl" .))
  (list "github-api-version" $config.apiVersion)
  (list "github-timeout" $config.timeout)
  (list "interval" $config.interval)
  (list "ledger-name" (include "deployment-recorder.ledger" .))
  (list "log-level" $config.logLevel)
  (list "log-format" $config.logFormat) }}
{{- $flags = concat $flags (include "deployment-recorder.signInArgs" . | fromYamlArray) }}
{{- range $flags }}
{{- include "deployment-recorder.flag" . }}
{{- end }}
{{- if or .Values.sandbox.enabled $config.allowHttp }}
- --allow-http
{{- end }}
{{- end }}

{{/* Every argument of `run`, and so of `check`. */}}
{{- define "deployment-recorder.runArgs" -}}
{{- $config := .Values.config }}
{{- $images := list }}
{{- range $from, $to := $config.imageMap }}
{{- $images = append $images (printf "%s=%s" $from $to) }}
{{- end }}
{{- include "deployment-recorder.commonArgs" . }}
{{- range list
  (list "cluster" (include "deployment-recorder.cluster" .))
  (list "logical-environment" (include "deployment-recorder.logicalEnvironment" .))
  (list "physical-environment" $config.physicalEnvironment)
  (list "logical-environment-label" $config.logicalEnvironmentLabel)
  (list "physical-environment-label" $config.physicalEnvironmentLabel)
  (list "org-label" $config.organizationLabel)
  (list "org-map" (join "\n" $config.organizationMap))
  (list "namespaces" (include "deployment-recorder.namespaces" .))
  (list "exclude-namespaces" (include "deployment-recorder.commas" $config.excludeNamespaces))
  (list "namespace-selector" $config.namespaceSelector)
  (list "selector" $config.selector)
  (list "images" (include "deployment-recorder.commas" $config.images))
  (list "exclude-images" (include "deployment-recorder.commas" $config.excludeImages))
  (list "image-map" (join "," $images))
  (list "repository-map" (join "\n" $config.repositoryMap))
  (list "registry-allow-http" (include "deployment-recorder.commas" $config.registryAllowHttp))
  (list "kinds" (include "deployment-recorder.commas" $config.kinds))
  (list "add-kinds" (include "deployment-recorder.commas" $config.addKinds))
  (list "infer-risks" (include "deployment-recorder.commas" $config.inferRisks))
  (list "name-template" ($config.nameTemplate | default $config.dnTemplate))
  (list "storage-exclude-registries" (include "deployment-recorder.commas" $config.storageExcludeRegistries))
  (list "idle-after" $config.idleAfter)
  (list "mass-decommission-hold" $config.massDecommissionHold)
  (list "listen" (printf ":%d" (int $config.metricsPort))) }}
{{- include "deployment-recorder.flag" . }}
{{- end }}
{{- if $config.readImageLabels }}
- --read-image-labels
{{- end }}
{{- if $config.usePullSecrets }}
- --use-pull-secrets
{{- end }}
{{- if $config.storageRecords }}
- --storage-records
{{- end }}
{{- if $config.events }}
- --events
{{- end }}
{{- if $config.dryRun }}
- --dry-run
{{- end }}
{{- end }}

{{/*
One argument of (list NAME VALUE), none if the value is empty. The kubelet would put a variable in place of
`$(NAME)`; nobody means that here.
*/}}
{{- define "deployment-recorder.flag" -}}
{{- with index . 1 }}
- {{ printf "--%s=%v" (index $ 0) . | replace "$(" "$$(" | quote }}
{{- end }}
{{- end }}
