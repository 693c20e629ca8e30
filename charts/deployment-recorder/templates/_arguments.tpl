{{/*
Arguments that are given by hand (`extraArgs`): who gets them, and which may not be given so.
*/}}

{{/* Which value sets a flag of `run`: given twice, the program would not start. */}}
{{- define "deployment-recorder.setBy" -}}
add-kinds: config.addKinds
allow-http: config.allowHttp
cluster: config.cluster
dry-run: config.dryRun
events: config.events
exclude-images: config.excludeImages
exclude-namespaces: config.excludeNamespaces
github-api-url: config.baseUrl
github-api-version: config.apiVersion
github-timeout: config.timeout
idle-after: config.idleAfter
image-map: config.imageMap
images: config.images
infer-risks: config.inferRisks
interval: config.interval
kinds: config.kinds
leader-elect: leaderElection.enabled and replicaCount
ledger-name: config.ledgerName
listen: config.metricsPort
log-format: config.logFormat
log-level: config.logLevel
logical-environment: config.logicalEnvironment
logical-environment-label: config.logicalEnvironmentLabel
mass-decommission-hold: config.massDecommissionHold
name-template: config.nameTemplate
namespace-selector: config.namespaceSelector
namespaces: config.namespaces
org: config.org
org-label: config.organizationLabel
org-map: config.organizationMap
org-token-file: auth.organizations
physical-environment: config.physicalEnvironment
physical-environment-label: config.physicalEnvironmentLabel
read-image-labels: config.readImageLabels
registry-allow-http: config.registryAllowHttp
repository-map: config.repositoryMap
selector: config.selector
storage-exclude-registries: config.storageExcludeRegistries
storage-records: config.storageRecords
use-pull-secrets: config.usePullSecrets
{{- if include "deployment-recorder.signIn" . }}
github-app-id: auth
github-app-installation-id: auth
github-app-private-key-file: auth
github-token-file: auth
{{- end }}
{{- end }}

{{/* Flags that are left to `extraArgs` and that `decommission` has too; each has a value. */}}
{{- define "deployment-recorder.sharedFlags" -}}
[context, kubeconfig, ledger-namespace, github-token-file, github-app-id, github-app-installation-id, github-app-private-key-file]
{{- end }}

{{/* The flag of an argument such as `--name=value` or `--name`; nothing for a value of its own. */}}
{{- define "deployment-recorder.flagOf" -}}
{{- regexFind "^--[a-z][-a-z0-9]*" . | trimPrefix "--" }}
{{- end }}

{{/*
What of `extraArgs` the Job at the end needs as well: where the ledger is, and who signs in. A value may be an
argument of its own.
*/}}
{{- define "deployment-recorder.sharedArgs" -}}
{{- $shared := include "deployment-recorder.sharedFlags" . | fromYamlArray }}
{{- $taken := list }}
{{- $open := false }}
{{- range .Values.extraArgs }}
{{- $flag := include "deployment-recorder.flagOf" . }}
{{- if has $flag $shared }}
{{- $taken = append $taken . }}
{{- $open = not (contains "=" .) }}
{{- else }}
{{- if $open }}
{{- $taken = append $taken . }}
{{- end }}
{{- $open = false }}
{{- end }}
{{- end }}
{{- concat $taken .Values.decommissionJob.extraArgs | toYaml }}
{{- end }}

{{/* Whether what is added to the pod by hand signs in. What a ConfigMap or Secret holds is not known here. */}}
{{- define "deployment-recorder.signsInByHand" -}}
{{- if .Values.extraEnvFrom }}yes{{ end }}
{{- range .Values.extraEnv }}
{{- if regexMatch "^(GITHUB_TOKEN|DEPLOYMENT_RECORDER_GITHUB_(TOKEN_FILE|APP_ID|APP_PRIVATE_KEY_FILE))$" (.name | default "") }}yes{{ end }}
{{- end }}
{{- range .Values.extraArgs }}
{{- if regexMatch "^(github-token-file|github-app-id|github-app-private-key-file)$" (include "deployment-recorder.flagOf" .) }}yes{{ end }}
{{- end }}
{{- end }}

{{- define "deployment-recorder.problemsOfArguments" -}}
{{- $setBy := include "deployment-recorder.setBy" . | fromYaml }}
{{- range $name, $arguments := dict "extraArgs" .Values.extraArgs "decommissionJob.extraArgs" .Values.decommissionJob.extraArgs }}
{{- range $arguments }}
{{- $flag := include "deployment-recorder.flagOf" . }}
{{- with get $setBy $flag }}
{{ $name }} has --{{ $flag }}, which is for {{ . }} to set.
{{- end }}
{{- end }}
{{- end }}
{{- $own := printf "--ledger-namespace=%s" (include "deployment-recorder.namespace" .) }}
{{- range .Values.extraArgs }}
{{- if and (hasPrefix "--ledger-namespace" .) (ne . $own) (include "deployment-recorder.decommissions" $) }}
extraArgs has --ledger-namespace, but decommissionOnUninstall needs the ledger beside the recorder: namespaceOverride moves both.
{{- end }}
{{- end }}
{{- end }}
