{{/*
What is wrong with the values, in sentences that name them: what a schema cannot say, or would say badly. All
of it is told at once.
*/}}
{{- define "deployment-recorder.validate" -}}
{{- with include "deployment-recorder.problems" . | trim }}
{{- fail (printf "\n\n%s\n" .) }}
{{- end }}
{{- end }}

{{- define "deployment-recorder.problems" -}}
{{- include "deployment-recorder.problemsOfConfig" . }}
{{- include "deployment-recorder.problemsOfSignIn" . }}
{{- include "deployment-recorder.problemsOfRights" . }}
{{- include "deployment-recorder.problemsOfNetwork" . }}
{{- if and (gt (int .Values.replicaCount) 1) (not .Values.leaderElection.enabled) }}
replicaCount is {{ .Values.replicaCount }}, but leaderElection.enabled is false: only one may write, so more than one replica needs leader election.
{{- end }}
{{- end }}

{{- define "deployment-recorder.problemsOfConfig" -}}
{{- $config := .Values.config }}
{{- if not (include "deployment-recorder.org" .) }}
config.org is missing: the GitHub organization that records belong to.
{{- end }}
{{- if not (include "deployment-recorder.cluster" .) }}
config.cluster is missing: the name of this cluster at GitHub.
{{- end }}
{{- if not (include "deployment-recorder.logicalEnvironment" .) }}
config.logicalEnvironment is missing: the logical environment, such as production.
{{- end }}
{{- if and $config.namespace (include "deployment-recorder.commas" $config.namespaces) }}
config.namespaces and config.namespace are both given: one is another name of the other, so leave config.namespace out.
{{- end }}
{{- if and $config.nameTemplate $config.dnTemplate }}
config.nameTemplate and config.dnTemplate are both given: one is another name of the other, so leave config.dnTemplate out.
{{- end }}
{{- $known := (.Files.Get "files/watched.yaml" | fromYaml).kinds | keys | sortAlpha }}
{{- range include "deployment-recorder.kinds" . | fromYamlArray }}
{{- if not (has . $known) }}
config.kinds or config.addKinds has {{ . | quote }}, which is no kind: allowed are {{ join ", " $known }}.
{{- end }}
{{- end }}
{{- if and (hasPrefix "http://" (trim $config.baseUrl)) (not $config.allowHttp) (not .Values.sandbox.enabled) }}
config.baseUrl begins with http://, where the token can be read on the way: if that is meant, set config.allowHttp.
{{- end }}
{{- end }}

{{- define "deployment-recorder.problemsOfSignIn" -}}
{{- $auth := .Values.auth }}
{{- $how := include "deployment-recorder.signIn" . }}
{{- $app := $auth.githubApp }}
{{- /* What is added to the pod by hand may sign in as well. */}}
{{- $byHand := or .Values.extraEnv .Values.extraEnvFrom .Values.extraArgs }}
{{- if and (not $how) (not .Values.config.dryRun) (not $byHand) }}
auth.existingSecret is missing: the name of a Secret with GitHub's token under the key "token", or with the private key of a GitHub App under the key "private-key" and its id in auth.githubApp.appId. (Without GitHub: config.dryRun logs what would be sent, sandbox.enabled sends it to a stand-in.)
{{- end }}
{{- if eq $how "app" }}
{{- if not (or $app.appId $auth.secretKeys.appId) }}
auth.githubApp.appId is missing: the id or client id of the GitHub App that the private key belongs to (or its key in auth.existingSecret, auth.secretKeys.appId).
{{- end }}
{{- if not (or $auth.existingSecret $app.privateKey $app.privateKeySecret) }}
auth.existingSecret is missing: the name of the Secret with the private key of the GitHub App under the key {{ $auth.secretKeys.privateKey | quote }}.
{{- end }}
{{- end }}
{{- if $auth.existingSecret }}
{{- $others := dict "auth.apiToken" $auth.apiToken "auth.apiTokenSecret" $auth.apiTokenSecret "auth.githubApp.privateKey" $app.privateKey "auth.githubApp.privateKeySecret" $app.privateKeySecret }}
{{- range $name, $value := $others }}
{{- if $value }}
auth.existingSecret and {{ $name }} are both given: leave out the one that is not meant.
{{- end }}
{{- end }}
{{- else }}
{{- range $key := list "appId" "installationId" }}
{{- if index $auth.secretKeys $key }}
auth.secretKeys.{{ $key }} is a key in auth.existingSecret, which is missing.
{{- end }}
{{- end }}
{{- end }}
{{- end }}

{{- define "deployment-recorder.problemsOfRights" -}}
{{- if .Values.rbac.namespaced }}
{{- $names := include "deployment-recorder.namespaces" . }}
{{- if not $names }}
rbac.namespaced is true, but config.namespaces is empty: name the namespaces that are looked at.
{{- end }}
{{- if contains "*" $names }}
rbac.namespaced is true, but config.namespaces has a *: which namespaces match can only be seen with rights in the whole cluster. Name each.
{{- end }}
{{- if include "deployment-recorder.commas" .Values.config.excludeNamespaces }}
rbac.namespaced is true, but config.excludeNamespaces is given: name in config.namespaces alone what is looked at.
{{- end }}
{{- if .Values.config.namespaceSelector }}
rbac.namespaced is true, but config.namespaceSelector is given: name in config.namespaces alone what is looked at.
{{- end }}
{{- end }}
{{- end }}

{{- define "deployment-recorder.problemsOfNetwork" -}}
{{- range $name := list "httpProxy" "httpsProxy" }}
{{- if contains "@" (index $.Values.proxy $name) }}
proxy.{{ $name }} has a password, which everybody who may read the Deployment could see: put it into a Secret, proxy.existingSecret.
{{- end }}
{{- end }}
{{- if and .Values.caBundle.existingConfigMap .Values.caBundle.existingSecret }}
caBundle.existingConfigMap and caBundle.existingSecret are both given: leave one out.
{{- end }}
{{- end }}
